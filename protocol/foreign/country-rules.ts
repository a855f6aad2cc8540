/**
 * Rules of a country for EU Digital COVID Certificates, as its region announces them in its trust log: which certificates the country accepts from
 * whoever comes there, and which of its own it has declared void. Spec: SPEC.md 17.12.
 */
import * as z from 'zod';
import { type CborValue } from '../encoding/cbor.ts';
import { parseStrictJson, StrictJsonError } from '../encoding/strict-json.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { RULE_TEXT_CHARS_MAX } from '../limits.ts';
import { type Expression, parseExpression } from '../rules/expression.ts';
import { isPrintable } from '../rules/rule-set-schema.ts';
import { type LoggedAdapter, type TrustState } from '../trust/trust-state.ts';
import {
  COUNTRY_LOGIC_CHARS_MAX,
  COUNTRY_RULES_MAX,
  NAME_CHARS_MAX,
  VALUE_SETS_MAX,
  VALUES_MAX,
} from './foreign-limits.ts';

/** The `format` of statements that announce them. */
export const COUNTRY_RULES = 'hcert-rules';

const version = z.tuple([z.int().nonnegative(), z.int().nonnegative(), z.int().nonnegative()]);
const timeS = z.int().nonnegative();

const ruleSchema = z
  .strictObject({
    id: z.string().regex(/^[A-Z0-9-]{1,32}$/, 'expected capitals, digits and hyphens'),
    /** What the country asks of certificates that are shown there, or by what it voids those that it issued. */
    type: z.enum(['acceptance', 'invalidation']),
    version,
    /** To which certificates it applies. */
    certificate: z.enum(['general', 'test', 'vaccination', 'recovery']),
    from: timeS,
    until: timeS,
    /** The part of the country, as behind the hyphen of ISO 3166-2, where it is of one alone. */
    region: z
      .string()
      .regex(/^[A-Z0-9]{1,3}$/, 'expected the part of a country')
      .exactOptional(),
    /** A CertLogic expression as JSON. */
    logic: z.string().min(1).max(COUNTRY_LOGIC_CHARS_MAX),
    why: z.string().min(1).max(RULE_TEXT_CHARS_MAX).refine(isPrintable, 'expected no control characters'),
  })
  .refine(({ from, until }) => from < until, 'expected an end behind the begin');

const dataSchema = z.strictObject({
  format: z.literal(COUNTRY_RULES),
  rules: z.array(ruleSchema).min(1).max(COUNTRY_RULES_MAX),
  valueSets: z
    .record(
      z.string().min(1).max(NAME_CHARS_MAX),
      z.array(z.string().min(1).max(NAME_CHARS_MAX)).max(VALUES_MAX),
    )
    .refine((sets) => Object.keys(sets).length <= VALUE_SETS_MAX, 'expected fewer value sets'),
});

/** As on the wire. */
export type CountryRuleData = z.infer<typeof ruleSchema>;
export type CountryRulesData = z.infer<typeof dataSchema>;

export interface CountryRule extends CountryRuleData {
  readonly expression: Expression;
}

/** What one statement announces, in force from `fromS` to before `untilS`. */
export interface CountryRules {
  readonly id: string;
  readonly fromS: number;
  readonly untilS: number;
  readonly rules: readonly CountryRule[];
  readonly valueSets: CountryRulesData['valueSets'];
}

const rulesOfStates = new WeakMap<TrustState, readonly CountryRules[]>();

/** Total: whether a statement announces such rules, well or badly. */
export function isCountryRules({ data }: Pick<LoggedAdapter, 'data'>): boolean {
  return data['format'] === COUNTRY_RULES;
}

/** All that a region announces, in the order of the ids. What is malformed announces nothing. */
export function countryRulesOf(state: TrustState): readonly CountryRules[] {
  let known = rulesOfStates.get(state);
  if (known === undefined) {
    known = [...state.adapters()]
      .filter(isCountryRules)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .flatMap((logged) => rulesIn(logged) ?? []);
    rulesOfStates.set(state, known);
  }
  return known;
}

/**
 * The rules that a statement announces.
 * @throws {ProtocolError} STATEMENT_MALFORMED for data in another form, and for logic that is no expression.
 */
export function readCountryRules({ id, fromS, untilS, data }: LoggedAdapter): CountryRules {
  const read = dataSchema.safeParse(data);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { rules, valueSets } = read.data;
  const names = rules.map((rule) => `${rule.id} ${rule.version.join('.')}`);
  if (new Set(names).size < names.length) throw malformed('rules: a version stands twice');
  const readRules = rules.map((rule) => ({ ...rule, expression: expressionOf(rule) }));
  return { id, fromS, untilS, rules: readRules, valueSets };
}

/** The data of a statement. Whether all of it is well-formed `readCountryRules` finds. */
export function countryRulesData(
  rules: readonly CountryRuleData[],
  valueSets: CountryRulesData['valueSets'],
): { readonly [name: string]: CborValue } {
  return {
    format: COUNTRY_RULES,
    rules: rules.map((rule) => ({ ...rule, version: [...rule.version] })),
    valueSets: Object.fromEntries(Object.entries(valueSets).map(([name, values]) => [name, [...values]])),
  };
}

/** Reading rules costs more than many verdicts, and what a statement says never changes, whatever else its region logs. */
const rulesOfData = new WeakMap<LoggedAdapter['data'], CountryRules | 'malformed'>();

function rulesIn(logged: LoggedAdapter): CountryRules | undefined {
  let known = rulesOfData.get(logged.data);
  if (known === undefined) rulesOfData.set(logged.data, (known = readOr(logged)));
  return known === 'malformed' ? undefined : known;
}

function readOr(logged: LoggedAdapter): CountryRules | 'malformed' {
  try {
    return readCountryRules(logged);
  } catch (error) {
    if (isProtocolError(error)) return 'malformed';
    throw error;
  }
}

function expressionOf({ id, logic }: CountryRuleData): Expression {
  try {
    return parseExpression(parseStrictJson(logic));
  } catch (error) {
    if (error instanceof StrictJsonError) throw malformed(`${id}: its logic is no JSON: it ${error.fault}`);
    if (isProtocolError(error)) throw malformed(`${id}: ${error.message}`);
    throw error;
  }
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('STATEMENT_MALFORMED', `expected rules for EU certificates: ${what}`);
}
