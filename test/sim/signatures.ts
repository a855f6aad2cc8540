/**
 * Signatures that cost a hash: a signature is good if and only if the signer that this registry made for the key made it for
 * exactly these bytes. It is as sound as Ed25519 as long as nobody in the simulation reads the registry's secret, which
 * nobody can: it is in this closure alone.
 */
import * as crypto from 'node:crypto';
import { equalBytes } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { testKey, trustModules, type TestKey } from '../support/region-fixture.ts';

export interface Signatures {
  readonly modules: TrustModules;
  /** The key of this name: the same for the same name. */
  readonly keyOf: (name: string) => TestKey;
}

const sha256 = (data: Uint8Array): Uint8Array => crypto.hash('sha256', data, 'buffer');

export function fakeSignatures(seed: number): Signatures {
  const secret = sha256(Buffer.from(`the registry's secret of seed ${seed}`));
  const known = new Set<string>();
  const signatureOf = (publicKey: Uint8Array, message: Uint8Array): Uint8Array =>
    crypto.hash('sha512', Buffer.concat([secret, publicKey, message]), 'buffer');
  return {
    modules: {
      sha256,
      verifySignature: ({ publicKey, message, signature }) =>
        known.has(hexOf(publicKey)) && equalBytes(signature, signatureOf(publicKey, message)),
      admitPublicKey: (publicKey) => {
        if (!known.has(hexOf(publicKey))) throw new ProtocolError('KEY_INVALID', 'nobody holds this key');
      },
    },
    keyOf: (name) => {
      const publicKey = Uint8Array.from(sha256(Buffer.from(`public key of ${name}`)));
      known.add(hexOf(publicKey));
      const sign = (message: Uint8Array) => Uint8Array.from(signatureOf(publicKey, message));
      return { publicKey, sign, keyId: keyIdOf(sha256, publicKey) };
    },
  };
}

/** Real Ed25519, some fifty times slower. */
export function realSignatures(): Signatures {
  return { modules: { ...trustModules, sha256 }, keyOf: testKey };
}
