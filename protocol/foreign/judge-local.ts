/**
 * The verdict on a local code by the profiles that regions have announced: an ordinary verdict, as for any code of others. A local code does not
 * say whose it is in a way that others could prove, so that two regions which claim the same key settle nothing between them. Spec: SPEC.md 17.11.
 */
import { type Fault } from '../fault.ts';
import { type RecognitionWay } from '../trust/trust-state.ts';
import { Leaning } from '../verdict/leaning.ts';
import { type Verdict, type VerdictContext } from '../verdict/verdict.ts';
import { refuseText } from '../verdict/verify.ts';
import { type AnnouncedCodes, type AnnouncedKey, type LocalAnnouncer } from './announced-codes.ts';
import { type ForeignCode } from './foreign-code.ts';
import { type Candidates } from './foreign-keys.ts';
import { judgeForeign } from './foreign-verdict.ts';
import { countingOf, differing, isInForce, isRevoked, isSame } from './claims.ts';
import { judgeSigned, type Signed, weakestOf } from './judge-announced.ts';
import { unsignedVerdict } from './judge-unsigned.ts';

/** What a text is by one profile: a code with its checks answered, or no code. */
export type LocalReading =
  | {
      readonly announcer: LocalAnnouncer;
      readonly code: ForeignCode;
      readonly candidates: Candidates<AnnouncedKey>;
      /** An answer for each of `foreignChecksOf(code, candidates)`. */
      readonly results: readonly boolean[];
    }
  | { readonly announcer: LocalAnnouncer; readonly fault: Fault };

type LocalCode = Extract<LocalReading, { readonly code: ForeignCode }>;

export interface LocalInput {
  readonly announced: AnnouncedCodes;
  readonly context: VerdictContext;
  readonly nowS: number;
}

/** How far the text was understood: a key that counts has signed it, or a profile could read it, or none could. */
export interface LocalVerdict {
  readonly found: 'signed' | 'read' | 'nothing';
  readonly verdict: Verdict;
}

const BY_ADAPTER: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['adapter']);

/** `readings` and `untried` as `AnnouncedCodes.localsFor` gives the profiles, one reading at least. */
export function judgeLocal(
  input: LocalInput,
  readings: readonly LocalReading[],
  untried: readonly LocalAnnouncer[],
): LocalVerdict {
  const codes = readings.filter((reading): reading is LocalCode => 'code' in reading);
  const signed = codes.flatMap(({ announcer: { region }, code, candidates, results }): SignedCode[] => {
    const { key, reasons } = judgeForeign(code, candidates, results, input.nowS);
    return key === undefined ? [] : [{ code, region, key, reasons }];
  });
  if (signed.length > 0)
    return { found: 'signed', verdict: judgeClaimed(input, signed, beyond(readings, untried)) };
  const isCrowded = untried.length > 0;
  const [first] = codes;
  if (first === undefined) return { found: 'nothing', verdict: judgeUnread(input, readings, isCrowded) };
  return { found: 'read', verdict: judgeUnsignedLocal(input, codes, isCrowded) };
}

/** Profiles of regions of which none was tried: a region with more than are tried has itself to blame, and stops no other's codes by them. */
function beyond(
  readings: readonly LocalReading[],
  untried: readonly LocalAnnouncer[],
): readonly LocalAnnouncer[] {
  const tried = new Set(readings.map(({ announcer: { region } }) => region));
  return untried.filter(({ region }) => !tried.has(region));
}

interface SignedCode extends Signed {
  readonly code: ForeignCode;
}

/**
 * Of several regions each could be the one whose code it is: it passes, or stops, only if all whose word counts say the same of it. Where the home is
 * not among them, one of the regions `beyond` those that were tried that has announced the same key could be it too.
 */
function judgeClaimed(
  input: LocalInput,
  signed: readonly SignedCode[],
  more: readonly LocalAnnouncer[],
): Verdict {
  const { trust } = input.announced;
  const counting = countingOf(trust, signed, input.nowS);
  const regions = [...new Set(counting.map(({ region }) => region))];
  const [{ code }] = counting as [SignedCode];
  const isClaiming = ({ region, keys }: LocalAnnouncer) =>
    isInForce(trust, region, input.nowS) && signed.some(({ key }) => keys.has(key.publicKey));
  if (!regions.includes(trust.home) && more.some(isClaiming)) {
    const leaning = new Leaning(trust, input.context, input.nowS);
    leaning.leanOnHome();
    leaning.add('FOREIGN_KEYS_CROWDED');
    return unsignedVerdict(leaning, code, input.nowS);
  }
  const verdicts = regions.map((region) =>
    weakestOf(
      counting
        .filter((one) => one.region === region)
        .map((one) => judgeSigned({ ...input, code: one.code }, one)),
    ),
  );
  const [verdict] = verdicts as [Verdict];
  if (verdicts.every((one) => one.outcome === 'stop')) return verdicts.find(isRevoked) ?? verdict;
  if (verdicts.every((one) => isSame(one, verdict))) return verdict;
  return unsignedVerdict(differing(trust, regions, input), code, input.nowS);
}

/**
 * A text that is no code by any profile is refused if all profiles were tried and what is known of all their regions is sound: a newer profile may
 * read it. Else the verdict is that of the region with least against it.
 */
function judgeUnread(
  { announced, context, nowS }: LocalInput,
  readings: readonly LocalReading[],
  isCrowded: boolean,
): Verdict {
  const [first] = readings as [Extract<LocalReading, { readonly fault: Fault }>];
  const regions = [...new Set(readings.map(({ announcer: { region } }) => region))];
  const open = regions.flatMap((region) => {
    const leaning = new Leaning(announced.trust, context, nowS);
    const { isLed, isSound } = leaning.leanOn(region, BY_ADAPTER);
    if (!isCrowded && (isSound || !isLed)) return [];
    if (isCrowded) leaning.add('FOREIGN_KEYS_CROWDED');
    return [unsignedVerdict(leaning, undefined, nowS)];
  });
  return open.length === 0 ? refuseText(first.fault, nowS) : weakestOf(open);
}

/**
 * No key that was announced has signed it: refused where the verifier would know of the key by now. A region whose recognition is suspended or
 * not in force says nothing of it where another one can read it.
 */
function judgeUnsignedLocal(
  { announced, context, nowS }: LocalInput,
  codes: readonly LocalCode[],
  isCrowded: boolean,
): Verdict {
  const { trust } = announced;
  const inForce = codes.filter(({ announcer: { region } }) => isInForce(trust, region, nowS));
  const readers = inForce.length > 0 ? inForce : codes;
  const named = readers.filter(({ candidates }) => candidates.keys.length > 0);
  const [{ announcer, code }] = (named.length > 0 ? named : readers) as [LocalCode];
  const leaning = new Leaning(trust, context, nowS);
  leaning.leanOn(announcer.region, BY_ADAPTER);
  const isUpToDate = (region: string) => {
    const { isSound } = new Leaning(trust, context, nowS).leanOn(region, BY_ADAPTER);
    return isSound && (trust.assess(region, nowS)?.knowledgeAtS ?? -Infinity) >= (code.times.issuedAtS ?? 0);
  };
  const unsure = readers.map((one) => one.announcer.region).find((region) => !isUpToDate(region));
  if (isCrowded || named.some(({ candidates }) => candidates.isCrowded)) leaning.add('FOREIGN_KEYS_CROWDED');
  else if (named.length > 0) leaning.add('SIGNATURE_INVALID');
  else if (unsure !== undefined) leaning.add('KEY_NOT_YET_KNOWN', unsure);
  else leaning.add('FOREIGN_KEY_UNKNOWN');
  return unsignedVerdict(leaning, code, nowS);
}
