/** Rows of the table of SPEC 11 that acceptance rules give. */
import { acceptanceOf } from '../../protocol/rules/acceptance-rules.ts';
import { ruleSetWith } from './rule-fixture.ts';
import { type Check, NOW_S } from './verdict-fixture.ts';
import { type Row } from './verdict-rows.ts';

const DAY_S = 86_400;
const greenBy = (outcome: 'act' | 'stop') => ({
  id: 'green',
  when: { '===': [{ var: 'status.colour' }, 'green'] },
  outcome,
  why: 'Nobody enters.',
});
const others = {
  id: 'others',
  when: { '!': [{ '===': [{ var: 'status.colour' }, 'green'] }] },
  outcome: 'stop',
  why: 'x',
};

/** A check by a set that is in force for `seconds` from a day ago on, with this rule besides. */
function by(rule: object, seconds = 2 * DAY_S, role?: string): Check {
  const fromS = NOW_S - DAY_S;
  const ruleSet = ruleSetWith({ acceptance: [others, rule], until: fromS + seconds }, { fromS });
  return { context: { acceptance: acceptanceOf(ruleSet, role) } };
}

export const ROWS_OF_RULES: readonly Row[] = [
  {
    code: 'RULE_STOPS',
    when: 'a rule of the place stops green',
    given: by(greenBy('stop')),
    neighbour: by({ ...greenBy('stop'), when: false }),
  },
  {
    code: 'RULE_ASKS',
    when: 'a rule of the place asks for something',
    given: by(greenBy('act')),
    neighbour: by({ ...greenBy('act'), when: { var: 'role' } }),
  },
  {
    code: 'RULE_WITHOUT_VALUE',
    when: 'a rule compares a role with a number',
    given: by(
      { ...greenBy('act'), when: { and: [{ var: 'role' }, { '<': [{ var: 'role' }, 1] }] } },
      2 * DAY_S,
      'staff',
    ),
    neighbour: by({ ...greenBy('act'), when: { and: [{ var: 'role' }, { '<': [{ var: 'role' }, 1] }] } }),
  },
  {
    code: 'RULES_NOT_IN_FORCE',
    when: 'the rules end now',
    given: by({ ...greenBy('act'), when: false }, DAY_S),
    neighbour: by({ ...greenBy('act'), when: false }, DAY_S + 1),
  },
];
