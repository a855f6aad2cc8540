/** Appends to a log on disk: tiles and entry bundles first, all synced, so that a checkpoint can follow. */
import { join } from 'node:path';
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { HASH_BYTES, leafHash } from '../../protocol/log/merkle.ts';
import { TILE_HASHES, type TileResource, tilePath, tileWidth } from '../../protocol/log/tile.ts';
import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { removeTree, writeFileAtomically } from './files.ts';
import { damaged, type LogFiles } from './log-files.ts';

const TILE_DEPTH = 8;

export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** The tile or bundle at the right edge that is still to grow. */
interface Edge {
  readonly index: number;
  readonly items: Uint8Array[];
  /** How many of them are on disk already. */
  readonly written: number;
}

/**
 * One batch of appending: `open` at the size of the last checkpoint, `append` each entry, `finish`. Holds at most 256 entries and a
 * tile per level. The same entries at the same size write the same bytes, so that a batch that broke off can run again.
 * Not to be used after an error.
 */
export class LogAppender {
  readonly #files: LogFiles;
  readonly #sha256: Sha256;
  readonly #frontier: Frontier;
  /** By tile level; the bundle of entries goes with level 0. */
  readonly #tiles: Edge[];
  #bundle: Edge;
  #writes: (() => Promise<void>)[] = [];

  private constructor(files: LogFiles, sha256: Sha256, frontier: Frontier, tiles: Edge[], bundle: Edge) {
    this.#files = files;
    this.#sha256 = sha256;
    this.#frontier = frontier;
    this.#tiles = tiles;
    this.#bundle = bundle;
  }

  /** Reads the right edge. @throws {NodeError} DATA_INCONSISTENT if it does not lead to the root of `head`. */
  static async open(files: LogFiles, { size, root }: TreeHead, sha256: Sha256): Promise<LogAppender> {
    const hashes = await files.withHashes(sha256, size, (source) =>
      subtreesOf(size).map(([level, index]) => source(level, index)),
    );
    const frontier = Frontier.of(sha256, size, hashes);
    if (!equalBytes(frontier.root(), root)) throw damaged(files.path, 'does not agree with its checkpoint');
    const tiles: Edge[] = [];
    for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_HASHES)) {
      const index = Math.floor(count / TILE_HASHES);
      const width = tileWidth(size, level, index);
      const data = width === 0 ? new Uint8Array(0) : await files.tile({ level, index, width }, size);
      tiles.push({ index, items: hashesOf(data), written: width });
    }
    const index = Math.floor(size / TILE_HASHES);
    const width = tileWidth(size, 0, index);
    const entries = width === 0 ? [] : await files.bundle(index, width);
    return new LogAppender(files, sha256, frontier, tiles, { index, items: [...entries], written: width });
  }

  get size(): number {
    return this.#frontier.size;
  }

  /** The index that `entry` has got. Full tiles and bundles are on disk when this returns. */
  async append(entry: Uint8Array): Promise<number> {
    const index = this.#frontier.size;
    this.#bundle.items.push(entry);
    this.#frontier.append(leafHash(this.#sha256, entry), (level, place, hash) => {
      if (level % TILE_DEPTH === 0) this.#addHash(level / TILE_DEPTH, Math.floor(place / TILE_HASHES), hash);
    });
    if (this.#bundle.items.length === TILE_HASHES) {
      await this.#write(
        { level: 'entries', index: this.#bundle.index, width: TILE_HASHES },
        encodeEntryBundle(this.#bundle.items),
      );
      this.#bundle = { index: this.#bundle.index + 1, items: [], written: 0 };
    }
    for (const write of this.#writes.splice(0)) await write();
    return index;
  }

  /** Writes the partial tiles. What it returns may be signed. */
  async finish(): Promise<TreeHead> {
    const { size } = this;
    for (const [level, { index, items, written }] of this.#tiles.entries()) {
      if (items.length > written)
        await this.#write({ level, index, width: items.length }, concatBytes(...items));
    }
    const { index, items, written } = this.#bundle;
    if (items.length > written) {
      await this.#write({ level: 'entries', index, width: items.length }, encodeEntryBundle(items));
    }
    return { size, root: this.#frontier.root() };
  }

  #addHash(level: number, index: number, hash: Uint8Array): void {
    const edge = (this.#tiles[level] ??= { index, items: [], written: 0 });
    edge.items.push(hash);
    if (edge.items.length < TILE_HASHES) return;
    const data = concatBytes(...edge.items);
    this.#tiles[level] = { index: index + 1, items: [], written: 0 };
    this.#writes.push(() => this.#write({ level, index, width: TILE_HASHES }, data));
  }

  #write(resource: TileResource, data: Uint8Array): Promise<void> {
    return writeFileAtomically(join(this.#files.path, tilePath(resource)), data);
  }
}

/** Removes the partial tiles of `oldSize` whose full ones the tree of `newSize` has. Call it once that is published. */
export async function removeOutgrownTiles(path: string, oldSize: number, newSize: number): Promise<void> {
  for (let level = 0, count = oldSize; count > 0; level++, count = Math.floor(count / TILE_HASHES)) {
    const index = Math.floor(count / TILE_HASHES);
    if (count % TILE_HASHES === 0 || tileWidth(newSize, level, index) < TILE_HASHES) continue;
    const partials = [{ level, index }, ...(level === 0 ? [{ level: 'entries' as const, index }] : [])];
    for (const partial of partials) {
      const full = tilePath({ ...partial, width: TILE_HASHES });
      await removeTree(join(path, `${full}.p`));
    }
  }
}

/** Level and index of each perfect subtree of a tree of `size` leaves, largest first. */
function subtreesOf(size: number): [level: number, index: number][] {
  const subtrees: [number, number][] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / 2)) {
    if (count % 2 === 1) subtrees.unshift([level, count - 1]);
  }
  return subtrees;
}

function hashesOf(tile: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < tile.length; at += HASH_BYTES) hashes.push(tile.subarray(at, at + HASH_BYTES));
  return hashes;
}
