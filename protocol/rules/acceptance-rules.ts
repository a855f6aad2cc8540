/** What a colour means at a place, whether a check is due at all, and what a kind of place asks for. Spec: SPEC.md 16.6. */
import { acceptByColour } from '../verdict/acceptance.ts';
import { type Reason, reasonOf } from '../verdict/reasons.ts';
import { type Acceptance, type AcceptanceInput, ANY_PLACE, type Place } from '../verdict/verdict.ts';
import { dayText } from './calendar.ts';
import { type RuleValue } from './evaluate.ts';
import { conditionOf, timeText } from './issuing.ts';
import { isInForce, type RuleSet } from './rule-set.ts';
import { localDay, localHour } from './zone.ts';

/**
 * The acceptance rules of a set, for a person in this role (undefined: nobody in particular). Every rule that applies gives its
 * reason, and none that does lets pass; a set without such rules goes by the colour alone. A set that is not in force, or a rule
 * without a value, is undetermined.
 */
export function acceptanceOf(ruleSet: RuleSet, role: string | undefined): Acceptance {
  if (ruleSet.acceptance.length === 0) return acceptByColour;
  return (input) => {
    if (!isInForce(ruleSet, input.nowS)) return [reasonOfRule('RULES_NOT_IN_FORCE', ruleSet)];
    const data = acceptanceData(ruleSet, input, role);
    return ruleSet.acceptance.flatMap(({ id, when, outcome }) => {
      const holds = conditionOf(when, data);
      if (holds === undefined) return [reasonOfRule('RULE_WITHOUT_VALUE', ruleSet, id)];
      if (!holds) return [];
      return [reasonOfRule(outcome === 'stop' ? 'RULE_STOPS' : 'RULE_ASKS', ruleSet, id)];
    });
  };
}

export interface CheckInput {
  readonly place: Pick<Place, 'kind' | 'risk'>;
  readonly role: string | undefined;
  readonly nowS: number;
}

/**
 * Whether somebody is to be checked: the rules that say so, which is none where nobody need be. A set that is not in force, and a
 * rule that has no value, count as if they did.
 */
export function checksDue(ruleSet: RuleSet, input: CheckInput): readonly string[] {
  const data = checkData(ruleSet, input);
  const due = ruleSet.checks.filter(({ when }) => conditionOf(when, data) ?? true).map(({ id }) => id);
  return isInForce(ruleSet, input.nowS) ? due : ruleSet.checks.map(({ id }) => id);
}

/** A place of a kind with what its profile asks for; a kind without a profile asks for nothing. */
export function placeOf(ruleSet: RuleSet, kind: string, risk: Place['risk']): Place {
  const { places } = ruleSet.data;
  const profile = Object.hasOwn(places, kind) ? places[kind] : undefined;
  if (profile === undefined) return { ...ANY_PLACE, kind, risk };
  const { grade, knowledgeAgeS, issuerSilenceS } = profile;
  const limits = {
    ...(knowledgeAgeS !== undefined && { knowledgeAgeS }),
    ...(issuerSilenceS !== undefined && { issuerSilenceS }),
  };
  return { kind, risk, gradeNeeded: grade, limits };
}

/** What conditions of `acceptance` read. */
export function acceptanceData(
  ruleSet: RuleSet,
  input: AcceptanceInput,
  role: string | undefined,
): RuleValue {
  const { region, status, grade, documentMatched, place, issuedFromS, nowS } = input;
  const { colour, measure, ruleId } = status;
  const ageHours = Math.max(0, Math.floor((nowS - issuedFromS) / 3_600));
  return {
    ...checkData(ruleSet, { place, role, nowS }),
    region,
    grade,
    documentMatched,
    status: { colour, measure, ageHours, rules: ruleId },
  };
}

/** What conditions of `checks` read. */
export function checkData(
  { zone }: RuleSet,
  { place: { kind, risk }, role, nowS }: CheckInput,
): Readonly<Record<string, RuleValue>> {
  return {
    place: { kind, risk },
    role: role ?? null,
    today: dayText(localDay(zone, nowS)),
    now: timeText(nowS),
    hour: localHour(zone, nowS),
  };
}

function reasonOfRule(
  code: 'RULE_STOPS' | 'RULE_ASKS' | 'RULE_WITHOUT_VALUE' | 'RULES_NOT_IN_FORCE',
  { id, version, acceptance }: RuleSet,
  rule?: string,
): Reason {
  const why = acceptance.find(({ id }) => id === rule)?.why;
  const details = {
    rules: id,
    version,
    ...(rule !== undefined && { rule }),
    ...(why !== undefined && { why }),
  };
  return reasonOf(code, undefined, details);
}
