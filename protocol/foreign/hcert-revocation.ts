/** The hashes by which revocation lists of EU Digital COVID Certificates name a certificate. Spec: SPEC.md 17.3, Implementing Decision (EU) 2022/483. */
import { concatBytes } from '../bytes.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { type Sha256 } from '../primitives.ts';
import { type ForeignCode, type Json } from './foreign-code.ts';

const HASH_BYTES = 16;

/** 16 bytes each. */
export interface HcertRevocationIds {
  /** Of the certificate identifier of each entry. */
  readonly identifier: readonly Uint8Array[];
  /** Of the issuing country's code and the identifier. */
  readonly countryAndIdentifier: readonly Uint8Array[];
  /** Of the signature: of an ECDSA one only r, since whoever holds it can write s in another way. */
  readonly signature: Uint8Array;
}

/** Needs a code that `parseHcert` made. */
export function hcertRevocationIds(sha256: Sha256, code: ForeignCode): HcertRevocationIds {
  const hashOf = (bytes: Uint8Array) => sha256(bytes).slice(0, HASH_BYTES);
  const { issuer = '' } = code;
  const identifiers = identifiersOf(code.content).map(utf8Bytes);
  return {
    identifier: identifiers.map(hashOf),
    countryAndIdentifier: identifiers.map((bytes) => hashOf(concatBytes(utf8Bytes(issuer), bytes))),
    signature: signatureHashOf(sha256, code),
  };
}

/** Of an ECDSA signature only r, since whoever holds it can write s in another way; the others have one form. Of a code of any format. */
export function signatureHashOf(sha256: Sha256, { signature, algorithm }: ForeignCode): Uint8Array {
  const isEcdsa = algorithm === 'ES256' || algorithm === 'ES384';
  const hashed = isEcdsa ? signature.subarray(0, signature.length / 2) : signature;
  return sha256(hashed).slice(0, HASH_BYTES);
}

function identifiersOf(content: ForeignCode['content']): string[] {
  return ['v', 't', 'r'].flatMap((list) => {
    const entries = content[list];
    if (!Array.isArray(entries)) return [];
    return (entries as readonly Json[]).flatMap((entry) => {
      const identifier = (entry as Readonly<Record<string, Json>>)['ci'];
      return typeof identifier === 'string' ? [identifier] : [];
    });
  });
}
