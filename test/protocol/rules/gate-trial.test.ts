import assert from 'node:assert/strict';
import { profileBases, profileNames, profileText } from '../../../node/rules/profiles.ts';
import { readRuleFile } from '../../../node/rules/rule-file.ts';
import { faultsAtGate } from '../../../protocol/rules/gate-trial.ts';
import { RULE_DATA, ruleSetWith } from '../../support/rule-fixture.ts';

const is = (path: string, value: string | number) => ({ '===': [{ var: path }, value] });
const not = (condition: unknown) => ({ '!': [condition] });
const both = (...conditions: unknown[]) => ({ and: conditions });
const RED = is('status.colour', 'red');
const [, , yellow] = RULE_DATA.acceptance;

/** What is wrong where red stops under a condition, and yellow is asked under another. */
function faultsWhere(ofRed: unknown, ofYellow: unknown = true): string[] {
  const ruleSet = ruleSetWith({
    acceptance: [
      { id: 'red', when: both(RED, ofRed), outcome: 'stop', why: 'Red stops.' },
      { ...yellow, when: both(yellow?.when, ofYellow) },
    ],
  });
  return faultsAtGate(ruleSet).map(({ path, reason }) => `${path.join('.')} ${reason}`);
}

describe('faultsAtGate', () => {
  it('finds nothing in rules of which one stops red, and in the profiles', () => {
    assert.deepEqual(faultsAtGate(ruleSetWith()), []);
    assert.deepEqual(faultsAtGate(ruleSetWith({ acceptance: [] })), []);
    assert.deepEqual(faultsWhere(true), []);
    for (const name of profileNames()) {
      const { file } = readRuleFile(profileText(name) ?? '', profileBases);
      assert.deepEqual(faultsAtGate(file?.ruleSet ?? assert.fail(name)), []);
    }
  });

  const on = (operator: string, day: string) => ({
    [operator]: [{ plusTime: [{ var: 'today' }, 0, 'day'] }, { plusTime: [day, 0, 'day'] }],
  });
  for (const [name, when, where] of [
    ['in the first hour of a day', { '<': [{ var: 'hour' }, 1] }, 'hour is 1'],
    ['but for the last hour of a day', { '<': [{ var: 'hour' }, 23] }, 'hour is 23'],
    ['in the first half of its time', on('before', '2026-07-01'), 'today is 2026-07-02'],
    ['but for one day', not(is('today', '2026-04-01')), 'today is 2026-04-01'],
    ['of other regions', not(is('region', 'DE')), 'region is DE'],
    ['of regions that are not listed', not({ in: [{ var: 'region' }, ['FR', 'AT']] }), 'region is FR'],
    ['at low risk', is('place.risk', 'low'), 'place.risk is medium'],
    ['on paper', is('grade', 'static'), 'grade is live'],
    ['without a document', not({ var: 'documentMatched' }), 'documentMatched is true'],
    ['of codes of now', { '<': [{ var: 'status.ageHours' }, 100] }, 'status.ageHours is 168'],
    ['that is isolated', is('status.measure', 'isolate'), 'status.measure is home'],
    ['by its own rules', is('status.rules', 'test'), 'status.rules is other'],
    [
      'but at some hours from one region',
      not(both(is('hour', 5), is('region', 'FR'))),
      'hour is 5, region is FR',
    ],
  ] as const) {
    it(`finds that red stops only ${name}`, () => {
      const [fault = '', ...others] = faultsWhere(when);
      assert.ok(fault.startsWith('acceptance lets red pass at a gate where '), fault);
      assert.ok(fault.endsWith(where), fault);
      assert.deepEqual(others, []);
    });
  }

  it('red that is asked, or stopped at some places only, passes; rules together may stop it at all hours', () => {
    const stop = (id: string, when: unknown) => ({ id, when: both(RED, when), outcome: 'stop', why: 'x' });
    const [early, late] = [{ '<': [{ var: 'hour' }, 12] }, { '>=': [{ var: 'hour' }, 12] }];
    const reasons = (...acceptance: unknown[]) =>
      faultsAtGate(ruleSetWith({ acceptance: [...RULE_DATA.acceptance.slice(2), ...acceptance] }));
    assert.throws(() => reasons({ ...stop('asked', true), outcome: 'act' }));
    assert.deepEqual(reasons(stop('early', early), stop('late', late)), []);
    assert.equal(reasons(stop('early', early), { ...stop('late', late), outcome: 'act' }).length, 1);
    assert.equal(reasons(stop('early', early), stop('late', both(late, { var: 'role' }))).length, 1);
  });

  it('finds yellow that passes without a word, and lets it be asked or stopped', () => {
    const [fault = '', ...others] = faultsWhere(true, is('hour', 0));
    assert.match(fault, /lets yellow pass at a gate where hour is 1$/);
    assert.deepEqual(others, []);
  });

  it('finds a rule that has no value at some hours', () => {
    const odd = { if: [is('hour', 3), { '<': [{ var: 'role' }, 1] }, true] };
    assert.deepEqual(faultsWhere(odd), ['acceptance has a rule without a value for red at a gate']);
  });

  it('B69: ends with a fault for rules that read too much together', () => {
    const days = Array.from({ length: 300 }, (_, i) =>
      new Date(86_400_000 * (20_470 + i)).toISOString().slice(0, 10),
    );
    const oneOfDays = { in: [{ var: 'today' }, days] };
    const elsewhere = both(is('hour', 3), is('region', 'FR'), is('place.risk', 'high'));
    assert.match(faultsWhere(not(both(oneOfDays, elsewhere)))[0] ?? '', /reads too much together/);
    assert.match(faultsWhere(not(oneOfDays))[0] ?? '', /lets red pass at a gate where today is 2026-07-02$/);
  });
});
