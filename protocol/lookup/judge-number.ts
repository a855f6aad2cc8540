/**
 * The verdict on a number that was looked up, or that could not be: an ordinary one, of the grade `static`. The region that announced how
 * its numbers begin speaks for itself. Spec: SPEC.md 21.7.
 */
import { equalBytes } from '../bytes.ts';
import { type Status } from '../code/status.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { CLOCK_AHEAD_S_MAX, KNOWLEDGE_AGE_OFFLINE_S_MAX, KNOWLEDGE_AGE_ONLINE_S_MAX } from '../limits.ts';
import { countingOf, differing, isInForce, isSame } from '../foreign/claims.ts';
import { type Primitives } from '../primitives.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { type RecognitionWay } from '../trust/trust-state.ts';
import { acceptByColour } from '../verdict/acceptance.ts';
import { keyForRole } from '../verdict/ages.ts';
import { type Trust } from '../verdict/knowledge.ts';
import { Leaning } from '../verdict/leaning.ts';
import { outcomeOf, type ReasonCode } from '../verdict/reasons.ts';
import { type Verdict, type VerdictContext } from '../verdict/verdict.ts';
import { type NumberAnnouncer } from './announced-numbers.ts';
import { openLookupHead, type SignedHead } from './head.ts';
import { dayOf, OPAQUE } from './opaque-adapter.ts';
import { type LookupPlace } from './oblivious.ts';

/** What a look-up came to. */
export type NumberAnswer =
  /** `status` is undefined where the proven table has none. `atS`: what the table says was so then. */
  | { readonly status: Status | undefined; readonly day: number; readonly atS: number }
  /** Why there is none. */
  | { readonly failure: NumberFailure };

export interface NumberFailure {
  readonly code: Extract<ReasonCode, `NUMBER_${string}`>;
  readonly details?: Readonly<Record<string, string | number>>;
}

export interface NumberInput {
  readonly announcer: NumberAnnouncer;
  readonly answer: NumberAnswer;
  readonly trust: Trust;
  readonly context: VerdictContext;
  readonly nowS: number;
}

const BY_ADAPTER: ReadonlySet<RecognitionWay> = new Set<RecognitionWay>(['adapter']);

/**
 * The head of a region's table of a day, if a trust-log key of its own signed it that was in force then.
 * @throws {ProtocolError} as `openLookupHead`; SIGNATURE_INVALID for a head of another place, or by another key.
 */
export function openHeadOf(
  bytes: Uint8Array,
  { region, network, day }: LookupPlace,
  trust: Trust,
  primitives: Pick<Primitives, 'verifySignature'>,
): SignedHead {
  const signed = openLookupHead(bytes, primitives);
  const { head } = signed;
  if (head.region !== region || head.day !== day) throw notOfPlace();
  requireHeadKey(signed, network, trust);
  return signed;
}

/**
 * Requires that a trust-log key of the region that a head names signed it, and was in force then.
 * @throws {ProtocolError} SIGNATURE_INVALID for another key, another network, and a region that is not known.
 */
export function requireHeadKey({ head, publicKey }: SignedHead, network: string, trust: Trust): void {
  const state = trust.regions.get(head.region)?.state;
  const key = state && keyForRole(state, keyIdOf(trust.sha256, publicKey), 'trust-log', head.at);
  if (head.network !== network || key === undefined || !equalBytes(key.publicKey, publicKey))
    throw notOfPlace();
}

function notOfPlace(): ProtocolError {
  return new ProtocolError(
    'SIGNATURE_INVALID',
    'expected the head of this table by a trust-log key in force',
  );
}

/** What a region said instead of a proven answer. */
export function failureOf(error: unknown): NumberFailure {
  if (!isProtocolError(error)) throw error;
  return { code: 'NUMBER_UNPROVEN', details: { fault: error.fault.code } };
}

/**
 * The verdict on a number by the regions that it may be of. The home's counts where it has the number, and where it announces such numbers and cannot say. Where several others have it whose word counts, it passes or stops only if all say the same of it.
 * Else the weakest counts, and of equal ones that of a region which has the number: so whoever announces the beginning of another's numbers
 * stops none of them that it does not name, also where the other cannot be asked. But where there are more than are asked none of them frees it:
 * so many in league would else leave no place for the region whose number it is.
 */
export function judgeNumber(inputs: readonly NumberInput[]): Verdict {
  const [input] = inputs;
  if (input === undefined) throw new RangeError('expected a region that may know the number');
  const { trust, nowS } = input;
  const found = inputs.filter(hasStatus).map(({ announcer: { region } }) => ({ region, reasons: [] }));
  const regions = new Set(countingOf(trust, found, nowS).map(({ region }) => region));
  const having = inputs.filter(({ announcer: { region } }) => regions.has(region)).map(judgeOne);
  const [one] = having;
  if (one !== undefined && regions.has(trust.home)) return one;
  const silentHome = inputs.find(
    ({ announcer, answer }) => announcer.region === trust.home && 'failure' in answer,
  );
  if (silentHome !== undefined) return judgeOne(silentHome);
  if (one !== undefined && !having.every((other) => isSame(other, one)))
    return differingVerdict(regions, input);
  const isLeftOut = (at: NumberInput) => hasStatus(at) && !regions.has(at.announcer.region);
  const others = inputs.filter((at) => !hasStatus(at) || isLeftOut(at)).map(judgeOne);
  // Sorting keeps the order of equal ones.
  const [first] = [...having, ...others].sort((a, b) => RANKS[a.outcome] - RANKS[b.outcome]) as [Verdict];
  const unasked = inputs.find((at) => isUnasked(at) && isInForce(trust, at.announcer.region, nowS));
  return unasked !== undefined && RANKS[first.outcome] < RANKS.undetermined ? judgeOne(unasked) : first;
}

/**
 * The verdict on a text that a profile of local codes may read too, and that no key which is known has signed. Where it is undetermined as a local
 * code, its key may be one that is not known yet: then no region stops it that merely announced how it begins, and has no such number.
 */
export function numberOrLocal(number: Verdict, local: Verdict | undefined): Verdict {
  const hasNumber = number.colour !== undefined;
  return local?.outcome === 'undetermined' && number.outcome === 'stop' && !hasNumber ? local : number;
}

function isUnasked({ answer }: NumberInput): boolean {
  return 'failure' in answer && answer.failure.code === 'NUMBER_CROWDED';
}

/** Whether the region of an announcer that counts has the number. */
export function hasStatus({ announcer, answer }: NumberInput): boolean {
  return announcer.isByAdapter && 'status' in answer && answer.status !== undefined;
}

function differingVerdict(regions: Iterable<string>, input: NumberInput): Verdict {
  const { reasons, knowledge } = differing(input.trust, regions, input);
  const { foreign } = judgeOne(input);
  return {
    outcome: outcomeOf(reasons),
    reasons,
    atS: input.nowS,
    code: undefined,
    foreign: foreign && { ...foreign, region: undefined, adapter: undefined },
    colour: undefined,
    measure: undefined,
    rule: undefined,
    expiresAtS: undefined,
    grade: undefined,
    knowledge,
  };
}

const RANKS: Readonly<Record<Verdict['outcome'], number>> = { pass: 0, act: 1, undetermined: 2, stop: 3 };

function judgeOne({ announcer, answer, trust, context, nowS }: NumberInput): Verdict {
  const { region, adapter } = announcer;
  const leaning = new Leaning(trust, context, nowS);
  leaning.leanOn(region, BY_ADAPTER);
  const { place, acceptance = acceptByColour } = context;
  const status = announcer.isByAdapter && 'status' in answer ? answer.status : undefined;
  if (announcer.isByAdapter) {
    judgeAnswer(leaning, answer, context, nowS);
    if (status !== undefined) {
      if (nowS >= status.expiresAtS) leaning.add('EXPIRED', undefined, { sinceS: nowS - status.expiresAtS });
      if (place.gradeNeeded !== 'static') leaning.add('GRADE_TOO_LOW');
      leaning.add('IDENTITY_CHECK');
      const issuedFromS = 'status' in answer ? answer.atS : nowS;
      const grade = 'static' as const;
      leaning.reasons.push(
        ...acceptance({ region, status, grade, documentMatched: false, place, issuedFromS, nowS }),
      );
    }
  }
  const { reasons, knowledge } = leaning;
  const { measure = 'none', untilS } = status ?? {};
  return {
    outcome: outcomeOf(reasons),
    reasons,
    atS: nowS,
    code: undefined,
    foreign: {
      format: OPAQUE,
      keyId: 'status' in answer ? dayText(answer.day) : dayText(dayOf(nowS)),
      issuer: undefined,
      issuedAtS: undefined,
      region,
      adapter: adapter.id,
    },
    colour: status?.colour,
    measure: measure === 'none' || untilS === undefined ? undefined : { kind: measure, untilS },
    rule: status && { id: status.ruleId, version: status.ruleVersion },
    expiresAtS: status?.expiresAtS,
    grade: status && 'static',
    knowledge,
  };
}

function judgeAnswer(
  leaning: Leaning,
  answer: NumberAnswer,
  { place, mode }: VerdictContext,
  nowS: number,
): void {
  if ('failure' in answer) {
    leaning.add(answer.failure.code, undefined, answer.failure.details);
    return;
  }
  const modeLimitS = mode === 'online' ? KNOWLEDGE_AGE_ONLINE_S_MAX : KNOWLEDGE_AGE_OFFLINE_S_MAX;
  const limitS = place.limits?.knowledgeAgeS ?? modeLimitS;
  const ageS = nowS - answer.atS;
  // A table of a time that has not come would be fresh for as long as its region likes.
  if (ageS > limitS || ageS < -CLOCK_AHEAD_S_MAX) leaning.add('NUMBER_STALE', undefined, { ageS, limitS });
  if (answer.status === undefined) leaning.add('NUMBER_UNKNOWN');
}

/** As in 2026-11-26. */
function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
