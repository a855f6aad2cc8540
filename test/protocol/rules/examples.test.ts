import assert from 'node:assert/strict';
import { readExamples, tryExample } from '../../../protocol/rules/examples.ts';
import { ruleSetWith } from '../../support/rule-fixture.ts';

const rules = ruleSetWith();
const at = '2026-03-01T12:00:00+01:00';
const listed = { list: { level: 'key', since: '2026-03-01' } };

function resultOf(example: object) {
  const { examples, faults } = readExamples([{ name: 'x', at, ...example }]);
  assert.deepEqual(faults, []);
  return tryExample(rules, examples[0] ?? assert.fail());
}

describe('tryExample', () => {
  for (const [name, example] of [
    ['a colour', { facts: listed, expect: { colour: 'red' } }],
    [
      'a colour, its rule and its last day',
      { facts: listed, expect: { colour: 'red', rule: 'listed', lastDay: '2026-03-14' } },
    ],
    ['no colour', { facts: {}, expect: { open: ['declared'] } }],
    ['an outcome', { code: { colour: 'red' }, expect: { outcome: 'stop' } }],
    [
      'an outcome and its rules in any order',
      { code: { colour: 'red' }, expect: { outcome: 'stop', rules: ['red-patient', 'red'] } },
    ],
    ['an outcome for a role', { code: { colour: 'red' }, role: 'patient', expect: { outcome: 'act' } }],
    ['a check', { place: { kind: 'hospital' }, expect: { check: true } }],
    ['no check', { expect: { check: false } }],
  ] as const) {
    it(`agrees on ${name}`, () => assert.equal(resultOf(example).fault, undefined));
  }

  for (const [name, example] of [
    ['another colour', { facts: listed, expect: { colour: 'yellow' } }],
    ['another rule', { facts: listed, expect: { colour: 'red', rule: 'tested' } }],
    ['another last day', { facts: listed, expect: { colour: 'red', lastDay: '2026-03-15' } }],
    ['a colour where there is none', { facts: {}, expect: { colour: 'green' } }],
    ['no colour where there is one', { facts: listed, expect: { open: ['declared'] } }],
    ['another reason for no colour', { facts: {}, expect: { open: ['listed'] } }],
    ['another outcome', { code: { colour: 'yellow' }, expect: { outcome: 'pass' } }],
    ['other rules', { code: { colour: 'yellow' }, expect: { outcome: 'act', rules: ['old'] } }],
    ['a check where none is due', { expect: { check: true } }],
    ['facts that the rules do not know', { facts: { colour: 'red' }, expect: { colour: 'red' } }],
  ] as const) {
    it(`disagrees on ${name}, and says what came`, () => {
      const { fault, came } = resultOf(example);
      assert.ok(fault !== undefined && came !== '');
    });
  }
});

describe('readExamples', () => {
  const placesOf = (json: unknown) => readExamples(json).faults.map(({ path }) => path.join('.'));

  it('takes no list for none', () => assert.deepEqual(readExamples(undefined), { examples: [], faults: [] }));

  it('says where an example is none', () => {
    assert.deepEqual(placesOf('x'), ['examples']);
    assert.deepEqual(placesOf(Array(1_025).fill({})), ['examples']);
    assert.deepEqual(placesOf([{ name: 'x', at: '2026-03-01', facts: {}, expect: { colour: 'red' } }]), [
      'examples.0.at',
    ]);
    assert.deepEqual(placesOf([{ name: 'x', at, facts: {}, expect: { colour: 'blue' } }]), [
      'examples.0.expect',
    ]);
    assert.deepEqual(
      placesOf([{ name: 'x', at, code: { colour: 'red' }, expect: { check: true } }]).length,
      2,
    );
    assert.deepEqual(placesOf([null]), ['examples.0']);
  });
});
