/** Faults of a part: the home's refuse the whole snapshot, another region's that part alone. Spec: SPEC.md 10. */
import { type Fault, isProtocolError, ProtocolError } from '../fault.ts';

/** The value of what went well, the fault of what did not. */
export interface Attempt<T> {
  readonly value: T | undefined;
  readonly fault: Fault | undefined;
}

export const NOTHING = { value: undefined, fault: undefined } as const;

/** What `action` gives, or the fault that it throws: of the home it is thrown on, since all else leans on that. Names the region. */
export function attempt<T>(region: string, home: string, action: () => T): Attempt<T> {
  try {
    return { value: action(), fault: undefined };
  } catch (cause) {
    if (!isProtocolError(cause)) throw cause;
    const error = named(cause, region);
    if (region === home) throw error;
    return { value: undefined, fault: error.fault };
  }
}

export function named(cause: ProtocolError, region: string): ProtocolError {
  const { code, details } = cause.fault;
  const message = cause.message.replace(`${code}: `, '');
  return new ProtocolError(code, `${region}: ${message}`, { ...details, region }, { cause });
}

export function pinMismatch(expected: string): ProtocolError {
  return new ProtocolError('PIN_MISMATCH', `expected ${expected}`);
}

export function incomplete(
  expected: string,
  details: Readonly<Record<string, string | number>>,
): ProtocolError {
  return new ProtocolError('SNAPSHOT_INCOMPLETE', `expected ${expected}`, details);
}
