import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseExpression } from '../../../protocol/rules/expression.ts';
import { conditionText, reasonText, valueText } from '../../../protocol/rules/words.ts';
import { type RuleValue } from '../../../protocol/rules/evaluate.ts';
import { expressions, ruleData } from '../../support/expressions.ts';

const facts = { ill: 'flag', day: 'day', 'test.day': 'day', kind: ['a', 'b'], doses: 'count' } as const;
const types = { ...facts, kind: [...facts.kind] };
const textOf = (json: unknown) => conditionText(parseExpression(json), types);
const day = (path: string, amount = 0) => ({ plusTime: [{ var: path }, amount, 'day'] });
const ill = { var: 'facts.ill' };
const isA = { '===': [{ var: 'facts.kind' }, 'a'] };

describe('conditionText', () => {
  for (const [json, text] of [
    [ill, 'ill is true'],
    [{ '!': [ill] }, 'ill is not true'],
    [{ var: 'facts.day' }, 'day is known'],
    [{ '!': [{ '!': [{ var: 'role' }] }] }, 'role is known'],
    [isA, 'kind is a'],
    [{ '!': [isA] }, 'kind is not a'],
    [{ in: [{ var: 'place.kind' }, ['school', 'metro']] }, 'place.kind is one of school, metro'],
    [{ '!': [{ in: [{ var: 'role' }, ['x', 'y']] }] }, 'role is none of x, y'],
    [{ and: [ill, isA] }, 'ill is true and kind is a'],
    [{ '!': [{ and: [ill, isA] }] }, 'ill is not true or kind is not a'],
    [{ if: [ill, true, isA] }, 'ill is true or kind is a'],
    [{ if: [ill, isA, false] }, 'ill is true and kind is a'],
    [{ if: [ill, false, isA] }, 'ill is not true and kind is a'],
    [{ if: [ill, isA, true] }, 'ill is not true or kind is a'],
    [{ if: [ill, isA, { var: 'facts.day' }] }, 'if ill is true then kind is a, else day is known'],
    [
      { and: [ill, { if: [isA, true, { var: 'facts.day' }] }] },
      'ill is true and (kind is a or day is known)',
    ],
    [{ '>': [{ var: 'facts.doses' }, 2] }, 'doses is more than 2'],
    [{ '!': [{ '>': [{ var: 'facts.doses' }, 2] }] }, 'doses is at most 2'],
    [{ '<=': [1, { var: 'facts.doses' }, 3] }, '1 is at most doses and doses is at most 3'],
    [{ after: [day('facts.test.day'), day('facts.day', 5)] }, 'test.day is after 5 days after day'],
    [
      { '!': [{ after: [day('facts.test.day'), day('today', -1)] }] },
      'test.day is not after 1 day before today',
    ],
    [{ '<': [{ '+': [{ var: 'facts.doses' }, 1] }, 3] }, 'doses plus 1 is less than 3'],
    [true, 'always'],
    [{ and: [true, ill] }, 'ill is true'],
    [{ '!': [true] }, 'never'],
  ] as const) {
    it(text, () => assert.equal(textOf(json), text));
  }

  it('has words for every expression', () => {
    fc.assert(fc.property(expressions, (json) => assert.ok(textOf(json).length > 0)));
  });
});

describe('valueText', () => {
  it('tells a list, and of a long one the beginning, also where a list holds another many times over', () => {
    assert.equal(valueText(['CN-11', 'CN-42']), 'CN-11, CN-42');
    assert.equal(valueText(['x'.repeat(1_022), '']).length, 1_024);
    assert.equal(valueText(['x'.repeat(1_022), 'y']), `${'x'.repeat(1_022)}, …`);
    let twofold: RuleValue = [1];
    for (let i = 0; i < 20; i++) twofold = [twofold, twofold];
    assert.equal(valueText(twofold).length, 1_025);
  });
});

describe('reasonText', () => {
  const reasonOf = (json: unknown, data: object) =>
    reasonText(parseExpression(json), types, { facts: data } as RuleValue);

  it('of several reasons tells the first that is one', () => {
    const either = { if: [ill, true, isA] };
    assert.equal(reasonOf(either, { ill: true, kind: 'a' }), 'ill is true');
    assert.equal(reasonOf(either, { kind: 'a' }), 'kind is a');
    assert.equal(reasonOf(either, {}), 'ill is not true and kind is not a');
    assert.equal(reasonOf({ and: [ill, isA] }, { ill: true }), 'kind is not a');
  });

  it('of a condition without a value tells what it asks', () => {
    assert.equal(reasonOf({ '<': [{ var: 'facts.doses' }, 2] }, {}), 'doses is less than 2');
  });

  it('has words for every expression over any data', () => {
    fc.assert(
      fc.property(expressions, ruleData, (json, data) => {
        assert.ok(reasonText(parseExpression(json), {}, data as RuleValue).length > 0);
      }),
    );
  });
});
