/** Every reason for a verdict on a code of others. Codes are stable API. Spec: SPEC.md 17.1. */

/** `genuine`: issued as it stands by whom the verifier trusts, and in force. What that is worth at a gate is for rules to say. */
export type ForeignOutcome = 'genuine' | 'refused' | 'undetermined';

interface Row {
  readonly outcome: Exclude<ForeignOutcome, 'genuine'> | 'note';
  readonly explanation: string;
}

export const FOREIGN_REASONS = {
  MALFORMED: {
    outcome: 'refused',
    explanation: 'This is not a code of this kind, or it was damaged or altered.',
  },
  VERSION_UNKNOWN: {
    outcome: 'undetermined',
    explanation: 'The code is of a later version than this verifier knows: update the verifier.',
  },
  KEY_UNKNOWN: {
    outcome: 'undetermined',
    explanation: 'The verifier holds no key by the name that the code gives: fetch a newer list of keys.',
  },
  KEYS_CROWDED: {
    outcome: 'undetermined',
    explanation: 'More keys share the name that the code gives than are tried, and none of those tried fits.',
  },
  SIGNATURE_INVALID: {
    outcome: 'refused',
    explanation: 'The signature of the issuer is not good: the code is forged or altered.',
  },
  KEY_USAGE: {
    outcome: 'refused',
    explanation: 'The key that signed this code may not sign codes of this kind.',
  },
  KEY_NOT_FOR_THIS: {
    outcome: 'refused',
    explanation: 'The key that signed this code was not allowed to at the time it gives.',
  },
  CLAIMS_INVALID: {
    outcome: 'refused',
    explanation: 'The code lacks what one of its kind has to say, or contradicts itself.',
  },
  CERTIFICATE: {
    outcome: 'refused',
    explanation:
      'The certificate that came with the code makes no signer of it: no authority that the verifier trusts vouches for it.',
  },
  SIGNER_OF_OTHER_COUNTRY: {
    outcome: 'refused',
    explanation:
      'The seal names another country than its signer is of, and signers seal for their own alone.',
  },
  NOT_YET_ISSUED: {
    outcome: 'refused',
    explanation: 'The code says it was issued later than now: check the clock of this verifier.',
  },
  EXPIRED: {
    outcome: 'refused',
    explanation: 'The code has expired: the holder needs a new one.',
  },
  ISSUER_DIFFERS: {
    outcome: 'note',
    explanation: 'The code names another issuer than the one whose key signed it.',
  },
  ISSUER_UNPROVEN: {
    outcome: 'note',
    explanation: 'No list says whose key signed the code: who issued it is its own word.',
  },
} as const satisfies Readonly<Record<string, Row>>;

export type ForeignReasonCode = keyof typeof FOREIGN_REASONS;

/** One reason of one verdict. Plain JSON; `details` are figures, fault codes and words of this program, never a person's data. */
export interface ForeignReason {
  readonly code: ForeignReasonCode;
  readonly outcome: Row['outcome'];
  readonly details?: Readonly<Record<string, string | number>>;
}

export function foreignReason(
  code: ForeignReasonCode,
  details?: Readonly<Record<string, string | number>>,
): ForeignReason {
  const { outcome } = FOREIGN_REASONS[code];
  return { code, outcome, ...(details !== undefined && { details }) };
}

/** The strongest outcome: what is refused stays so, whatever else is open. */
export function foreignOutcomeOf(reasons: readonly ForeignReason[]): ForeignOutcome {
  const outcomes = reasons.map(({ outcome }) => outcome);
  if (outcomes.includes('refused')) return 'refused';
  return outcomes.includes('undetermined') ? 'undetermined' : 'genuine';
}
