/** From facts to a colour. Whoever decides on the same facts at the same time decides the same. Spec: SPEC.md 16.5. */
import { type Colour, type Status } from '../code/status.ts';
import { isProtocolError } from '../fault.ts';
import { CODE_LIFE_S_MAX } from '../limits.ts';
import { dayText, parseDay } from './calendar.ts';
import { DateTime } from './date-time.ts';
import { evaluate, type EvaluationOptions, isTruthy, type RuleValue, type Steps } from './evaluate.ts';
import { type Expression } from './expression.ts';
import { type Facts, nestedFacts } from './facts.ts';
import { isInForce, type RuleSet } from './rule-set.ts';
import { dayStartS, localDay, localHour } from './zone.ts';

const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Why no colour can be given. */
export const OPEN_CODES = ['NOT_IN_FORCE', 'NOT_MET', 'NO_VALUE', 'SINCE_MISSING', 'SINCE_AHEAD'] as const;
export type OpenCode = (typeof OPEN_CODES)[number];

/** A rule whose condition holds, and the days of its measure. */
export interface Applied {
  readonly rule: string;
  readonly colour: 'yellow' | 'red';
  /** Days since 1970: the first of the measure, and the first after it. */
  readonly firstDay: number;
  readonly endDay: number;
  /** False where the measure is over. */
  readonly isRunning: boolean;
}

export interface OpenReason {
  readonly code: OpenCode;
  /** The rule or requirement that it comes from; none for the set itself. */
  readonly rule?: string;
}

export interface Decision {
  /** Undefined while `open` has reasons that could give a stricter colour: unknown is no colour. */
  readonly status: Status | undefined;
  /** What is sure, whatever is open: that of the strictest rule that runs. Undefined where none runs. */
  readonly atLeast: Status | undefined;
  /** The rule that gave the colour; undefined for green, which comes of no rule. */
  readonly rule: string | undefined;
  /** Those whose condition holds, in the order of the set. */
  readonly applied: readonly Applied[];
  readonly open: readonly OpenReason[];
}

/**
 * Decides at `nowS` on facts that `readFacts` read for this set. The strictest colour among the rules that apply counts, of equal
 * ones that with the latest end; green if none applies and all requirements are met. What is open about a rule takes no colour away that
 * is as strict as that rule's. Total. `steps` bounds all conditions together;
 * without them each has those of its own.
 */
export function decide(
  ruleSet: RuleSet,
  facts: Facts,
  nowS: number,
  { steps }: Pick<EvaluationOptions, 'steps'> = {},
): Decision {
  const undecided = { status: undefined, atLeast: undefined, rule: undefined };
  if (!isInForce(ruleSet, nowS)) return { ...undecided, applied: [], open: [{ code: 'NOT_IN_FORCE' }] };
  const data = issuingData(ruleSet, facts, nowS);
  const open: OpenReason[] = [];
  const applied: Applied[] = [];
  for (const rule of ruleSet.issuing) {
    const holds = conditionOf(rule.when, data, { steps });
    if (holds === undefined) open.push({ code: 'NO_VALUE', rule: rule.id });
    if (holds !== true) continue;
    const firstDay = dayOfFact(ruleSet, facts.get(rule.since) ?? null);
    const today = localDay(ruleSet.zone, nowS);
    if (firstDay === undefined) open.push({ code: 'SINCE_MISSING', rule: rule.id });
    else if (firstDay > today) open.push({ code: 'SINCE_AHEAD', rule: rule.id });
    else {
      const endDay = firstDay + rule.days;
      applied.push({ rule: rule.id, colour: rule.colour, firstDay, endDay, isRunning: today < endDay });
    }
  }
  const strictest = applied.filter(({ isRunning }) => isRunning).toSorted(byStrictness)[0];
  if (strictest === undefined) {
    open.push(...unmet(ruleSet, data, steps));
    if (open.length > 0) return { ...undecided, applied, open };
  }
  const status = statusOf(ruleSet, strictest, nowS);
  const atLeast = strictest && status;
  if (strictest !== undefined && open.some((reason) => couldBeStricter(ruleSet, reason, strictest)))
    return { ...undecided, atLeast, applied, open };
  return { status, atLeast, rule: strictest?.rule, applied, open };
}

/** Whether what is open about a rule may end in a stricter colour: one of the same colour can but change its length and measure. */
function couldBeStricter({ issuing }: RuleSet, { rule }: OpenReason, strictest: Applied): boolean {
  const colour = issuing.find(({ id }) => id === rule)?.colour ?? 'red';
  return STRICTNESS[colour] > STRICTNESS[strictest.colour];
}

/** What the conditions of `requires` and `issuing` read. */
export function issuingData({ zone }: RuleSet, facts: Facts, nowS: number): RuleValue {
  return {
    facts: nestedFacts(facts),
    today: dayText(localDay(zone, nowS)),
    now: timeText(nowS),
    hour: localHour(zone, nowS),
  };
}

/** `2026-11-26T14:00:05Z` */
export function timeText(timeS: number): string {
  const day = Math.floor(timeS / DAY_S);
  const ofDay = timeS - day * DAY_S;
  const parts = [ofDay / HOUR_S, (ofDay % HOUR_S) / 60, ofDay % 60];
  return `${dayText(day)}T${parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')}Z`;
}

/** Whether a condition holds; undefined where it has no value. */
export function conditionOf(
  when: Expression,
  data: RuleValue,
  options: EvaluationOptions = {},
): boolean | undefined {
  try {
    return isTruthy(evaluate(when, data, options));
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

const STRICTNESS: Readonly<Record<Colour, number>> = { green: 0, yellow: 1, red: 2 };

function byStrictness(a: Applied, b: Applied): number {
  return STRICTNESS[b.colour] - STRICTNESS[a.colour] || b.endDay - a.endDay;
}

function unmet({ requires }: RuleSet, data: RuleValue, steps: Steps | undefined): OpenReason[] {
  return requires.flatMap(({ id, when }): OpenReason[] => {
    const holds = conditionOf(when, data, { steps });
    if (holds === undefined) return [{ code: 'NO_VALUE', rule: id }];
    return holds ? [] : [{ code: 'NOT_MET', rule: id }];
  });
}

function dayOfFact({ zone }: RuleSet, value: RuleValue): number | undefined {
  if (typeof value !== 'string') return undefined;
  const moment = DateTime.parse(value);
  return parseDay(value) ?? (moment && localDay(zone, Math.floor(moment.ms / 1_000)));
}

/** Green ends on an hour, so that a code does not tell when in the hour it was issued; a measure at the start of a day. */
function statusOf(ruleSet: RuleSet, applied: Applied | undefined, nowS: number): Status {
  const { id: ruleId, version: ruleVersion, zone, data } = ruleSet;
  const hourEndS = (Math.floor(nowS / HOUR_S) + 1) * HOUR_S;
  if (applied === undefined) {
    const expiresAtS = hourEndS + data.green.days * DAY_S;
    return { colour: 'green', measure: 'none', expiresAtS, ruleId, ruleVersion };
  }
  const { measure } = ruleSet.issuing.find(({ id }) => id === applied.rule) ?? {
    measure: 'isolate' as const,
  };
  const untilS = dayStartS(zone, applied.endDay);
  const expiresAtS = Math.min(untilS, hourEndS + CODE_LIFE_S_MAX);
  return { colour: applied.colour, measure, untilS, expiresAtS, ruleId, ruleVersion };
}
