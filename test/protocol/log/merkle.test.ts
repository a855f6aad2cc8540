import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { inclusionProof } from '../../../protocol/log/merkle-proof.ts';
import {
  emptyRoot,
  leafHash,
  nodeHash,
  rootFromInclusion,
  verifyConsistency,
  verifyInclusion,
} from '../../../protocol/log/merkle.ts';
import { fromHex } from '../../support/hex.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const SIZE_MAX = Number.MAX_SAFE_INTEGER;
const tree = ReferenceTree.ofSize(300);
const faults = (code: FaultCode) => (error: unknown) => isProtocolError(error, code);

function inclusion(index: number, size: number) {
  return { index, size, leafHash: tree.leaf(index), root: tree.root(size), path: tree.path(index, size) };
}

function consistency(oldSize: number, newSize: number) {
  return {
    oldSize,
    newSize,
    oldRoot: tree.root(oldSize),
    newRoot: tree.root(newSize),
    path: tree.proof(oldSize, newSize),
  };
}

const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, i) => (i === Math.floor(bit / 8) % bytes.length ? byte ^ (1 << (bit % 8)) : byte));

const replaced = <T>(list: readonly T[], at: number, value: T): T[] =>
  list.map((v, i) => (i === at ? value : v));

const pair = (least: number) =>
  fc.tuple(fc.integer({ min: least, max: 300 }), fc.integer({ min: least, max: 300 })).map(([a, b]) => {
    return [Math.min(a, b), Math.max(a, b)] as const;
  });

describe('merkle hashes', () => {
  it('emptyRoot, leafHash and nodeHash are those of RFC 6962', () => {
    assert.deepEqual(
      emptyRoot(sha256),
      fromHex('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
    );
    assert.deepEqual(
      leafHash(sha256, new Uint8Array(0)),
      fromHex('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'),
    );
    assert.deepEqual(nodeHash(sha256, tree.leaf(0), tree.leaf(1)), tree.root(2));
  });

  it('leafHash A23: a leaf made of two hashes is not the node over them', () => {
    const [left, right] = [tree.leaf(0), tree.leaf(1)];
    const joined = new Uint8Array([...left, ...right]);
    assert.notDeepEqual(leafHash(sha256, joined), nodeHash(sha256, left, right));
    assert.notDeepEqual(leafHash(sha256, Uint8Array.of(1, ...joined)), nodeHash(sha256, left, right));
  });

  it('nodeHash takes 32-byte hashes only', () => {
    for (const length of [0, 31, 33, 64]) {
      assert.throws(() => nodeHash(sha256, new Uint8Array(length), new Uint8Array(32)), RangeError);
      assert.throws(() => nodeHash(sha256, new Uint8Array(32), new Uint8Array(length)), RangeError);
    }
  });
});

describe('verifyInclusion', () => {
  it('agrees with RFC 6962 for every index of every size up to 300', () => {
    for (let size = 1; size <= 300; size++) {
      for (let index = 0; index < size; index++) verifyInclusion(sha256, inclusion(index, size));
    }
  });

  it('returns what it proved and nothing of the path', () => {
    const { path, ...claim } = inclusion(5, 9);
    assert.deepEqual(verifyInclusion(sha256, { ...claim, path }), claim);
    assert.deepEqual(rootFromInclusion(sha256, { ...claim, path }), claim.root);
  });

  it('A23: refuses index = size, and every number that is no index or no size', () => {
    const good = inclusion(5, 9);
    for (const index of [9, 10, -1, 0.5, NaN, Infinity, SIZE_MAX, SIZE_MAX + 1]) {
      assert.throws(() => verifyInclusion(sha256, { ...good, index }), faults('SIZE_INVALID'), String(index));
    }
    for (const size of [0, -1, 5, 5.5, NaN, Infinity, SIZE_MAX + 1, 2 ** 64]) {
      assert.throws(() => verifyInclusion(sha256, { ...good, size }), faults('SIZE_INVALID'), String(size));
    }
    assert.throws(
      () => verifyInclusion(sha256, { ...good, index: 0, size: 0, path: [] }),
      faults('SIZE_INVALID'),
    );
  });

  it('A23: takes the path of no other index, size or leaf', () => {
    for (let size = 1; size <= 40; size++) {
      for (let index = 0; index < size; index++) {
        const good = inclusion(index, size);
        for (let other = 0; other < size; other++) {
          if (other === index) continue;
          assert.throws(() => verifyInclusion(sha256, { ...good, index: other }), faults('PROOF_INVALID'));
          assert.throws(
            () => verifyInclusion(sha256, { ...good, leafHash: tree.leaf(other) }),
            faults('PROOF_INVALID'),
          );
        }
      }
    }
  });

  it('A23: refuses a node passed off as a leaf (second preimage)', () => {
    // In the tree of 4 the node over leaves 0 and 1 would be leaf 0 of a tree of 2 with the same root.
    const proof = { index: 0, root: tree.root(4), path: [tree.subtree(1, 1)] };
    const entry = new Uint8Array([...tree.leaf(0), ...tree.leaf(1)]);
    assert.throws(
      () => verifyInclusion(sha256, { ...proof, size: 2, leafHash: leafHash(sha256, entry) }),
      faults('PROOF_INVALID'),
    );
    assert.throws(
      () => verifyInclusion(sha256, { ...proof, size: 4, leafHash: tree.subtree(1, 0) }),
      faults('PROOF_INVALID'),
    );
  });

  it('B60: refuses a hash too many, a hash too few and hashes of another length', () => {
    const good = inclusion(5, 9);
    const hash = good.path[0] as Uint8Array;
    for (const path of [
      [],
      good.path.slice(1),
      good.path.slice(0, -1),
      [...good.path, hash],
      [hash, ...good.path],
      [...good.path].reverse(),
      replaced(good.path, 1, hash.subarray(0, 31)),
      replaced(good.path, 1, new Uint8Array([...hash, 0])),
      replaced(good.path, 0, new Uint8Array(0)),
    ]) {
      assert.throws(() => verifyInclusion(sha256, { ...good, path }), faults('PROOF_INVALID'));
    }
    for (const length of [0, 31, 33]) {
      const leaf = new Uint8Array(length);
      assert.throws(() => verifyInclusion(sha256, { ...good, leafHash: leaf }), faults('PROOF_INVALID'));
      assert.throws(() => verifyInclusion(sha256, { ...good, root: leaf }), faults('PROOF_INVALID'));
    }
  });

  it('B60: refuses a path that is too long, though it leads to the root', () => {
    const claim = { index: 0, size: 1, leafHash: tree.leaf(1), root: tree.root(2) };
    assert.throws(() => verifyInclusion(sha256, { ...claim, path: [tree.leaf(0)] }), faults('PROOF_INVALID'));
  });

  it('B60: takes 53 hashes, the depth of the largest tree, and refuses 54, 55 and 65', () => {
    const hash = tree.leaf(0);
    const proof = { index: 0, size: SIZE_MAX, leafHash: hash };
    const path = (length: number) => Array.from({ length }, () => hash);
    let root = hash;
    for (let i = 0; i < 53; i++) root = nodeHash(sha256, root, hash);
    verifyInclusion(sha256, { ...proof, path: path(53), root });
    for (const length of [52, 54, 55, 65]) {
      assert.throws(
        () => verifyInclusion(sha256, { ...proof, path: path(length), root }),
        faults('PROOF_INVALID'),
      );
    }
  });

  it('property A23: any flipped bit is refused', () => {
    fc.assert(
      fc.property(pair(1), fc.nat(), fc.nat(), ([index, size], where, bit) => {
        const good = inclusion(index - 1, size);
        const parts = [good.leafHash, good.root, ...good.path];
        const changed = replaced(
          parts,
          where % parts.length,
          flip(parts[where % parts.length] as Uint8Array, bit),
        );
        const [leaf, root, ...path] = changed as [Uint8Array, Uint8Array, ...Uint8Array[]];
        assert.throws(
          () => verifyInclusion(sha256, { ...good, leafHash: leaf, root, path }),
          faults('PROOF_INVALID'),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('works where indexes pass 2^32 and 2^52', () => {
    // A tree of equal leaves has one hash for each level, so that even the largest can be built.
    const levels = [tree.leaf(0)];
    for (let level = 1; level < 53; level++) {
      const below = levels[level - 1] as Uint8Array;
      levels.push(nodeHash(sha256, below, below));
    }
    const source = (level: number) => levels[level] as Uint8Array;
    for (const size of [2 ** 32, 2 ** 32 + 1, 2 ** 45 + 12345, 2 ** 52 + 1, SIZE_MAX]) {
      const ones = [...size.toString(2)].flatMap((bit, i, bits) =>
        bit === '1' ? [source(bits.length - 1 - i)] : [],
      );
      const root = Frontier.of(sha256, size, ones).root();
      for (const index of [0, 1, 2 ** 31, 2 ** 32 - 1, size - 1, Math.floor(size / 3)]) {
        const path = inclusionProof(sha256, { index, size }, source);
        verifyInclusion(sha256, { index, size, leafHash: source(0), root, path });
      }
    }
  });
});

describe('verifyConsistency', () => {
  it('agrees with RFC 6962 for every pair of sizes up to 300', () => {
    for (let newSize = 1; newSize <= 300; newSize++) {
      for (let oldSize = 1; oldSize <= newSize; oldSize++)
        verifyConsistency(sha256, consistency(oldSize, newSize));
    }
  });

  it('returns what it proved and nothing of the path', () => {
    const { path, ...claim } = consistency(5, 9);
    assert.deepEqual(verifyConsistency(sha256, { ...claim, path }), claim);
  });

  it('B59: refuses a smaller new size, an old size of 0 and every number that is no size', () => {
    const good = consistency(5, 9);
    for (const oldSize of [0, 10, -1, 1.5, NaN, SIZE_MAX, SIZE_MAX + 1]) {
      assert.throws(
        () => verifyConsistency(sha256, { ...good, oldSize }),
        faults('SIZE_INVALID'),
        String(oldSize),
      );
    }
    for (const newSize of [0, 4, -1, 9.5, NaN, Infinity, SIZE_MAX + 1]) {
      assert.throws(
        () => verifyConsistency(sha256, { ...good, newSize }),
        faults('SIZE_INVALID'),
        String(newSize),
      );
    }
    const empty = { oldSize: 0, newSize: 0, oldRoot: tree.root(0), newRoot: tree.root(0), path: [] };
    assert.throws(() => verifyConsistency(sha256, empty), faults('SIZE_INVALID'));
  });

  it('B58: refuses the same size with another root, and the same root with a path', () => {
    const good = consistency(7, 7);
    verifyConsistency(sha256, good);
    assert.throws(
      () => verifyConsistency(sha256, { ...good, newRoot: tree.root(8) }),
      faults('PROOF_INVALID'),
    );
    assert.throws(
      () => verifyConsistency(sha256, { ...good, path: [good.oldRoot] }),
      faults('PROOF_INVALID'),
    );
  });

  it('B60: refuses a hash too many, a hash too few and hashes of another length', () => {
    for (const good of [consistency(5, 9), consistency(4, 9), consistency(8, 9), consistency(1, 2)]) {
      const hash = good.path[0] as Uint8Array;
      for (const path of [
        [],
        good.path.slice(1),
        good.path.slice(0, -1),
        [...good.path, hash],
        [hash, ...good.path],
        [good.oldRoot, ...good.path],
        replaced(good.path, 0, hash.subarray(0, 31)),
        replaced(good.path, good.path.length - 1, new Uint8Array([...hash, 0])),
      ]) {
        assert.throws(() => verifyConsistency(sha256, { ...good, path }), faults('PROOF_INVALID'));
      }
      for (const length of [0, 31, 33]) {
        const root = new Uint8Array(length);
        assert.throws(() => verifyConsistency(sha256, { ...good, oldRoot: root }), faults('PROOF_INVALID'));
        assert.throws(() => verifyConsistency(sha256, { ...good, newRoot: root }), faults('PROOF_INVALID'));
      }
    }
  });

  it('B60: refuses a path that is too long, though it leads to both roots', () => {
    const good = consistency(3, 4);
    const more = tree.leaf(0);
    const [oldRoot, newRoot] = [good.oldRoot, good.newRoot].map((root) => nodeHash(sha256, more, root));
    assert.ok(oldRoot && newRoot);
    const path = [...good.path, more];
    assert.throws(
      () => verifyConsistency(sha256, { ...good, oldRoot, newRoot, path }),
      faults('PROOF_INVALID'),
    );
  });

  it('B60: takes 54 hashes, the longest proof there is, and refuses 53, 55 and 65', () => {
    // With equal hashes all along, the roots follow from the path by the definition of RFC 6962 2.1.2.
    const hash = tree.leaf(0);
    const path = (length: number) => Array.from({ length }, () => hash);
    const oldSize = 2 ** 52 - 1;
    const newSize = 2 ** 52 + 1;
    let root = hash;
    for (let i = 0; i < 51; i++) root = nodeHash(sha256, hash, root);
    let newRoot = nodeHash(sha256, hash, hash);
    for (let i = 0; i < 51; i++) newRoot = nodeHash(sha256, hash, newRoot);
    newRoot = nodeHash(sha256, newRoot, hash);
    verifyConsistency(sha256, { oldSize, newSize, oldRoot: root, newRoot, path: path(54) });
    for (const length of [53, 55, 65]) {
      assert.throws(
        () => verifyConsistency(sha256, { oldSize, newSize, oldRoot: root, newRoot, path: path(length) }),
        faults('PROOF_INVALID'),
      );
    }
  });

  it('A2: refuses a tree that replaced an old leaf', () => {
    for (let oldSize = 1; oldSize <= 33; oldSize++) {
      const entries = tree.entries.slice(0, 40);
      const forked = new ReferenceTree(replaced(entries, oldSize - 1, Uint8Array.of(1)));
      for (let newSize = oldSize + 1; newSize <= 40; newSize++) {
        const claim = { oldSize, newSize, oldRoot: tree.root(oldSize), newRoot: forked.root(newSize) };
        for (const path of [tree.proof(oldSize, newSize), forked.proof(oldSize, newSize)]) {
          assert.throws(() => verifyConsistency(sha256, { ...claim, path }), faults('PROOF_INVALID'));
        }
      }
    }
  });

  it('property A23: any flipped bit is refused', () => {
    fc.assert(
      fc.property(pair(1), fc.nat(), fc.nat(), ([oldSize, newSize], where, bit) => {
        const good = consistency(oldSize, newSize);
        const parts = [good.oldRoot, good.newRoot, ...good.path];
        const changed = replaced(
          parts,
          where % parts.length,
          flip(parts[where % parts.length] as Uint8Array, bit),
        );
        const [oldRoot, newRoot, ...path] = changed as [Uint8Array, Uint8Array, ...Uint8Array[]];
        assert.throws(
          () => verifyConsistency(sha256, { ...good, oldRoot, newRoot, path }),
          faults('PROOF_INVALID'),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('property: random bytes throw nothing but faults', () => {
    const number = fc.oneof(fc.nat(), fc.double(), fc.maxSafeInteger());
    const hash = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(number, number, hash, hash, fc.array(hash, { maxLength: 60 }), (a, b, x, y, path) => {
        const refusals = [
          () => verifyInclusion(sha256, { index: a, size: b, leafHash: x, root: y, path }),
          () => verifyConsistency(sha256, { oldSize: a, newSize: b, oldRoot: x, newRoot: y, path }),
        ];
        for (const attempt of refusals) {
          try {
            attempt();
          } catch (error) {
            assert.ok(isProtocolError(error), String(error));
            continue;
          }
          assert.deepEqual(x, y);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
