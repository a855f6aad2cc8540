import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const tree = ReferenceTree.ofSize(300);

function appended(frontier: Frontier, from: number, to: number): Frontier {
  for (let index = from; index < to; index++) frontier.append(tree.leaf(index));
  return frontier;
}

describe('Frontier', () => {
  it('has the root of RFC 6962 and one hash for each 1 bit, at every size up to 300', () => {
    const frontier = Frontier.empty(sha256);
    for (let size = 0; size <= 300; size++) {
      assert.equal(frontier.size, size);
      assert.deepEqual(frontier.root(), tree.root(size));
      assert.equal(frontier.hashes().length, size.toString(2).replaceAll('0', '').length);
      if (size < 300) frontier.append(tree.leaf(size));
    }
  });

  it('append visits every perfect subtree once, when it completes', () => {
    const frontier = Frontier.empty(sha256);
    const seen = new Set<string>();
    for (let index = 0; index < 300; index++) {
      frontier.append(tree.leaf(index), (level, place, hash) => {
        assert.ok(!seen.has(`${level}/${place}`));
        seen.add(`${level}/${place}`);
        assert.equal((place + 1) * 2 ** level, index + 1);
        assert.deepEqual(hash, tree.subtree(level, place));
      });
    }
    let expected = 0;
    for (let width = 1; width <= 300; width *= 2) expected += Math.floor(300 / width);
    assert.equal(seen.size, expected);
  });

  it('of refuses another number of hashes, other lengths and sizes beyond 2^53-1', () => {
    const hashes = appended(Frontier.empty(sha256), 0, 7).hashes();
    const faulty = (size: number, list: readonly Uint8Array[], code: 'SIZE_INVALID' | 'PROOF_INVALID') =>
      assert.throws(
        () => Frontier.of(sha256, size, list),
        (e) => isProtocolError(e, code),
        String(size),
      );
    assert.deepEqual(Frontier.of(sha256, 7, hashes).root(), tree.root(7));
    faulty(7, hashes.slice(1), 'PROOF_INVALID');
    faulty(7, [...hashes, tree.leaf(0)], 'PROOF_INVALID');
    faulty(8, hashes, 'PROOF_INVALID');
    faulty(0, hashes, 'PROOF_INVALID');
    faulty(7, [...hashes.slice(0, 2), new Uint8Array(31)], 'PROOF_INVALID');
    faulty(7, [...hashes.slice(0, 2), new Uint8Array(33)], 'PROOF_INVALID');
    for (const size of [-1, 0.5, NaN, 2 ** 53]) faulty(size, hashes, 'SIZE_INVALID');
  });

  it('append refuses a hash of another length and the leaf beyond 2^53-1', () => {
    assert.throws(() => Frontier.empty(sha256).append(new Uint8Array(31)), RangeError);
    const ones = Array.from({ length: 53 }, () => tree.leaf(0));
    const full = Frontier.of(sha256, Number.MAX_SAFE_INTEGER, ones);
    assert.throws(() => full.append(tree.leaf(0)), RangeError);
    assert.equal(full.size, Number.MAX_SAFE_INTEGER);
  });

  it('copy and hashes are independent of what is appended later', () => {
    const frontier = appended(Frontier.empty(sha256), 0, 6);
    const [copy, hashes] = [frontier.copy(), frontier.hashes()];
    appended(frontier, 6, 9);
    assert.deepEqual(copy.root(), tree.root(6));
    assert.deepEqual(Frontier.of(sha256, 6, hashes).root(), tree.root(6));
    assert.deepEqual(appended(copy, 6, 20).root(), tree.root(20));
  });

  it('property: where a frontier is stored and taken up again makes no difference', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 8 }), (stops) => {
        let frontier = Frontier.empty(sha256);
        for (const stop of [...stops.sort((a, b) => a - b), 300]) {
          appended(frontier, frontier.size, stop);
          frontier = Frontier.of(sha256, frontier.size, frontier.hashes());
          assert.deepEqual(frontier.root(), tree.root(stop));
        }
      }),
    );
  });
});
