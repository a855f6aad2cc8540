import assert from 'node:assert/strict';
import { consistencyProof, inclusionProof, rootOf } from '../../../protocol/log/merkle-proof.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const tree = ReferenceTree.ofSize(300);

/** The tree's hashes, refusing every subtree that is not within `size`. */
const within = (size: number) => (level: number, index: number) => {
  assert.ok((index + 1) * 2 ** level <= size, `subtree ${level}/${index} is not within ${size}`);
  return tree.subtree(level, index);
};

describe('merkle proofs', () => {
  it('rootOf agrees with RFC 6962 for every size up to 300', () => {
    for (let size = 0; size <= 300; size++)
      assert.deepEqual(rootOf(sha256, size, within(size)), tree.root(size));
  });

  it('inclusionProof agrees with RFC 6962 for every index of every size up to 300', () => {
    for (let size = 1; size <= 300; size++) {
      for (let index = 0; index < size; index++) {
        assert.deepEqual(inclusionProof(sha256, { index, size }, within(size)), tree.path(index, size));
      }
    }
  });

  it('consistencyProof agrees with RFC 6962 for every pair of sizes up to 300', () => {
    for (let newSize = 1; newSize <= 300; newSize++) {
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        assert.deepEqual(
          consistencyProof(sha256, { oldSize, newSize }, within(newSize)),
          tree.proof(oldSize, newSize),
        );
      }
    }
  });

  it('refuse numbers that are no index or size: a mistake of the caller', () => {
    const source = within(300);
    for (const [index, size] of [[0, 0], [5, 5], [-1, 5], [0.5, 5], [0, 2 ** 53], [NaN, 5]] as const) {
      assert.throws(() => inclusionProof(sha256, { index, size }, source), RangeError, `${index} of ${size}`);
    } // prettier-ignore
    for (const [oldSize, newSize] of [
      [0, 5],
      [6, 5],
      [1.5, 5],
      [1, 2 ** 53],
      [1, NaN],
    ] as const) {
      assert.throws(
        () => consistencyProof(sha256, { oldSize, newSize }, source),
        RangeError,
        `${oldSize}-${newSize}`,
      );
    }
    for (const size of [-1, 0.5, 2 ** 53, NaN]) assert.throws(() => rootOf(sha256, size, source), RangeError);
  });
});
