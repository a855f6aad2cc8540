/** Every reason a verdict can give: what it does to the outcome, and one sentence for people. Spec: SPEC.md 11. */

/** From the strongest to the weakest; a note changes nothing. */
export type ReasonOutcome = 'stop' | 'undetermined' | 'act' | 'note';

interface ReasonRow {
  readonly outcome: ReasonOutcome;
  /** For the person at the gate: what is the case and, where something can be done, what. */
  readonly explanation: string;
}

/** The one table of reasons. Codes are stable API. */
export const REASONS = {
  MALFORMED: {
    outcome: 'stop',
    explanation: 'This is not a health code, or it was damaged or altered.',
  },
  VERSION_UNKNOWN: {
    outcome: 'undetermined',
    explanation: 'The code is of a later version than this verifier knows: update the verifier.',
  },
  COMMITMENT_MISMATCH: {
    outcome: 'stop',
    explanation: 'What the code shows is not what its issuer signed.',
  },
  NOT_RECOGNISED: {
    outcome: 'stop',
    explanation: 'The home region does not recognise the codes of this region.',
  },
  RECOGNITION_WITHDRAWN: {
    outcome: 'stop',
    explanation: 'The home region has withdrawn its recognition of this region.',
  },
  RECOGNITION_SUSPENDED: {
    outcome: 'stop',
    explanation: 'The home region has suspended its recognition of this region.',
  },
  RECOGNITION_NOT_IN_FORCE: {
    outcome: 'stop',
    explanation: 'The recognition of this region has ended or has not begun.',
  },
  WAY_UNSUPPORTED: {
    outcome: 'undetermined',
    explanation:
      'This region is recognised, but not in the way by which this code comes, or in one that this verifier cannot check.',
  },
  RULES_NOT_EVALUATED: {
    outcome: 'undetermined',
    explanation:
      'Special rules apply to codes of this region, and this verifier does not have them: ask a node.',
  },
  TRUST_MISSING: {
    outcome: 'undetermined',
    explanation: 'The verifier holds no trust data of this region: fetch a snapshot.',
  },
  KNOWLEDGE_STALE: {
    outcome: 'undetermined',
    explanation: 'What the verifier knows of this region is too old: fetch newer trust data.',
  },
  UNWITNESSED: {
    outcome: 'undetermined',
    explanation: 'Too few other regions vouch for the trust data of this region.',
  },
  CHECKPOINT_KEY_UNFIT: {
    outcome: 'undetermined',
    explanation: 'The trust data of this region is signed with a key that has ended or is compromised.',
  },
  ISSUER_SILENT_TOO_LONG: {
    outcome: 'undetermined',
    explanation: 'The issuing region has not been heard from for longer than this place allows.',
  },
  FORKED: {
    outcome: 'undetermined',
    explanation: 'The issuing region has shown two contradicting logs, and which one holds is not settled.',
  },
  QUARANTINED: {
    outcome: 'undetermined',
    explanation: 'The region is quarantined: a quorum vouched for two contradicting logs.',
  },
  KEY_UNKNOWN: {
    outcome: 'stop',
    explanation: 'The issuing region never announced the key that signed this code.',
  },
  KEY_NOT_YET_KNOWN: {
    outcome: 'undetermined',
    explanation:
      'The key, log or origin of this code may be newer than what the verifier knows: fetch newer trust data.',
  },
  KEY_NOT_FOR_THIS: {
    outcome: 'stop',
    explanation: 'The key that signed this code was not allowed to at the time it gives.',
  },
  SIGNATURE_INVALID: {
    outcome: 'stop',
    explanation: 'The signature of the issuing region is not good: the code is forged or altered.',
  },
  LOG_UNKNOWN: {
    outcome: 'stop',
    explanation: 'The issuing region never announced the log that this code names.',
  },
  BEYOND_CUT_OFF: {
    outcome: 'stop',
    explanation: 'The key was stolen, and this code is not among those made before.',
  },
  LEAF_MISMATCH: {
    outcome: 'stop',
    explanation: 'The log of the issuing region holds another code in this place.',
  },
  PROOF_NEEDED: {
    outcome: 'undetermined',
    explanation: 'The key was stolen, so this code must be looked up in the log: ask a node.',
  },
  REVOKED: {
    outcome: 'stop',
    explanation: 'The issuing region has revoked this code.',
  },
  BRIDGE_NOT_ALLOWED: {
    outcome: 'stop',
    explanation:
      'The home region does not take codes of this region through the platform that issued this one.',
  },
  BRIDGE_UNFOUNDED: {
    outcome: 'stop',
    explanation:
      'The platform does not itself recognise the region that it names as the origin, or names there what never was, or a key that the region has taken back.',
  },
  ORIGINAL_REVOKED: {
    outcome: 'stop',
    explanation: 'The region that the original code is from has revoked it.',
  },
  NOT_YET_ISSUED: {
    outcome: 'stop',
    explanation: 'The code says it was issued later than now: check the clock of this verifier.',
  },
  EXPIRED: {
    outcome: 'stop',
    explanation: 'The code has expired: the holder needs a new one.',
  },
  LIFE_TOO_LONG: {
    outcome: 'stop',
    explanation: 'The code claims a longer life than any code may have.',
  },
  PRESENTATION_INVALID: {
    outcome: 'stop',
    explanation: 'The code is not shown by the device it was issued to.',
  },
  DOCUMENT_MISMATCH: {
    outcome: 'stop',
    explanation: 'The document shown is not the one this code was made for.',
  },
  STATUS_RED: {
    outcome: 'stop',
    explanation: 'The code is red: the person is to isolate.',
  },
  STATUS_YELLOW: {
    outcome: 'act',
    explanation: 'The code is yellow: the person owes a measure until the time shown.',
  },
  RULE_STOPS: {
    outcome: 'stop',
    explanation: 'The rules of this place stop the person.',
  },
  RULE_ASKS: {
    outcome: 'act',
    explanation: 'The rules of this place ask for something before the person may pass.',
  },
  RULE_WITHOUT_VALUE: {
    outcome: 'undetermined',
    explanation: 'A rule of this place cannot be decided for this code: ask who keeps the rules.',
  },
  RULES_NOT_IN_FORCE: {
    outcome: 'undetermined',
    explanation: 'The rules of this place have ended or have not begun: fetch newer ones.',
  },
  GRADE_TOO_LOW: {
    outcome: 'act',
    explanation:
      'This place asks for stronger proof that the code belongs to the person: have it shown live.',
  },
  IDENTITY_CHECK: {
    outcome: 'note',
    explanation: 'Nothing ties the code to the person: compare name and face with a document.',
  },
  PRESENTATION_NOT_CURRENT: {
    outcome: 'note',
    explanation: 'The code was shown live at another time: it may be a copy.',
  },
  CHALLENGE_MISMATCH: {
    outcome: 'note',
    explanation: 'The code was shown live to another verifier: it may be a copy.',
  },
  ISSUER_SILENT: {
    outcome: 'note',
    explanation:
      'The issuing region has not been heard from for a while; the others vouch for what it said last.',
  },
  NO_WITNESSES: {
    outcome: 'note',
    explanation: 'Nobody but the region itself vouches for its log.',
  },
  PROVEN_IN_LOG: {
    outcome: 'note',
    explanation: 'The code was found in its place in the log of the issuing region.',
  },
  BRIDGED: {
    outcome: 'note',
    explanation: 'A platform issued this code for one of another region, which it has checked.',
  },
  DOCUMENT_MATCHED: {
    outcome: 'note',
    explanation: 'The code was made for the document shown.',
  },
  FOREIGN_KEY_UNKNOWN: {
    outcome: 'stop',
    explanation:
      'No region whose codes of this kind are recognised here has announced the key that this code names, or an authority that vouches for it.',
  },
  FOREIGN_CERTIFICATE: {
    outcome: 'stop',
    explanation:
      'The certificate that the code brings along makes nobody its signer: no authority that its region announces has issued it so.',
  },
  FOREIGN_KEYS_CROWDED: {
    outcome: 'undetermined',
    explanation: 'More keys share the name that the code gives than are tried, and none of those tried fits.',
  },
  FOREIGN_KEY_USAGE: {
    outcome: 'stop',
    explanation: 'The key that signed this code may not sign codes of this kind.',
  },
  FOREIGN_CLAIMS_INVALID: {
    outcome: 'stop',
    explanation: 'The code lacks what one of its kind has to say, or contradicts itself.',
  },
  FOREIGN_ISSUER: {
    outcome: 'stop',
    explanation: 'The code names an issuer outside the region that announced its key.',
  },
  FOREIGN_FACTS_INSUFFICIENT: {
    outcome: 'stop',
    explanation: 'The code is genuine, but what it attests is not enough by the rules of the issuing region.',
  },
  FOREIGN_FACTS_UNDECIDED: {
    outcome: 'undetermined',
    explanation:
      'The rules of the issuing region do not say what this code is worth: fetch newer trust data.',
  },
  FOREIGN_REGIONS_DIFFER: {
    outcome: 'undetermined',
    explanation:
      'Several regions call this code their own and judge it differently: the home region has to find out whose it is.',
  },
  NUMBER_UNKNOWN: {
    outcome: 'stop',
    explanation: 'The region whose numbers begin so does not know this number.',
  },
  NUMBER_NEEDS_NODE: {
    outcome: 'undetermined',
    explanation: 'The code is a mere number, which has to be looked up at its region: ask a node.',
  },
  NUMBER_NOT_ENROLLED: {
    outcome: 'undetermined',
    explanation:
      'The code is a mere number, and those are looked up for enrolled verifiers alone: ask the operator of the node for a token.',
  },
  NUMBER_QUOTA: {
    outcome: 'undetermined',
    explanation: 'More numbers were looked up than this verifier, or this region, may look up in that time.',
  },
  NUMBER_REFUSED: {
    outcome: 'undetermined',
    explanation: 'The region of the number answers no look-ups of this region: it has to recognise it too.',
  },
  NUMBER_DAY_MISSING: {
    outcome: 'undetermined',
    explanation: 'The region of the number has announced no key for today, or has no table of today yet.',
  },
  NUMBER_UNREACHABLE: {
    outcome: 'undetermined',
    explanation: 'No node of the region of the number answers: try again, or ask for another code.',
  },
  NUMBER_CROWDED: {
    outcome: 'undetermined',
    explanation:
      'More regions announce numbers that begin so than are asked for one: the home region has to find out whose they are.',
  },
  NUMBER_UNPROVEN: {
    outcome: 'undetermined',
    explanation: 'What the region of the number answers is not proven by what it has announced.',
  },
  NUMBER_STALE: {
    outcome: 'undetermined',
    explanation: 'What the region says of its numbers is too old, or of a time that has not come.',
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type ReasonCode = keyof typeof REASONS;

/** One reason of one verdict. Plain JSON. */
export interface Reason {
  readonly code: ReasonCode;
  readonly outcome: ReasonOutcome;
  /** The region whose trust data the reason speaks of, where that is not plain from the code. */
  readonly region?: string;
  /** Figures behind the reason: ages and limits in seconds, fault codes, sizes. Never a person's data. */
  readonly details?: Readonly<Record<string, string | number>>;
}

const BARE = Object.fromEntries(
  Object.entries(REASONS).map(([code, { outcome }]) => [code, Object.freeze({ code, outcome })]),
) as Readonly<Record<ReasonCode, Reason>>;

/** A reason with the outcome that the table gives it. */
export function reasonOf(
  code: ReasonCode,
  region?: string,
  details?: Readonly<Record<string, string | number>>,
): Reason {
  if (region === undefined && details === undefined) return BARE[code];
  return {
    ...BARE[code],
    ...(region !== undefined && { region }),
    ...(details !== undefined && { details }),
  };
}

/** The verdict that these reasons make together: the strongest of their outcomes, `pass` if all are notes. */
export function outcomeOf(reasons: readonly Reason[]): 'pass' | 'act' | 'stop' | 'undetermined' {
  let outcome: 'pass' | 'act' | 'undetermined' = 'pass';
  for (const reason of reasons) {
    if (reason.outcome === 'stop') return 'stop';
    if (reason.outcome === 'undetermined') outcome = 'undetermined';
    else if (reason.outcome === 'act' && outcome === 'pass') outcome = 'act';
  }
  return outcome;
}
