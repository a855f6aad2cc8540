import assert from 'node:assert/strict';
import { ristretto255_oprf } from '@noble/curves/ed25519.js';
import { hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  blindNumber,
  evaluateBlinded,
  finishLookup,
  lookupInput,
  lookupKeyPair,
  numberSecrets,
  secretOfInput,
} from '../../../protocol/lookup/oblivious.ts';
import { sha256 } from '../../support/primitives.ts';
import { seeded } from '../../support/seeded.ts';

const { voprf } = ristretto255_oprf;

/** RFC 9497 A.1.2: what follows from the seed and key info there. */
const RFC = {
  seed: 'a3'.repeat(32),
  keyInfo: '74657374206b6579',
  secretKey: 'e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909',
  publicKey: 'c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e',
  blind: '64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706',
  proofRandom: '222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e',
  vectors: [
    {
      input: '00',
      blinded: '863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945',
      evaluated: 'aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e',
      proof:
        'ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d',
      output:
        'b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c',
    },
    {
      input: '5a'.repeat(17),
      blinded: 'cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c',
      evaluated: '60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468',
      proof:
        '401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02',
      output:
        '8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6',
    },
  ],
} as const;

/** Bytes from which the library takes exactly this scalar, little-endian: it adds one to what it reduces. */
function drawing(scalar: string): (length: number) => Uint8Array {
  const value = BigInt(`0x${hexOf(hexBytes(scalar).reverse())}`) - 1n;
  return (length) => hexBytes(value.toString(16).padStart(2 * length, '0')).reverse();
}

const PLACE = { region: 'DE', network: 'demo', day: 20_783 };
const seedOf = (byte: number) => new Uint8Array(32).fill(byte);
const random = (() => {
  const chance = seeded(1);
  return (length: number) => Uint8Array.from({ length }, () => Math.floor(256 * chance()));
})();
const isFault = (code: 'LOOKUP_MALFORMED' | 'LOOKUP_UNPROVEN') => (error: unknown) =>
  isProtocolError(error, code);

describe('RFC 9497 A.1.2', function () {
  this.timeout(20_000);
  it('deriveKeyPair', () => {
    const { secretKey, publicKey } = voprf.deriveKeyPair(hexBytes(RFC.seed), hexBytes(RFC.keyInfo));
    assert.deepEqual([hexOf(secretKey), hexOf(publicKey)], [RFC.secretKey, RFC.publicKey]);
  });

  for (const [i, vector] of RFC.vectors.entries()) {
    it(`vector ${i + 1}: blinded, evaluated, proven and finished`, () => {
      const input = hexBytes(vector.input);
      const asked = blindNumber(input, drawing(RFC.blind));
      assert.deepEqual([hexOf(asked.blind), hexOf(asked.blinded)], [RFC.blind, vector.blinded]);
      const [secretKey, publicKey] = [hexBytes(RFC.secretKey), hexBytes(RFC.publicKey)];
      const keys = { secretKey, publicKey };
      const { evaluated, proof } = evaluateBlinded(keys, asked.blinded, drawing(RFC.proofRandom));
      assert.deepEqual([hexOf(evaluated), hexOf(proof)], [vector.evaluated, vector.proof]);
      const output = voprf.finalize(input, asked.blind, evaluated, asked.blinded, publicKey, proof);
      assert.equal(hexOf(output), vector.output);
      const finished = finishLookup(sha256, asked, { evaluated, proof }, publicKey);
      assert.deepEqual(secretOfInput(sha256, secretKey, input), finished);
    });
  }
});

describe('looking a number up', function () {
  // A busy machine takes its time over a curve.
  this.timeout(20_000);
  const keys = lookupKeyPair(seedOf(1), PLACE);
  const input = lookupInput(PLACE, '310101199001011234');

  it('verifier and home come to the same secrets, whatever it was blinded by', () => {
    const expected = secretOfInput(sha256, keys.secretKey, input);
    const [first, second] = [blindNumber(input, random), blindNumber(input, random)];
    assert.notDeepEqual(first.blinded, second.blinded);
    for (const asked of [first, second]) {
      const evaluation = evaluateBlinded(keys, asked.blinded, random);
      assert.deepEqual(finishLookup(sha256, asked, evaluation, keys.publicKey), expected);
    }
  });

  it('another number, region, network or day comes to other secrets', () => {
    const all = [
      secretOfInput(sha256, keys.secretKey, input),
      secretOfInput(sha256, keys.secretKey, lookupInput(PLACE, '310101199001011235')),
      secretOfInput(sha256, keys.secretKey, lookupInput({ ...PLACE, region: 'FR' }, '310101199001011234')),
      secretOfInput(
        sha256,
        keys.secretKey,
        lookupInput({ ...PLACE, network: 'other' }, '310101199001011234'),
      ),
      secretOfInput(sha256, lookupKeyPair(seedOf(1), { ...PLACE, day: 20_784 }).secretKey, input),
      secretOfInput(sha256, lookupKeyPair(seedOf(2), PLACE).secretKey, input),
    ];
    assert.equal(new Set(all.map(hexOf)).size, all.length);
  });

  it('in two tables of a day a number has nothing in common with itself', () => {
    const secret = secretOfInput(sha256, keys.secretKey, input);
    const places = [1, 2].map((byte) => numberSecrets(sha256, secret, new Uint8Array(16).fill(byte)));
    const texts = places.flatMap(({ locator, key }) => [hexOf(locator), hexOf(key)]);
    assert.equal(new Set(texts).size, 4);
    assert.deepEqual(numberSecrets(sha256, secret, new Uint8Array(16).fill(1)), places[0]);
  });

  it('a home that lies is found out: another key for one verifier, an altered element, an altered proof', () => {
    const asked = blindNumber(input, random);
    const right = evaluateBlinded(keys, asked.blinded, random);
    const marking = lookupKeyPair(seedOf(9), PLACE);
    const other = evaluateBlinded(keys, blindNumber(input, random).blinded, random);
    const altered = right.proof.slice();
    altered[63] = (altered[63] ?? 0) ^ 1;
    for (const wrong of [
      evaluateBlinded(marking, asked.blinded, random),
      { ...right, evaluated: other.evaluated },
      { ...right, proof: other.proof },
      { ...right, proof: altered },
      { ...right, proof: new Uint8Array(64).fill(0xff) },
    ])
      assert.throws(() => finishLookup(sha256, asked, wrong, keys.publicKey), isFault('LOOKUP_UNPROVEN'));
  });

  it('what is no element is refused: the identity, another length, no canonical encoding', () => {
    const asked = blindNumber(input, random);
    const right = evaluateBlinded(keys, asked.blinded, random);
    for (const bytes of [
      new Uint8Array(32),
      new Uint8Array(32).fill(0xff),
      new Uint8Array(31),
      new Uint8Array(0),
    ])
      assert.throws(() => evaluateBlinded(keys, bytes, random), isFault('LOOKUP_MALFORMED'));
    for (const length of [0, 63, 65])
      assert.throws(
        () => finishLookup(sha256, asked, { ...right, proof: new Uint8Array(length) }, keys.publicKey),
        isFault('LOOKUP_MALFORMED'),
      );
    assert.throws(
      () => finishLookup(sha256, asked, { ...right, evaluated: new Uint8Array(32) }, keys.publicKey),
      isFault('LOOKUP_UNPROVEN'),
    );
  });

  it('lookupInput takes 1 to 512 bytes, and mends nothing', () => {
    lookupInput(PLACE, 'x'.repeat(512));
    for (const number of ['', 'x'.repeat(513), 'é'.repeat(257)])
      assert.throws(() => lookupInput(PLACE, number), isFault('LOOKUP_MALFORMED'));
    assert.notDeepEqual(lookupInput(PLACE, 'a'), lookupInput(PLACE, 'A'));
    assert.notDeepEqual(lookupInput(PLACE, 'a'), lookupInput(PLACE, 'a '));
  });
});
