/** The tiles of a log: which there are, what they are called and what hashes they hold. Spec: C2SP tlog-tiles. */
import { ProtocolError } from '../fault.ts';
import { type Sha256 } from '../primitives.ts';
import { HASH_BYTES, nodeHash } from './merkle.ts';
import { type HashSource } from './merkle-proof.ts';

/** Hashes of a full tile. Each is the root of a full tile one level below, or a leaf hash. */
export const TILE_HASHES = 256;
/** Merkle levels that one tile level spans: 2^8 = 256. */
const TILE_DEPTH = 8;
const TILE_LEVEL_MAX = 63;

/**
 * A tile of hashes: its `width` hashes, 1 to 256, are those of tree level 8 * `level` from place 256 * `index` on.
 * A tile of less than 256 hashes is partial: it belongs to one size of the tree, full ones to all larger ones.
 */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** A tile, or the bundle of the entries whose leaf hashes are the tile of level 0 with the same index and width. */
export interface TileResource extends Omit<Tile, 'level'> {
  readonly level: number | 'entries';
}

/** The number of hashes that tile `index` of `level` has in a tree of `size` leaves; 0 if there is no such tile. */
export function tileWidth(size: number, level: number, index: number): number {
  const hashes = Math.floor(size / TILE_HASHES ** level) - index * TILE_HASHES;
  return Math.max(0, Math.min(TILE_HASHES, hashes));
}

/**
 * The tiles that a tree of `newSize` has and the tree of `oldSize` had not, or had narrower, level by level. With an
 * `oldSize` of 0: all of them. Entry bundles have the indexes and widths of level 0.
 */
export function* newTiles(oldSize: number, newSize: number): Iterable<Tile> {
  for (let level = 0, span = 1; span <= newSize; level++, span *= TILE_HASHES) {
    const oldCount = Math.floor(oldSize / span);
    const newCount = Math.floor(newSize / span);
    for (let index = Math.floor(oldCount / TILE_HASHES); index * TILE_HASHES < newCount; index++) {
      const width = tileWidth(newSize, level, index);
      if (width > tileWidth(oldSize, level, index)) yield { level, index, width };
    }
  }
}

/** The path of a tile or bundle below the prefix of its log, as in `tile/0/x001/x234/067.p/8`. */
export function tilePath(resource: TileResource): string {
  if (!hasPath(resource))
    throw new RangeError('expected a level of 0 to 63, an index and a width of 1 to 256');
  const { level, index, width } = resource;
  let number = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    number = `x${String(rest % 1000).padStart(3, '0')}/${number}`;
  }
  return `tile/${level}/${number}${width < TILE_HASHES ? `.p/${width}` : ''}`;
}

const TILE_PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/**
 * Takes apart exactly what `tilePath` makes, so that nothing else of a file system can be named.
 * @throws {ProtocolError} TILE_INVALID for any other text.
 */
export function parseTilePath(path: string): TileResource {
  const [, level, number, width] = TILE_PATH.exec(path) ?? [];
  if (level === undefined || number === undefined) throw badPath(path);
  const resource: TileResource = {
    level: level === 'entries' ? level : Number(level),
    index: Number(number.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_HASHES : Number(width),
  };
  if (!hasPath(resource) || tilePath(resource) !== path) throw badPath(path);
  return resource;
}

/**
 * The root of a perfect subtree within a tile: the one over its hashes [place * 2^depth, (place + 1) * 2^depth).
 * With depth 8 and place 0 that is the root of a full tile, which is a hash of the tile above.
 * @throws {ProtocolError} TILE_INVALID unless `data` holds 1 to 256 whole hashes.
 * @throws {RangeError} if the subtree is not within the tile.
 */
export function hashFromTile(sha256: Sha256, data: Uint8Array, depth: number, place: number): Uint8Array {
  const width = data.length / HASH_BYTES;
  if (!Number.isInteger(width) || width < 1 || width > TILE_HASHES) {
    throw new ProtocolError('TILE_INVALID', 'expected 1 to 256 hashes of 32 bytes', { bytes: data.length });
  }
  const count = 2 ** depth;
  const start = place * count;
  if (!Number.isInteger(start) || start < 0 || start + count > width) {
    throw new RangeError('the subtree is not within the tile');
  }
  // A copy, because a proof outlives the tile that a view would hold on to.
  return new Uint8Array(fold(sha256, data, start, count));
}

/**
 * Hashes of the tree of `size` leaves out of its tiles. `read` gives the bytes of a tile, however it comes by them; what
 * they are worth shows only when a proof made of them is verified.
 * @throws {ProtocolError} TILE_INVALID, from the source, if a tile has not exactly its width.
 */
export function tileSource(sha256: Sha256, size: number, read: (tile: Tile) => Uint8Array): HashSource {
  return (level, index) => {
    const { tile, depth, place } = locate(size, level, index);
    const data = read(tile);
    if (data.length !== tile.width * HASH_BYTES) {
      throw new ProtocolError('TILE_INVALID', 'the tile has another width than its path says', {
        ...tile,
        bytes: data.length,
      });
    }
    return hashFromTile(sha256, data, depth, place);
  };
}

/**
 * The tiles that `build` will read when it gets a `tileSource` of this size, each once: for a caller who has to fetch
 * them first. Runs `build` with hashes that mean nothing.
 */
export function tilesReadBy(size: number, build: (source: HashSource) => unknown): Tile[] {
  const tiles = new Map<string, Tile>();
  build((level, index) => {
    const { tile } = locate(size, level, index);
    tiles.set(tilePath(tile), tile);
    return new Uint8Array(HASH_BYTES);
  });
  return [...tiles.values()];
}

/** The tile in which a perfect subtree of the tree lies, and where in it. */
function locate(size: number, level: number, index: number): { tile: Tile; depth: number; place: number } {
  const depth = level % TILE_DEPTH;
  const placesPerTile = 2 ** (TILE_DEPTH - depth);
  const tileLevel = Math.floor(level / TILE_DEPTH);
  const tileIndex = Math.floor(index / placesPerTile);
  const width = tileWidth(size, tileLevel, tileIndex);
  if (width === 0) throw new RangeError('the subtree is not within the tree');
  return { tile: { level: tileLevel, index: tileIndex, width }, depth, place: index % placesPerTile };
}

/** A view of `data`, or a hash of its own. `count` is a power of two. */
function fold(sha256: Sha256, data: Uint8Array, start: number, count: number): Uint8Array {
  if (count === 1) return data.subarray(start * HASH_BYTES, (start + 1) * HASH_BYTES);
  const half = count / 2;
  return nodeHash(sha256, fold(sha256, data, start, half), fold(sha256, data, start + half, half));
}

function hasPath({ level, index, width }: TileResource): boolean {
  return (
    (level === 'entries' || isWithin(level, 0, TILE_LEVEL_MAX)) &&
    isWithin(index, 0, Number.MAX_SAFE_INTEGER) &&
    isWithin(width, 1, TILE_HASHES)
  );
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function badPath(path: string): ProtocolError {
  return new ProtocolError('TILE_INVALID', 'expected the path of a tile or entry bundle', {
    characters: path.length,
  });
}
