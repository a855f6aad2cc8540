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
  /** Made durable together with the drafts: the private side of the batch. */
  readonly changes?: readonly Change[];
}

export interface LogWork<Item> {
  /** Decides what each index of the batch will hold. A throw refuses the whole batch. */
  prepare(items: readonly Item[], place: BatchPlace): PreparedBatch;
  /** The entry of a draft: signed. The same draft gives the same bytes, also in a later process. */
  finish(draft: Uint8Array, index: number): Uint8Array;
}

/** An item that is in the log, under a checkpoint that is signed and durable. */
export interface Receipt {
  readonly index: number;
  readonly entry: Uint8Array;
  readonly checkpoint: HighWater;
}
