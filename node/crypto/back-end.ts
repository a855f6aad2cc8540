/** What a native back end provides: the strict Ed25519 rule and signing. `sodium.ts` and `openssl.ts` are two. */
import { type VerifySignature } from '../../protocol/primitives.ts';

/** Signs under one secret key, by RFC 8032: the same message gives the same 64 bytes. */
export interface Signer {
  /** 32 bytes, owned by the signer: not to be written to. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export interface SignatureBackEnd {
  readonly name: 'sodium' | 'openssl';
  /** Answers by the strict rule. Total on bytes of any length. */
  readonly verifySignature: VerifySignature;
  /** Answers as `admitPublicKey` of protocol/signature/noble.ts. */
  readonly admitPublicKey: (publicKey: Uint8Array) => void;
  /** A signer for a 32-byte secret key, which is copied. @throws {RangeError} on another length. */
  readonly signerOf: (secretKey: Uint8Array) => Signer;
}

export const SECRET_KEY_BYTES = 32;

/** @throws {RangeError} unless the secret key has 32 bytes. The message never holds any of them. */
export function assertSecretKeyLength(secretKey: Uint8Array): void {
  if (secretKey.length === SECRET_KEY_BYTES) return;
  throw new RangeError(`a secret key has ${SECRET_KEY_BYTES} bytes, not ${secretKey.length}`);
}
