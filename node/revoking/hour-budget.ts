/** How many indexes the trust-log key has revoked in this hour: kept with the statements, so that a restart forgets none. */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type Change } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';

interface HourCount {
  readonly hour: number;
  readonly count: number;
}

/** Its row in the store. */
export const REVOKED_IN_HOUR = 'revoking/hour';
const BYTES_MAX = 32;
const schema = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);

/** The row as the store holds it, where it does. Rejects as `get`. */
export async function hourCountIn(reader: StoreReader): Promise<Change[]> {
  const value = await reader.get(REVOKED_IN_HOUR);
  return value === undefined ? [] : [{ put: REVOKED_IN_HOUR, value }];
}

export class HourBudget {
  #counted: HourCount = { hour: 0, count: 0 };

  /** Counts from what the store holds: at start, and when a statement may not have been written. Rejects as `get`. */
  async load(reader: StoreReader): Promise<void> {
    const stored = await reader.get(REVOKED_IN_HOUR);
    const [hour, count] =
      stored === undefined ? [0, 0] : schema.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
    this.#counted = { hour, count };
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
