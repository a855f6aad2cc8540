/** How a decision came about: each condition, whether it holds, and what it read. */
import { checkData, acceptanceData, type CheckInput } from './acceptance-rules.ts';
import { type RuleValue } from './evaluate.ts';
import { type Facts } from './facts.ts';
import { conditionOf, issuingData } from './issuing.ts';
import { type RuleSet } from './rule-set.ts';
import { type RuleList } from './rule-set-schema.ts';
import { reasonText } from './words.ts';
import { type AcceptanceInput } from '../verdict/verdict.ts';

export interface TraceStep {
  readonly list: RuleList;
  readonly rule: string;
  /** Undefined where the condition has no value. */
  readonly holds: boolean | undefined;
  /** In words what holds, or does not, and where neither can be told what was asked. */
  readonly because: string;
  readonly why: string;
  /** What was read of the data, by path, in the order of reading: values that are there, and none that the condition built. */
  readonly read: Readonly<Record<string, RuleValue>>;
}

/** The conditions that `decide` looks at, those of issuing first. */
export function traceIssuing(ruleSet: RuleSet, facts: Facts, nowS: number): TraceStep[] {
  const data = issuingData(ruleSet, facts, nowS);
  return [...traceOf(ruleSet, 'issuing', data), ...traceOf(ruleSet, 'requires', data)];
}

/** The condition of one issuing rule; undefined where the set has none of this id. */
export function traceRule(ruleSet: RuleSet, facts: Facts, nowS: number, id: string): TraceStep | undefined {
  const issuing = ruleSet.issuing.filter((rule) => rule.id === id);
  return traceOf({ ...ruleSet, issuing }, 'issuing', issuingData(ruleSet, facts, nowS))[0];
}

/** Those of acceptance, for a code at a place. */
export function traceAcceptance(
  ruleSet: RuleSet,
  input: AcceptanceInput,
  role: string | undefined,
): TraceStep[] {
  return traceOf(ruleSet, 'acceptance', acceptanceData(ruleSet, input, role));
}

/** Those by which a check is due. */
export function traceChecks(ruleSet: RuleSet, input: CheckInput): TraceStep[] {
  return traceOf(ruleSet, 'checks', checkData(ruleSet, input));
}

function traceOf(ruleSet: RuleSet, list: RuleList, data: RuleValue): TraceStep[] {
  return ruleSet[list].map(({ id, when, why }) => {
    const read: Record<string, RuleValue> = {};
    const holds = conditionOf(when, data, { onRead: (path, value) => (read[path] = value) });
    return {
      list,
      rule: id,
      holds,
      because: reasonText(when, ruleSet.data.facts, data),
      why,
      read,
    };
  });
}
