/** The right edge of a log's tiles: the partial tile of each level. */
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { type Tile, TILE_HASHES, tileWidth } from '../../protocol/log/tile.ts';

const TILE_BYTES = TILE_HASHES * HASH_BYTES;
const ROOM_BYTES_MIN = 16 * HASH_BYTES;
/** Merkle levels that one tile level spans. */
const TILE_DEPTH = 8;

export interface TileBytes {
  readonly level: number;
  readonly index: number;
  /** The hashes that the tile has so far. */
  readonly bytes: Uint8Array;
}

/** The partial tiles of a tree of `size` leaves, lowest level first. */
export function edgeTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_HASHES)) {
    const index = Math.floor(count / TILE_HASHES);
    const width = tileWidth(size, level, index);
    if (width > 0) tiles.push({ level, index, width });
  }
  return tiles;
}

/**
 * Takes the hashes that a `Frontier` reports as it grows, and says which tiles became of them. The tiles that it started
 * from are not written to.
 */
export class TileEdge {
  /** By level; absent where the next hash begins a tile. */
  readonly #growing: (TileBytes | undefined)[] = [];
  /** By level, where the tile lies that grows and what comes to it, made at the first hash. */
  readonly #rooms: (Uint8Array | undefined)[] = [];
  readonly #full: TileBytes[] = [];

  /** `partial` are the tiles that `edgeTiles` names. */
  constructor(partial: readonly TileBytes[]) {
    for (const tile of partial) this.#growing[tile.level] = tile;
  }

  /** A `SubtreeVisitor`. */
  readonly visit = (treeLevel: number, place: number, hash: Uint8Array): void => {
    if (treeLevel % TILE_DEPTH !== 0) return;
    const level = treeLevel / TILE_DEPTH;
    const index = Math.floor(place / TILE_HASHES);
    const at = place % TILE_HASHES;
    let room = this.#rooms[level];
    if (room === undefined || room.length === at * HASH_BYTES) {
      this.#rooms[level] = room = roomierThan(this.#growing[level]?.bytes);
    }
    room.set(hash, at * HASH_BYTES);
    if (at < TILE_HASHES - 1) {
      this.#growing[level] = { level, index, bytes: room.subarray(0, (at + 1) * HASH_BYTES) };
    } else {
      this.#full.push({ level, index, bytes: room });
      this.#growing[level] = undefined;
      this.#rooms[level] = undefined;
    }
  };

  /** The tiles that got hashes, as they are now. */
  changed(): TileBytes[] {
    return [...this.#full, ...this.partial().filter(({ level }) => this.#rooms[level] !== undefined)];
  }

  /** The partial tiles now: the edge to go on from. */
  partial(): TileBytes[] {
    return this.#growing.filter((tile) => tile !== undefined);
  }
}

/** A copy with room for as much again, up to a whole tile: most growths are of a few entries. */
function roomierThan(bytes: Uint8Array = new Uint8Array()): Uint8Array {
  const room = new Uint8Array(Math.min(TILE_BYTES, Math.max(ROOM_BYTES_MIN, 2 * bytes.length)));
  room.set(bytes);
  return room;
}
