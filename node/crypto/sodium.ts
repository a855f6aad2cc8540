/** The back end on libsodium, the fastest. Importing this file fails where sodium-native has no binary. */
import {
  crypto_core_ed25519_is_valid_point,
  crypto_sign_detached,
  crypto_sign_seed_keypair,
  crypto_sign_verify_detached,
} from 'sodium-native';
import { type SignatureCheck } from '../../protocol/primitives.ts';
import { admitPublicKey as admitWithNoble } from '../../protocol/signature/noble.ts';
import {
  isStrictKey,
  passesPrecheck,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
} from '../../protocol/signature/strict-ed25519.ts';
import { assertSecretKeyLength, type SignatureBackEnd, type Signer } from './back-end.ts';

/** libsodium keeps the public key behind the secret one. */
const KEY_PAIR_BYTES = 64;

export const sodiumBackEnd: SignatureBackEnd = { name: 'sodium', verifySignature, admitPublicKey, signerOf };

function verifySignature(check: SignatureCheck): boolean {
  if (!passesPrecheck(check)) return false;
  const { signature, message, publicKey } = check;
  return (
    crypto_sign_verify_detached(addressable(signature), addressable(message), addressable(publicKey)) === true
  );
}

/**
 * libsodium finds out in a twentieth of the time: a region that is met names a dozen keys, and each costs noble a millisecond or
 * more. What it does not take noble looks at again, and says what is wrong.
 */
function admitPublicKey(publicKey: Uint8Array): void {
  const isWhole = publicKey.length === PUBLIC_KEY_BYTES && isStrictKey(publicKey);
  if (!isWhole || crypto_core_ed25519_is_valid_point(addressable(publicKey)) !== true) {
    admitWithNoble(publicKey);
  }
}

function signerOf(secretKey: Uint8Array): Signer {
  assertSecretKeyLength(secretKey);
  const publicKey = new Uint8Array(PUBLIC_KEY_BYTES);
  const keyPair = new Uint8Array(KEY_PAIR_BYTES);
  crypto_sign_seed_keypair(publicKey, keyPair, secretKey);
  return {
    publicKey,
    sign(message) {
      const signature = new Uint8Array(SIGNATURE_BYTES);
      crypto_sign_detached(signature, message, keyPair);
      return signature;
    },
  };
}

/**
 * The same bytes where sodium-native can reach them: it cannot read a SharedArrayBuffer, and passes offsets on as
 * 32-bit numbers, so that a view far into a larger buffer would be read at another place.
 */
function addressable(bytes: Uint8Array): Uint8Array {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength < 2 ** 32 ? bytes : new Uint8Array(bytes);
}
