/** The rule set of a statement in a trust log, read once: that costs several times what a signature does, and what a statement says never changes. */
import { type LoggedRules } from '../trust/trust-state.ts';
import { readRuleSet, type RuleSet } from './rule-set.ts';

const ruleSetsOfData = new WeakMap<LoggedRules['data'], RuleSet>();

/** Undefined for one that breaks SPEC.md 16.4. */
export function loggedRuleSet(logged: LoggedRules): RuleSet | undefined {
  const { id, version, fromS, data } = logged;
  const known = ruleSetsOfData.get(data);
  if (known?.id === id && known.version === version && known.fromS === fromS) return known;
  const { ruleSet } = readRuleSet(logged);
  if (ruleSet !== undefined) ruleSetsOfData.set(data, ruleSet);
  return ruleSet;
}
