/** A log for those who ask from outside: what they name is held against what there is. */
import { ProtocolError } from '../../protocol/fault.ts';
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { consistencyProof, inclusionProof } from '../../protocol/log/merkle-proof.ts';
import { TILE_HASHES, type TileResource, tileWidth } from '../../protocol/log/tile.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type HighWater } from '../ports.ts';
import { logError } from './log-error.ts';
import { type LogTree } from './log-tree.ts';

/** All rejections that name no other are those of the store. */
export class LogView {
  readonly #tree: LogTree;
  readonly #sha256: Sha256;

  constructor(tree: LogTree, { sha256 }: { readonly sha256: Sha256 }) {
    this.#tree = tree;
    this.#sha256 = sha256;
  }

  /** The newest signed checkpoint whose whole tree is here. */
  get checkpoint(): HighWater | undefined {
    return this.#tree.head.signed;
  }

  /**
   * The entries with `from <= index < to`.
   * @throws {ProtocolError} SIZE_INVALID beyond the end of the log.
   * @throws {NodeError} LOG_PRUNED below the minimum index.
   */
  entries(from: number, to: number): AsyncIterable<Uint8Array> {
    this.#require(from, to);
    if (from < to) this.#refusePruned(from + 1);
    return this.#tree.reader.entries(from, to);
  }

  /**
   * The bytes of a tile or entry bundle of C2SP tlog-tiles; undefined if the log has none of that width.
   * @throws {NodeError} LOG_PRUNED if it ends at or below the minimum index.
   */
  async resource({ level, index, width }: TileResource): Promise<Uint8Array | undefined> {
    const { reader, size } = this.#tree;
    const treeLevel = level === 'entries' ? 0 : level;
    if (tileWidth(size, treeLevel, index) < width) return undefined;
    this.#refusePruned((index + 1) * TILE_HASHES ** (treeLevel + 1));
    if (level !== 'entries') return (await reader.tiles([{ level, index, width }]))[0];
    const entries: Uint8Array[] = [];
    const from = index * TILE_HASHES;
    for await (const entry of reader.entries(from, from + width)) entries.push(entry);
    return encodeEntryBundle(entries);
  }

  /**
   * The path that `verifyInclusion` takes.
   * @throws {ProtocolError} SIZE_INVALID unless `0 <= index < size` and the log has that size.
   * @throws {NodeError} LOG_PRUNED
   */
  inclusionProof(place: { readonly index: number; readonly size: number }): Promise<Uint8Array[]> {
    this.#require(place.index, place.size - 1);
    this.#require(place.size, place.size);
    this.#refusePruned(place.index + 1);
    return this.#tree.reader.withHashes(place.size, (source) => inclusionProof(this.#sha256, place, source));
  }

  /**
   * The path that `verifyConsistency` takes.
   * @throws {ProtocolError} SIZE_INVALID unless `1 <= oldSize <= newSize` and the log has that size.
   * @throws {NodeError} LOG_PRUNED
   */
  consistencyProof(sizes: { readonly oldSize: number; readonly newSize: number }): Promise<Uint8Array[]> {
    const { oldSize, newSize } = sizes;
    this.#require(oldSize, newSize);
    this.#require(1, oldSize);
    this.#refusePruned(oldSize);
    return this.#tree.reader.withHashes(newSize, (source) => consistencyProof(this.#sha256, sizes, source));
  }

  /** Both are from outside: in order and within the log. */
  #require(from: number, to: number): void {
    const isOrdered = Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from <= to;
    if (isOrdered && to <= this.#tree.size) return;
    throw new ProtocolError('SIZE_INVALID', 'expected places in order and within the log', {
      from,
      to,
      size: this.#tree.size,
    });
  }

  #refusePruned(end: number): void {
    const { minimum } = this.#tree.head;
    if (end > minimum) return;
    throw logError(
      'LOG_PRUNED',
      `${this.#tree.origin}: what ends at ${end} is gone, the log begins at ${minimum}`,
    );
  }
}
