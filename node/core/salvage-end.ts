/** What ends a salvage: every log that is held has all its entries, and peers have shown that nothing of the own ones is missing. */
import { type Store } from '../store/store.ts';
import { type LogShelf } from './log-shelf.ts';

export interface SalvageModules {
  readonly store: Store;
  readonly shelf: Pick<LogShelf, 'logs'>;
}

/**
 * Declares a store whole that a salvage has left incomplete, to be called once the node signs; does nothing to another. Reads every
 * entry once.
 * @throws {NodeError} LOG_CORRUPT for a log that still lacks entries, as a copy whose owner is not there yet: the store stays incomplete. As
 * `Store.declareComplete`.
 */
export async function endSalvage({ store, shelf }: SalvageModules): Promise<void> {
  if (!store.incomplete) return;
  for (const { tree } of shelf.logs.values()) {
    const { head, reader } = tree;
    const entries = reader.entries(head.minimum, head.size);
    while ((await entries.next()).done !== true);
  }
  await store.declareComplete();
}
