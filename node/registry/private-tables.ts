/** Where what is private is kept: all that the region needs of a database, so that another one can stand in for the store. */
import { type Change, type Entry, type RangeOptions } from '../ports.ts';
import { type EntriesOptions } from '../store/reader.ts';

/**
 * A sorted table of names and sealed values. Names are ASCII and hold nothing of a person that could be read without the key of the
 * registry. `Store` is the embedded one, `PostgresTables` one in a database that other processes use too.
 */
export interface PrivateTables {
  /**
   * Makes all changes, in order, or none; they are durable once it resolves. Of calls that overlap either may be first.
   * @throws {NodeError} STORE_WRITE_UNKNOWN, REGISTRY_AWAY: made or not, so write the same again. Else nothing was made.
   */
  write(changes: readonly Change[]): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
  /** The values in the order of `names`: one trip for all. */
  getMany(names: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** A page of `from <= name < to`, in order, as `Disk.range`. */
  page(from: string, to: string, options: RangeOptions): Promise<Entry[]>;
  /** The whole range, page by page; it sees changes made meanwhile or not. */
  entries(from: string, to: string, options?: EntriesOptions): AsyncIterable<Entry>;
  /** Leaves nothing of what was removed or replaced between these names at rest, as far as that is in the hand of this process. */
  compact(from: string, to: string): Promise<void>;
}

/** What has to be so for a change to be made. */
export interface Condition {
  /** This name has this value, undefined for none; of calls that ask it of the same name one waits for the other. */
  readonly holds?: { readonly name: string; readonly value: Uint8Array | undefined };
  /** These names, which the changes put, have no value yet. */
  readonly absent?: readonly string[];
}

/** Tables in a database of their own, which several processes read and write at the same time. */
export interface SharedTables extends PrivateTables {
  /** `write`, where the condition holds at the moment of the change; says what does not, and then changes nothing. Rejects as `write`. */
  writeIf(changes: readonly Change[], condition: Condition): Promise<'made' | 'other' | 'present'>;
  /**
   * From here on nothing is read, written or made unless this row has this value. Calls reject with REGISTRY_ELSEWHERE otherwise.
   * To be called before anything else is.
   */
  expect(row: Entry): void;
  /** Ends after the calls in progress. Safe to call twice. */
  stop(): Promise<void>;
}
