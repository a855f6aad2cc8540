/** What is wrong with a rule set though its form is good: found before it is in force, and not at a gate. Spec: SPEC.md 16.4. */
import { ProtocolError } from '../fault.ts';
import { RULE_SET_LIFE_S_MAX } from '../limits.ts';
import { acceptanceOf } from './acceptance-rules.ts';
import { evaluate, type RuleValue } from './evaluate.ts';
import { decide } from './issuing.ts';
import { type RuleSet, type RuleSetFault } from './rule-set.ts';
import { type RuleSetData } from './rule-set-schema.ts';
import { ANY_PLACE } from '../verdict/verdict.ts';

/** Facts that people tell. */
const OF_DECLARATIONS = 'declaration.';

/** All of that. */
export function faultsOfMeaning(ruleSet: RuleSet): RuleSetFault[] {
  const ofFacts = [...faultsOfValidity(ruleSet), ...faultsOfFacts(ruleSet.data)];
  if (ofFacts.length > 0) return ofFacts;
  const ofConditions = faultsWithoutFacts(ruleSet);
  const ofGreen = ofConditions.length > 0 ? [] : faultsOfGreen(ruleSet);
  return [...ofConditions, ...ofGreen, ...faultsOfAcceptance(ruleSet)];
}

function faultsOfValidity({ fromS, untilS }: RuleSet): RuleSetFault[] {
  if (untilS <= fromS) return [{ path: ['until'], reason: 'is not after from' }];
  const days = RULE_SET_LIFE_S_MAX / 86_400;
  if (untilS - fromS > RULE_SET_LIFE_S_MAX)
    return [{ path: ['until'], reason: `is more than ${days} days after from` }];
  return [];
}

function faultsOfFacts({ facts, issuing }: RuleSetData): RuleSetFault[] {
  const names = Object.keys(facts);
  const nested = names.filter((name) => names.some((other) => other.startsWith(`${name}.`)));
  return [
    ...nested.map((name) => ({ path: ['facts', name], reason: 'is also the beginning of another name' })),
    ...issuing.flatMap(({ since }, i) => {
      const path = ['issuing', i, 'since'];
      const type = Object.hasOwn(facts, since) ? facts[since] : undefined;
      if (type === undefined)
        return [{ path, reason: 'names no fact of these rules', unknown: since, known: names }];
      return type === 'day' || type === 'time'
        ? []
        : [{ path, reason: 'names a fact that is no day or time' }];
    }),
  ];
}

/** A condition about facts has a value for somebody of whom nothing is known, so that it stops nobody's code by accident. */
function faultsWithoutFacts(ruleSet: RuleSet): RuleSetFault[] {
  const nothing: RuleValue = { facts: {}, today: '2000-01-01', now: '2000-01-01T00:00:00Z', hour: 0 };
  return (['requires', 'issuing'] as const).flatMap((list) =>
    ruleSet[list].flatMap(({ when }, i) => {
      try {
        evaluate(when, nothing);
        return [];
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        const reason =
          error.fault.code === 'RULE_TOO_COSTLY'
            ? 'takes more steps than a condition may: make it shorter, or two rules of it'
            : 'has no value where no fact is known: ask for the fact first, by `and` or `if`';
        return [{ path: [list, i, 'when'], reason }];
      }
    }),
  );
}

/** Where people declare, nobody is green of whom nothing is known: what is not known is never green. */
function faultsOfGreen(ruleSet: RuleSet): RuleSetFault[] {
  if (!Object.keys(ruleSet.data.facts).some((name) => name.startsWith(OF_DECLARATIONS))) return [];
  if (decide(ruleSet, new Map(), ruleSet.fromS).status === undefined) return [];
  const reason =
    'asks for nothing, so that green is whoever declared nothing and is known to nobody: ask for a fact, as the baseline does by `declared` and `consent`';
  return [{ path: ['requires'], reason }];
}

/** At a place that asks for nothing, red stops somebody and yellow does not let pass, whatever the exceptions elsewhere. */
function faultsOfAcceptance(ruleSet: RuleSet): RuleSetFault[] {
  if (ruleSet.acceptance.length === 0) return [];
  const path = ['acceptance'];
  return (['red', 'yellow'] as const).flatMap((colour) => {
    const outcomes = outcomesAtGate(ruleSet, colour);
    if (outcomes.includes('undetermined'))
      return [{ path, reason: `has a rule without a value for ${colour} at a gate` }];
    if (outcomes.includes('stop') || (colour === 'yellow' && outcomes.includes('act'))) return [];
    return [{ path, reason: `lets ${colour} pass at a gate` }];
  });
}

function outcomesAtGate(ruleSet: RuleSet, colour: 'yellow' | 'red'): readonly string[] {
  const { id, version, fromS } = ruleSet;
  const accept = acceptanceOf(ruleSet, undefined);
  const reasons = accept({
    region: 'XX',
    status: {
      colour,
      measure: colour === 'red' ? 'isolate' : 'home',
      untilS: fromS + 86_400,
      expiresAtS: fromS + 86_400,
      ruleId: id,
      ruleVersion: version,
    },
    grade: 'static',
    documentMatched: false,
    place: ANY_PLACE,
    issuedFromS: fromS,
    nowS: fromS,
  });
  return reasons.map(({ outcome }) => outcome);
}
