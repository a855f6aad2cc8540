/** Drafting the attestations of a batch: they differ in index and commitment alone. Spec: SPEC.md 5.1. */
import { hexOf } from '../bytes.ts';
import { INDEX_BOUND } from '../limits.ts';
import {
  ATTESTATION_INDEX_BYTES,
  type AttestationClaims,
  COMMITMENT_BYTES,
  COMMITMENT_FROM_END,
  INDEX_FROM_END,
  PROTECTED_HEAD,
} from './attestation.ts';
import { draftAttestation } from './attestation-draft.ts';

/** Before it come tag, head of the array and head of the protected header. */
const KEY_ID_AT = 3 + PROTECTED_HEAD.length;

/** Gives the drafts that `draftAttestation` gives, at a tenth of the cost. */
export class AttestationTemplate {
  readonly #bytes: Uint8Array;

  /** @throws {TypeError} as `draftAttestation`. */
  constructor(claims: Omit<AttestationClaims, 'index' | 'commitment'>, keyId: string, network: string) {
    const commitment = new Uint8Array(COMMITMENT_BYTES);
    this.#bytes = draftAttestation({ ...claims, index: 0, commitment }, keyId, network).bytes;
  }

  /** The draft's bytes. @throws {TypeError} on an index that is none, or a commitment of another length. */
  draft(index: number, commitment: Uint8Array): Uint8Array {
    if (!Number.isSafeInteger(index) || index < 0 || index >= INDEX_BOUND) {
      throw new TypeError('the index of an attestation is in 0 .. 2^40-1');
    }
    if (commitment.length !== COMMITMENT_BYTES) throw new TypeError('a commitment has 32 bytes');
    const bytes = this.#bytes.slice();
    bytes.set(commitment, bytes.length - COMMITMENT_FROM_END);
    const indexAt = bytes.length - INDEX_FROM_END;
    for (let i = ATTESTATION_INDEX_BYTES - 1, rest = index; i >= 0; i--, rest = Math.floor(rest / 256)) {
      bytes[indexAt + i] = rest % 256;
    }
    return bytes;
  }
}

/** The key id in an attestation or draft, which must be well-formed: 16 lower-case hexadecimal digits. */
export function keyIdOfDraft(bytes: Uint8Array): string {
  return hexOf(bytes.subarray(KEY_ID_AT, KEY_ID_AT + 8));
}
