/**
 * The verdict on a code of others whose region is recognised by its adapter: an ordinary verdict, of the grade `static`. Each region that announced the
 * key speaks for itself; nothing that one region says makes a code another's. Spec: SPEC.md 17.8.
 */
import { hexOf } from '../bytes.ts';
import { CLOCK_AHEAD_S_MAX } from '../limits.ts';
import { Steps } from '../rules/evaluate.ts';
import { decide } from '../rules/issuing.ts';
import { loggedRuleSet } from '../rules/logged-rule-set.ts';
import { type Status } from '../code/status.ts';
import { isForeignRevoked } from '../trust/foreign-revoked.ts';
import { type RecognitionWay } from '../trust/trust-state.ts';
import { acceptByColour } from '../verdict/acceptance.ts';
import { Leaning } from '../verdict/leaning.ts';
import { outcomeOf, type ReasonCode } from '../verdict/reasons.ts';
import { type Verdict } from '../verdict/verdict.ts';
import { type AnnouncedCodes, type AnnouncedKey, isIssuerOf } from './announced-codes.ts';
import { type Claim, countingOf, differing, isRevoked } from './claims.ts';
import { type ForeignCode } from './foreign-code.ts';
import { factsOfCode } from './facts-of-code.ts';
import { FOREIGN_STEPS_MAX } from './foreign-limits.ts';
import { type ForeignReason, type ForeignReasonCode } from './foreign-reasons.ts';
import { judgeForeign } from './foreign-verdict.ts';
import { countryReasons } from './judge-country.ts';
import { isStatusOpen, localSubject } from './local-claims.ts';
import { revocationHashesOf } from './revocation-hashes.ts';
import {
  type AnnouncedInput,
  type CheckedAnnouncer,
  judgeUnsigned,
  referenceOf,
  unsignedVerdict,
} from './judge-unsigned.ts';

/** The ways in which codes of a recognised region are those of its adapters. */
const JUDGED_WAYS: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['adapter']);

/**
 * The verdict on a code by the regions that announced its key. Where several did whose code it may be and whose word counts, that with least against it
 * counts, since the others cannot stop codes that are not theirs; where some have revoked it and others have not, that is for people to settle.
 * @throws {RangeError} unless there is a result for each check.
 */
export function judgeAnnounced(
  input: AnnouncedInput,
  announcers: readonly CheckedAnnouncer[],
  isCrowded: boolean,
): Verdict {
  const { code, announced, nowS } = input;
  const signed = announcers.flatMap(({ region, candidates, results }) => {
    const { key, reasons } = judgeForeign(code, candidates, results, nowS);
    return key === undefined ? [] : [{ region, key, reasons }];
  });
  if (signed.length === 0) return judgeUnsigned(input, announcers, isCrowded);
  const ofAdapters = signed.filter(({ region }) => announced.isByAdapter(region));
  const claims = ofAdapters.length > 0 ? ofAdapters : signed;
  const own = claims.filter((one) => mayBeOf(code, one));
  const counting = countingOf(announced.trust, own.length > 0 ? own : claims, nowS);
  const verdicts = counting.map((one) => judgeSigned(input, one));
  if (verdicts.some(isRevoked) && verdicts.some(({ outcome }) => outcome !== 'stop')) {
    const regions = counting.map(({ region }) => region);
    return unsignedVerdict(differing(announced.trust, regions, input), code, nowS);
  }
  return weakestOf(verdicts);
}

/** Whether a code can be of the region whose key signed it: issuers of cards have addresses, and those of local codes whatever name their region gave them. */
function mayBeOf(code: ForeignCode, { region, key }: Signed): boolean {
  return code.format === 'shc' || code.format === 'local' || isIssuerOf(region, code.issuer ?? key.issuer);
}

/** Of several verdicts, one at least, one by which the code is revoked, or else the one with least against it. */
export function weakestOf(verdicts: readonly Verdict[]): Verdict {
  const weakest = verdicts.toSorted((a, b) => RANKS[a.outcome] - RANKS[b.outcome])[0] as Verdict;
  return verdicts.find(isRevoked) ?? weakest;
}

const RANKS: Readonly<Record<Verdict['outcome'], number>> = { pass: 0, act: 1, undetermined: 2, stop: 3 };

export interface Signed extends Claim {
  readonly key: AnnouncedKey;
}

/** The verdict of one region. */
export function judgeSigned({ code, announced, context, nowS }: AnnouncedInput, signed: Signed): Verdict {
  const { region, key } = signed;
  const { trust } = announced;
  const leaning = new Leaning(trust, context, nowS);
  leaning.leanOn(region, JUDGED_WAYS);
  for (const reason of signed.reasons) addForeign(leaning, reason);
  if (!mayBeOf(code, signed)) leaning.add('FOREIGN_ISSUER');
  if (isNamedRevoked(code, announced, region)) leaning.add('REVOKED');
  if (code.format === 'hcert' && announced.isByAdapter(region))
    leaning.reasons.push(...countryReasons(trust, { code, region, issuer: key.issuer }, nowS));
  const { place, acceptance = acceptByColour } = context;
  if (place.gradeNeeded !== 'static') leaning.add('GRADE_TOO_LOW');
  leaning.add('IDENTITY_CHECK');
  // Nobody lets a region compute here whose codes do not count.
  const status = announced.isByAdapter(region) ? statusOf(leaning, announced, signed, code, nowS) : undefined;
  const { issuedAtS, expiresAtS } = code.times;
  if (status !== undefined) {
    const issuedFromS = Math.floor(issuedAtS ?? nowS);
    const input = {
      region,
      status,
      grade: 'static',
      documentMatched: false,
      place,
      issuedFromS,
      nowS,
    } as const;
    leaning.reasons.push(...acceptance(input));
  }
  const { reasons, knowledge } = leaning;
  const { measure = 'none', untilS } = status ?? {};
  return {
    outcome: outcomeOf(reasons),
    reasons,
    atS: nowS,
    code: undefined,
    foreign: {
      ...referenceOf(code),
      region,
      adapter: key.adapter.id,
      ...(code.format === 'local' && { subject: localSubject(code) }),
    },
    colour: status?.colour,
    measure: measure !== 'none' && untilS !== undefined ? { kind: measure, untilS } : undefined,
    rule: status && { id: status.ruleId, version: status.ruleVersion },
    expiresAtS: expiresAtS === undefined ? undefined : Math.floor(expiresAtS),
    grade: 'static',
    knowledge,
  };
}

/** By the word of the region whose key signed it, however old the knowledge is. */
function isNamedRevoked(code: ForeignCode, { trust }: AnnouncedCodes, region: string): boolean {
  const knowledge = trust.regions.get(region);
  if (knowledge === undefined) return false;
  return isForeignRevoked(knowledge, () => revocationHashesOf(trust.sha256, code).all.map(hexOf));
}

/** The colour that the region's own rules give to what the code says; without one, says why. */
function statusOf(
  leaning: Leaning,
  { trust }: AnnouncedCodes,
  { region, key: { adapter } }: Signed,
  code: ForeignCode,
  nowS: number,
): Status | undefined {
  const logged = trust.regions.get(region)?.state.rules(adapter.rules);
  const ruleSet = logged && loggedRuleSet(logged);
  if (ruleSet === undefined) {
    leaning.add('FOREIGN_FACTS_UNDECIDED', region, { rules: adapter.rules, why: 'RULES_MISSING' });
    return undefined;
  }
  if (adapter.profile !== undefined && isStatusOpen(adapter.profile, code)) {
    leaning.add('FOREIGN_FACTS_UNDECIDED', region, { adapter: adapter.id, why: 'STATUS_UNKNOWN' });
    return undefined;
  }
  const steps = new Steps(FOREIGN_STEPS_MAX);
  const facts = factsOfCode(adapter, ruleSet.data.facts, code, steps);
  const { status, open } = decide(ruleSet, facts, nowS, { steps });
  const [first] = open;
  if (status !== undefined || first === undefined) return status;
  const { code: why, rule } = open.find((reason) => reason.code !== 'NOT_MET') ?? first;
  const details = { rules: ruleSet.id, version: ruleSet.version, ...(rule !== undefined && { rule }), why };
  leaning.add(why === 'NOT_MET' ? 'FOREIGN_FACTS_INSUFFICIENT' : 'FOREIGN_FACTS_UNDECIDED', region, details);
  return undefined;
}

/** What 17.1 has against a code, in the words of 11. Whose issuer it names is looked at here. */
const REASON_OF: Readonly<Partial<Record<ForeignReasonCode, ReasonCode>>> = {
  KEY_USAGE: 'FOREIGN_KEY_USAGE',
  KEY_NOT_FOR_THIS: 'KEY_NOT_FOR_THIS',
  CLAIMS_INVALID: 'FOREIGN_CLAIMS_INVALID',
  SIGNER_OF_OTHER_COUNTRY: 'FOREIGN_ISSUER',
  NOT_YET_ISSUED: 'NOT_YET_ISSUED',
  EXPIRED: 'EXPIRED',
};

function addForeign(leaning: Leaning, { code, details }: ForeignReason): void {
  const reason = REASON_OF[code];
  // A clock that is a little behind that of the issuer is no fault of the code.
  const isSlight = code === 'NOT_YET_ISSUED' && Number(details?.['aheadS']) <= CLOCK_AHEAD_S_MAX;
  if (reason !== undefined && !isSlight) leaning.add(reason, undefined, details);
}
