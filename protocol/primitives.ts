/**
 * What the protocol needs from its surroundings besides bytes. All are synchronous and pure, so that
 * one code path judges in a node, in a browser and on a command line.
 */

/** SHA-256 of `data`: 32 bytes, freshly allocated. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

/**
 * One signature to be checked by the strict Ed25519 rule (SPEC.md 3): the check as data.
 * `publicKey` 32 bytes, `signature` as received, any length.
 */
export interface SignatureCheck {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Answers a check by the strict rule. Total: never throws on bytes, whatever their length. */
export type VerifySignature = (check: SignatureCheck) => boolean;

export interface Primitives {
  readonly sha256: Sha256;
  readonly verifySignature: VerifySignature;
}
