import assert from 'node:assert/strict';
import fc from 'fast-check';
import { asciiBytes, hexOf } from '../../../protocol/bytes.ts';
import { publicKeyOf, sign } from '../../../protocol/signature/noble.ts';
import { nativeSha256, openNativeCrypto, type NativeCrypto } from '../../../node/crypto/native.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { sha256 } from '../../support/primitives.ts';

const MESSAGE = asciiBytes('a message');
const cannotLoad = { loadSodium: () => Promise.reject(new Error('no binary')) };

async function openSodium(): Promise<NativeCrypto | undefined> {
  const native = await openNativeCrypto();
  return native.name === 'sodium' ? native : undefined;
}

describe('openNativeCrypto', () => {
  it('takes sodium where it loads, and openssl where it does not', async () => {
    const sodium = { ...opensslBackEnd, name: 'sodium' as const };
    assert.equal((await openNativeCrypto({}, { loadSodium: () => Promise.resolve(sodium) })).name, 'sodium');
    assert.equal((await openNativeCrypto({}, cannotLoad)).name, 'openssl');
  });

  it('obeys a demand: openssl is never sodium, and sodium that does not load is an error', async () => {
    const untouchable = { loadSodium: () => assert.fail('sodium was loaded') };
    assert.equal((await openNativeCrypto({ backEnd: 'openssl' }, untouchable)).name, 'openssl');
    await assert.rejects(openNativeCrypto({ backEnd: 'sodium' }, cannotLoad), /no binary/);
  });

  it('gives primitives and signing that work together', async () => {
    const native = await openNativeCrypto();
    const signer = native.signerOf(native.sha256(MESSAGE));
    const check = { publicKey: signer.publicKey, message: MESSAGE, signature: signer.sign(MESSAGE) };
    assert.equal(native.verifySignature(check), true);
    assert.equal(native.verifySignature({ ...check, message: asciiBytes('another') }), false);
  });
});

describe('nativeSha256', () => {
  it('gives 32 bytes of its own, the same as another implementation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        const digest = nativeSha256(data);
        assert.deepEqual(digest, sha256(data));
        assert.notEqual(digest.buffer, nativeSha256(data).buffer);
      }),
    );
  });

  it('hashes a view and not the buffer below it', () => {
    const buffer = asciiBytes('xxabcxx');
    assert.equal(
      hexOf(nativeSha256(buffer.subarray(2, 5))),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});

for (const name of ['openssl', 'sodium'] as const) {
  describe(`back end ${name}`, () => {
    let native: NativeCrypto;

    before(async function () {
      const opened = name === 'openssl' ? await openNativeCrypto({ backEnd: 'openssl' }) : await openSodium();
      if (opened === undefined) {
        console.log('    sodium-native has no binary for this machine');
        this.skip();
      }
      native = opened;
    });

    it('derives the same keys and signs the same bytes as noble', () => {
      for (let i = 0; i < 20; i++) {
        const secretKey = sha256(Uint8Array.of(i));
        const message = new Uint8Array(i * 9).fill(i);
        const signer = native.signerOf(secretKey);
        assert.deepEqual(signer.publicKey, publicKeyOf(secretKey));
        assert.deepEqual(signer.sign(message), sign(message, secretKey));
      }
    });

    it('keeps signing under its key after the secret key it was given is erased', () => {
      const secretKey = sha256(MESSAGE);
      const expected = sign(MESSAGE, secretKey);
      const signer = native.signerOf(secretKey);
      secretKey.fill(0);
      assert.deepEqual(signer.sign(MESSAGE), expected);
    });

    it('takes a secret key of 0, 31, 33 or 64 bytes for a bug of the caller, and does not show it', () => {
      for (const length of [0, 31, 33, 64]) {
        const secretKey = new Uint8Array(length).fill(0xab);
        assert.throws(
          () => native.signerOf(secretKey),
          (error) => error instanceof RangeError && !/ab|171/.test(error.message),
        );
      }
    });

    it('reads views into larger buffers, Buffers, and memory shared between threads', () => {
      const signer = native.signerOf(sha256(MESSAGE));
      const check = { publicKey: signer.publicKey, message: MESSAGE, signature: signer.sign(MESSAGE) };
      for (const form of [viewOf, (bytes: Uint8Array) => Buffer.from(bytes), sharedOf]) {
        const { publicKey, message, signature } = check;
        const formed = { publicKey: form(publicKey), message: form(message), signature: form(signature) };
        assert.equal(native.verifySignature(formed), true);
        assert.equal(native.verifySignature({ ...formed, message: form(asciiBytes('another')) }), false);
      }
    });

    it('B35: answers and never throws, whatever the bytes and their lengths', () => {
      const anyLength = fc.uint8Array({ maxLength: 130 });
      const key = fc.oneof(anyLength, fc.uint8Array({ minLength: 32, maxLength: 32 }));
      const signature = fc.oneof(anyLength, fc.uint8Array({ minLength: 64, maxLength: 64 }).map(withSmallS));
      fc.assert(
        fc.property(key, anyLength, signature, (publicKey, message, signature) => {
          assert.equal(native.verifySignature({ publicKey, message, signature }), false);
        }),
        { numRuns: 500 },
      );
    });
  });
}

/** With S below L, so that random bytes reach the curve. */
function withSmallS(signature: Uint8Array): Uint8Array {
  return signature.map((byte, i) => (i === 63 ? byte & 0x0f : byte));
}

function viewOf(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 7).fill(0x55);
  buffer.set(bytes, 3);
  return buffer.subarray(3, 3 + bytes.length);
}

function sharedOf(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
