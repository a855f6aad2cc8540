import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type CodedBlock, RevocationSet } from '../../../protocol/revocation/revocation-set.ts';

const malformed = (error: unknown) => isProtocolError(error, 'REVOCATION_MALFORMED');

/** Indexes near each other, near the borders of blocks and far away. */
const indexes = fc.array(
  fc.oneof(
    fc.nat({ max: 300 }),
    fc.nat({ max: 10 }).map((i) => 65_531 + i),
    fc.nat({ max: 2 ** 24 }),
    fc.nat({ max: 10 }).map((i) => 2 ** 40 - 1 - i),
    fc.nat({ max: 2 ** 40 - 1 }),
  ),
  { maxLength: 60 },
);
const sorted = (values: Iterable<number>) => [...new Set(values)].sort((a, b) => a - b);

describe('RevocationSet', () => {
  it('has what it was made of, in any order and often, and nothing else (property)', () => {
    fc.assert(
      fc.property(indexes, indexes, (members, others) => {
        const set = RevocationSet.of([...members, ...members]);
        assert.deepEqual([...set], sorted(members));
        assert.equal(set.count, new Set(members).size);
        for (const index of [...members, ...others]) assert.equal(set.has(index), members.includes(index));
      }),
    );
  });

  it('union is commutative, associative and idempotent, and loses nothing (property)', () => {
    fc.assert(
      fc.property(indexes, indexes, indexes, (x, y, z) => {
        const [a, b, c] = [RevocationSet.of(x), RevocationSet.of(y), RevocationSet.of(z)];
        const all = a.union(b).union(c);
        assert.ok(all.equals(RevocationSet.of([...x, ...y, ...z])));
        assert.ok(a.union(b).equals(b.union(a)));
        assert.ok(a.union(b.union(c)).equals(all));
        assert.equal(a.union(a), a);
        assert.equal(all.union(y), all);
        assert.deepEqual([...all], sorted([...x, ...y, ...z]));
        assert.deepEqual([...a], sorted(x), 'a union changes neither side');
      }),
    );
  });

  it('union takes indexes as well as sets, and shares the blocks that did not change', () => {
    const set = RevocationSet.of([1, 70_000]);
    const grown = set.union([2, 200_000]);
    assert.deepEqual([...grown], [1, 2, 70_000, 200_000]);
    const bytesOf = (of: RevocationSet) =>
      new Map([...of.blocks()].map(({ number, bytes }) => [number, bytes]));
    assert.equal(bytesOf(grown).get(1), bytesOf(set).get(1));
    assert.notDeepEqual(bytesOf(grown).get(0), bytesOf(set).get(0));
    assert.equal(RevocationSet.empty.union(set).count, 2);
    assert.equal(set.union(RevocationSet.empty), set);
    assert.equal(set.union([]), set);
  });

  it('has no way to take an index out', () => {
    const names = Object.getOwnPropertyNames(RevocationSet.prototype).sort();
    assert.deepEqual(names, ['blockCount', 'blocks', 'constructor', 'equals', 'has', 'memoryBytes', 'union']);
  });

  it('blocks come in order, and fromBlocks gives the set again (property)', () => {
    fc.assert(
      fc.property(indexes, (members) => {
        const set = RevocationSet.of(members);
        const blocks = [...set.blocks()];
        assert.deepEqual(
          blocks.map(({ number }) => number),
          sorted(members.map((index) => Math.floor(index / 65_536))),
        );
        const again = RevocationSet.fromBlocks(blocks);
        assert.ok(again.equals(set) && set.equals(again));
        assert.equal(again.count, set.count);
      }),
    );
  });

  it('fromBlocks refuses numbers out of order, twice and beyond 2^24-1, and blocks that are empty or not canonical', () => {
    const bytes = Uint8Array.of(4, 0);
    const from = (...blocks: CodedBlock[]) => RevocationSet.fromBlocks(blocks);
    const at = (number: number) => ({ number, bytes });
    assert.deepEqual([...from(at(0), at(2 ** 24 - 1))], [0, 2 ** 40 - 65_536]);
    for (const blocks of [[at(1), at(0)], [at(1), at(1)], [at(2 ** 24)], [at(-1)], [at(0.5)], [at(NaN)]]) {
      assert.throws(() => from(...blocks), malformed);
    }
    assert.throws(() => from({ number: 0, bytes: Uint8Array.of(0) }), malformed);
    assert.throws(() => from({ number: 0, bytes: Uint8Array.of(4, 0x80, 0) }), malformed);
    assert.throws(() => from({ number: 0, bytes: Uint8Array.of(5, 0) }), malformed);
  });

  it('equals tells apart sets by one index, in one block and in another', () => {
    const set = RevocationSet.of([1, 2, 70_000]);
    for (const other of [
      [1, 2],
      [1, 3, 70_000],
      [1, 2, 70_001],
      [1, 2, 140_000],
      [1, 2, 70_000, 70_001],
    ]) {
      assert.ok(!set.equals(RevocationSet.of(other)), String(other));
    }
    assert.ok(set.equals(RevocationSet.of([70_000, 1, 2])));
  });

  it('has and of take 2^40-1 and throw RangeError on 2^40 and on what is no index', () => {
    const set = RevocationSet.of([2 ** 40 - 1]);
    assert.ok(set.has(2 ** 40 - 1));
    for (const index of [2 ** 40, -1, 0.5, NaN, Infinity]) {
      assert.throws(() => set.has(index), RangeError);
      assert.throws(() => RevocationSet.of([index]), RangeError);
      assert.throws(() => set.union([index]), RangeError);
    }
  });
});
