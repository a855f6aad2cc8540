/** Examples beside the rules: what they are to decide, tried before they come into force. Spec: docs/rules.md. */
import * as z from 'zod';
import { outcomeOf } from '../verdict/reasons.ts';
import { acceptanceOf, checksDue, placeOf } from './acceptance-rules.ts';
import { dayText, parseDay } from './calendar.ts';
import { DateTime } from './date-time.ts';
import { readFacts } from './facts.ts';
import { decide } from './issuing.ts';
import { issueText, type RuleSet, type RuleSetFault } from './rule-set.ts';

const HOUR_S = 3_600;

const colour = z.enum(['green', 'yellow', 'red']);
const words = z.array(z.string());
const place = z.strictObject({
  kind: z.string().default('gate'),
  risk: z.enum(['low', 'medium', 'high']).default('low'),
});
const common = {
  name: z.string().min(1),
  at: z
    .string()
    .refine((text) => DateTime.parse(text) !== undefined && text.includes('T'), 'expected a time'),
};

/** Facts and the colour they lead to, with the rule and the last day of its measure; or the reasons for which there is none. */
const issuing = z.strictObject({
  ...common,
  facts: z.unknown().refine((facts) => facts !== undefined, 'expected facts'),
  expect: z.union([
    z.strictObject({
      colour,
      rule: z.string().exactOptional(),
      lastDay: z
        .string()
        .refine((text) => parseDay(text) !== undefined, 'expected a day')
        .exactOptional(),
    }),
    z.strictObject({ open: words.min(1) }),
  ]),
});
/** A code at a place, what becomes of it, and the rules that say so. */
const acceptance = z.strictObject({
  ...common,
  code: z.strictObject({
    colour,
    region: z.string().default('XX'),
    grade: z.enum(['static', 'live', 'challenged']).default('static'),
    ageHours: z.int().nonnegative().default(0),
    documentMatched: z.boolean().default(false),
  }),
  place: place.default({ kind: 'gate', risk: 'low' }),
  role: z.string().exactOptional(),
  expect: z.strictObject({
    outcome: z.enum(['pass', 'act', 'stop', 'undetermined']),
    rules: words.exactOptional(),
  }),
});
/** Somebody at a place, and whether a check is due. */
const check = z.strictObject({
  ...common,
  place: place.default({ kind: 'gate', risk: 'low' }),
  role: z.string().exactOptional(),
  expect: z.strictObject({ check: z.boolean() }),
});

export type IssuingExample = z.infer<typeof issuing>;
type AcceptanceExample = z.infer<typeof acceptance>;
type CheckExample = z.infer<typeof check>;
export type Example = IssuingExample | AcceptanceExample | CheckExample;

/** Examples of a source; far more than anybody writes. */
const EXAMPLES_MAX = 1_024;

/** What was expected and what came, each in a few words; undefined for `fault` if they are the same. */
export interface ExampleResult {
  readonly name: string;
  readonly came: string;
  readonly fault: string | undefined;
}

/** Reads the examples of a source, or says all that is wrong with them. */
export function readExamples(json: unknown): {
  readonly examples: readonly Example[];
  readonly faults: readonly RuleSetFault[];
} {
  if (json === undefined) return { examples: [], faults: [] };
  if (!Array.isArray(json) || json.length > EXAMPLES_MAX) {
    return {
      examples: [],
      faults: [{ path: ['examples'], reason: `is no list of at most ${EXAMPLES_MAX}` }],
    };
  }
  const examples: Example[] = [];
  const faults: RuleSetFault[] = [];
  for (const [i, one] of (json as unknown[]).entries()) {
    const parsed = schemaFor(one).safeParse(one);
    if (parsed.success) examples.push(parsed.data);
    else
      for (const { path, message } of parsed.error.issues)
        faults.push({
          path: ['examples', i, ...path.map((name) => (typeof name === 'number' ? name : String(name)))],
          reason: issueText(message),
        });
  }
  return { examples, faults };
}

/** Tries one example. */
export function tryExample(ruleSet: RuleSet, example: Example): ExampleResult {
  const nowS = Math.floor((DateTime.parse(example.at)?.ms ?? 0) / 1_000);
  if ('facts' in example) return tryIssuing(ruleSet, example, nowS);
  return 'code' in example ? tryAcceptance(ruleSet, example, nowS) : tryCheck(ruleSet, example, nowS);
}

/** By what it has: facts are for issuing, a code is for acceptance, and neither is for a check. */
function schemaFor(json: unknown): typeof issuing | typeof acceptance | typeof check {
  const has = (name: string) => typeof json === 'object' && json !== null && Object.hasOwn(json, name);
  return has('facts') ? issuing : has('code') ? acceptance : check;
}

function tryIssuing(
  ruleSet: RuleSet,
  { name, facts: json, expect }: IssuingExample,
  nowS: number,
): ExampleResult {
  const { facts, faults } = readFacts(ruleSet.data.facts, json);
  if (facts === undefined) {
    const told = faults
      .map(({ fact, unknown, reason }) => `${fact ?? unknown ?? 'facts'} ${reason}`)
      .join('; ');
    return { name, came: 'facts that cannot be used', fault: told };
  }
  const { status, rule, applied, open } = decide(ruleSet, facts, nowS);
  const reasons = open.map(({ code, rule }) => rule ?? code);
  const endDay = applied.find((one) => one.rule === rule)?.endDay;
  const lastDay = endDay === undefined ? undefined : dayText(endDay - 1);
  const came = colourText(status?.colour, rule, lastDay) ?? `no colour: ${reasons.join(', ')}`;
  if ('open' in expect) {
    const isSame = status === undefined && expect.open.toSorted().join() === reasons.toSorted().join();
    return { name, came, fault: isSame ? undefined : `expected no colour: ${expect.open.join(', ')}` };
  }
  const isSame =
    status?.colour === expect.colour &&
    (expect.rule === undefined || expect.rule === rule) &&
    (expect.lastDay === undefined || expect.lastDay === lastDay);
  const wanted = colourText(expect.colour, expect.rule, expect.lastDay) ?? '';
  return { name, came, fault: isSame ? undefined : `expected ${wanted}` };
}

function tryAcceptance(ruleSet: RuleSet, example: AcceptanceExample, nowS: number): ExampleResult {
  const { name, code, role, expect } = example;
  const { colour, region, grade, ageHours, documentMatched } = code;
  const measure = colour === 'green' ? 'none' : colour === 'yellow' ? 'home' : 'isolate';
  const untilS = measure === 'none' ? undefined : nowS + HOUR_S;
  const { id: ruleId, version: ruleVersion } = ruleSet;
  const reasons = acceptanceOf(
    ruleSet,
    role,
  )({
    region,
    status: { colour, measure, untilS, expiresAtS: nowS + HOUR_S, ruleId, ruleVersion },
    grade,
    documentMatched,
    place: placeOf(ruleSet, example.place.kind, example.place.risk),
    issuedFromS: nowS - HOUR_S * ageHours,
    nowS,
  });
  const outcome = outcomeOf(reasons);
  const rules = reasons.flatMap(({ details }) =>
    typeof details?.['rule'] === 'string' ? [details['rule']] : [],
  );
  const isSame =
    outcome === expect.outcome &&
    (expect.rules === undefined || expect.rules.toSorted().join() === rules.toSorted().join());
  return {
    name,
    came: outcomeText(outcome, rules),
    fault: isSame ? undefined : `expected ${outcomeText(expect.outcome, expect.rules)}`,
  };
}

function tryCheck(
  ruleSet: RuleSet,
  { name, place, role, expect }: CheckExample,
  nowS: number,
): ExampleResult {
  const rules = checksDue(ruleSet, { place, role, nowS });
  const isDue = rules.length > 0;
  const came = isDue ? `a check, by ${rules.join(', ')}` : 'no check';
  const fault = isDue === expect.check ? undefined : `expected ${expect.check ? 'a check' : 'no check'}`;
  return { name, came, fault };
}

function colourText(colour: string | undefined, rule: string | undefined, lastDay: string | undefined) {
  if (colour === undefined) return undefined;
  return [colour, rule && `by ${rule}`, lastDay && `to the end of ${lastDay}`].filter(Boolean).join(' ');
}

function outcomeText(outcome: string, rules: readonly string[] = []): string {
  return rules.length === 0 ? outcome : `${outcome}, by ${rules.join(', ')}`;
}
