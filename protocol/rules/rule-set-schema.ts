/** What a rule set says: `data` of a `rules` statement. Member names are those on the wire. Spec: SPEC.md 16.4. */
import * as z from 'zod';
import { MEASURE_DAYS_MAX, RULES_PER_LIST_MAX, RULE_TEXT_CHARS_MAX, ZONE_OFFSETS_MAX } from '../limits.ts';
import { isRegion } from '../log/origin.ts';
import { isRuleId } from '../code/status.ts';

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const FACT_NAME = /^[a-z][a-zA-Z0-9]{0,31}(\.[a-z][a-zA-Z0-9]{0,31}){0,3}$/;
/** The zones in use lie between; seconds, as with leap quarters of an hour. */
const OFFSET_S_MAX = 18 * 3_600;

/** Total: whether people can be shown `text` as it is. */
export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}

/** Total: whether `text` has the form of the name of a fact. */
export function isFactName(text: string): boolean {
  return FACT_NAME.test(text);
}

const seconds = z.int().nonnegative();
const text = z.string().min(1).max(RULE_TEXT_CHARS_MAX).refine(isPrintable, 'expected no control characters');
const id = z.string().refine(isRuleId, 'expected small letters, digits and hyphens, at most 32');
const word = id;

const days = z.int().min(1).max(MEASURE_DAYS_MAX);

/** An expression; what it may hold is looked at once the schema is met. */
const condition = z.unknown().refine((value) => value !== undefined, 'expected a condition');

const issuing = z.strictObject({
  id,
  when: condition,
  colour: z.enum(['yellow', 'red']),
  measure: z.enum(['home', 'isolate']),
  /** The fact that says on which day the measure begins. */
  since: z.string(),
  /** Days of the region, that of `since` being the first. */
  days,
  why: text,
});
const requirement = z.strictObject({ id, when: condition, why: text });
const acceptance = z.strictObject({ id, when: condition, outcome: z.enum(['act', 'stop']), why: text });
const check = z.strictObject({ id, when: condition, why: text });

const place = z.strictObject({
  title: text,
  grade: z.enum(['static', 'live', 'challenged']),
  knowledgeAgeS: seconds.exactOptional(),
  issuerSilenceS: seconds.exactOptional(),
});

function listOf<T extends z.ZodType<{ id: string }>>(rule: T) {
  return z
    .array(rule)
    .max(RULES_PER_LIST_MAX)
    .refine(
      (rules) => new Set(rules.map(({ id }) => id)).size === rules.length,
      'expected each id only once',
    );
}

function mapOf<T extends z.ZodType>(name: z.ZodType<string, string>, value: T) {
  return z
    .record(name, value)
    .refine((map) => Object.keys(map).length <= RULES_PER_LIST_MAX, `expected at most ${RULES_PER_LIST_MAX}`);
}

const choice = z
  .array(z.string().min(1).max(RULE_TEXT_CHARS_MAX).refine(isPrintable))
  .min(2)
  .max(RULES_PER_LIST_MAX)
  .refine((words) => new Set(words).size === words.length, 'expected each word only once');

/** What a fact can be: yes or no, a number from 0, text, a list of texts, a day, a time, one of some words. */
export const FACT_TYPES = ['flag', 'count', 'text', 'texts', 'day', 'time'] as const;
const factType = z.union([z.enum(FACT_TYPES), choice]);
export type FactType = z.infer<typeof factType>;

const offset = z.tuple([seconds, z.int().min(-OFFSET_S_MAX).max(OFFSET_S_MAX)]);

export const ruleSetSchema = z.strictObject({
  format: z.literal(1),
  title: text,
  /** The one region that these rules are for, or null. */
  region: z.string().refine(isRegion, 'expected a region').nullable(),
  until: seconds,
  zone: text,
  offsets: z
    .array(offset)
    .min(1)
    .max(ZONE_OFFSETS_MAX)
    .refine(
      (list) => list.every(([fromS], i) => i === 0 || fromS > (list[i - 1]?.[0] ?? 0)),
      'expected ascending times',
    ),
  facts: mapOf(z.string().refine(isFactName, 'expected a name such as test.day'), factType),
  requires: listOf(requirement),
  issuing: listOf(issuing),
  green: z.strictObject({ days }),
  roles: mapOf(word, text),
  places: mapOf(word, place),
  acceptance: listOf(acceptance),
  checks: listOf(check),
});

/** `data` of a `rules` statement of format 1. */
export type RuleSetData = z.infer<typeof ruleSetSchema>;
export type PlaceProfile = z.infer<typeof place>;

/** The lists of rules in a set: members of these names have `id`, `when` and `why`. */
export const RULE_LISTS = ['requires', 'issuing', 'acceptance', 'checks'] as const;
export type RuleList = (typeof RULE_LISTS)[number];
