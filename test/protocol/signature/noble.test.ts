import assert from 'node:assert/strict';
import { asciiBytes } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { noblePrimitives } from '../../../protocol/noble-primitives.ts';
import { admitPublicKey, publicKeyOf, sign, verifyWithNoble } from '../../../protocol/signature/noble.ts';
import { checkOf, ed25519Vectors, fromHex } from '../../support/ed25519-vectors.ts';
import { sha256 } from '../../support/primitives.ts';

/** RFC 8032 7.1, TEST 1 to 3. */
const RFC_8032 = [
  {
    secretKey: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    secretKey: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    secretKey: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

describe('publicKeyOf, sign', () => {
  for (const [index, { secretKey, publicKey, message, signature }] of RFC_8032.entries()) {
    it(`give what RFC 8032 says in TEST ${index + 1}`, () => {
      assert.deepEqual(publicKeyOf(fromHex(secretKey)), fromHex(publicKey));
      assert.deepEqual(sign(fromHex(message), fromHex(secretKey)), fromHex(signature));
    });
  }

  it('take a secret key of 31 or 33 bytes for a bug of the caller', () => {
    for (const length of [31, 33]) {
      assert.throws(() => publicKeyOf(new Uint8Array(length)), RangeError);
      assert.throws(() => sign(new Uint8Array(), new Uint8Array(length)), RangeError);
    }
  });
});

describe('verifyWithNoble', () => {
  it('T1: gives one answer however often a key was met, for good and for altered signatures', () => {
    const secretKey = sha256(asciiBytes('a key met again and again'));
    const publicKey = publicKeyOf(secretKey);
    for (let round = 0; round < 12; round++) {
      const message = asciiBytes(`round ${round}`);
      const signature = sign(message, secretKey);
      assert.equal(verifyWithNoble({ publicKey, message, signature }), true);
      const altered = signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
      assert.equal(verifyWithNoble({ publicKey, message, signature: altered }), false);
      assert.equal(verifyWithNoble({ publicKey, message: asciiBytes('another'), signature }), false);
    }
  });

  it('A24: gives the verdict of every vector three times over, as keys go from new to known', () => {
    for (let round = 0; round < 3; round++) {
      for (const vector of ed25519Vectors) {
        assert.equal(verifyWithNoble(checkOf(vector)), vector.good, `${vector.name}, round ${round}`);
      }
    }
  });

  it('does not write to what it is given', () => {
    const vector = ed25519Vectors[0];
    assert.ok(vector);
    const check = checkOf(vector);
    verifyWithNoble(check);
    assert.deepEqual(check, checkOf(vector));
  });
});

describe('admitPublicKey', () => {
  for (const { name, publicKey, admissible } of ed25519Vectors) {
    if (admissible) continue;
    it(`refuses with KEY_INVALID: ${name}`, () => {
      assert.throws(
        () => {
          admitPublicKey(fromHex(publicKey));
        },
        (error) => isProtocolError(error, 'KEY_INVALID'),
      );
    });
  }

  it('admits the key of every secret', () => {
    for (let i = 0; i < 20; i++) admitPublicKey(publicKeyOf(sha256(Uint8Array.of(i))));
  });
});

describe('noblePrimitives', () => {
  it('hash like the reference and verify by the strict rule', () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 1_000]) {
      const data = new Uint8Array(length).fill(length);
      assert.deepEqual(noblePrimitives.sha256(data), sha256(data));
    }
    assert.equal(noblePrimitives.verifySignature, verifyWithNoble);
  });
});
