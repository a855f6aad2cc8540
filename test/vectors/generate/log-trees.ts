/** Proofs and entry bundles, good and bad, over the reference tree, which shares nothing with the code under test. */
import { type FaultCode } from '../../../protocol/fault.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

export interface InclusionVector {
  readonly name: string;
  readonly index: number;
  readonly size: number;
  readonly leafHash: string;
  readonly root: string;
  readonly path: readonly string[];
  readonly fault?: FaultCode;
}

export interface ConsistencyVector {
  readonly name: string;
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: string;
  readonly newRoot: string;
  readonly path: readonly string[];
  readonly fault?: FaultCode;
}

export interface BundleVector {
  readonly name: string;
  readonly bundle: string;
  /** The tile of level 0. */
  readonly tile: string;
  readonly entries?: readonly string[];
  readonly fault?: FaultCode;
}

const SIZE_BEYOND = 2 ** 53;

const tree = ReferenceTree.ofSize(20);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The hash with its last bit flipped. */
const flipped = (hash: string): string => hash.slice(0, -1) + (parseInt(hash.slice(-1), 16) ^ 1).toString(16);

export function inclusionVectors(): InclusionVector[] {
  const good = [[0, 1], [0, 2], [1, 2], [2, 3], [0, 7], [6, 7], [5, 8], [8, 9], [13, 17], [19, 20]].map(
    ([index = 0, size = 0]) => inclusion(`leaf ${index} of ${size}`, index, size),
  ); // prettier-ignore
  const five = inclusion('', 5, 9);
  const [first = '', ...rest] = five.path;
  const bad = (name: string, change: Partial<InclusionVector>, fault: FaultCode = 'PROOF_INVALID') => ({
    ...five,
    name,
    ...change,
    fault,
  });
  return [
    ...good,
    bad('index = size', { index: 9 }, 'SIZE_INVALID'),
    bad('index below 0', { index: -1 }, 'SIZE_INVALID'),
    bad('index of 2^53', { index: SIZE_BEYOND, size: SIZE_BEYOND }, 'SIZE_INVALID'),
    bad('size of 2^53', { size: SIZE_BEYOND }, 'SIZE_INVALID'),
    bad('size of 0', { index: 0, size: 0, path: [] }, 'SIZE_INVALID'),
    bad('index of another leaf', { index: 4 }),
    bad('a size for which the path is too short', { size: 33 }),
    bad('a size for which the path is too long', { size: 8 }),
    bad('leaf hash with one bit flipped', { leafHash: flipped(five.leafHash) }),
    bad('root with one bit flipped', { root: flipped(five.root) }),
    bad('first hash with one bit flipped', { path: [flipped(first), ...rest] }),
    bad('last hash with one bit flipped', {
      path: [...five.path.slice(0, -1), flipped(five.path.at(-1) ?? '')],
    }),
    bad('a hash too few', { path: rest }),
    bad('a hash too many', { path: [...five.path, first] }),
    bad('no hash', { path: [] }),
    bad('hashes in the reverse order', { path: [...five.path].reverse() }),
    bad('a hash of 31 bytes', { path: [first.slice(2), ...rest] }),
    bad('a hash of 33 bytes', { path: [`${first}00`, ...rest] }),
    bad('a leaf hash of 31 bytes', { leafHash: five.leafHash.slice(2) }),
    bad('a root of 31 bytes', { root: five.root.slice(2) }),
    bad('55 hashes', { path: Array<string>(55).fill(first) }),
    {
      ...inclusion('a node passed off as a leaf of a tree of half the size', 0, 2),
      leafHash: hex(tree.subtree(1, 0)),
      root: hex(tree.root(4)),
      path: [hex(tree.subtree(1, 1))],
      size: 4,
      fault: 'PROOF_INVALID',
    },
  ];
}

export function consistencyVectors(): ConsistencyVector[] {
  const good = [[1, 1], [1, 2], [2, 3], [3, 4], [4, 7], [6, 8], [7, 7], [8, 9], [7, 17], [16, 20], [19, 20]].map(
    ([oldSize = 0, newSize = 0]) => consistency(`from ${oldSize} to ${newSize}`, oldSize, newSize),
  ); // prettier-ignore
  const seven = consistency('', 7, 17);
  const [first = '', ...rest] = seven.path;
  const eight = consistency('', 8, 9);
  const bad = (name: string, change: Partial<ConsistencyVector>, fault: FaultCode = 'PROOF_INVALID') => ({
    ...seven,
    name,
    ...change,
    fault,
  });
  return [
    ...good,
    bad('a new size below the old one', { newSize: 6 }, 'SIZE_INVALID'),
    bad('an old size of 0', { oldSize: 0, path: [] }, 'SIZE_INVALID'),
    bad('a size of 2^53', { newSize: SIZE_BEYOND }, 'SIZE_INVALID'),
    bad('both sizes 0', { oldSize: 0, newSize: 0, path: [] }, 'SIZE_INVALID'),
    bad('the same size with another root', { newSize: 7, path: [] }),
    bad('the same size and root, with a path', { newSize: 7, newRoot: seven.oldRoot }),
    bad('roots swapped', { oldRoot: seven.newRoot, newRoot: seven.oldRoot }),
    bad('old root with one bit flipped', { oldRoot: flipped(seven.oldRoot) }),
    bad('new root with one bit flipped', { newRoot: flipped(seven.newRoot) }),
    bad('first hash with one bit flipped', { path: [flipped(first), ...rest] }),
    bad('last hash with one bit flipped', {
      path: [...seven.path.slice(0, -1), flipped(seven.path.at(-1) ?? '')],
    }),
    bad('a hash too few', { path: rest }),
    bad('a hash too many', { path: [...seven.path, first] }),
    bad('no hash', { path: [] }),
    bad('another old size', { oldSize: 6 }),
    bad('another new size', { newSize: 33 }),
    bad('the old root in front of the path, where the size is a power of two', {
      ...eight,
      name: 'the old root in front of the path, where the size is a power of two',
      path: [eight.oldRoot, ...eight.path],
    }),
    bad('a hash of 31 bytes', { path: [first.slice(2), ...rest] }),
    bad('a hash of 33 bytes', { path: [`${first}00`, ...rest] }),
    bad('55 hashes', { path: Array<string>(55).fill(first) }),
  ];
}

export function bundleVectors(): BundleVector[] {
  const entries = [
    new Uint8Array(0),
    Buffer.from('a'),
    Buffer.from('second entry'),
    new Uint8Array(300).fill(7),
  ];
  const leaves = new ReferenceTree(entries);
  const tile = entries.map((_, i) => hex(leaves.leaf(i))).join('');
  const parts = entries.map((entry) => entry.length.toString(16).padStart(4, '0') + hex(entry));
  const bundle = parts.join('');
  const bad = (name: string, change: Partial<BundleVector>): BundleVector => ({
    name,
    bundle,
    tile,
    ...change,
    fault: 'TILE_INVALID',
  });
  return [
    { name: 'four entries', bundle, tile, entries: entries.map(hex) },
    {
      name: 'one entry',
      bundle: parts[2] ?? '',
      tile: hex(leaves.leaf(2)),
      entries: [hex(Buffer.from('second entry'))],
    },
    { name: 'the empty entry alone', bundle: '0000', tile: hex(leaves.leaf(0)), entries: [''] },
    bad('a length prefix past the end', {
      bundle: bundle.replace(parts[3] ?? '', `012d${(parts[3] ?? '').slice(4)}`),
    }),
    bad('the last byte missing', { bundle: bundle.slice(0, -2) }),
    bad('half a length prefix', { bundle: `${bundle}00`, tile: tile + hex(leaves.leaf(0)) }),
    bad('a trailing byte', { bundle: `${bundle}00` }),
    bad('an entry too many', { bundle: `${bundle}0000` }),
    bad('an entry too few', { bundle: parts.slice(0, 3).join('') }),
    bad('entries in another order', { bundle: [...parts].reverse().join('') }),
    bad('one bit of an entry flipped', { bundle: flipped(bundle) }),
    bad('one bit of the tile flipped', { tile: flipped(tile) }),
    bad('a tile with part of a hash', { tile: tile.slice(0, -2) }),
    bad('an empty tile', { tile: '', bundle: '' }),
    bad('a tile of 257 hashes', { tile: hex(leaves.leaf(0)).repeat(257), bundle: '0000'.repeat(257) }),
  ];
}

function inclusion(name: string, index: number, size: number): InclusionVector {
  return {
    name,
    index,
    size,
    leafHash: hex(tree.leaf(index)),
    root: hex(tree.root(size)),
    path: tree.path(index, size).map(hex),
  };
}

function consistency(name: string, oldSize: number, newSize: number): ConsistencyVector {
  return {
    name,
    oldSize,
    newSize,
    oldRoot: hex(tree.root(oldSize)),
    newRoot: hex(tree.root(newSize)),
    path: tree.proof(oldSize, newSize).map(hex),
  };
}
