/** All revoked indexes of one log: exact, growing only, and cheap to hand from one state to the next. Spec: SPEC.md 7.5. */
import { INDEX_BOUND } from '../limits.ts';
import { revocationMalformed } from './bits.ts';
import { BLOCK_INDEXES, RevocationBlock } from './block.ts';

/** Block `number` (0 .. 2^24-1) holds the indexes from `number` * 65,536 on; `bytes` are its canonical form. */
export interface CodedBlock {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/**
 * An immutable set of log indexes, each in 0 .. 2^40-1. There is no way to take one out: what is revoked never comes back.
 * Sets share the blocks that they have in common.
 */
export class RevocationSet {
  static readonly empty = new RevocationSet(new Map());

  /** How many indexes are revoked. */
  readonly count: number;
  /** In ascending order of their numbers. */
  readonly #blocks: ReadonlyMap<number, RevocationBlock>;

  private constructor(blocks: ReadonlyMap<number, RevocationBlock>) {
    this.#blocks = blocks;
    let count = 0;
    for (const block of blocks.values()) count += block.count;
    this.count = count;
  }

  /** The set of `indexes`, in any order. @throws {RangeError} if one is no integer in 0 .. 2^40-1. */
  static of(indexes: Iterable<number>): RevocationSet {
    const sorted = Float64Array.from(indexes);
    if (!sorted.every(isIndex)) throw new RangeError('expected log indexes in 0 .. 2^40-1');
    sorted.sort();
    return RevocationSet.ofAscending(sorted.filter((index, i) => index !== sorted[i - 1]));
  }

  /** The set of indexes that are known to be ascending and distinct, each in 0 .. 2^40-1, as `decodeIndexSet` gives them. */
  static ofAscending(indexes: Float64Array): RevocationSet {
    const blocks = new Map<number, RevocationBlock>();
    for (let start = 0; start < indexes.length;) {
      const number = blockNumber(indexes[start] ?? 0);
      const base = number * BLOCK_INDEXES;
      let end = start + 1;
      while (end < indexes.length && (indexes[end] ?? 0) < base + BLOCK_INDEXES) end++;
      const places = new Uint16Array(end - start);
      for (let i = 0; i < places.length; i++) places[i] = (indexes[start + i] ?? 0) - base;
      blocks.set(number, RevocationBlock.of(places));
      start = end;
    }
    return new RevocationSet(blocks);
  }

  /** How many blocks have a member. */
  get blockCount(): number {
    return this.#blocks.size;
  }

  /**
   * The set whose `blocks()` are `coded`.
   * @throws {ProtocolError} REVOCATION_MALFORMED if numbers do not ascend within 0 .. 2^24-1 or a block is empty or not canonical.
   */
  static fromBlocks(coded: Iterable<CodedBlock>): RevocationSet {
    const blocks = new Map<number, RevocationBlock>();
    let previous = -1;
    for (const { number, bytes } of coded) {
      if (!Number.isSafeInteger(number) || number <= previous || number >= INDEX_BOUND / BLOCK_INDEXES) {
        throw revocationMalformed(
          0,
          `expected a block number above ${previous} and below 2^24, got ${number}`,
        );
      }
      const block = RevocationBlock.decode(bytes);
      if (block === undefined) throw revocationMalformed(0, 'expected a block with a member');
      blocks.set(number, block);
      previous = number;
    }
    return new RevocationSet(blocks);
  }

  /** Tells whether `index` is revoked. @throws {RangeError} if it is no integer in 0 .. 2^40-1. */
  has(index: number): boolean {
    if (!isIndex(index)) throw new RangeError(`expected a log index in 0 .. 2^40-1, got ${index}`);
    const number = blockNumber(index);
    return this.#blocks.get(number)?.has(index - number * BLOCK_INDEXES) ?? false;
  }

  /** What is in either; this very set if it has all of it already. @throws {RangeError} as `of`. */
  union(other: RevocationSet | Iterable<number>): RevocationSet {
    const added = other instanceof RevocationSet ? other : RevocationSet.of(other);
    const blocks = new Map(this.#blocks);
    let isChanged = false;
    for (const [number, theirs] of added.#blocks) {
      const ours = blocks.get(number);
      const merged = ours?.union(theirs) ?? theirs;
      if (merged === ours) continue;
      blocks.set(number, merged);
      isChanged = true;
    }
    if (!isChanged) return this;
    if (blocks.size > this.#blocks.size)
      return new RevocationSet(new Map([...blocks].sort(([a], [b]) => a - b)));
    return new RevocationSet(blocks);
  }

  equals(other: RevocationSet): boolean {
    if (this === other) return true;
    if (this.count !== other.count || this.#blocks.size !== other.#blocks.size) return false;
    for (const [number, block] of this.#blocks) {
      const theirs = other.#blocks.get(number);
      if (theirs === undefined || !block.equals(theirs)) return false;
    }
    return true;
  }

  /** Every block that has a member, in ascending order. A block that two sets share is encoded once. */
  *blocks(): IterableIterator<CodedBlock> {
    for (const [number, block] of this.#blocks) yield { number, bytes: block.encode() };
  }

  /** Every index, ascending. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (const [number, block] of this.#blocks) {
      for (const place of block.members()) yield number * BLOCK_INDEXES + place;
    }
  }

  /** Bytes of memory that the members take, without about 300 for each block. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const block of this.#blocks.values()) bytes += block.memoryBytes;
    return bytes;
  }
}

function isIndex(index: number): boolean {
  return Number.isSafeInteger(index) && index >= 0 && index < INDEX_BOUND;
}

/** Of a log index. The quotient is below 2^24, so that the operator may cut it to 32 bits. */
function blockNumber(index: number): number {
  return (index / BLOCK_INDEXES) | 0;
}
