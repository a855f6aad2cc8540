/** Tiles made again from the entries below them, where a salvage has left some of them out. */
import { equalBytes } from '../../protocol/bytes.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { isNodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { parseHead } from './log-head.ts';
import { LogKeys } from './log-keys.ts';
import { LogReader } from './log-reader.ts';
import { TileEdge } from './tile-edge.ts';

export interface TileMendingModules {
  readonly store: Store;
  readonly sha256: Sha256;
}

/** Entries after which the tiles that they filled are compared. */
const SLICE = 4_096;
/** Tiles that wait in memory for the proof, 16 MiB: where more are missing, the log is gone through again. */
const TILES_MAX = 2_048;

/**
 * Writes every tile that is not the one of the log's entries, once these are proven to be the tree of its head. Does nothing
 * where they are not, or some are gone: what that means is for whoever opens the log. Returns how many it wrote.
 * @throws {NodeError} LOG_CORRUPT for a head that is none, and what the store throws.
 */
export async function mendTiles(origin: string, modules: TileMendingModules): Promise<number> {
  const { store } = modules;
  for (let mended = 0; ;) {
    const changes = await missingTiles(origin, modules);
    if (changes.length > 0) await store.write(changes);
    mended += changes.length;
    if (changes.length < TILES_MAX) return mended;
  }
}

/** The first `TILES_MAX` of them. */
async function missingTiles(origin: string, { store, sha256 }: TileMendingModules): Promise<Change[]> {
  const keys = new LogKeys(origin);
  const stored = await store.get(keys.head);
  if (stored === undefined) return [];
  const { size, root, minimum } = parseHead(stored, origin);
  if (minimum > 0) return []; // the entries that the tiles would come from are gone on purpose
  const frontier = Frontier.empty(sha256);
  const missing: Change[] = [];
  let edge = new TileEdge([]);
  const compare = async (): Promise<void> => {
    const tiles = edge
      .changed()
      .map(({ level, index, bytes }) => ({ put: keys.tile(level, index), value: bytes }));
    const held = await store.getMany(tiles.map(({ put }) => put));
    for (const [i, tile] of tiles.entries()) {
      const isHeld = held[i] !== undefined && equalBytes(held[i], tile.value);
      if (!isHeld && missing.length < TILES_MAX) missing.push(tile);
    }
  };
  try {
    for await (const entry of new LogReader(origin, { reader: store, sha256 }).entries(0, size)) {
      frontier.append(leafHash(sha256, entry), edge.visit);
      if (frontier.size % SLICE !== 0) continue;
      await compare();
      edge = new TileEdge(edge.partial());
    }
  } catch (error) {
    if (isNodeError(error, 'LOG_CORRUPT')) return [];
    throw error;
  }
  await compare();
  return equalBytes(frontier.root(), root) ? missing : [];
}
