/** Rebuilds the tiles above the leaves from the roots of bundles, holds them against those of a source, and knows the root. */
import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { rootOf } from '../../protocol/log/merkle-proof.ts';
import { hashFromTile, type Tile, TILE_HASHES, tilePath, tileSource } from '../../protocol/log/tile.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { edgeTiles } from '../log/tile-edge.ts';
import { type AuditFault } from './audit-fault.ts';
import { type LogSource } from './audit-source.ts';

export interface TreeCheckModules {
  readonly source: LogSource;
  readonly sha256: Sha256;
  readonly fault: (fault: AuditFault) => void;
}

export class TreeCheck {
  readonly #modules: TreeCheckModules;
  /** By level, the hashes of the tile that is growing. */
  readonly #growing: Uint8Array[][] = [];
  /** By level, how many full tiles there are before it. */
  readonly #full: number[] = [];

  private constructor(modules: TreeCheckModules) {
    this.#modules = modules;
  }

  /**
   * Begins at `from`, a multiple of 256: what the tiles say of the tree before it is taken for what it is worth, and shows in
   * the root. Undefined if one of those tiles is not there.
   */
  static async from(from: number, modules: TreeCheckModules): Promise<TreeCheck | undefined> {
    const check = new TreeCheck(modules);
    for (const tile of edgeTiles(from)) {
      const [part] = await modules.source.tiles([tile]);
      if (part === undefined || part.bytes.length < tile.width * HASH_BYTES) {
        check.#fault('TILE_MISSING', tile, 'is not there');
        return undefined;
      }
      check.#growing[tile.level] = hashesOf(part.bytes.subarray(0, tile.width * HASH_BYTES));
    }
    for (let level = 0, span = TILE_HASHES; span <= from; level++, span *= TILE_HASHES) {
      check.#full[level] = Math.floor(from / span);
    }
    return check;
  }

  /** The root of the next full bundle. */
  async addBundle(root: Uint8Array): Promise<void> {
    this.#full[0] = (this.#full[0] ?? 0) + 1;
    await this.#add(1, root.slice());
  }

  /** The root of the tree of `size` leaves; `last` are the leaf hashes behind the last full bundle. Checks the tiles that are not full. */
  async end(size: number, last: Uint8Array): Promise<Uint8Array> {
    const { sha256 } = this.#modules;
    this.#growing[0] = hashesOf(last);
    const edge = edgeTiles(size);
    for (const tile of edge) if (tile.level > 0) await this.#compare(tile, this.#growing[tile.level] ?? []);
    const bytes = new Map(
      edge.map((tile) => [tilePath(tile), concatBytes(...(this.#growing[tile.level] ?? []))]),
    );
    const source = tileSource(sha256, size, (tile) => bytes.get(tilePath(tile)) ?? new Uint8Array(0));
    return rootOf(sha256, size, source);
  }

  async #add(level: number, hash: Uint8Array): Promise<void> {
    const growing = (this.#growing[level] ??= []);
    growing.push(hash);
    if (growing.length < TILE_HASHES) return;
    const index = this.#full[level] ?? 0;
    await this.#compare({ level, index, width: TILE_HASHES }, growing);
    this.#full[level] = index + 1;
    this.#growing[level] = [];
    await this.#add(level + 1, hashFromTile(this.#modules.sha256, concatBytes(...growing), 8, 0));
  }

  async #compare(tile: Tile, hashes: readonly Uint8Array[]): Promise<void> {
    const [part] = await this.#modules.source.tiles([tile]);
    if (part === undefined) return this.#fault('TILE_MISSING', tile, 'is not there');
    if (part.bytes.length !== part.width * HASH_BYTES) {
      const expected = part.width * HASH_BYTES;
      return this.#fault('TILE_MISMATCH', tile, `has ${part.bytes.length} bytes instead of ${expected}`);
    }
    const found = hashesOf(part.bytes);
    const at = hashes.findIndex((hash, i) => found[i] === undefined || !equalBytes(hash, found[i]));
    if (at >= 0)
      this.#fault('TILE_MISMATCH', tile, `has another hash at ${at} than the tiles below it lead to`);
  }

  #fault(code: 'TILE_MISSING' | 'TILE_MISMATCH', tile: Tile, what: string): void {
    const { source, fault } = this.#modules;
    const index = tile.index * TILE_HASHES ** (tile.level + 1);
    fault({ code, log: source.origin, index, message: `${tilePath(tile)} ${what}` });
  }
}

function hashesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / HASH_BYTES) }, (_, i) =>
    bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
