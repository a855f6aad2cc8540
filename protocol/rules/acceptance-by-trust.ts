/** Acceptance by the rules that the home's trust log holds: those of the place, and those that a recognition names. Spec: SPEC.md 16.6. */
import { acceptByColour } from '../verdict/acceptance.ts';
import { type Trust } from '../verdict/knowledge.ts';
import { reasonOf } from '../verdict/reasons.ts';
import { type Acceptance } from '../verdict/verdict.ts';
import { acceptanceOf } from './acceptance-rules.ts';
import { loggedRuleSet } from './logged-rule-set.ts';
import { type RuleSet } from './rule-set.ts';

export interface AcceptanceOptions {
  /** Id of the rules of the place, in the home's trust log. */
  readonly rules?: string | undefined;
  /** The role of the person. */
  readonly role?: string | undefined;
}

/**
 * Every set that holds for a code gives its reasons: the one of the place, and the one that the home's recognition of the issuing
 * region names. Without either the colour alone counts; a set that the home does not have, or that is none, is RULES_NOT_EVALUATED.
 */
export function acceptanceByTrust(trust: Trust, { rules, role }: AcceptanceOptions): Acceptance {
  const known = new Map<string, Acceptance | undefined>();
  const acceptanceWith = (id: string): Acceptance | undefined => {
    if (!known.has(id)) {
      const ruleSet = homeRules(trust, id);
      known.set(id, ruleSet && acceptanceOf(ruleSet, role));
    }
    return known.get(id);
  };
  const home = trust.regions.get(trust.home)?.state;
  return (input) => {
    const recognition = input.region === trust.home ? undefined : home?.recognition(input.region);
    const named = recognition?.standing === 'withdrawn' ? undefined : recognition?.rules;
    if (rules === undefined && (named === undefined || named === null)) return acceptByColour(input);
    const ids = new Set([rules, named].filter((id) => typeof id === 'string'));
    return [...ids].flatMap((id) => {
      const region = id === named ? input.region : undefined;
      return acceptanceWith(id)?.(input) ?? [reasonOf('RULES_NOT_EVALUATED', region, { rules: id })];
    });
  };
}

/** A rule set of the home's trust log; undefined where it has none of this id, or one that cannot be read. */
export function homeRules(trust: Trust, id: string): RuleSet | undefined {
  const logged = trust.regions.get(trust.home)?.state.rules(id);
  return logged && loggedRuleSet(logged);
}
