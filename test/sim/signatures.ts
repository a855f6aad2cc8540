/**
 * Signatures that cost a hash to make and a look to check: a signature is good if and only if the signer that this registry made
 * for the key made it for exactly these bytes. It is as sound as Ed25519 as long as nobody in the simulation reads the registry's
 * secret, which nobody can: it is in this closure alone.
 */
import * as crypto from 'node:crypto';
import { concatBytes, equalBytes, hexOf } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { nativeSha256 } from '../../node/crypto/native.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { testKey, trustModules, type TestKey } from '../support/region-fixture.ts';

export interface Signatures {
  readonly modules: TrustModules;
  /** The key of this name: the same for the same name. */
  readonly keyOf: (name: string) => TestKey;
}

const sha256 = nativeSha256;

export function fakeSignatures(seed: number): Signatures {
  const secret = sha256(Buffer.from(`the registry's secret of seed ${seed}`));
  const known = new Set<string>();
  /** What each signature was made for. */
  const made = new Map<string, { readonly publicKey: Uint8Array; readonly message: Uint8Array }>();
  const signatureOf = (publicKey: Uint8Array, message: Uint8Array): string =>
    crypto.hash('sha512', concatBytes(secret, publicKey, message), 'binary');
  return {
    modules: {
      sha256,
      verifySignature: ({ publicKey, message, signature }) => {
        const signed = made.get(textOf(signature));
        return (
          signed !== undefined &&
          equalBytes(signed.message, message) &&
          equalBytes(signed.publicKey, publicKey)
        );
      },
      admitPublicKey: (publicKey) => {
        if (!known.has(hexOf(publicKey))) throw new ProtocolError('KEY_INVALID', 'nobody holds this key');
      },
    },
    keyOf: (name) => {
      const publicKey = Uint8Array.from(sha256(Buffer.from(`public key of ${name}`)));
      known.add(hexOf(publicKey));
      const sign = (message: Uint8Array): Uint8Array => {
        const signature = signatureOf(publicKey, message);
        made.set(signature, { publicKey, message: message.slice() });
        return new Uint8Array(Buffer.from(signature, 'latin1'));
      };
      return { publicKey, sign, keyId: keyIdOf(sha256, publicKey) };
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Real Ed25519, some fifty times slower. */
export function realSignatures(): Signatures {
  return { modules: { ...trustModules, sha256 }, keyOf: testKey };
}
