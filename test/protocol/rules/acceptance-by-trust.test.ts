import assert from 'node:assert/strict';
import { acceptanceByTrust, homeRules } from '../../../protocol/rules/acceptance-by-trust.ts';
import { type LoggedRules } from '../../../protocol/trust/trust-state.ts';
import { ruleBody } from '../../support/rule-fixture.ts';
import { recognised } from '../../support/stub-trust.ts';
import {
  type Check,
  codesOf,
  ISSUER,
  type Known,
  NOW_S,
  trustOf,
  verdictOf,
} from '../../support/verdict-fixture.ts';

const DAY_S = 86_400;

/** Rules by which every code stops or asks, in force today. */
function logged(id: string, outcome: 'act' | 'stop'): LoggedRules {
  const always = [{ id: outcome, when: true, outcome, why: 'x' }];
  const stops = [
    {
      id: 'others',
      when: { '!': [{ '===': [{ var: 'status.colour' }, 'green'] }] },
      outcome: 'stop',
      why: 'x',
    },
  ];
  const changes = { acceptance: [...stops, ...always], until: NOW_S + DAY_S };
  return ruleBody(changes, { id, fromS: NOW_S - DAY_S }) as LoggedRules;
}

const broken = { ...logged('broken', 'act'), data: { format: 2 } };
const home = { rules: [logged('asking', 'act'), logged('stopping', 'stop'), broken] };

/** The verdict on a green code of another region. */
function checked(rules: string | undefined, named: string | null, check: Check = {}) {
  const known: Known = { home, recognition: recognised(ISSUER, { rules: named }) };
  const acceptance = acceptanceByTrust(trustOf(known), { rules });
  return verdictOf({ ...known, ...check, context: { acceptance } });
}

describe('acceptanceByTrust', () => {
  for (const [name, rules, named, outcome, ...reasons] of [
    ['without rules the colour alone counts', undefined, null, 'pass'],
    ['rules of the place', 'asking', null, 'act', 'RULE_ASKS'],
    ['rules that the recognition names', undefined, 'stopping', 'stop', 'RULE_STOPS'],
    ['both, and the stricter one counts', 'asking', 'stopping', 'stop', 'RULE_ASKS', 'RULE_STOPS'],
    ['the same twice counts once', 'asking', 'asking', 'act', 'RULE_ASKS'],
    ['rules of the place that the home does not have', 'none', null, 'undetermined', 'RULES_NOT_EVALUATED'],
    [
      'rules of a recognition that the home does not have',
      undefined,
      'none',
      'undetermined',
      'RULES_NOT_EVALUATED',
    ],
    ['rules that cannot be read', 'broken', null, 'undetermined', 'RULES_NOT_EVALUATED'],
  ] as const) {
    it(name, () => {
      const verdict = checked(rules, named);
      assert.equal(verdict.outcome, outcome);
      assert.deepEqual(
        codesOf(verdict).filter((code) => code.startsWith('RULE')),
        reasons,
      );
    });
  }

  it('red stops without rules as ever', () => {
    const red = { code: { status: { colour: 'red', measure: 'isolate', untilS: NOW_S + DAY_S } } } as const;
    assert.ok(codesOf(checked(undefined, null, red)).includes('STATUS_RED'));
  });
});

describe('homeRules', () => {
  it('reads those of the home alone', () => {
    assert.equal(homeRules(trustOf({ home }), 'asking')?.id, 'asking');
    assert.equal(homeRules(trustOf({ issuer: home }), 'asking'), undefined);
    assert.equal(homeRules(trustOf({ home }), 'broken'), undefined);
  });
});
