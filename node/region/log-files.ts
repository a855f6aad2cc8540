/** A log as files in the static layout of C2SP tlog-tiles, which mirrors and auditors read as they are. */
import { join } from 'node:path';
import { parseEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { type HashSource } from '../../protocol/log/merkle-proof.ts';
import { parseNote } from '../../protocol/log/note.ts';
import {
  TILE_HASHES,
  type Tile,
  type TileResource,
  tilePath,
  tileSource,
  tilesReadBy,
  tileWidth,
} from '../../protocol/log/tile.ts';
import { ENTRY_BYTES_MAX, NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { NodeError } from '../node-error.ts';
import { readPublishedFile } from './files.ts';

const BUNDLE_BYTES_MAX = TILE_HASHES * (2 + ENTRY_BYTES_MAX);
const TILE_BYTES_MAX = TILE_HASHES * HASH_BYTES;

/** Reads a log's files. What they are worth shows only against a signed checkpoint. */
export class LogFiles {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The signed note of the newest checkpoint, unread; undefined where nothing was published. */
  checkpoint(): Promise<Uint8Array | undefined> {
    return readPublishedFile(join(this.path, 'checkpoint'), NOTE_BYTES_MAX);
  }

  /** The size that the newest checkpoint claims, whoever signed it; 0 where nothing was published. @throws {ProtocolError} if it is none. */
  async claimedSize(): Promise<number> {
    const note = await this.checkpoint();
    return note === undefined ? 0 : parseCheckpoint(parseNote(note).text).size;
  }

  /**
   * The hashes of a tile, out of the tile that the tree of `treeSize` leaves has in its place.
   * @throws {NodeError} DATA_INCONSISTENT if that is absent or too short.
   */
  async tile(tile: Tile, treeSize: number): Promise<Uint8Array> {
    const { level, index } = tile;
    const published = { level, index, width: tileWidth(treeSize, level, index) };
    const data = await this.#resource(published, TILE_BYTES_MAX);
    const bytes = tile.width * HASH_BYTES;
    if (data.length < bytes) throw damaged(this.#pathOf(published), 'is too short');
    return data.subarray(0, bytes);
  }

  /** The entries `[from, to)` of the log of `size` leaves, as views of bundles that are read one at a time. */
  async *entries(from: number, to: number, size = to): AsyncGenerator<Uint8Array> {
    for (let index = Math.floor(from / TILE_HASHES); index * TILE_HASHES < to; index++) {
      const bundle = await this.bundle(index, tileWidth(size, 0, index));
      yield* bundle.slice(Math.max(0, from - index * TILE_HASHES), to - index * TILE_HASHES);
    }
  }

  /** One entry of the log of `size` leaves, `index` below `size`. */
  async entry(index: number, size: number): Promise<Uint8Array> {
    for await (const entry of this.entries(index, index + 1, size)) return entry;
    throw new RangeError('the index is not below the size');
  }

  /** The first `width` entries of a bundle. */
  async bundle(index: number, width: number): Promise<readonly Uint8Array[]> {
    const resource = { level: 'entries', index, width } as const;
    const whole = await readPublishedFile(this.#pathOf(resource), BUNDLE_BYTES_MAX);
    if (whole !== undefined) return parseEntryBundle(whole, width);
    // A partial bundle may go once the full one is there.
    const full = await this.#resource({ ...resource, width: TILE_HASHES }, BUNDLE_BYTES_MAX);
    return parseEntryBundle(full, TILE_HASHES).slice(0, width);
  }

  /**
   * Runs `build` with hashes of the tree of `size` leaves, from the tiles of a tree that has grown to `treeSize` since. Reads only
   * the tiles that it asks for.
   * @throws {NodeError} DATA_INCONSISTENT if one of them is absent, or the tree smaller than asked for.
   */
  async withHashes<T>(
    sha256: Sha256,
    size: number,
    build: (source: HashSource) => T,
    treeSize = size,
  ): Promise<T> {
    if (treeSize < size) throw damaged(this.path, `has ${treeSize} entries, of ${size} that are needed`);
    const tiles = new Map<string, Uint8Array>();
    for (const tile of tilesReadBy(size, build)) tiles.set(tilePath(tile), await this.tile(tile, treeSize));
    return build(
      tileSource(sha256, size, (tile) => {
        const data = tiles.get(tilePath(tile));
        if (data === undefined) throw new TypeError('build asks for other hashes the second time');
        return data;
      }),
    );
  }

  async #resource(resource: TileResource, bytesMax: number): Promise<Uint8Array> {
    const partial = await readPublishedFile(this.#pathOf(resource), bytesMax);
    const data =
      partial ?? (await readPublishedFile(this.#pathOf({ ...resource, width: TILE_HASHES }), bytesMax));
    if (data === undefined) throw damaged(this.#pathOf(resource), 'is missing');
    return data;
  }

  #pathOf(resource: TileResource): string {
    return join(this.path, tilePath(resource));
  }
}

export function damaged(path: string, what: string): NodeError {
  return new NodeError('DATA_INCONSISTENT', `${path} ${what}`, {
    hint: 'Restore the log from a mirror or a backup; nothing is signed until it agrees with its checkpoint.',
    fatal: true,
  });
}
