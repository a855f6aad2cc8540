import assert from 'node:assert/strict';
import { neededCosignatures } from '../../../protocol/log/quorum.ts';

describe('neededCosignatures', () => {
  it('T5: is the table of SPEC.md 9', () => {
    const needed = [0, 1, 1, 2, 3, 4, 5, 5, 6, 7, 7];
    assert.deepEqual(needed.map((_, w) => neededCosignatures(w)), needed); // prettier-ignore
    assert.equal(neededCosignatures(16), 11);
    assert.equal(neededCosignatures(64), 43);
  });

  it('T5: from 4 witnesses on, two quorums share more than a third of them', () => {
    for (let w = 4; w <= 300; w++) {
      const q = neededCosignatures(w);
      assert.ok(q <= w && 2 * q - w > w / 3, `${w} witnesses`);
    }
  });

  it('refuses what is no count: a mistake of the caller', () => {
    for (const w of [-1, 0.5, NaN, Infinity, 2 ** 53]) assert.throws(() => neededCosignatures(w), RangeError);
  });
});
