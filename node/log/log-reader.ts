/** Reading the entries, tiles and hashes of a log from a store. Knows no head: callers ask for what they know is there. */
import { Frontier } from '../../protocol/log/frontier.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { type HashSource, rootOf } from '../../protocol/log/merkle-proof.ts';
import {
  type Tile,
  TILE_HASHES,
  tilePath,
  tileSource,
  tilesReadBy,
  tileWidth,
} from '../../protocol/log/tile.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Entry } from '../ports.ts';
import { keyAfter, type StoreReader } from '../store/reader.ts';
import { parseRun } from './entry-run.ts';
import { logError } from './log-error.ts';
import { LogKeys } from './log-keys.ts';
import { type TileBytes } from './tile-edge.ts';

export interface LogReaderModules {
  readonly reader: StoreReader;
  readonly sha256: Sha256;
  /** Tiles that are in memory as they are stored: most of what is asked lies at the right edge. */
  readonly edge?: () => readonly TileBytes[];
}

/** Runs fetched at a time. */
const RUNS_AT_ONCE = 256;

/** Rejects with what the store rejects with, and LOG_CORRUPT where something that was asked for is not there. */
export class LogReader {
  readonly #origin: string;
  readonly #keys: LogKeys;
  readonly #reader: StoreReader;
  readonly #sha256: Sha256;
  readonly #edge: () => readonly TileBytes[];

  constructor(origin: string, { reader, sha256, edge = () => [] }: LogReaderModules) {
    this.#origin = origin;
    this.#keys = new LogKeys(origin);
    this.#reader = reader;
    this.#sha256 = sha256;
    this.#edge = edge;
  }

  /** The entries with `from <= index < to`, in order. */
  async *entries(from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    let next = from;
    if (next === to) return;
    for await (const [key, run] of this.#runs(from, to)) {
      let index = LogKeys.indexOf(key);
      for (const entry of parseRun(run)) {
        if (index++ !== next) continue;
        next++;
        yield entry;
        if (next === to) return;
      }
    }
    throw this.#missing(`entry ${next}`);
  }

  /** The runs from the one that holds the entry at `from`: what was logged together is mostly read together, and nothing else then. */
  async *#runs(from: number, to: number): AsyncGenerator<Entry, void, undefined> {
    // It begins in the same bundle.
    const bundle = this.#keys.run(from - (from % TILE_HASHES));
    const [first] = await this.#reader.page(bundle, this.#keys.run(from + 1), { limit: 1, reverse: true });
    if (first === undefined) return;
    yield first;
    const pageSize = Math.min(to - from, RUNS_AT_ONCE);
    yield* this.#reader.entries(keyAfter(first[0]), this.#keys.run(to), { pageSize });
  }

  /** The hashes of tiles, each as wide as is asked. */
  async tiles(tiles: readonly Tile[]): Promise<Uint8Array[]> {
    const edge = this.#edge();
    const isOf =
      ({ level, index }: Tile) =>
      (held: TileBytes) =>
        held.level === level && held.index === index;
    const missing = tiles.filter((tile) => !edge.some(isOf(tile)));
    const keys = missing.map(({ level, index }) => this.#keys.tile(level, index));
    const stored = keys.length === 0 ? [] : await this.#reader.getMany(keys);
    return tiles.map((tile) => {
      const whole = edge.find(isOf(tile))?.bytes ?? stored[missing.indexOf(tile)];
      const bytes = whole?.subarray(0, tile.width * HASH_BYTES);
      if (bytes?.length !== tile.width * HASH_BYTES) throw this.#missing(tilePath(tile));
      return bytes;
    });
  }

  /** The leaf hashes with `from <= index < to`. */
  async leafHashes(from: number, to: number): Promise<Uint8Array[]> {
    if (from === to) return [];
    const tiles: Tile[] = [];
    for (let index = Math.floor(from / TILE_HASHES); index * TILE_HASHES < to; index++) {
      tiles.push({ level: 0, index, width: tileWidth(to, 0, index) });
    }
    const hashes = (await this.tiles(tiles)).flatMap(hashesOf);
    const first = from % TILE_HASHES;
    return hashes.slice(first, first + to - from);
  }

  /** What `build` makes of the hashes of the tree of `size` leaves. Runs it twice, the first time to learn what it reads. */
  async withHashes<T>(size: number, build: (source: HashSource) => T): Promise<T> {
    const tiles = tilesReadBy(size, build);
    const stored = await this.tiles(tiles);
    const byPath = new Map(tiles.map((tile, i) => [tilePath(tile), stored[i]]));
    return build(tileSource(this.#sha256, size, (tile) => byPath.get(tilePath(tile)) ?? new Uint8Array(0)));
  }

  rootAt(size: number): Promise<Uint8Array> {
    return this.withHashes(size, (source) => rootOf(this.#sha256, size, source));
  }

  /** The frontier of the tree of `size` leaves. */
  async frontierAt(size: number): Promise<Frontier> {
    const hashes = await this.withHashes(size, (source) => frontierHashes(size, source));
    return Frontier.of(this.#sha256, size, hashes);
  }

  #missing(what: string) {
    return logError('LOG_CORRUPT', `${this.#origin}: ${what} is not in the store`);
  }
}

/** The roots of the perfect subtrees of a tree, largest first. */
export function frontierHashes(size: number, source: HashSource): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / 2)) {
    if (count % 2 === 1) hashes.unshift(source(level, count - 1));
  }
  return hashes;
}

function hashesOf(tile: Uint8Array): Uint8Array[] {
  return Array.from({ length: tile.length / HASH_BYTES }, (_, i) =>
    tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
