/** Building RFC 6962 proofs from wherever the hashes of a log are kept. */
import { type Sha256 } from '../primitives.ts';
import { foldSubtrees } from './frontier.ts';

/**
 * The root of the perfect subtree over leaves [index * 2^level, (index + 1) * 2^level), 32 bytes.
 * Is asked only for subtrees that lie within the size of the tree.
 */
export type HashSource = (level: number, index: number) => Uint8Array;

/** The root of the tree of `size` leaves. */
export function rootOf(sha256: Sha256, size: number, source: HashSource): Uint8Array {
  requireRange(0, size);
  return rangeHash(sha256, source, 0, size);
}

/**
 * The path that `verifyInclusion` takes for the leaf at `index` in the tree of `size` leaves.
 * @throws {RangeError} unless `0 <= index < size <= 2^53-1`.
 * Spec: RFC 6962 2.1.1.
 */
export function inclusionProof(
  sha256: Sha256,
  { index, size }: { readonly index: number; readonly size: number },
  source: HashSource,
): Uint8Array[] {
  requireRange(0, index);
  requireRange(index + 1, size);
  const path: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push(rangeHash(sha256, source, middle, end));
      end = middle;
    } else {
      path.push(rangeHash(sha256, source, start, middle));
      start = middle;
    }
  }
  return path.reverse();
}

/**
 * The path that `verifyConsistency` takes for two sizes of one tree.
 * @throws {RangeError} unless `1 <= oldSize <= newSize <= 2^53-1`.
 * Spec: RFC 6962 2.1.2.
 */
export function consistencyProof(
  sha256: Sha256,
  { oldSize, newSize }: { readonly oldSize: number; readonly newSize: number },
  source: HashSource,
): Uint8Array[] {
  requireRange(1, oldSize);
  requireRange(oldSize, newSize);
  const path: Uint8Array[] = [];
  let start = 0;
  let end = newSize;
  while (end !== oldSize) {
    const middle = start + splitOf(end - start);
    if (oldSize <= middle) {
      path.push(rangeHash(sha256, source, middle, end));
      end = middle;
    } else {
      path.push(rangeHash(sha256, source, start, middle));
      start = middle;
    }
  }
  // At the left edge the subtree reached is the older tree itself, whose root the verifier holds.
  if (start > 0) path.push(rangeHash(sha256, source, start, end));
  return path.reverse();
}

/** The hash over leaves [start, end), where `start` is a multiple of a power of two not below `end - start`. */
function rangeHash(sha256: Sha256, source: HashSource, start: number, end: number): Uint8Array {
  const subtrees: Uint8Array[] = [];
  let left = start;
  while (left < end) {
    let width = 1;
    let level = 0;
    while (width * 2 <= end - left) {
      width *= 2;
      level++;
    }
    subtrees.push(source(level, left / width));
    left += width;
  }
  return foldSubtrees(sha256, subtrees);
}

/** The largest power of two below `count`. Needs `count >= 2`. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function requireRange(least: number, value: number): void {
  if (!Number.isSafeInteger(value) || !Number.isSafeInteger(least) || least < 0 || value < least) {
    throw new RangeError('expected sizes in order, from 0 to 2^53-1');
  }
}
