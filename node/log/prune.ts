/** Dropping the beginning of a log: entries and tiles that end at or below a minimum index. */
import { TILE_HASHES } from '../../protocol/log/tile.ts';
import { type Store } from '../store/store.ts';
import { type LogTree } from './log-tree.ts';

export interface PruneModules {
  readonly tree: LogTree;
  readonly store: Store;
}

/** Keys deleted in one write. */
const STEP = 512;

/**
 * Raises the minimum index to `minimum`, rounded down to a bundle, and deletes what lies wholly below it. The root and all
 * proofs from that index on stay as they were. Run again after an interruption, it goes on where it stopped.
 * @throws {RangeError} if the log is shorter.
 */
export async function pruneLog(minimum: number, { tree, store }: PruneModules): Promise<void> {
  const bound = minimum - (minimum % TILE_HASHES);
  await tree.inTurn(async () => {
    const { size, minimum: before } = tree.head;
    if (bound > size) throw new RangeError('a log is not pruned beyond its end');
    // First what is said to be there, then what is there.
    if (bound > before) await tree.change({ minimum: bound });
  });
  const { keys } = tree;
  for (let level = 0, span = TILE_HASHES; span <= bound; level++, span *= TILE_HASHES) {
    await deleteRange(store, keys.tile(level, 0), keys.tile(level, Math.floor(bound / span)));
  }
  // The entries go last: as long as one of them is there, a later run has something to do.
  await deleteRange(store, keys.run(0), keys.run(bound));
}

/** Deletes `from <= key < to`: by key alone, so that a damaged value does not stand in the way. */
export async function deleteRange(store: Store, from: string, to: string): Promise<void> {
  for (;;) {
    const page = await store.inspect(from, STEP);
    const keys = page.map(({ key }) => key).filter((key) => key < to);
    if (keys.length === 0) return;
    await store.write(keys.map((key) => ({ del: key })));
  }
}
