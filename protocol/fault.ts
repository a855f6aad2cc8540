/** What may be wrong with bytes that somebody else made. The codes are stable API, listed in SPEC.md 12. */

export const FAULT_CODES = [
  // Encodings (SPEC.md 2)
  'TOO_LARGE',
  'UTF8_MALFORMED',
  'CBOR_MALFORMED',
  'CBOR_NOT_CANONICAL',
  'BASE45_MALFORMED',
  'BASE64_MALFORMED',
  'SCHEMA_INVALID',
  // Signatures (SPEC.md 3)
  'KEY_INVALID',
  'SIGNATURE_INVALID',
  // Logs (SPEC.md 4)
  'SIZE_INVALID',
  'PROOF_INVALID',
  'TILE_INVALID',
  'NOTE_MALFORMED',
  'NOTE_UNSIGNED',
  'CHECKPOINT_MALFORMED',
  'ORIGIN_INVALID',
  'POLICY_MALFORMED',
  // Codes (SPEC.md 5 and 6)
  'CODE_EMPTY',
  'CODE_UNKNOWN',
  'CODE_VERSION_UNKNOWN',
  'CODE_MALFORMED',
  'ATTESTATION_MALFORMED',
  'FIELD_MALFORMED',
  'COMMITMENT_MISMATCH',
  'PRESENTATION_MALFORMED',
  // Revocation sets (SPEC.md 7)
  'REVOCATION_MALFORMED',
  // Trust log (SPEC.md 8)
  'DISCLOSURE_MALFORMED',
  'STATEMENT_MALFORMED',
  'STATEMENT_UNAUTHORISED',
  'STATEMENT_CONFLICT',
  'STATE_MISMATCH',
  'STATE_AHEAD',
  'HISTORY_NEEDED',
  // Snapshots (SPEC.md 10)
  'SNAPSHOT_MALFORMED',
  'SNAPSHOT_INCOMPLETE',
  'ROLLBACK',
  'FORK',
  'PIN_MISMATCH',
  // Rules (SPEC.md 16)
  'RULE_MALFORMED',
  'RULE_FAILED',
  'RULE_TOO_COSTLY',
  // Evidence (SPEC.md 18)
  'EVIDENCE_MALFORMED',
  'EVIDENCE_UNFOUNDED',
  // Joining (SPEC.md 20)
  'JOINING_MALFORMED',
  // Look-up (SPEC.md 21)
  'LOOKUP_MALFORMED',
  'LOOKUP_UNPROVEN',
  // Codes of others (SPEC.md 17)
  'COMPRESSION_INVALID',
  'JSON_MALFORMED',
  'COSE_MALFORMED',
  'JWS_MALFORMED',
  'SEAL_MALFORMED',
  'CERTIFICATE_MALFORMED',
  'CLAIMS_MALFORMED',
  'ALGORITHM_UNKNOWN',
  'ALGORITHM_MISMATCH',
  'KEY_ID_MISSING',
  'PARTS_MISMATCH',
  'STATUS_LIST_MALFORMED',
] as const;

export type FaultCode = (typeof FAULT_CODES)[number];

/** A fault and the numbers that locate it: offsets in bytes, indexes, sizes. Never a person's data. */
export interface Fault {
  readonly code: FaultCode;
  readonly details: Readonly<Record<string, string | number>>;
}

/**
 * Bytes from outside break a rule of SPEC.md. The message says what was expected and what came.
 * A misuse of this library by its caller is a `TypeError` or `RangeError` instead.
 */
export class ProtocolError extends Error {
  readonly fault: Fault;

  constructor(
    code: FaultCode,
    message: string,
    details: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(`${code}: ${message}`, options);
    this.name = 'ProtocolError';
    this.fault = { code, details };
  }
}

/** Total: tells whether `error` is a fault of foreign bytes, optionally with the given code. */
export function isProtocolError(error: unknown, code?: FaultCode): error is ProtocolError {
  return error instanceof ProtocolError && (code === undefined || error.fault.code === code);
}
