import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { asciiBytes, concatBytes, hexBytes } from '../../../protocol/bytes.ts';
import {
  type ForeignAlgorithm,
  type ForeignCheck,
  passesForeignPrecheck,
} from '../../../protocol/foreign/signature-check.ts';
import { verifyWithWebCrypto } from '../../../protocol/foreign/web-signatures.ts';
import { isForeignKey, verifyForeignSignature } from '../../../node/crypto/foreign-signatures.ts';
import { type ForeignSigner, makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';

const MESSAGE = asciiBytes('what is signed');
const P256 = makeEcSigner('P-256');
const P384 = makeEcSigner('P-384');
const RSA = makeRsaSigner();
const ORDER = hexBytes('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

const GOOD: readonly (readonly [string, ForeignAlgorithm, ForeignSigner])[] = [
  ['ES256 under P-256', 'ES256', P256],
  ['ES256 under P-384', 'ES256', P384],
  ['ES384 under P-384', 'ES384', P384],
  ['ES384 under P-256', 'ES384', P256],
  ['PS256 under RSA', 'PS256', RSA],
];

function checkBy(algorithm: ForeignAlgorithm, { publicKey, sign }: ForeignSigner): ForeignCheck {
  return { algorithm, publicKey, message: MESSAGE, signature: sign(algorithm, MESSAGE) };
}

/** What both back ends say, which has to be the same. */
async function answerOf(check: ForeignCheck): Promise<boolean> {
  const [native, web] = [verifyForeignSignature(check), await verifyWithWebCrypto(check)];
  assert.equal(native, web);
  return native;
}

describe('checks of foreign signatures, by both back ends', () => {
  for (const [name, algorithm, signer] of GOOD) {
    it(`take ${name}, and nothing with one bit turned (B35)`, async () => {
      const check = checkBy(algorithm, signer);
      assert.equal(await answerOf(check), true);
      await fc.assert(
        fc.asyncProperty(fc.nat(8 * check.signature.length - 1), async (bit) => {
          const signature = check.signature.slice();
          signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          assert.equal(await answerOf({ ...check, signature }), false);
        }),
        { numRuns: 60 },
      );
      assert.equal(await answerOf({ ...check, message: asciiBytes('something else') }), false);
    });
  }

  const good = checkBy('ES256', P256);
  const [r, s] = [good.signature.subarray(0, 32), good.signature.subarray(32)];
  const zero = new Uint8Array(32);
  const bad: readonly (readonly [string, ForeignCheck])[] = [
    ['63 bytes', { ...good, signature: good.signature.subarray(1) }],
    ['65 bytes', { ...good, signature: concatBytes(good.signature, zero.subarray(0, 1)) }],
    ['no bytes', { ...good, signature: new Uint8Array(0) }],
    ['r = 0', { ...good, signature: concatBytes(zero, s) }],
    ['s = 0', { ...good, signature: concatBytes(r, zero) }],
    ['r = n', { ...good, signature: concatBytes(ORDER, s) }],
    ['s = n', { ...good, signature: concatBytes(r, ORDER) }],
    ['s above n', { ...good, signature: concatBytes(r, new Uint8Array(32).fill(0xff)) }],
    ['another key', { ...good, publicKey: makeEcSigner().publicKey }],
    ['an RSA key', { ...good, publicKey: RSA.publicKey }],
    ['PS256 under a curve', { ...good, algorithm: 'PS256' }],
    ['another hash', { ...good, algorithm: 'ES384' }],
    ['a point off the curve', { ...good, publicKey: { kind: 'ec', curve: 'P-256', x: zero, y: zero } }],
    [
      'a coordinate of 31 bytes',
      { ...good, publicKey: { kind: 'ec', curve: 'P-256', x: r.subarray(1), y: r } },
    ],
    ['an RSA signature of 255 bytes', { ...checkBy('PS256', RSA), signature: new Uint8Array(255) }],
    ['RSA of 1024 bits', checkBy('PS256', makeRsaSigner(1_024))],
  ];
  for (const [name, check] of bad) {
    it(`refuse ${name} (B35, B33)`, async () => {
      assert.equal(await answerOf(check), false);
    });
  }

  it('take s = n - s too, which ECDSA cannot tell apart', async () => {
    const n = BigInt(`0x${Buffer.from(ORDER).toString('hex')}`);
    const negated = n - BigInt(`0x${Buffer.from(s).toString('hex')}`);
    const signature = concatBytes(r, hexBytes(negated.toString(16).padStart(64, '0')));
    assert.equal(await answerOf({ ...good, signature }), true);
  });
});

describe('passesForeignPrecheck', () => {
  const { publicKey } = RSA;
  if (publicKey.kind !== 'rsa') throw new TypeError('expected an RSA key');
  const check = checkBy('PS256', RSA);
  const even = publicKey.modulus.slice();
  even[255] = 0;
  for (const [name, key] of [
    ['an exponent of 1', { ...publicKey, exponent: Uint8Array.of(1) }],
    ['an even exponent', { ...publicKey, exponent: Uint8Array.of(1, 0, 0) }],
    ['an exponent of five bytes', { ...publicKey, exponent: Uint8Array.of(1, 0, 0, 0, 1) }],
    ['no exponent', { ...publicKey, exponent: new Uint8Array(0) }],
    ['an even modulus', { ...publicKey, modulus: even }],
    [
      'a modulus with a leading zero',
      { ...publicKey, modulus: concatBytes(Uint8Array.of(0), publicKey.modulus) },
    ],
    ['a modulus of 4104 bits', { ...publicKey, modulus: new Uint8Array(513).fill(0xff) }],
  ] as const) {
    it(`refuses ${name}`, () => {
      const signature = new Uint8Array(key.modulus.length).fill(1);
      assert.ok(passesForeignPrecheck(check));
      assert.ok(!passesForeignPrecheck({ ...check, publicKey: key, signature }));
    });
  }

  it('leaves to the back end whether a point is on its curve', () => {
    const point = {
      kind: 'ec',
      curve: 'P-256',
      x: new Uint8Array(32).fill(1),
      y: new Uint8Array(32),
    } as const;
    const good = checkBy('ES256', P256);
    assert.ok(passesForeignPrecheck({ ...good, publicKey: point }));
    assert.ok(!isForeignKey(point) && isForeignKey(P256.publicKey));
  });
});
