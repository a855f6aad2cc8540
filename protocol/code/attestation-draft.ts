/** The issuer's side of an attestation: its bytes before and after the signature. Spec: SPEC.md 5.1. */
import { concatBytes, hexBytes } from '../bytes.ts';
import { encodeCbor } from '../encoding/cbor.ts';
import {
  ATTESTATION_INDEX_BYTES,
  ATTESTATION_SIGNATURE_BYTES,
  type AttestationClaims,
  attestationMessage,
  COMMITMENT_BYTES,
  isHourOfLog,
  PROTECTED_HEAD,
} from './attestation.ts';
import { INDEX_BOUND } from '../limits.ts';
import { isAttestationLogId, isNetwork, isRegion } from '../log/origin.ts';

const KEY_ID = /^[0-9a-f]{16}$/;
const COSE_SIGN1_HEAD = Uint8Array.of(0xd2);

/** An attestation with zeros in place of its signature, and what is to be signed. */
export interface AttestationDraft {
  readonly bytes: Uint8Array;
  readonly message: Uint8Array;
}

/**
 * An attestation signed by `sign`, which gets its message and gives 64 bytes.
 * @throws {TypeError} as `draftAttestation` and `signAttestation` do.
 */
export function encodeAttestation(
  claims: AttestationClaims,
  keyId: string,
  network: string,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const draft = draftAttestation(claims, keyId, network);
  return signAttestation(draft.bytes, sign(draft.message));
}

/**
 * The draft for an issuer that stores it before it signs, or signs in another process. Equal arguments give equal bytes.
 * @throws {TypeError} on claims, a key id or a network that SPEC.md does not allow.
 */
export function draftAttestation(
  claims: AttestationClaims,
  keyId: string,
  network: string,
): AttestationDraft {
  requireEncodable(claims, keyId, network);
  const { region, log, index, hour, commitment } = claims;
  const protectedHeader = concatBytes(PROTECTED_HEAD, hexBytes(keyId));
  const payload = encodeCbor([region, log, indexBytes(index), hour, commitment]);
  const signature = new Uint8Array(ATTESTATION_SIGNATURE_BYTES);
  const bytes = concatBytes(COSE_SIGN1_HEAD, encodeCbor([protectedHeader, {}, payload, signature]));
  return { bytes, message: attestationMessage({ region, log, bytes }, network) };
}

/** A copy of a draft's bytes with its signature. @throws {TypeError} unless the signature has 64 bytes. */
export function signAttestation(draftBytes: Uint8Array, signature: Uint8Array): Uint8Array {
  if (signature.length !== ATTESTATION_SIGNATURE_BYTES) throw new TypeError('a signature has 64 bytes');
  const bytes = draftBytes.slice();
  bytes.set(signature, bytes.length - signature.length);
  return bytes;
}

function requireEncodable(claims: AttestationClaims, keyId: string, network: string): void {
  const { region, log, index, hour, commitment } = claims;
  if (!isRegion(region) || !isAttestationLogId(log) || !isNetwork(network)) {
    throw new TypeError('an attestation names region, log and network as in SPEC.md 4.1');
  }
  if (!Number.isSafeInteger(index) || index < 0 || index >= INDEX_BOUND) {
    throw new TypeError('the index of an attestation is in 0 .. 2^40-1');
  }
  if (!Number.isSafeInteger(hour) || !isHourOfLog(hour, log)) {
    throw new TypeError("the hour of an attestation is in its log's month");
  }
  if (commitment.length !== COMMITMENT_BYTES) throw new TypeError('a commitment has 32 bytes');
  if (!KEY_ID.test(keyId)) throw new TypeError('a key id has 16 lower-case hexadecimal digits');
}

function indexBytes(index: number): Uint8Array {
  const bytes = new Uint8Array(ATTESTATION_INDEX_BYTES);
  for (let i = ATTESTATION_INDEX_BYTES - 1, rest = index; i >= 0; i--, rest = Math.floor(rest / 256))
    bytes[i] = rest % 256;
  return bytes;
}
