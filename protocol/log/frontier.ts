/** The right edge of a Merkle tree: all that is needed to append to it and to know its root. */
import { ProtocolError } from '../fault.ts';
import { type Sha256 } from '../primitives.ts';
import { HASH_BYTES, emptyRoot, nodeHash } from './merkle.ts';

/** Sees each perfect subtree as it completes: `hash` covers leaves [index * 2^level, (index + 1) * 2^level). */
export type SubtreeVisitor = (level: number, index: number, hash: Uint8Array) => void;

/**
 * The roots of a tree's perfect subtrees, largest first: one for each 1 bit of the size. Has one writer, its owner.
 * Spec: SPEC.md 4.2.
 */
export class Frontier {
  readonly #sha256: Sha256;
  readonly #subtrees: Uint8Array[];
  #size: number;

  private constructor(sha256: Sha256, size: number, subtrees: Uint8Array[]) {
    this.#sha256 = sha256;
    this.#size = size;
    this.#subtrees = subtrees;
  }

  static empty(sha256: Sha256): Frontier {
    return new Frontier(sha256, 0, []);
  }

  /**
   * A frontier as `hashes` stored or sent it. Proves nothing yet: compare `root()` with a signed one.
   * @throws {ProtocolError} SIZE_INVALID unless `0 <= size <= 2^53-1`; PROOF_INVALID if `hashes` are not one of
   * 32 bytes for each 1 bit of `size`.
   */
  static of(sha256: Sha256, size: number, hashes: readonly Uint8Array[]): Frontier {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new ProtocolError('SIZE_INVALID', 'expected a tree size of 0 to 2^53-1', { size });
    }
    if (hashes.length !== onesIn(size) || hashes.some((hash) => hash.length !== HASH_BYTES)) {
      throw new ProtocolError('PROOF_INVALID', 'expected one 32-byte hash for each perfect subtree', {
        size,
        hashes: hashes.length,
      });
    }
    return new Frontier(sha256, size, [...hashes]);
  }

  get size(): number {
    return this.#size;
  }

  /** Largest subtree first; `Frontier.of` takes them back. The hashes are not copied. */
  hashes(): Uint8Array[] {
    return [...this.#subtrees];
  }

  /** An independent frontier that goes on from here. */
  copy(): Frontier {
    return new Frontier(this.#sha256, this.#size, [...this.#subtrees]);
  }

  /**
   * Appends one leaf by its hash, which the frontier keeps. `visit` is called for the leaf and then for each larger
   * subtree that it completes.
   * @throws {RangeError} if the hash has not 32 bytes, or at 2^53-1 leaves.
   */
  append(leafHash: Uint8Array, visit?: SubtreeVisitor): void {
    if (leafHash.length !== HASH_BYTES) throw new RangeError('a leaf hash has 32 bytes');
    if (this.#size >= Number.MAX_SAFE_INTEGER) throw new RangeError('a tree has at most 2^53-1 leaves');
    let hash = leafHash;
    let level = 0;
    let index = this.#size;
    visit?.(level, index, hash);
    // Each 1 bit at the low end of the size is a perfect subtree as large as the one at hand.
    while (index % 2 === 1) {
      const left = this.#subtrees.pop();
      if (left === undefined)
        throw new RangeError('the frontier has fewer subtrees than its size has 1 bits');
      hash = nodeHash(this.#sha256, left, hash);
      level++;
      index = (index - 1) / 2;
      visit?.(level, index, hash);
    }
    this.#subtrees.push(hash);
    this.#size++;
  }

  /** The root of the tree. */
  root(): Uint8Array {
    return foldSubtrees(this.#sha256, this.#subtrees);
  }
}

/** The root over adjacent perfect subtrees, largest first; of none: the empty root. Spec: RFC 6962 2.1. */
export function foldSubtrees(sha256: Sha256, subtrees: readonly Uint8Array[]): Uint8Array {
  let root = subtrees.at(-1);
  if (root === undefined) return emptyRoot(sha256);
  for (let i = subtrees.length - 2; i >= 0; i--) {
    const left = subtrees[i];
    if (left !== undefined) root = nodeHash(sha256, left, root);
  }
  return root;
}

function onesIn(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}
