/**
 * Rules tried at an ordinary gate before they are logged: more than a set must keep to be one (SPEC.md 16.4), so that a red that would
 * pass at some hours, or from one region, is found by whoever writes the rules. Spec: docs/rules.md, "At a place".
 */
import { GATE_EVALUATIONS_MAX } from '../limits.ts';
import { isRegion } from '../log/origin.ts';
import { type Grade } from '../code/presentation.ts';
import { type Measure } from '../code/status.ts';
import { ANY_PLACE, type Place } from '../verdict/verdict.ts';
import { acceptanceData } from './acceptance-rules.ts';
import { parseDay } from './calendar.ts';
import { type RuleValue } from './evaluate.ts';
import { conditionOf } from './issuing.ts';
import { isInForce, type RuleSet, type RuleSetFault } from './rule-set.ts';
import { valueText } from './words.ts';
import { dayStartS, localDay } from './zone.ts';

type Rule = RuleSet['acceptance'][number];
type Held = 'red' | 'yellow';

/** What may differ between codes of one colour at gates. */
interface GateCase {
  readonly nowS: number;
  readonly region: string;
  readonly risk: Place['risk'];
  readonly grade: Grade;
  readonly documentMatched: boolean;
  readonly ageHours: number;
  readonly measure: Measure;
  readonly ruleId: string;
}

type Axes = { readonly [K in keyof GateCase]: readonly GateCase[K][] };

/** By which paths a condition reads what differs; what it does not read need not be tried. */
const PATHS: { readonly [K in keyof GateCase]: readonly string[] } = {
  nowS: ['today', 'now', 'hour'],
  region: ['region'],
  risk: ['place.risk'],
  grade: ['grade'],
  documentMatched: ['documentMatched'],
  ageHours: ['status.ageHours'],
  measure: ['status.measure'],
  ruleId: ['status.rules'],
};

const AGES_H = [0, 24, 7 * 24, 30 * 24];
const HOUR_S = 3_600;

/**
 * What is wrong with the acceptance rules at a gate, for nobody in particular: a rule without a value, or a case in which red is not
 * stopped, or yellow neither stopped nor asked. Tried are all combinations of the cases that the rules can tell apart: every hour of
 * the first, the middle and the last day and of the days that they name; their own region, those they name and another; every risk,
 * grade and measure. Total; rules that read too much together for `GATE_EVALUATIONS_MAX` are a fault too.
 */
export function faultsAtGate(ruleSet: RuleSet): RuleSetFault[] {
  if (ruleSet.acceptance.length === 0) return [];
  const trial = new GateTrial(ruleSet);
  const reasons = (['red', 'yellow'] as const).flatMap((colour) => trial.reasonAgainst(colour) ?? []);
  return reasons.map((reason) => ({ path: ['acceptance'], reason }));
}

class GateTrial {
  readonly #ruleSet: RuleSet;
  /** All texts within the conditions, paths among them. */
  readonly #texts: ReadonlyMap<Rule, ReadonlySet<string>>;
  #evaluationsLeft = GATE_EVALUATIONS_MAX;

  constructor(ruleSet: RuleSet) {
    this.#ruleSet = ruleSet;
    const { acceptance } = ruleSet.data;
    this.#texts = new Map(ruleSet.acceptance.map((rule, i) => [rule, textsOf(acceptance[i]?.when)]));
  }

  /** The first reason why rules do not do for a colour. */
  reasonAgainst(colour: Held): string | undefined {
    const guards: Rule[] = [];
    let isAlwaysHeld = false;
    for (const rule of this.#ruleSet.acceptance) {
      const axes = this.#axesOf([rule], colour);
      if (!this.#canTry(axes, 1)) return TOO_MUCH;
      const results = [...casesOf(axes)].map((gateCase) => this.#holds(rule, colour, gateCase));
      if (results.includes(undefined)) return `has a rule without a value for ${colour} at a gate`;
      if (!results.includes(true) || (colour === 'red' && rule.outcome === 'act')) continue;
      guards.push(rule);
      isAlwaysHeld ||= !results.includes(false);
    }
    if (isAlwaysHeld) return undefined;
    const axes = this.#axesOf(guards, colour);
    if (!this.#canTry(axes, guards.length)) return TOO_MUCH;
    for (const gateCase of casesOf(axes)) {
      if (guards.some((rule) => this.#holds(rule, colour, gateCase) === true)) continue;
      return `lets ${colour} pass at a gate${this.#whereText(guards, colour, gateCase)}`;
    }
    return undefined;
  }

  #canTry(axes: Axes, rules: number): boolean {
    const cases = Object.values(axes).reduce((count, values) => count * values.length, 1);
    this.#evaluationsLeft -= cases * rules;
    return this.#evaluationsLeft >= 0;
  }

  #axesOf(rules: readonly Rule[], colour: Held): Axes {
    const { id, data } = this.#ruleSet;
    const texts = new Set(rules.flatMap((rule) => [...(this.#texts.get(rule) ?? [])]));
    const all: Axes = {
      nowS: this.#times(texts),
      region: [
        ...new Set(['XX', ...(data.region === null ? [] : [data.region]), ...[...texts].filter(isRegion)]),
      ],
      risk: ['low', 'medium', 'high'],
      grade: ['static', 'live', 'challenged'],
      documentMatched: [false, true],
      ageHours: AGES_H,
      measure: colour === 'red' ? ['isolate', 'home', 'none'] : ['home', 'isolate', 'none'],
      ruleId: [id, id === 'other' ? 'another' : 'other'],
    };
    const read = Object.entries(all).map(([name, values]: [string, readonly unknown[]]) => {
      const isRead = PATHS[name as keyof GateCase].some((path) => texts.has(path));
      return [name, isRead ? values : values.slice(0, 1)];
    });
    return Object.fromEntries(read) as Axes;
  }

  /** Each hour of some days on which the rules are in force, the first second first; the begin of the days where nothing reads hours. */
  #times(texts: ReadonlySet<string>): readonly number[] {
    const { zone, fromS, untilS } = this.#ruleSet;
    const named = [...texts].flatMap((text) => parseDay(text.slice(0, 10)) ?? []);
    const [first, last] = [localDay(zone, fromS), localDay(zone, untilS - 1)];
    const beside = named
      .flatMap((day) => [day - 1, day, day + 1])
      .filter((day) => first <= day && day <= last);
    const stepS = texts.has('hour') || texts.has('now') ? HOUR_S : Infinity;
    const times = [fromS];
    for (const day of new Set([first, Math.floor((first + last) / 2), last, ...beside])) {
      const endS = dayStartS(zone, day + 1);
      for (let timeS = dayStartS(zone, day); timeS < endS; timeS += stepS) times.push(timeS);
    }
    return times.filter((timeS) => isInForce(this.#ruleSet, timeS));
  }

  #holds(rule: Rule, colour: Held, gateCase: GateCase): boolean | undefined {
    return conditionOf(rule.when, this.#dataOf(colour, gateCase));
  }

  #dataOf(colour: Held, { nowS, region, risk, ageHours, measure, ruleId, ...proven }: GateCase): RuleValue {
    const expiresAtS = nowS + HOUR_S;
    const status = {
      colour,
      measure,
      untilS: expiresAtS,
      expiresAtS,
      ruleId,
      ruleVersion: this.#ruleSet.version,
    };
    const issuedFromS = nowS - ageHours * HOUR_S;
    const place = { ...ANY_PLACE, risk };
    return acceptanceData(this.#ruleSet, { region, status, place, issuedFromS, nowS, ...proven }, undefined);
  }

  /** What is so in this case of all that the rules read and that may differ: ` where hour is 1, region is DE`. */
  #whereText(rules: readonly Rule[], colour: Held, gateCase: GateCase): string {
    const data = this.#dataOf(colour, gateCase);
    const paths = Object.values(PATHS)
      .flat()
      .filter((path) => rules.some((rule) => this.#texts.get(rule)?.has(path)));
    const parts = paths.map((path) => `${path} is ${valueText(valueAt(data, path))}`);
    return parts.length === 0 ? '' : ` where ${parts.join(', ')}`;
  }
}

const TOO_MUCH = 'reads too much together to be tried at a gate: stop red by a rule that reads less';

function valueAt(data: RuleValue, path: string): RuleValue {
  return path
    .split('.')
    .reduce<RuleValue>((value, name) => (value as Readonly<Record<string, RuleValue>>)[name] ?? null, data);
}

/** All combinations, the first values of all first. */
function* casesOf(axes: Axes): Generator<GateCase> {
  const names = Object.keys(axes) as (keyof GateCase)[];
  function* from(at: number, begun: Partial<GateCase>): Generator<GateCase> {
    const name = names[at];
    if (name === undefined) yield begun as GateCase;
    else for (const value of axes[name]) yield* from(at + 1, { ...begun, [name]: value });
  }
  yield* from(0, {});
}

/** All texts within conditions as they are written, paths among them. */
function textsOf(json: unknown, into = new Set<string>()): Set<string> {
  if (typeof json === 'string') into.add(json);
  else if (typeof json === 'object' && json !== null)
    for (const inner of Object.values(json)) textsOf(inner, into);
  return into;
}
