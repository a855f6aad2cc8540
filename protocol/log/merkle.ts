/** RFC 6962 Merkle trees: hashes, and proofs as their reader sees them. Building proofs is `merkle-proof.ts`. */
import { equalBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { PROOF_HASHES_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';

export const HASH_BYTES = 32;

// The leading byte keeps a node from being passed off as a leaf, and the reverse.
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

// Hash functions read their input before they return and keep nothing of it, so one buffer serves all nodes, and another
// all leaves that fit, as attestations do.
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES);
nodeInput[0] = NODE_PREFIX;
const leafInput = new Uint8Array(512);

/** The hash of the leaf that holds `entry`. Spec: RFC 6962 2.1. */
export function leafHash(sha256: Sha256, entry: Uint8Array): Uint8Array {
  const length = 1 + entry.length;
  const input = length <= leafInput.length ? leafInput.subarray(0, length) : new Uint8Array(length);
  input[0] = LEAF_PREFIX;
  input.set(entry, 1);
  return sha256(input);
}

/** The hash of the node over two subtrees. Takes 32-byte hashes. Spec: RFC 6962 2.1. */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) {
    throw new RangeError('a node is the hash of two 32-byte hashes');
  }
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** The root of the tree without leaves. Spec: RFC 6962 2.1. */
export function emptyRoot(sha256: Sha256): Uint8Array {
  return sha256(new Uint8Array(0));
}

/** That the leaf `leafHash` is at `index` in the tree of `size` leaves and root `root`. */
export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
}

/** Hashes from the leaf side to the root, 32 bytes each. */
export type ProofPath = readonly Uint8Array[];

/**
 * The only root of a tree of `size` leaves with which `path` proves `leafHash` to be at `index`.
 * @throws {ProtocolError} SIZE_INVALID unless `0 <= index < size <= 2^53-1`; PROOF_INVALID if `path` has not
 * exactly the length that index and size demand, or a hash has not 32 bytes.
 * Spec: RFC 9162 2.1.3.2.
 */
export function rootFromInclusion(
  sha256: Sha256,
  proof: Omit<Inclusion, 'root'> & { readonly path: ProofPath },
): Uint8Array {
  const { index, size, path } = proof;
  requireSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new ProtocolError('SIZE_INVALID', 'expected an index below the size', { index, size });
  }
  requireHash(proof.leafHash);
  requirePath(path);

  // `node` is the place of the hash on its level, `last` that of the level's last node.
  let node = index;
  let last = size - 1;
  let hash = proof.leafHash;
  for (const sibling of path) {
    if (last === 0) throw wrongLength(path);
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sha256, sibling, hash);
      // The last node of a level rises, without a sibling, until it is a right child.
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = half(last);
      }
    } else {
      hash = nodeHash(sha256, hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw wrongLength(path);
  return hash;
}

/**
 * Proves that the leaf is at `index` in the tree with this size and root.
 * @throws {ProtocolError} SIZE_INVALID unless `0 <= index < size <= 2^53-1`; PROOF_INVALID if the path has the
 * wrong length or leads to another root.
 * Spec: SPEC.md 4.2, RFC 9162 2.1.3.2.
 */
export function verifyInclusion(sha256: Sha256, proof: Inclusion & { readonly path: ProofPath }): Inclusion {
  const { index, size, leafHash, root } = proof;
  if (!equalBytes(rootFromInclusion(sha256, proof), root)) {
    throw new ProtocolError('PROOF_INVALID', 'the path leads to another root', { index, size });
  }
  return { index, size, leafHash, root };
}

/** That the tree of `oldSize` leaves and root `oldRoot` is the beginning of the other one. */
export interface Consistency {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
}

/**
 * Proves that the newer tree only appended to the older one. With equal sizes this is the equality of the roots,
 * and the path is empty. An old size of 0 is refused: every tree begins with the empty one, nothing is proven.
 * @throws {ProtocolError} SIZE_INVALID unless `1 <= oldSize <= newSize <= 2^53-1`; PROOF_INVALID if the path has
 * the wrong length or leads to another root on either side.
 * Spec: SPEC.md 4.2, RFC 9162 2.1.4.2.
 */
export function verifyConsistency(
  sha256: Sha256,
  proof: Consistency & { readonly path: ProofPath },
): Consistency {
  const { oldSize, newSize, oldRoot, newRoot, path } = proof;
  requireSize(oldSize);
  requireSize(newSize);
  if (oldSize < 1 || oldSize > newSize) {
    throw new ProtocolError('SIZE_INVALID', 'expected 1 <= old size <= new size', { oldSize, newSize });
  }
  requirePath(path);
  if (oldSize === newSize) {
    if (path.length !== 0) throw wrongLength(path);
    if (!equalBytes(oldRoot, newRoot)) throw otherRoot(oldSize, newSize);
    return { oldSize, newSize, oldRoot, newRoot };
  }
  requireHash(oldRoot);

  // Start at the root of the last perfect subtree of the older tree: the path names it, except where it is the root.
  let node = oldSize - 1;
  let last = newSize - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  const start = node === 0 ? oldRoot : path[0];
  if (start === undefined) throw wrongLength(path);

  let oldHash = start;
  let newHash = start;
  for (let i = node === 0 ? 0 : 1; i < path.length; i++) {
    const sibling = path[i];
    if (sibling === undefined || last === 0) throw wrongLength(path);
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sha256, sibling, oldHash);
      newHash = nodeHash(sha256, sibling, newHash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = half(last);
      }
    } else {
      newHash = nodeHash(sha256, newHash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw wrongLength(path);
  if (!equalBytes(oldHash, oldRoot) || !equalBytes(newHash, newRoot)) throw otherRoot(oldSize, newSize);
  return { oldSize, newSize, oldRoot, newRoot };
}

/** Not `>> 1`: tree sizes pass 2^32. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function requireSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new ProtocolError('SIZE_INVALID', 'expected a tree size of 0 to 2^53-1', { size });
  }
}

function requireHash(hash: Uint8Array): void {
  if (hash.length !== HASH_BYTES) {
    throw new ProtocolError('PROOF_INVALID', 'expected hashes of 32 bytes', { bytes: hash.length });
  }
}

function requirePath(path: ProofPath): void {
  if (path.length > PROOF_HASHES_MAX) throw wrongLength(path);
  for (const hash of path) requireHash(hash);
}

function wrongLength(path: ProofPath): ProtocolError {
  return new ProtocolError('PROOF_INVALID', 'the path has the wrong length', { hashes: path.length });
}

function otherRoot(oldSize: number, newSize: number): ProtocolError {
  return new ProtocolError('PROOF_INVALID', 'the path leads to another root', { oldSize, newSize });
}
