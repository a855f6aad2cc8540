/** Rules of a country for EU certificates in the JSON in which member states exchange them, and sets of values, as what a region announces. */
import * as z from 'zod';
import { type CountryRuleData, type CountryRulesData } from '../../protocol/foreign/country-rules.ts';
import { DateTime } from '../../protocol/rules/date-time.ts';
import { readExpression } from '../../protocol/rules/expression.ts';
import { isPrintable } from '../../protocol/rules/rule-set-schema.ts';
import { RULE_TEXT_CHARS_MAX } from '../../protocol/limits.ts';

export interface ReadCountryRules {
  readonly rules: readonly CountryRuleData[];
  /** What cannot be taken, and why. */
  readonly faults: readonly string[];
  /** Rules of other countries. */
  readonly others: number;
}

const time = z.string().transform((text, context) => {
  const moment = DateTime.parse(text);
  if (moment !== undefined && moment.ms >= 0) return Math.floor(moment.ms / 1_000);
  context.addIssue({ code: 'custom', message: 'expected a time such as 2026-06-01T00:00:00Z' });
  return z.NEVER;
});

/** Members that are not named here say nothing that is needed. */
const ruleSchema = z.object({
  Identifier: z.string().regex(/^[A-Z0-9-]{1,32}$/, 'expected an identifier such as VR-AT-0001'),
  Type: z.enum(['Acceptance', 'Invalidation']),
  Country: z.string().regex(/^[A-Z]{2}$/, 'expected two capitals'),
  Region: z.string().nullish(),
  Version: z.string().regex(/^\d{1,9}\.\d{1,9}\.\d{1,9}$/, 'expected a version such as 1.0.0'),
  Engine: z.literal('CERTLOGIC'),
  CertificateType: z.enum(['General', 'Test', 'Vaccination', 'Recovery']),
  Description: z.array(z.object({ lang: z.string(), desc: z.string() })).min(1),
  ValidFrom: time,
  ValidTo: time,
  Logic: z.unknown(),
});

const valueSetSchema = z.object({
  valueSetId: z.string().min(1),
  valueSetValues: z.record(z.string(), z.unknown()),
});
const valueSetsSchema = z.record(z.string(), z.array(z.string()));

/** Takes one rule, a list, or a map of lists, those of `country` alone; `language`: of the words that people are shown. */
export function readRulesOf(
  json: unknown,
  { country, language }: { readonly country: string; readonly language: string },
): ReadCountryRules {
  const rules: CountryRuleData[] = [];
  const faults: string[] = [];
  let others = 0;
  for (const one of membersOf(json)) {
    const read = ruleSchema.safeParse(one);
    if (!read.success) {
      const [issue] = read.error.issues;
      faults.push(`${nameOf(one)}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
    } else if (read.data.Country !== country) others++;
    else {
      const rule = ruleOf(read.data, language);
      if (typeof rule === 'string') faults.push(`${read.data.Identifier}: ${rule}`);
      else rules.push(rule);
    }
  }
  return { rules, faults, others };
}

/** Sets by name: one as it is exchanged, or a map of lists. Undefined for JSON of neither form. */
export function readValueSets(json: unknown): CountryRulesData['valueSets'] | undefined {
  const one = valueSetSchema.safeParse(json).data;
  if (one !== undefined) return { [one.valueSetId]: Object.keys(one.valueSetValues) };
  return valueSetsSchema.safeParse(json).data;
}

/** The names of the sets that a rule reads. */
export function valueSetsRead({ logic }: CountryRuleData): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, name] of logic.matchAll(/"external\.valueSets\.([^".]+)/g))
    if (name !== undefined) names.add(name);
  return names;
}

function membersOf(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  const isMap = typeof json === 'object' && json !== null && Object.values(json).every(Array.isArray);
  return isMap ? Object.values(json as Record<string, unknown[]>).flat() : [json];
}

function ruleOf(rule: z.infer<typeof ruleSchema>, language: string): CountryRuleData | string {
  const { Region: part, ValidFrom: from, ValidTo: until, Logic: logic } = rule;
  const { expression, faults } = readExpression(logic);
  if (expression === undefined) {
    const [fault] = faults;
    return `Logic${(fault?.path ?? []).map((step) => `.${step}`).join('')} ${fault?.reason ?? 'is missing'}`;
  }
  if (from >= until) return 'it ends before it begins';
  const words = rule.Description;
  const { desc } = words.find(({ lang }) => lang === language) ??
    words.find(({ lang }) => lang === 'en') ??
    words[0] ?? { desc: '' };
  const why = desc.trim().replaceAll(/\s+/g, ' ');
  if (why === '' || why.length > RULE_TEXT_CHARS_MAX || !isPrintable(why))
    return `its description is empty, has control characters or more than ${RULE_TEXT_CHARS_MAX}`;
  return {
    id: rule.Identifier,
    type: rule.Type === 'Acceptance' ? 'acceptance' : 'invalidation',
    version: rule.Version.split('.').map(Number) as [number, number, number],
    certificate: rule.CertificateType.toLowerCase() as CountryRuleData['certificate'],
    from,
    until,
    ...(part !== null && part !== undefined && part !== '' && { region: part }),
    logic: JSON.stringify(logic),
    why,
  };
}

function nameOf(one: unknown): string {
  const id =
    typeof one === 'object' && one !== null ? (one as { Identifier?: unknown }).Identifier : undefined;
  return typeof id === 'string' ? id.slice(0, 32) : 'a rule';
}
