/** Cutting a log off at an index, so that it goes on with other entries from there: what the store is told, and where to go on. */
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { TILE_HASHES } from '../../protocol/log/tile.ts';
import { type Change } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { parseRun } from './entry-run.ts';
import { type GrowthStart } from './growth.ts';
import { LogKeys } from './log-keys.ts';
import { type LogReader } from './log-reader.ts';
import { edgeTiles } from './tile-edge.ts';

export interface CutModules {
  readonly store: Store;
  readonly reader: LogReader;
}

export interface Cut {
  /** Take away all that is held from `index` on, what is staged too. To be made in order, before those of what follows. */
  readonly changes: readonly Change[];
  readonly start: GrowthStart;
}

/** Keys looked at in one step. */
const STEP = 512;

/** Cuts a log of `size` entries off at `index`, which is below that. Rejects as reading the log. */
export async function cutAt(
  { origin, index, size }: { readonly origin: string; readonly index: number; readonly size: number },
  { store, reader }: CutModules,
): Promise<Cut> {
  const keys = new LogKeys(origin);
  const tiles = edgeTiles(index);
  const bytes = await reader.tiles(tiles);
  const edge = tiles.map(({ level, index: at }, i) => ({ level, index: at, bytes: bytes[i] as Uint8Array }));
  const frontier = await reader.frontierAt(index);
  return {
    changes: [
      ...tilesFrom(keys, index, size),
      ...edge.map((tile) => ({ put: keys.tile(tile.level, tile.index), value: tile.bytes })),
      ...(await keysBetween(keys.run(index), keys.run(size), store)),
      ...(await shortenedRun(keys, index, store)),
      ...(await keysBetween(keys.staged(0), keys.staged(Number.MAX_SAFE_INTEGER), store)),
      ...(await keysBetween(keys.draftRun(0), keys.draftRun(Number.MAX_SAFE_INTEGER), store)),
    ],
    start: { frontier, edge },
  };
}

function tilesFrom(keys: LogKeys, index: number, size: number): Change[] {
  const changes: Change[] = [];
  for (let level = 0, kept = index, held = size; held > 0; level++) {
    for (let at = Math.floor(kept / TILE_HASHES); at * TILE_HASHES < held; at++)
      changes.push({ del: keys.tile(level, at) });
    kept = Math.floor(kept / TILE_HASHES);
    held = Math.floor(held / TILE_HASHES);
  }
  return changes;
}

async function keysBetween(from: string, to: string, store: Store): Promise<Change[]> {
  const changes: Change[] = [];
  for (let next = from; ;) {
    const page = await store.inspect(next, STEP);
    const within = page.filter(({ key }) => key < to);
    changes.push(...within.map(({ key }) => ({ del: key })));
    if (within.length < STEP) return changes;
    next = `${(within.at(-1) as { readonly key: string }).key}\0`;
  }
}

/** The run that holds the entry before `index`, without those from there on. */
async function shortenedRun(keys: LogKeys, index: number, store: Store): Promise<Change[]> {
  const bundle = keys.run(index - (index % TILE_HASHES));
  const [run] = await store.page(bundle, keys.run(index), { limit: 1, reverse: true });
  if (run === undefined) return [];
  const [key, bytes] = run;
  const entries = parseRun(bytes);
  const kept = index - LogKeys.indexOf(key);
  return kept < entries.length ? [{ put: key, value: encodeEntryBundle(entries.slice(0, kept)) }] : [];
}
