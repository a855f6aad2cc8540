/** A log's tree while entries are appended to it, before anything of that is stored. */
import { type Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Change } from '../ports.ts';
import { splitIntoRuns } from './entry-run.ts';
import { type LogKeys } from './log-keys.ts';
import { type TileBytes, TileEdge } from './tile-edge.ts';

export interface GrowthStart {
  /** Is grown, so not shared with anybody. */
  readonly frontier: Frontier;
  /** The partial tiles of a tree of that size. */
  readonly edge: readonly TileBytes[];
}

export class Growth {
  /** The size that it began with. */
  readonly from: number;
  readonly #sha256: Sha256;
  readonly #frontier: Frontier;
  readonly #edge: TileEdge;
  readonly #entries: Uint8Array[] = [];

  constructor({ frontier, edge }: GrowthStart, sha256: Sha256) {
    this.#sha256 = sha256;
    this.#frontier = frontier;
    this.#edge = new TileEdge(edge);
    this.from = frontier.size;
  }

  /** The entry is kept, not copied. */
  append(entry: Uint8Array): void {
    this.#frontier.append(leafHash(this.#sha256, entry), this.#edge.visit);
    this.#entries.push(entry);
  }

  get size(): number {
    return this.#frontier.size;
  }

  root(): Uint8Array {
    return this.#frontier.root();
  }

  /** To go on from once the changes are made. */
  end(): GrowthStart {
    return { frontier: this.#frontier, edge: this.#edge.partial() };
  }

  /** What the store is to be told: the new entries, and all tiles that have grown. */
  changes(keys: LogKeys): Change[] {
    return [
      ...splitIntoRuns(this.from, this.#entries).map((run) => ({
        put: keys.run(run.index),
        value: run.bytes,
      })),
      ...this.#edge.changed().map((tile) => ({ put: keys.tile(tile.level, tile.index), value: tile.bytes })),
    ];
  }
}
