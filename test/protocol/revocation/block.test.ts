import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { BLOCK_BYTES_MAX } from '../../../protocol/limits.ts';
import { RevocationBlock } from '../../../protocol/revocation/block.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { randomIndexes, seededRandom } from '../../support/index-sets.ts';

const malformed = (error: unknown) => isProtocolError(error, 'REVOCATION_MALFORMED');
const blockOf = (members: Iterable<number>) =>
  RevocationBlock.of(Uint16Array.from([...new Set(members)].sort((a, b) => a - b)));

/** Places that end up in a list, a bitmap or runs. */
const placeSets = fc.oneof(
  fc.uniqueArray(fc.nat({ max: 65_535 }), { minLength: 1, maxLength: 50 }),
  fc
    .tuple(fc.nat(), fc.integer({ min: 4_097, max: 9_000 }))
    .map(([seed, count]) => [...randomIndexes(65_536, count, seededRandom(seed))]),
  fc
    .array(fc.tuple(fc.nat({ max: 65_000 }), fc.integer({ min: 3, max: 500 })), {
      minLength: 1,
      maxLength: 20,
    })
    .map((runs) => [
      ...new Set(runs.flatMap(([first, length]) => Array.from({ length }, (_, i) => first + i))),
    ]),
);

describe('RevocationBlock', () => {
  it('has what it was made of and nothing else, in each form (property)', () => {
    fc.assert(
      fc.property(placeSets, (places) => {
        const block = blockOf(places);
        const members = new Set(places);
        assert.equal(block.count, members.size);
        for (let place = 0; place < 65_536; place++) {
          if (block.has(place) !== members.has(place)) assert.fail(`place ${place}`);
        }
        assert.deepEqual(
          [...block.members()],
          [...members].sort((a, b) => a - b),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('takes the smallest of list, bitmap and runs, to the last byte', () => {
    const spread = (count: number) => blockOf(Array.from({ length: count }, (_, i) => 2 * i));
    assert.equal(spread(1).memoryBytes, 2);
    assert.equal(spread(4_096).memoryBytes, 8_192);
    assert.equal(spread(4_097).memoryBytes, 8_192);
    assert.equal(spread(32_768).memoryBytes, 8_192);
    assert.equal(blockOf([0, 1]).memoryBytes, 4);
    assert.equal(blockOf([0, 1, 2]).memoryBytes, 4);
    const triples = (runs: number) =>
      blockOf(Array.from({ length: 3 * runs }, (_, i) => 5 * Math.floor(i / 3) + (i % 3)));
    assert.equal(triples(2_047).memoryBytes, 8_188);
    assert.equal(triples(2_048).memoryBytes, 8_192);
    assert.equal(triples(2_049).memoryBytes, 8_192);
    assert.equal(blockOf(Array.from({ length: 65_536 }, (_, i) => i)).memoryBytes, 4);
  });

  it('has the first and the last place of a run and not those beside it', () => {
    const block = blockOf([0, 1, 2, 10, 11, 12, 65_533, 65_534, 65_535]);
    assert.equal(block.memoryBytes, 12);
    assert.deepEqual(
      [0, 2, 3, 9, 10, 12, 13, 65_532, 65_533, 65_535].filter((place) => block.has(place)),
      [0, 2, 10, 12, 65_533, 65_535],
    );
  });

  it('union is the union, and this very block if nothing is new (property)', () => {
    fc.assert(
      fc.property(placeSets, placeSets, (a, b) => {
        const union = blockOf(a).union(blockOf(b));
        assert.ok(union.equals(blockOf([...a, ...b])));
        assert.ok(union.equals(blockOf(b).union(blockOf(a))));
        assert.equal(union.union(blockOf(a)), union);
        assert.ok(blockOf(a).union(union).equals(union));
      }),
      { numRuns: 60 },
    );
  });

  it('equals tells apart blocks of one form and one count', () => {
    assert.ok(!blockOf([1, 5]).equals(blockOf([1, 6])));
    assert.ok(!blockOf([1, 2, 3]).equals(blockOf([1, 2, 4])));
    assert.ok(!blockOf([1, 2, 3]).equals(blockOf([2, 3, 4])));
    assert.ok(blockOf([1, 5]).equals(blockOf([5, 1])));
  });

  it('encode gives the index set of its places, and decode the block (property)', () => {
    fc.assert(
      fc.property(placeSets, (places) => {
        const block = blockOf(places);
        const bytes = block.encode();
        assert.equal(hexOf(bytes), hexOf(encodeIndexSet(Float64Array.from(places).sort())));
        assert.equal(block.encode(), bytes);
        assert.ok(bytes.length <= BLOCK_BYTES_MAX);
        assert.ok(RevocationBlock.decode(bytes)?.equals(block));
      }),
      { numRuns: 60 },
    );
  });

  it('of refuses to be empty, and decode gives undefined for the empty set', () => {
    assert.throws(() => RevocationBlock.of(new Uint16Array()), RangeError);
    assert.equal(RevocationBlock.decode(Uint8Array.of(0)), undefined);
  });

  it('decode takes place 65,535 and 65,536 members, and refuses place 65,536 and one byte more', () => {
    assert.equal(RevocationBlock.decode(encodeIndexSet(Float64Array.of(65_535)))?.has(65_535), true);
    assert.throws(() => RevocationBlock.decode(encodeIndexSet(Float64Array.of(65_536))), malformed);
    const full = Float64Array.from({ length: 65_537 }, (_, i) => i);
    assert.equal(RevocationBlock.decode(encodeIndexSet(full.subarray(0, 65_536)))?.count, 65_536);
    assert.throws(() => RevocationBlock.decode(encodeIndexSet(full)), malformed);
    assert.throws(() => RevocationBlock.decode(new Uint8Array(BLOCK_BYTES_MAX)), malformed);
    assert.throws(
      () => RevocationBlock.decode(new Uint8Array(BLOCK_BYTES_MAX + 1)),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
  });
});
