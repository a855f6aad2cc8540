/**
 * An order of the root that gives checkpoint keys up, from before the first witness hears of it until somebody is told what came of it: a process that dies in
 * between leaves witnesses that take no word by the old key any more, and a log that does not say why. Rows:
 *
 *   root-order/<index>     an entry of the order, under the index at which it was to be logged
 */
import { type Change } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';
import { type Store } from '../store/store.ts';

export interface RootOrder {
  /** How long the trust log was. */
  readonly index: number;
  readonly entries: readonly Uint8Array[];
}

const PREFIX = 'root-order/';
const END = 'root-order0';
/** Those of 2^53-1, so that keys sort as indexes do. */
const INDEX_DIGITS = 16;

/** The order that was noted last, if there is one. Rejects as `entries`. */
export async function readOrder(store: StoreReader): Promise<RootOrder | undefined> {
  const entries: Uint8Array[] = [];
  let first: string | undefined;
  for await (const [key, entry] of store.entries(PREFIX, END)) {
    first ??= key;
    entries.push(entry);
  }
  return first === undefined ? undefined : { index: Number(first.slice(PREFIX.length)), entries };
}

/** Notes an order durably in the place of any before. Rejects as the store. */
export async function noteOrder({ index, entries }: RootOrder, store: Store): Promise<void> {
  const puts = entries.map((value, i) => ({
    put: PREFIX + String(index + i).padStart(INDEX_DIGITS, '0'),
    value,
  }));
  await store.write([...(await removal(store)), ...puts]);
}

/** Rejects as the store. */
export async function forgetOrder(store: Store): Promise<void> {
  const changes = await removal(store);
  if (changes.length > 0) await store.write(changes);
}

async function removal(store: StoreReader): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const [del] of store.entries(PREFIX, END)) changes.push({ del });
  return changes;
}
