/** What countries say of an EU certificate: the one where it is shown, and the one that issued it. Spec: SPEC.md 17.12. */
import { isProtocolError } from '../fault.ts';
import { evaluate, type RuleValue, Steps } from '../rules/evaluate.ts';
import { timeText } from '../rules/issuing.ts';
import { type Trust } from '../verdict/knowledge.ts';
import { type Reason, type ReasonCode, reasonOf } from '../verdict/reasons.ts';
import { countryOf } from './country.ts';
import { type CountryRule, type CountryRules, countryRulesOf } from './country-rules.ts';
import { type ForeignCode } from './foreign-code.ts';
import { FOREIGN_STEPS_MAX } from './foreign-limits.ts';

/** A code of the format `hcert` that a key of `region` has signed. */
export interface ShownCertificate {
  readonly code: ForeignCode;
  readonly region: string;
  /** Of the key. */
  readonly issuer: string;
}

/** By the home's rules of acceptance, and by the rules of the issuing region by which it voids its own. Of a rule several versions of which are in force the highest counts. */
export function countryReasons(trust: Trust, shown: ShownCertificate, nowS: number): Reason[] {
  return [
    ...reasonsBy(trust, trust.home, 'acceptance', shown, nowS),
    ...reasonsBy(trust, shown.region, 'invalidation', shown, nowS),
  ];
}

function reasonsBy(
  trust: Trust,
  region: string,
  type: CountryRule['type'],
  shown: ShownCertificate,
  nowS: number,
): Reason[] {
  const state = trust.regions.get(region)?.state;
  if (state === undefined) return [];
  const due = dueOf(countryRulesOf(state), type, shown, { nowS, part: partOf(trust.home) });
  const steps = new Steps(FOREIGN_STEPS_MAX);
  return due.flatMap(({ rule, announced }) => {
    const data = dataFor(trust.home, shown, announced, nowS);
    const value = valueOf(rule, data, steps);
    const code = reasonCodeOf(type, value);
    if (code === undefined) return [];
    const { id, version, why } = rule;
    return [reasonOf(code, region, { rules: announced.id, version: version.join('.'), rule: id, why })];
  });
}

interface Due {
  readonly rule: CountryRule;
  readonly announced: CountryRules;
}

function dueOf(
  all: readonly CountryRules[],
  type: CountryRule['type'],
  { code: { usages } }: ShownCertificate,
  { nowS, part }: { readonly nowS: number; readonly part: string | undefined },
): readonly Due[] {
  const highest = new Map<string, Due>();
  for (const announced of all) {
    if (nowS < announced.fromS || nowS >= announced.untilS) continue;
    for (const rule of announced.rules) {
      const isInForce = rule.from <= nowS && nowS < rule.until;
      const isHere = type === 'invalidation' || rule.region === undefined || rule.region === part;
      const isOfKind = rule.certificate === 'general' || usages.includes(rule.certificate);
      if (rule.type !== type || !isInForce || !isHere || !isOfKind) continue;
      const known = highest.get(rule.id);
      if (known === undefined || isHigher(rule, known.rule)) highest.set(rule.id, { rule, announced });
    }
  }
  return [...highest.values()];
}

function isHigher({ version: one }: CountryRule, { version: other }: CountryRule): boolean {
  return (one[0] - other[0] || one[1] - other[1] || one[2] - other[2]) > 0;
}

/** What rules read: the certificate, and what stands outside of it. */
function dataFor(
  home: string,
  { code, issuer }: ShownCertificate,
  { valueSets }: CountryRules,
  nowS: number,
): RuleValue {
  const { content, keyId, times } = code;
  const { issuedAtS, expiresAtS } = times;
  return {
    payload: content,
    external: {
      validationClock: timeText(Math.floor(nowS)),
      valueSets,
      countryCode: home.slice(0, 2),
      region: partOf(home) ?? '',
      issuerCountryCode: countryOf(code.issuer ?? issuer),
      kid: keyId,
      iat: issuedAtS === undefined ? null : timeText(Math.floor(issuedAtS)),
      exp: expiresAtS === undefined ? null : timeText(Math.floor(expiresAtS)),
    },
  };
}

function valueOf({ expression }: CountryRule, data: RuleValue, steps: Steps): RuleValue | undefined {
  try {
    return evaluate(expression, data, { steps });
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** A rule of acceptance is to be true, one that voids false. Whatever is neither decides nothing. */
function reasonCodeOf(type: CountryRule['type'], value: RuleValue | undefined): ReasonCode | undefined {
  if (typeof value !== 'boolean') return 'RULE_WITHOUT_VALUE';
  return value === (type === 'acceptance') ? undefined : 'RULE_STOPS';
}

/** `33` of `CN-33`. */
function partOf(region: string): string | undefined {
  return region.includes('-') ? region.slice(3) : undefined;
}
