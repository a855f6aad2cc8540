import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  encodeEntryBundle,
  parseEntryBundle,
  verifyEntryBundle,
} from '../../../protocol/log/entry-bundle.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { fromHex } from '../../support/hex.ts';
import { sha256 } from '../../support/primitives.ts';

const TILE_INVALID = (error: unknown) => isProtocolError(error, 'TILE_INVALID');
const entries = ['', 'a', 'bcd'].map((text) => new TextEncoder().encode(text));
const bundle = fromHex('00000001610003626364');
const tile = new Uint8Array(entries.flatMap((entry) => [...leafHash(sha256, entry)]));

describe('encodeEntryBundle and parseEntryBundle', () => {
  it('put a 16-bit length before each entry', () => {
    assert.deepEqual(encodeEntryBundle(entries), bundle);
    assert.deepEqual(parseEntryBundle(bundle, 3), entries);
  });

  it('read a bundle that is a view into a larger buffer', () => {
    const padded = new Uint8Array([9, 9, ...bundle, 9]);
    assert.deepEqual(parseEntryBundle(padded.subarray(2, -1), 3), entries);
  });

  it('parseEntryBundle A30, B62: refuses a length prefix past the end and a cut length prefix', () => {
    for (let length = 0; length < bundle.length; length++) {
      assert.throws(() => parseEntryBundle(bundle.subarray(0, length), 3), TILE_INVALID, String(length));
    }
    for (const hex of ['ffff', '000261', '00', '0000ff']) {
      assert.throws(() => parseEntryBundle(fromHex(hex), hex === '0000ff' ? 2 : 1), TILE_INVALID, hex);
    }
  });

  it('parseEntryBundle A8: refuses trailing bytes, one entry too many and one too few', () => {
    assert.throws(() => parseEntryBundle(new Uint8Array([...bundle, 0]), 3), TILE_INVALID);
    assert.throws(() => parseEntryBundle(new Uint8Array([...bundle, 0, 0]), 3), TILE_INVALID);
    assert.throws(() => parseEntryBundle(bundle, 2), TILE_INVALID);
    assert.throws(() => parseEntryBundle(bundle, 4), TILE_INVALID);
  });

  it('take 256 entries of 65,535 bytes, and no more of either', () => {
    const longest = new Uint8Array(65_535).fill(7);
    const full = Array.from({ length: 256 }, () => longest);
    assert.deepEqual(parseEntryBundle(encodeEntryBundle(full), 256), full);
    assert.throws(() => encodeEntryBundle([...full, longest]), RangeError);
    assert.throws(() => encodeEntryBundle([new Uint8Array(65_536)]), RangeError);
    assert.throws(() => encodeEntryBundle([]), RangeError);
    for (const width of [0, 257, 1.5]) assert.throws(() => parseEntryBundle(bundle, width), RangeError);
  });

  it('property: round trip, and every bundle that parses is the one of its entries', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (list) => {
        assert.deepEqual(parseEntryBundle(encodeEntryBundle(list), list.length), list);
      }),
    );
    const byte = fc.oneof(fc.constant(0), fc.nat(3), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (bytes, width) => {
        try {
          assert.deepEqual([...encodeEntryBundle(parseEntryBundle(Uint8Array.from(bytes), width))], bytes);
        } catch (error) {
          assert.ok(TILE_INVALID(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('verifyEntryBundle', () => {
  it('returns the entries of a tile', () => {
    assert.deepEqual(verifyEntryBundle(sha256, bundle, tile), entries);
  });

  it('B62, A6: refuses any flipped bit of the bundle or the tile', () => {
    for (const [what, length] of [['bundle', bundle.length], ['tile', tile.length]] as const) {
      for (let bit = 0; bit < length * 8; bit++) {
        const changed = (bytes: Uint8Array) => bytes.map((b, i) => (i === bit >> 3 ? b ^ (1 << (bit & 7)) : b));
        assert.throws(
          () => verifyEntryBundle(sha256, what === 'bundle' ? changed(bundle) : bundle, what === 'tile' ? changed(tile) : tile),
          TILE_INVALID,
          `${what} ${bit}`,
        );
      }
    } // prettier-ignore
  });

  it('B62, A9: refuses a tile of another width and entries in another order', () => {
    for (const length of [0, 31, 64, 95, 97, 128]) {
      const other = new Uint8Array(length);
      other.set(tile.subarray(0, length));
      assert.throws(() => verifyEntryBundle(sha256, bundle, other), TILE_INVALID, String(length));
    }
    assert.throws(
      () => verifyEntryBundle(sha256, encodeEntryBundle([...entries].reverse()), tile),
      TILE_INVALID,
    );
  });
});
