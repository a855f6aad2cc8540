import assert from 'node:assert/strict';
import { acceptanceOf, checksDue, placeOf } from '../../../protocol/rules/acceptance-rules.ts';
import { type RuleSet } from '../../../protocol/rules/rule-set.ts';
import { acceptByColour } from '../../../protocol/verdict/acceptance.ts';
import { REASONS } from '../../../protocol/verdict/reasons.ts';
import { type AcceptanceInput, ANY_PLACE } from '../../../protocol/verdict/verdict.ts';
import { FROM_S, HOUR_S, ruleSetWith, UNTIL_S } from '../../support/rule-fixture.ts';

const rules = ruleSetWith();
const NOW_S = FROM_S + 1_000 * HOUR_S;
const STATUSES = {
  green: { colour: 'green', measure: 'none' },
  yellow: { colour: 'yellow', measure: 'home', untilS: NOW_S + HOUR_S },
  red: { colour: 'red', measure: 'isolate', untilS: NOW_S + HOUR_S },
} as const;

function inputOf(colour: keyof typeof STATUSES, changes: Partial<AcceptanceInput> = {}): AcceptanceInput {
  return {
    region: 'FR',
    status: { ...STATUSES[colour], expiresAtS: NOW_S + HOUR_S, ruleId: 'other', ruleVersion: 1 },
    grade: 'static',
    documentMatched: false,
    place: ANY_PLACE,
    issuedFromS: NOW_S - HOUR_S,
    nowS: NOW_S,
    ...changes,
  };
}

function reasonsFor(ruleSet: RuleSet, role: string | undefined, input: AcceptanceInput) {
  return acceptanceOf(
    ruleSet,
    role,
  )(input).map(({ code, outcome, details }) => {
    assert.equal(outcome, REASONS[code].outcome);
    return [code, details?.['rule']].filter(Boolean).join(' ');
  });
}

describe('acceptanceOf', () => {
  it('green passes without a word; each rule that applies gives its reason', () => {
    assert.deepEqual(reasonsFor(rules, undefined, inputOf('green')), []);
    assert.deepEqual(reasonsFor(rules, undefined, inputOf('yellow')), ['RULE_ASKS yellow']);
    assert.deepEqual(reasonsFor(rules, undefined, inputOf('red')), [
      'RULE_STOPS red',
      'RULE_ASKS red-patient',
    ]);
  });

  it('knows the role of the person and the age of the code', () => {
    assert.deepEqual(reasonsFor(rules, 'patient', inputOf('red')), ['RULE_ASKS red-patient']);
    const aged = (hours: number) => inputOf('green', { issuedFromS: NOW_S - HOUR_S * hours });
    assert.deepEqual(reasonsFor(rules, undefined, aged(48)), []);
    assert.deepEqual(reasonsFor(rules, undefined, aged(49)), ['RULE_ASKS old']);
    assert.deepEqual(reasonsFor(rules, undefined, aged(-2)), []);
  });

  it('a reason names the set, its version and what the rule says', () => {
    const [reason] = acceptanceOf(rules, undefined)(inputOf('yellow'));
    assert.deepEqual(reason?.details, { rules: 'test', version: 3, rule: 'yellow', why: 'Yellow is noted.' });
  });

  it('is undetermined outside of the time of the set, whatever the colour', () => {
    for (const nowS of [FROM_S - 1, UNTIL_S]) {
      assert.deepEqual(reasonsFor(rules, undefined, inputOf('green', { nowS })), ['RULES_NOT_IN_FORCE']);
    }
  });

  it('is undetermined where a rule has no value', () => {
    const when = { and: [{ var: 'role' }, { '<': [{ var: 'role' }, 1] }] };
    const acceptance = [...rules.data.acceptance, { id: 'odd', when, outcome: 'act' as const, why: 'x' }];
    const odd = ruleSetWith({ acceptance });
    assert.deepEqual(reasonsFor(odd, 'patient', inputOf('green')), ['RULE_WITHOUT_VALUE odd']);
    assert.deepEqual(reasonsFor(odd, undefined, inputOf('green')), []);
  });

  it('a set without acceptance rules goes by the colour', () => {
    assert.equal(acceptanceOf(ruleSetWith({ acceptance: [] }), undefined), acceptByColour);
  });
});

describe('checksDue', () => {
  const at = (kind: string, nowS = NOW_S) =>
    checksDue(rules, { place: { kind, risk: 'low' }, role: undefined, nowS });

  it('names the rules that ask for a check, and none where nobody is checked', () => {
    assert.deepEqual(at('hospital'), ['hospital']);
    assert.deepEqual(at('gate'), []);
  });

  it('checks where it cannot be told', () => {
    assert.deepEqual(at('gate', UNTIL_S), ['hospital']);
    const checks = [{ id: 'odd', when: { '<': [{ var: 'role' }, 1] }, why: 'x' }];
    assert.deepEqual(checksDue(ruleSetWith({ checks }), { place: ANY_PLACE, role: 'x', nowS: NOW_S }), [
      'odd',
    ]);
  });
});

describe('placeOf', () => {
  it('takes what the profile of a place asks for, and asks for nothing without one', () => {
    assert.deepEqual(placeOf(rules, 'hospital', 'high'), {
      kind: 'hospital',
      risk: 'high',
      gradeNeeded: 'live',
      limits: { issuerSilenceS: 60 },
    });
    assert.deepEqual(placeOf(rules, 'constructor', 'low'), { ...ANY_PLACE, kind: 'constructor' });
  });
});
