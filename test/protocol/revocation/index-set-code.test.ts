import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { decodeIndexSet, encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { fromHex } from '../../support/hex.ts';
import { entropyBits, randomIndexes, seededRandom } from '../../support/index-sets.ts';

const encodeHex = (...members: number[]) => hexOf(encodeIndexSet(Float64Array.from(members)));
const decodeHex = (hex: string) => [...decodeIndexSet(fromHex(hex))];
const malformed = (error: unknown) => isProtocolError(error, 'REVOCATION_MALFORMED');

/** `reason`: which of the rules, so that none is only tested by another. */
const refuses = (hex: string, reason: RegExp) =>
  assert.throws(() => decodeHex(hex), (error) => malformed(error) && reason.test((error as Error).message), hex); // prettier-ignore

const modeOf = (bytes: Uint8Array) => (bytes[0] ?? 0) & 3;

const GAPS = 0;
const THREES = 1;
const RUNS = 2;

/** Sets of all three kinds, from nothing to some hundred members. */
const spreadOrRuns = fc
  .tuple(
    fc.nat({ max: 2 ** 40 - 2 ** 20 }),
    fc.array(
      fc.tuple(
        fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 40 }), fc.nat({ max: 5_000 })),
        fc.oneof(fc.constant(1), fc.nat({ max: 20 })),
      ),
      { maxLength: 60 },
    ),
  )
  .map(([start, runs]) => {
    const members: number[] = [];
    let next = start;
    for (const [gap, length] of runs) {
      next += gap;
      for (let i = 0; i < length; i++) members.push(next++);
    }
    return Float64Array.from(members);
  });
const fourInTen = fc
  .tuple(fc.nat(), fc.integer({ min: 20, max: 400 }))
  .map(([seed, count]) => randomIndexes(Math.floor(count * 2.5), count, seededRandom(seed)));
const indexSets = fc.oneof({ weight: 4, arbitrary: spreadOrRuns }, fourInTen);

describe('encodeIndexSet and decodeIndexSet', () => {
  it('hold the examples of SPEC.md 7', () => {
    for (const [hex, members] of [
      ['00', []],
      ['0400', [0]],
      ['04ac02', [300]],
      ['0c0500', [5, 6, 7]],
      ['080006', [0, 7]],
      ['14032d61c4', [3, 10, 12, 30, 52]],
      ['21000c8e02', [0, 2, 3, 5, 8, 9, 18, 19]],
      [
        '5a6494260dabdd80',
        [100, 1_000, 5_000].flatMap((i) => [0, 1, 2, 3, 4, 5, 6, 7].map((j) => i + j)).slice(0, -2),
      ],
    ] as const) {
      assert.equal(encodeHex(...members), hex);
      assert.deepEqual(decodeHex(hex), members);
    }
  });

  it('give every set of numbers below 12 its own bytes, and give it back', () => {
    const seen = new Set<string>();
    for (let pattern = 0; pattern < 2 ** 12; pattern++) {
      const members = Array.from({ length: 12 }, (_, i) => i).filter((i) => (pattern >> i) & 1);
      const hex = encodeHex(...members);
      assert.deepEqual(decodeHex(hex), members);
      seen.add(hex);
    }
    assert.equal(seen.size, 2 ** 12);
  });

  it('B23: take two bytes, and three that begin low, only if these are the encoding of what they say', () => {
    let taken = 0;
    for (let value = 0; value < 2 ** 16 + 2 ** 14; value++) {
      const bytes =
        value < 2 ** 16
          ? Uint8Array.of(value >> 8, value)
          : Uint8Array.of((value >> 10) & 15, value >> 5, 7 * value);
      let members: Float64Array;
      try {
        members = decodeIndexSet(bytes);
      } catch (error) {
        assert.ok(malformed(error), String(error));
        continue;
      }
      taken++;
      assert.equal(hexOf(encodeIndexSet(members)), hexOf(bytes));
    }
    assert.ok(taken > 500, String(taken));
  });

  it('give back every set, in each mode (property)', () => {
    const modes = [0, 0, 0];
    fc.assert(
      fc.property(indexSets, (members) => {
        const bytes = encodeIndexSet(members);
        modes[modeOf(bytes)]! += 1;
        assert.deepEqual(decodeIndexSet(bytes), members);
      }),
      { numRuns: 1_000 },
    );
    assert.ok(
      modes.every((count) => count > 10),
      String(modes),
    );
  });

  it('take changed bytes only if these are canonical, and throw nothing but faults (property)', () => {
    let taken = 0;
    const flips = fc.array(fc.nat(), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(indexSets, flips, fc.integer({ min: -1, max: 1 }), (members, places, longer) => {
        const whole = encodeIndexSet(members);
        const bytes = new Uint8Array(Math.max(1, whole.length + longer));
        bytes.set(whole.subarray(0, bytes.length));
        for (const place of places) bytes[(place >> 3) % bytes.length]! ^= 1 << (place & 7);
        let decoded: Float64Array;
        try {
          decoded = decodeIndexSet(bytes);
        } catch (error) {
          assert.ok(malformed(error), String(error));
          return;
        }
        taken++;
        assert.equal(hexOf(encodeIndexSet(decoded)), hexOf(bytes));
      }),
      { numRuns: 3_000 },
    );
    assert.ok(taken > 100, String(taken));
  });

  it('take no other bytes for the set when one bit is flipped (property)', () => {
    fc.assert(
      fc.property(indexSets, fc.nat(), (members, place) => {
        const bytes = encodeIndexSet(members);
        bytes[(place >> 3) % bytes.length]! ^= 1 << (place & 7);
        try {
          assert.notDeepEqual(decodeIndexSet(bytes), members);
        } catch (error) {
          if (!malformed(error)) throw error;
        }
      }),
    );
  });

  it('stay within 2 % of the entropy, and eight bytes, at every density up to a half', () => {
    const random = seededRandom(1);
    for (const bound of [10_000_000, 65_536]) {
      for (const density of [1e-5, 1e-4, 1e-3, 0.01, 0.02]) {
        const count = Math.ceil(bound * density);
        const bytes = encodeIndexSet(randomIndexes(bound, count, random));
        const most = (1.02 * entropyBits(bound, count)) / 8 + 8;
        assert.ok(bytes.length <= most, `${count} of ${bound}: ${bytes.length} > ${most}`);
      }
    }
    for (let percent = 12; percent <= 50; percent += 2) {
      const count = Math.ceil((2 ** 17 * percent) / 100);
      const bytes = encodeIndexSet(randomIndexes(2 ** 17, count, random));
      const most = (1.02 * entropyBits(2 ** 17, count)) / 8 + 8;
      assert.ok(bytes.length <= most, `${percent} %: ${bytes.length} > ${most}`);
    }
  });

  it('write 10,000 of 10,000,000 in less than 14,400 bytes', () => {
    const bytes = encodeIndexSet(randomIndexes(10_000_000, 10_000, seededRandom(2)));
    assert.ok(bytes.length < 14_400, String(bytes.length));
  });

  it('choose runs for sets that lie together and threes for four in ten', () => {
    const runs = Float64Array.from({ length: 10_000 }, (_, i) => 100_000 * Math.floor(i / 100) + (i % 100));
    const bytes = encodeIndexSet(runs);
    assert.equal(modeOf(bytes), RUNS);
    assert.ok(bytes.length < 340, String(bytes.length));
    assert.deepEqual(decodeIndexSet(bytes), runs);
    assert.equal(modeOf(encodeIndexSet(randomIndexes(20_000, 8_000, seededRandom(3)))), THREES);
    assert.equal(modeOf(encodeIndexSet(randomIndexes(20_000, 2_000, seededRandom(3)))), GAPS);
  });

  it('hold the largest index and the most members', () => {
    const last = 2 ** 40 - 1;
    for (const members of [[last], [0, last], [0, 1, last], [last - 1, last]]) {
      assert.deepEqual(decodeHex(encodeHex(...members)), members);
    }
    const full = Float64Array.from({ length: 2 ** 20 }, (_, i) => i + 7);
    const bytes = encodeIndexSet(full);
    assert.equal(hexOf(bytes), '808080020700');
    assert.deepEqual(decodeIndexSet(bytes), full);
  });
});

describe('encodeIndexSet', () => {
  it('throws RangeError unless the members ascend within 0 .. 2^40-1 and are at most 2^20', () => {
    for (const members of [[1, 1], [2, 1], [-1], [2 ** 40], [0.5], [NaN], [Infinity]]) {
      assert.throws(() => encodeHex(...members), RangeError, String(members));
    }
    assert.throws(() => encodeIndexSet(Float64Array.from({ length: 2 ** 20 + 1 }, (_, i) => i)), RangeError);
  });
});

describe('decodeIndexSet', () => {
  it('refuses an empty input and every cut of a whole set', () => {
    refuses('', /got the end/);
    for (const members of [
      [300],
      [5, 6],
      [3, 10, 12, 30, 52],
      Array.from({ length: 300 }, (_, i) => i * i),
    ]) {
      const whole = encodeIndexSet(Float64Array.from(members));
      for (let length = 0; length < whole.length; length++) {
        assert.throws(() => decodeIndexSet(whole.subarray(0, length)), malformed);
      }
    }
  });

  it('B25: refuses a byte more and a set bit after the last', () => {
    for (const hex of ['0000', '040000', '0c050000', '08000600', '14032d61c400']) refuses(hex, /more bits/);
    for (const hex of ['14032d61c5', '14032d61c6']) refuses(hex, /zeros after/);
  });

  it('B23: refuses numbers of the header that are longer than needed or than six bytes', () => {
    for (const hex of ['8000', '840000', '048000', '04ac8200', '0c058000', '0c850000']) {
      refuses(hex, /shortest form of a number/);
    }
    for (const hex of ['0480808080808001', '04ffffffffffff7f']) refuses(hex, /at most 6 bytes/);
  });

  it('B21: takes 2^20 members and refuses one more, whatever follows', () => {
    assert.equal(decodeHex('808080020000').length, 2 ** 20);
    for (const hex of ['848080020000', '84808002', 'fcffffffff7f0000'])
      refuses(hex, /at most 1048576 indexes/);
  });

  it('B19: refuses a count that the bits left cannot hold', () => {
    // 2^20 members and one hole.
    refuses('808080020001' + '00'.repeat(100), /at least 1048574 bits, got 800 /);
    refuses('818080020001' + '00'.repeat(100), /at least 699050 bits, got 800 /);
    refuses('828080020001' + '00', /at least 20 bits, got 8 /);
    // Runs: 16 of them among 16 members with 40 holes take 29 bits at least.
    refuses('420028' + 'e000', /at least 29 bits, got 12 /);
  });

  it('refuses an index of 2^40', () => {
    assert.deepEqual(decodeHex('04ffffffffff1f'), [2 ** 40 - 1]);
    refuses('04808080808020', /below 1099511627776/);
    assert.deepEqual(decodeHex('0800feffffffff1f'), [0, 2 ** 40 - 1]);
    refuses('0800ffffffffff1f', /below 1099511627776/);
    refuses('0c00feffffffff1f', /below 1099511627776/);
  });

  it('takes indexBound - 1, countMax and bytesMax, and refuses one more of each', () => {
    const bytes = encodeIndexSet(Float64Array.of(3, 10, 12, 30, 52));
    const limits = { bytesMax: bytes.length, countMax: 5, indexBound: 53 };
    assert.equal(decodeIndexSet(bytes, limits).length, 5);
    assert.throws(() => decodeIndexSet(bytes, { ...limits, indexBound: 52 }), malformed);
    assert.throws(() => decodeIndexSet(bytes, { ...limits, countMax: 4 }), malformed);
    assert.throws(
      () => decodeIndexSet(bytes, { ...limits, bytesMax: bytes.length - 1 }),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
    assert.throws(
      () => decodeIndexSet(new Uint8Array(65_536)),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
  });

  it('refuses mode 3, and every mode but the shortest', () => {
    for (const hex of ['03', '0700', '0f0500', '0b0006', '17032d61c4']) refuses(hex, /mode below 3/);
    for (const hex of ['01', '02', '0500', '0600', '0d0500', '0e0500']) refuses(hex, /got mode [12] /);
    // {0, 2} is 080001; as threes and as runs it takes a byte more.
    assert.deepEqual(decodeHex('080001'), [0, 2]);
    for (const hex of ['09000100', '0a000100']) refuses(hex, /got mode [12] /);
    // {0, 2, 4, 6} takes one byte in each mode.
    assert.equal(encodeHex(0, 2, 4, 6), '100003a0');
    refuses('11000374', /got mode 1 /);
    refuses('12000380', /got mode 2 /);
  });

  it('refuses gaps that say more holes than the header', () => {
    // Five members and 45 holes; the divisor is 8.
    refuses('14032dfc00', /at most 5 ones/);
    refuses('14032dfb80', /integer of at most 45/);
    refuses('14032d61ff', /ones/);
  });

  it('refuses threes that say fewer or more members than the header, or one after the last', () => {
    refuses('0d000400', /expected 1 indexes between the first and the last, got 0/);
    refuses('0d0004f0', /expected 1 indexes between the first and the last, got more/);
    refuses('0d000318', /expected 1 indexes between the first and the last, got more/);
  });

  it('refuses runs that the members and holes of the header cannot form', () => {
    refuses('160001e0', /expected runs that 5 members and 1 holes can form/);
    refuses('2a000af0', /expected runs that 10 members and 10 holes can form/);
  });
});
