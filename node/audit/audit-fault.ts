/** What an audit may find. The codes are stable API, listed in docs/auditing.md. */

export const AUDIT_CODES = [
  // Checkpoints
  'CHECKPOINT_MISSING',
  'CHECKPOINT_INVALID',
  'COSIGNATURE_FUTURE',
  // Trees
  'ENTRY_MISSING',
  'BUNDLE_MALFORMED',
  'LEAF_MISMATCH',
  'TILE_MISSING',
  'TILE_MISMATCH',
  'ROOT_MISMATCH',
  // Attestations
  'ATTESTATION_MALFORMED',
  'INDEX_MISMATCH',
  'LOG_MISMATCH',
  'HOUR_MISMATCH',
  'KEY_UNKNOWN',
  'KEY_NOT_FOR_THIS',
  'SIGNATURE_INVALID',
  'COMMITMENT_READABLE',
  'COMMITMENT_REPEATED',
  // Trust
  'ROOT_MISSING',
  'FINGERPRINT_MISMATCH',
  'STATE_MISMATCH',
  'LOG_UNANNOUNCED',
  'CUT_OFF_MISMATCH',
  // Remarks: nothing contradicts itself, but whoever reads the log should know
  'NO_EFFECT',
  'BEYOND_CUT_OFF',
  'UNWITNESSED',
  'NOT_REPLAYED',
] as const;

export type AuditCode = (typeof AUDIT_CODES)[number];

export interface AuditFault {
  readonly code: AuditCode;
  /** The origin of the log. */
  readonly log: string;
  /** Of the entry, or of the first entry of what is wrong. */
  readonly index?: number;
  /** What was expected and what came; holds no bytes of an entry. */
  readonly message: string;
}

/** Findings up to a bound, all of them counted. */
export class FaultList {
  readonly #kept: AuditFault[] = [];
  readonly #bound: number;
  #count = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  add(fault: AuditFault): void {
    this.#count++;
    if (this.#kept.length < this.#bound) this.#kept.push(fault);
  }

  get count(): number {
    return this.#count;
  }

  get kept(): readonly AuditFault[] {
    return this.#kept;
  }

  /** No more would be kept: an audit may end here. */
  get isFull(): boolean {
    return this.#kept.length >= this.#bound;
  }
}
