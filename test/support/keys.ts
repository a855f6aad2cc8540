/** Ed25519 keys that follow from a number, for tests and vectors. */
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { COSIGNATURE, ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sign } from '../../protocol/log/signature-line.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import { sha256 } from './primitives.ts';

export const verifySignature: VerifySignature = opensslBackEnd.verifySignature;

export interface TestKey {
  readonly publicKey: Uint8Array;
  readonly sign: Sign;
}

/** The key whose secret is 32 bytes of this value. */
export function testKey(seedByte: number): TestKey {
  const signer = opensslBackEnd.signerOf(new Uint8Array(32).fill(seedByte));
  return { publicKey: signer.publicKey, sign: (message) => signer.sign(message) };
}

/** A key that signs notes: what verifies it, and how it signs. */
export interface NoteKey {
  readonly key: VerifierKey;
  readonly sign: Sign;
}

export function logKey(name: string, seedByte: number): NoteKey {
  const { publicKey, sign } = testKey(seedByte);
  return { key: makeVerifierKey(sha256, { name, algorithm: ED25519, publicKey }), sign };
}

export function witnessKey(name: string, seedByte: number): NoteKey {
  const { publicKey, sign } = testKey(seedByte);
  return { key: makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey }), sign };
}
