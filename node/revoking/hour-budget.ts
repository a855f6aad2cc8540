/** How many indexes the trust-log key has revoked in this hour: kept with the statements, so that a restart forgets none. */
import { type CborValue, decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { NodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';

interface HourCount {
  readonly hour: number;
  readonly count: number;
}

/** Its row in the store. */
export const REVOKED_IN_HOUR = 'revoking/hour';
const BYTES_MAX = 32;

/** The row as the store holds it, where it does. Rejects as `get`. */
export async function hourCountIn(reader: StoreReader): Promise<Change[]> {
  const value = await reader.get(REVOKED_IN_HOUR);
  return value === undefined ? [] : [{ put: REVOKED_IN_HOUR, value }];
}

function countOf(stored: Uint8Array): HourCount {
  try {
    const value = decodeCbor(stored, { bytesMax: BYTES_MAX });
    const [hour, count, ...more] = Array.isArray(value) ? (value as readonly CborValue[]) : [];
    if (isCount(hour) && isCount(count) && more.length === 0) return { hour, count };
  } catch (cause) {
    if (!isProtocolError(cause)) throw cause;
    throw inconsistent(cause);
  }
  throw inconsistent();
}

function isCount(value: CborValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function inconsistent(cause?: Error): NodeError {
  const message = `${REVOKED_IN_HOUR} in the store does not say how many were revoked in which hour`;
  return new NodeError('DATA_INCONSISTENT', message, {
    cause,
    key: REVOKED_IN_HOUR,
    hint: 'Run the software that wrote it. Else put the store back from a backup, and let the node catch up from its peers before it signs.',
  });
}

export class HourBudget {
  #counted: HourCount = { hour: 0, count: 0 };

  /** Counts from what the store holds: at start, and when a statement may not have been written. @throws {NodeError} DATA_INCONSISTENT, and as `get`. */
  async load(reader: StoreReader): Promise<void> {
    const stored = await reader.get(REVOKED_IN_HOUR);
    this.#counted = stored === undefined ? { hour: 0, count: 0 } : countOf(stored);
  }

  /** Indexes counted in `hour`. */
  countIn(hour: number): number {
    return this.#counted.hour === hour ? this.#counted.count : 0;
  }

  /** Counts indexes of an hour, and gives what has to become durable with their statement. */
  add(hour: number, indexes: number): Change {
    this.#counted = { hour, count: this.countIn(hour) + indexes };
    return { put: REVOKED_IN_HOUR, value: encodeCbor([hour, this.#counted.count]) };
  }
}
