/** Where the registry keeps what is private: all that it needs of a database, so that another one can stand in for the store. */
import { type Change, type Entry, type RangeOptions } from '../ports.ts';

/**
 * A sorted table of names and sealed values. Names are ASCII and hold nothing of a person that could be read without the key of the
 * registry. `Store` is the embedded one; a table of two columns, `name` and `value`, in any SQL database does the same.
 */
export interface PrivateTables {
  /** Makes all changes, in order, or none; they are durable once it resolves. */
  write(changes: readonly Change[]): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
  /** The values in the order of `names`: one trip for all. */
  getMany(names: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** A page of `from <= name < to`, in order; only an empty page says that the range is exhausted. */
  page(from: string, to: string, options: RangeOptions): Promise<Entry[]>;
}
