/** The verdict on a code of others that no key known here has signed: what can be said of it without believing a word of it. Spec: SPEC.md 17.8. */
import { type RecognitionWay } from '../trust/trust-state.ts';
import { Leaning } from '../verdict/leaning.ts';
import { outcomeOf } from '../verdict/reasons.ts';
import { type ForeignReference, type Verdict, type VerdictContext } from '../verdict/verdict.ts';
import { type AnnouncedCodes, type Announcer, isIssuerOf } from './announced-codes.ts';
import { type ForeignCode } from './foreign-code.ts';
import { triedKeys } from './foreign-keys.ts';

const BY_ADAPTER: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['adapter']);

/** Everything that the verdicts of several regions on one code have in common. */
export interface AnnouncedInput {
  readonly code: ForeignCode;
  readonly announced: AnnouncedCodes;
  readonly context: VerdictContext;
  readonly nowS: number;
}

/** A region that announced the key, and what the checks of its candidates came to. */
export interface CheckedAnnouncer extends Announcer {
  /** An answer for each of `foreignChecksOf(code, candidates)`. */
  readonly results: readonly boolean[];
}

/**
 * `announcers` are the regions that announced keys of the name that it gives, none of which made its signature. Only those count whose code it may be and
 * whose adapters count: a key that somebody else gave the same name says nothing of it.
 */
export function judgeUnsigned(
  input: AnnouncedInput,
  announcers: readonly CheckedAnnouncer[],
  isCrowded: boolean,
): Verdict {
  const { code, announced, context, nowS } = input;
  const leaning = new Leaning(announced.trust, context, nowS);
  const possible = announcers.filter(
    ({ region }) => isPossible(input, region) && announced.isByAdapter(region),
  );
  const [first] = possible;
  if (first === undefined) judgeUnknown(leaning, input);
  else {
    leaning.leanOn(first.region, BY_ADAPTER);
    const isMore = isCrowded && possible.length === announcers.length;
    const isOpen = isMore || possible.some(({ candidates }) => candidates.isCrowded);
    const hasSigned = possible.some(({ candidates, results }) =>
      triedKeys(code, candidates, results).some((tried) => tried.hasSigned),
    );
    if (isOpen) leaning.add('FOREIGN_KEYS_CROWDED');
    // The key of the certificate made the signature of the code, but no authority that of the certificate.
    else if (hasSigned) leaning.add('FOREIGN_CERTIFICATE', first.region, { why: 'SIGNATURE_INVALID' });
    else leaning.add('SIGNATURE_INVALID');
  }
  return unsignedVerdict(leaning, code, nowS);
}

/** A verdict that says nothing of what the code claims. */
export function unsignedVerdict(
  { reasons, knowledge }: Leaning,
  code: ForeignCode | undefined,
  nowS: number,
): Verdict {
  return {
    outcome: outcomeOf(reasons),
    reasons,
    atS: nowS,
    code: undefined,
    foreign: code && referenceOf(code),
    colour: undefined,
    measure: undefined,
    rule: undefined,
    expiresAtS: undefined,
    grade: undefined,
    knowledge,
  };
}

/** Which code it is, by its own words. */
export function referenceOf({ format, keyId, issuer, times: { issuedAtS } }: ForeignCode): ForeignReference {
  const issued = issuedAtS === undefined ? undefined : Math.floor(issuedAtS);
  return { format, keyId, issuer, issuedAtS: issued, region: undefined, adapter: undefined };
}

/** A key that nobody announced stops the code if the verifier would know of it by now, as far as it can tell whose code it may be. */
function judgeUnknown(leaning: Leaning, input: AnnouncedInput): void {
  const { code, announced, context, nowS } = input;
  const { trust } = announced;
  const isHomeSound = leaning.leanOnHome();
  const home = trust.regions.get(trust.home)?.state;
  if (home === undefined) return;
  const known = [...home.recognitions()].filter(({ region }) => isPossible(input, region));
  const possible = [trust.home, ...known.map(({ region }) => region)].filter(
    (region) => isPossible(input, region) && announced.isByAdapter(region),
  );
  // Only a code that names its country tells whose it was, and only where nobody else there is recognised.
  if (possible.length === 0 && code.format !== 'shc' && code.issuer !== undefined)
    for (const { region, standing } of known)
      if (standing === 'withdrawn') leaning.add('RECOGNITION_WITHDRAWN', region);
  if (!isHomeSound) return;
  const isUpToDate = (region: string) => {
    const { isSound } = new Leaning(trust, context, nowS).leanOn(region, BY_ADAPTER);
    const knowledgeAtS = trust.assess(region, nowS)?.knowledgeAtS ?? -Infinity;
    return isSound && knowledgeAtS >= (code.times.issuedAtS ?? 0);
  };
  const unsure = possible.find((region) => !isUpToDate(region));
  if (unsure !== undefined) {
    leaning.add('KEY_NOT_YET_KNOWN', unsure);
    return;
  }
  const flawed = possible
    .map((region) => ({ region, why: announced.signerFlaw(region, code) }))
    .find(({ why }) => why !== undefined);
  if (flawed?.why === undefined) leaning.add('FOREIGN_KEY_UNKNOWN');
  else leaning.add('FOREIGN_CERTIFICATE', flawed.region, { why: flawed.why });
}

/** Whether a region may have issued the code, by the country that it names. */
function isPossible({ code }: AnnouncedInput, region: string): boolean {
  return code.format === 'shc' || isIssuerOf(region, code.issuer ?? region);
}
