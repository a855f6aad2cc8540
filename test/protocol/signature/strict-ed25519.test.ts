import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  isStrictKey,
  isStrictSignature,
  MESSAGE_BYTES_MAX,
  passesPrecheck,
} from '../../../protocol/signature/strict-ed25519.ts';
import { checkOf, ed25519Vectors } from '../../support/ed25519-vectors.ts';

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN = 2n ** 255n;
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
const GOOD_POINT = littleEndian(2n ** 200n);

function littleEndian(value: bigint, length = 32): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function signatureOf(r: Uint8Array, s: bigint): Uint8Array {
  return Uint8Array.from([...r, ...littleEndian(s)]);
}

describe('isStrictKey', () => {
  for (const [name, y, isStrict] of [
    ['0 (order 4)', 0n, false],
    ['1 (the identity)', 1n, false],
    ['2', 2n, true],
    ['256', 256n, true],
    ['p - 2', P - 2n, true],
    ['p - 1 (order 2)', P - 1n, false],
    ['p', P, false],
    ['p + 1', P + 1n, false],
    ['p + 2', P + 2n, false],
    ['2^255 - 1', SIGN - 1n, false],
    ['an order-8 y less one', ORDER_8_Y - 1n, true],
    ['an order-8 y', ORDER_8_Y, false],
    ['an order-8 y plus one', ORDER_8_Y + 1n, true],
    ['an order-8 y with a byte changed in the middle', ORDER_8_Y ^ (1n << 120n), true],
    ['the other order-8 y less one', P - ORDER_8_Y - 1n, true],
    ['the other order-8 y', P - ORDER_8_Y, false],
    ['the other order-8 y plus one', P - ORDER_8_Y + 1n, true],
    ['p - 1 less 2^248', P - 1n - 2n ** 248n, true],
    ['2^248 + 1', 2n ** 248n + 1n, true],
  ] as const) {
    it(`B36: ${isStrict ? 'takes' : 'refuses'} y = ${name}, with either sign`, () => {
      assert.equal(isStrictKey(littleEndian(y)), isStrict);
      assert.equal(isStrictKey(littleEndian(y + SIGN)), isStrict);
    });
  }

  it('knows the right y of order 8: those whose double has y = 0, so that d y^4 + 2 y^2 = 1', () => {
    for (const y of [ORDER_8_Y, P - ORDER_8_Y]) assert.equal((D * y ** 4n + 2n * y ** 2n) % P, 1n);
  });

  it('refuses 0, 31, 33 and 64 bytes', () => {
    assert.ok(isStrictKey(GOOD_POINT));
    for (const length of [0, 31, 33, 64]) assert.equal(isStrictKey(littleEndian(2n ** 200n, length)), false);
  });

  it('refuses exactly y >= p and the five y of small order, on y near the places where it looks', () => {
    const smallOrder = [0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y];
    const near = fc.tuple(
      fc.constantFrom(0n, P, ORDER_8_Y, P - ORDER_8_Y, SIGN),
      fc.bigInt(-40n, 40n),
      fc.nat(255),
    );
    fc.assert(
      fc.property(near, fc.boolean(), ([centre, distance, shift], sign) => {
        const y = BigInt.asUintN(255, centre + (distance << BigInt(shift)));
        const expected = y < P && !smallOrder.includes(y);
        assert.equal(isStrictKey(littleEndian(y + (sign ? SIGN : 0n))), expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('isStrictSignature', () => {
  for (const [name, s, isStrict] of [
    ['0', 0n, true],
    ['L - 1', L - 1n, true],
    ['L', L, false],
    ['L + 1', L + 1n, false],
    ['2^252 - 1', 2n ** 252n - 1n, true],
    ['2^252', 2n ** 252n, true],
    ['2^253', 2n ** 253n, false],
    ['L with its lowest byte 0', L - (L % 256n), true],
    ['2^256 - 1', 2n ** 256n - 1n, false],
  ] as const) {
    it(`B36: ${isStrict ? 'takes' : 'refuses'} S = ${name}`, () => {
      assert.equal(isStrictSignature(signatureOf(GOOD_POINT, s)), isStrict);
    });
  }

  it('compares S with L as numbers', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 128n), 2n ** 128n), fc.nat(127), (distance, shift) => {
        const s = L + (distance >> BigInt(shift));
        assert.equal(isStrictSignature(signatureOf(GOOD_POINT, s)), s < L);
      }),
    );
  });

  it('B35: refuses 0, 63, 65 and 128 bytes', () => {
    const good = signatureOf(GOOD_POINT, 1n);
    assert.ok(isStrictSignature(good));
    for (const length of [0, 63, 65, 128]) {
      const other = new Uint8Array(length);
      other.set(good.subarray(0, length));
      assert.equal(isStrictSignature(other), false);
    }
  });

  it('B36: refuses an R that would be no key', () => {
    for (const y of [0n, 1n, P - 1n, P, ORDER_8_Y, P - ORDER_8_Y]) {
      assert.equal(isStrictSignature(signatureOf(littleEndian(y), 1n)), false);
      assert.equal(isStrictSignature(signatureOf(littleEndian(y + SIGN), 1n)), false);
    }
  });
});

describe('passesPrecheck', () => {
  const check = { publicKey: GOOD_POINT, message: new Uint8Array(), signature: signatureOf(GOOD_POINT, 1n) };

  it('asks for a strict key and a strict signature', () => {
    assert.equal(passesPrecheck(check), true);
    assert.equal(passesPrecheck({ ...check, publicKey: littleEndian(1n) }), false);
    assert.equal(passesPrecheck({ ...check, signature: signatureOf(GOOD_POINT, L) }), false);
  });

  it('refuses a message longer than every back end can hash in one call', () => {
    const ofLength = (length: number): Uint8Array => ({ length }) as Uint8Array;
    assert.equal(passesPrecheck({ ...check, message: ofLength(MESSAGE_BYTES_MAX) }), true);
    assert.equal(passesPrecheck({ ...check, message: ofLength(MESSAGE_BYTES_MAX + 1) }), false);
  });

  it('passes every good vector', () => {
    const good = ed25519Vectors.filter((vector) => vector.good);
    assert.ok(good.length > 0);
    for (const vector of good) assert.ok(passesPrecheck(checkOf(vector)), vector.name);
  });

  it('is total on any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 130 });
    fc.assert(
      fc.property(bytes, bytes, bytes, (publicKey, message, signature) => {
        assert.equal(typeof passesPrecheck({ publicKey, message, signature }), 'boolean');
      }),
    );
  });
});
