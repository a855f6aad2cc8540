/** What a log is for: the part of logging that differs between logs. */
import { type Change, type HighWater } from '../ports.ts';

/** Where and when a batch is logged. */
export interface BatchPlace {
  /** The index of its first entry. */
  readonly index: number;
  readonly atS: number;
}

export interface PreparedBatch {
  /** For each entry all that it depends on but the signature. */
  readonly drafts: readonly Uint8Array[];
  /** For each item the index of its entry, or why it gets none. There may be entries of no item. */
  readonly places: readonly (number | Error)[];
  /** Made durable together with the drafts. */
  readonly changes?: readonly Change[];
  /** The private side of the batch: together with the drafts too, or before them where it is kept apart. */
  readonly records?: readonly Change[];
}

export interface LogWork<Item> {
  /** Decides what each index of the batch will hold. A throw refuses the whole batch. */
  prepare(items: readonly Item[], place: BatchPlace): PreparedBatch;
  /** The entry of a draft: signed. The same draft gives the same bytes, also in a later process. */
  finish(draft: Uint8Array, index: number): Uint8Array;
  /** The same of many that follow each other, from `index` on, made elsewhere; undefined where each is to be finished here. */
  finishAll?(drafts: readonly Uint8Array[], index: number): Promise<Uint8Array[]> | undefined;
}

/** Where the private side of a log is kept that is not in the store: durable before a batch is staged. */
export interface ApartRecords {
  /**
   * Of a batch; gives what is to be made durable with its staging. Rejects as `PrivateTables.write`, and for good
   * with REGISTRY_TAKEN once another process has taken over.
   */
  write(
    batch: { readonly index: number; readonly count: number },
    records: readonly Change[],
  ): Promise<readonly Change[]>;
  /** Everything before `size` is in the log: no copy that lacks some of it may take records back. Rejects as `write`. */
  note(size: number): Promise<void>;
  /**
   * Makes this process the only one that writes there, and takes back what is there of batches from `index` on: no log will have
   * them. To be repeated if it rejects; fatal with LOG_BEHIND where the log was longer when somebody wrote there, and with REGISTRY_BEHIND
   * where what was written there is gone.
   * `refuse`: called before something is taken back, and from then on nobody may wait for a place in the log.
   */
  takeOver(index: number, refuse: () => void): Promise<void>;
}

/** An item that is in the log, under a checkpoint that is signed and durable. */
export interface Receipt {
  readonly index: number;
  readonly entry: Uint8Array;
  readonly checkpoint: HighWater;
}
