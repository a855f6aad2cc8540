import assert from 'node:assert/strict';
import { PastRoots } from '../../../node/region/past-roots.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

describe('PastRoots', () => {
  const tree = ReferenceTree.ofSize(70);

  it('gives the root of RFC 6962 at every size', () => {
    const roots = new PastRoots(tree.entries, sha256);
    for (let size = tree.entries.length; size >= 0; size--)
      assert.deepEqual(roots.at(size), tree.root(size), `at size ${size}`);
  });

  it('throws for a size that the log has not reached', () => {
    assert.throws(() => new PastRoots(tree.entries, sha256).at(71), RangeError);
    assert.throws(() => new PastRoots([], sha256).at(1), RangeError);
  });
});
