/** One fault code for each layer of a code, whatever is wrong with the layer's bytes. Spec: SPEC.md 5.5. */
import { type FaultCode, ProtocolError } from '../fault.ts';

/** Where the bytes that are read lie: at byte `start` of those that the fault's `offset` counts from; in which `field`. */
interface Place {
  readonly start?: number;
  readonly field?: string;
}

/** What `read` gives; a fault of CBOR in it becomes `code`, with the fault itself as cause. `what` names the value. */
export function readAs<T>(
  code: FaultCode,
  what: string,
  read: () => T,
  { start = 0, ...field }: Place = {},
): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    const { code: causeCode, details } = cause.fault;
    if (causeCode !== 'CBOR_MALFORMED' && causeCode !== 'CBOR_NOT_CANONICAL') throw cause;
    const offset = start + Number(details['offset']);
    throw new ProtocolError(code, `not ${what}: ${cause.message}`, { ...field, offset }, { cause });
  }
}
