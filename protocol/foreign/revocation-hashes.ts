/** The hashes by which a region revokes codes of others in its trust log. Spec: SPEC.md 17.9. */
import { concatBytes } from '../bytes.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { FOREIGN_REVOCATION_BYTES } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { type ForeignCode } from './foreign-code.ts';
import { hcertRevocationIds, signatureHashOf } from './hcert-revocation.ts';
import { cardRevocationId } from './health-card.ts';
import { localRevocationId } from './local-claims.ts';

export interface RevocationHashes {
  /** Of what the issuer calls the code: all codes that carry the same are revoked with it. Empty where the format, or the code, has no such name. */
  readonly identifiers: readonly Uint8Array[];
  /** Of this very code. */
  readonly signature: Uint8Array;
  /** All by which the code can be revoked, those above among them: 2 to 97 of 16 bytes. */
  readonly all: readonly Uint8Array[];
}

/** Needs a code that `readForeign` made. */
export function revocationHashesOf(sha256: Sha256, code: ForeignCode): RevocationHashes {
  if (code.format === 'hcert') {
    const { identifier, countryAndIdentifier, signature } = hcertRevocationIds(sha256, code);
    return {
      identifiers: countryAndIdentifier,
      signature,
      all: [signature, ...countryAndIdentifier, ...identifier],
    };
  }
  const signature = signatureHashOf(sha256, code);
  const localId = code.format === 'local' ? localRevocationId(code) : undefined;
  if (localId !== undefined) {
    const identifier = sha256(localId).slice(0, FOREIGN_REVOCATION_BYTES);
    return { identifiers: [identifier], signature, all: [signature, identifier] };
  }
  const rid = code.format === 'shc' ? cardRevocationId(code) : undefined;
  if (rid === undefined) return { identifiers: [], signature, all: [signature] };
  // An issuer gives ids under each of its keys.
  const named = sha256(concatBytes(utf8Bytes(code.keyId), utf8Bytes('.'), utf8Bytes(rid)));
  const identifier = named.slice(0, FOREIGN_REVOCATION_BYTES);
  return { identifiers: [identifier], signature, all: [signature, identifier] };
}
