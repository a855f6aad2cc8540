/** What becomes of one person's colour when facts and rules are looked at again. Total, and changes nothing. */
import { type Status } from '../../protocol/code/status.ts';
import { encodeBasis } from '../../protocol/disclosure/basis.ts';
import { dayText } from '../../protocol/rules/calendar.ts';
import { type Decision, decide, type OpenReason } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { traceRule } from '../../protocol/rules/trace.ts';
import { type Doubtful } from '../lists/list-view.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Dossier, type FactSource, type RuledKind, type StatusChange } from './dossier.ts';
import { type Known } from './known.ts';

/**
 * `unchanged`: nothing is due. `withdrawn`: the code was revoked otherwise, and nothing has come since that would give another; `given` is
 * what it would be. `overridden`: the person has a stricter code than the rules give on what is known here, and that counts on: one that no rule gave (overriding.ts),
 * or one of an order on other facts (found.ts); `by` is where it stands, `given` what it would be without it, and `told` what the dossier is to say of it, where it does not yet.
 * `open`: what is known gives no colour. `ambiguous`: entries of lists may be about the person, or about another.
 */
export type Judgement =
  | { readonly what: 'unchanged'; readonly status: Status }
  | { readonly what: 'withdrawn'; readonly given: Status }
  | {
      readonly what: 'overridden';
      readonly by: Place;
      readonly status: StatusChange['status'];
      readonly given: Status;
      readonly told: StatusChange | undefined;
    }
  | {
      readonly what: 'open' | 'ambiguous';
      readonly open: readonly OpenReason[];
      readonly doubts: readonly Doubtful[];
      readonly areStaysUnknown: boolean;
      /** What is sure all the same: whatever is looser passes no more. */
      readonly atLeast: Status | undefined;
    }
  | {
      readonly what: RuledKind;
      readonly status: Status;
      readonly decision: Decision;
    };

export interface JudgedAt {
  readonly ruleSet: RuleSet;
  readonly nowS: number;
  /** Whether a code is revoked. */
  readonly isRevoked: (place: Place) => boolean;
  readonly unfinished?: UnfinishedOrders | undefined;
}

/** Orders beside whose stricter codes looser ones may pass on. */
export interface UnfinishedOrders {
  /** Who holds looser codes beside what an order gave, which could not be revoked yet: that binds whatever rules give on what was told with it. */
  readonly holders: ReadonlySet<string>;
  /** Where codes of orders stand of which the registry cannot tell whose they are. */
  readonly unread: readonly Place[];
}

/** What is demanded, the least of it first: no measure makes up for a colour. */
const COLOURS = ['green', 'yellow', 'red'] as const;
const MEASURES = ['none', 'home', 'isolate'] as const;
const DAY_S = 86_400;
/** A code is renewed as soon as less than this of it is left, and of a short-lived one less than half. */
const RENEWED_BEFORE_S = 2 * DAY_S;
const GREEN_WHY = 'No rule gives another colour, and all that green needs is known.';

type Demand = Pick<Status, 'colour' | 'measure'>;
export type Demanding = Demand & { readonly untilS?: number | undefined };

/** Whether one status demands more than another, by its colour and then by its measure: less than 0, 0 or more than 0. */
export function stricterBy(a: Demand, b: Demand): number {
  const byColour = COLOURS.indexOf(a.colour) - COLOURS.indexOf(b.colour);
  return byColour || MEASURES.indexOf(a.measure) - MEASURES.indexOf(b.measure);
}

/** Whether one status demands more than another, or the same for longer. */
export function isStricter(a: Demanding, b: Demanding): boolean {
  const by = stricterBy(a, b);
  return by > 0 || (by === 0 && (a.untilS ?? 0) > (b.untilS ?? 0));
}

/**
 * Of codes that no update gave the strictest that runs and demands more than what rules give. It binds: what two operators gave, rules
 * and one operator do not make looser.
 */
export function bindingOf<R extends Place & { readonly fields: { readonly status: Status } }>(
  manual: readonly R[],
  given: Status,
  { nowS, isRevoked }: Pick<JudgedAt, 'nowS' | 'isRevoked'>,
): R | undefined {
  let binding: R | undefined;
  for (const record of manual) {
    const { status } = record.fields;
    if (status.expiresAtS <= nowS || !isStricter(status, binding?.fields.status ?? given)) continue;
    if (!isRevoked(record)) binding = record;
  }
  return binding;
}

/** `last`: the newest code by rules, running or over; undefined if there was none. */
export function judge(
  dossier: Dossier,
  last: StatusChange | undefined,
  known: Known,
  { ruleSet, nowS, isRevoked }: JudgedAt,
): Judgement {
  const { facts, doubts, areStaysUnknown } = known;
  const decision = decide(ruleSet, facts, nowS);
  const { status, atLeast, open } = decision;
  const kind = status && changeOf(status, last?.status, ruleSet, nowS);
  const isLastRevoked = last !== undefined && isGone(last, { isRevoked });
  const isInDoubt = (doubts.length > 0 || areStaysUnknown) && status?.colour !== 'red';
  // What is sure is given where it demands more than before, and takes nothing away while something is open.
  const isStricter = atLeast !== undefined && (kind === 'first' || kind === 'worse');
  const isRunning = last !== undefined && !isLastRevoked && last.status.expiresAtS > nowS;
  const isTaken = kind === 'better' && open.length > 0 && isRunning;
  if (status === undefined || (isInDoubt && !isStricter) || isTaken) {
    const what = doubts.length > 0 ? 'ambiguous' : 'open';
    return { what, open, doubts, areStaysUnknown, atLeast };
  }
  if (isLastRevoked) {
    const isAnew = dossier.isRevoking === true || last.withdrawn?.isDeclared === true;
    if (!isAnew && (kind === undefined || kind === 'renewed')) return { what: 'withdrawn', given: status };
    return { what: kind ?? 'renewed', status, decision };
  }
  return kind === undefined ? { what: 'unchanged', status } : { what: kind, status, decision };
}

/** What rules would give now; where no other code is due too: the one that runs may have come beside a stricter one. */
export function givenBy(judgement: Judgement): Status | undefined {
  if (judgement.what === 'withdrawn') return judgement.given;
  return judgement.what === 'unchanged' || 'decision' in judgement ? judgement.status : undefined;
}

/** Whether a code is revoked. What is noted of that counts on when the code is over, and the trust state knows no more of it. */
export function isGone(change: StatusChange, { isRevoked }: Pick<JudgedAt, 'isRevoked'>): boolean {
  return change.withdrawn !== undefined || isRevoked(change);
}

/** Undefined where the code that is held says the same, and long enough. */
function changeOf(
  now: Status,
  last: (Omit<Status, 'untilS'> & { readonly untilS?: number | undefined }) | undefined,
  ruleSet: RuleSet,
  nowS: number,
): RuledKind | undefined {
  if (last === undefined) return 'first';
  const stricter = stricterBy(now, last) || (now.untilS ?? 0) - (last.untilS ?? 0);
  if (stricter !== 0) return stricter > 0 ? 'worse' : 'better';
  const beforeS = Math.min(RENEWED_BEFORE_S, (ruleSet.data.green.days * DAY_S) / 2);
  const isDue = last.expiresAtS - nowS <= beforeS && now.expiresAtS > last.expiresAtS;
  return isDue ? 'renewed' : undefined;
}

/** What a colour rests on, as its attestation commits to it. */
export function basisOf(
  { facts }: Known,
  { ruleSet, nowS: atS }: Pick<JudgedAt, 'ruleSet' | 'nowS'>,
): Uint8Array {
  const { id: rule, version } = ruleSet;
  return encodeBasis({ kind: 'rules', atS, rule, version, facts: Object.fromEntries(facts) });
}

/** Why a colour came out, in words, and where the facts stood that decided. */
export function reasonOf(
  { ruleSet, nowS }: Pick<JudgedAt, 'ruleSet' | 'nowS'>,
  { facts, sources }: Pick<Known, 'facts' | 'sources'>,
  { rule, applied }: Decision,
): Pick<StatusChange, 'why' | 'because' | 'rule' | 'since' | 'sources'> {
  const step = rule === undefined ? undefined : traceRule(ruleSet, facts, nowS, rule);
  if (rule === undefined || step === undefined) {
    const all = [...new Set(sources.values())];
    const told = all.filter(({ from }) => from !== 'list').slice(0, 1);
    // No rule names what it rests on: whatever lists say of the person, as of a negative test.
    return { why: GREEN_WHY, sources: [...told, ...all.filter(({ from }) => from === 'list')] };
  }
  const since = ruleSet.issuing.find(({ id }) => id === rule)?.since ?? '';
  const read = [...Object.keys(step.read).map((path) => path.replace(/^facts\./, '')), since];
  const decisive = new Set<FactSource>();
  for (const [name, source] of sources)
    if (read.some((path) => name === path || name.startsWith(`${path}.`))) decisive.add(source);
  const firstDay = applied.find((one) => one.rule === rule)?.firstDay;
  return {
    rule,
    why: step.why,
    because: step.because,
    ...(firstDay !== undefined && { since: dayText(firstDay) }),
    sources: [...decisive],
  };
}
