import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { EVALUATION_STEPS_MAX } from '../../../protocol/limits.ts';
import { evaluate, isTruthy, type RuleValue, Steps } from '../../../protocol/rules/evaluate.ts';
import { parseExpression } from '../../../protocol/rules/expression.ts';
import { expressions, ruleData } from '../../support/expressions.ts';

const valueOf = (json: unknown, data: unknown = null, stepsMax = EVALUATION_STEPS_MAX) =>
  evaluate(parseExpression(json), data as RuleValue, { steps: new Steps(stepsMax) });

const at = (text: string) => ({ plusTime: [text, 0, 'day'] });

describe('evaluate', () => {
  for (const [name, json, data, expected] of [
    ['if takes the one branch alone', { if: [true, 1, at('never')] }, null, 1],
    ['and is lazy and gives the value that decides', { and: [1, '', at('never')] }, null, ''],
    ['and gives the last value', { and: [1, 'x'] }, null, 'x'],
    [
      '! turns 0, empty text and empty lists into true',
      [{ '!': [0] }, { '!': [''] }, { '!': [[]] }],
      null,
      [true, true, true],
    ],
    ['=== does not convert', { '===': [1, '1'] }, null, false],
    ['=== takes null for null', { '===': [{ var: 'a' }, { var: 'b' }] }, {}, true],
    [
      '=== takes lists for different, even the same one',
      { '===': [{ var: 'a' }, { var: 'a' }] },
      { a: [1] },
      false,
    ],
    ['=== takes points in time for different', { '===': [at('2021-01-01'), at('2021-01-01')] }, null, false],
    ['in does not look for lists', { in: [{ var: 'a' }, [{ var: 'a' }]] }, { a: [] }, false],
    [
      'a comparison of three holds between neighbours',
      [{ '<': [1, 2, 3] }, { '<': [1, 3, 2] }, { '<=': [2, 2, 2] }],
      null,
      [true, false, true],
    ],
    [
      'not-before of three',
      { 'not-before': [at('2021-01-02'), at('2021-01-02'), at('2021-01-01')] },
      null,
      true,
    ],
    [
      'times of two zones are the same instant',
      { 'not-after': [at('2021-06-01T02:00:00+02:00'), at('2021-06-01T00:00:00Z')] },
      null,
      true,
    ],
    [
      'dccDateOfBirth takes the last day',
      { 'not-after': [{ dccDateOfBirth: ['2000-02'] }, at('2000-02-29'), { dccDateOfBirth: ['2000-02'] }] },
      null,
      true,
    ],
    [
      'reduce goes from the left',
      { reduce: [{ var: 'a' }, { '+': [{ var: 'current' }, { var: 'accumulator' }] }, 10] },
      { a: [1, 2, 3] },
      16,
    ],
    [
      'reduce of what is not there is the initial value',
      { reduce: [{ var: 'a' }, { var: 'current' }, 7] },
      {},
      7,
    ],
    ['reduce sees the data no more', { reduce: [[1], { var: 'a' }, 7] }, { a: 1 }, null],
    [
      'extractFromUVCI takes the longest text',
      { extractFromUVCI: [{ var: '' }, 1] },
      `a/${'b'.repeat(1_022)}`,
      'b'.repeat(1_022),
    ],
    ['extractFromUVCI takes a part', { extractFromUVCI: ['URN:UVCI:01:DE:a/b#c', 3] }, null, 'b'],
    [
      'extractFromUVCI of a part that is not there',
      [{ extractFromUVCI: ['a', 1] }, { extractFromUVCI: ['a', -1] }, { extractFromUVCI: [{ var: 'x' }, 0] }],
      {},
      [null, null, null],
    ],
  ] as const) {
    it(name, () => assert.deepEqual(valueOf(json, data), expected));
  }

  it('var knows own members alone: no prototypes, no lengths, no characters', () => {
    const data = JSON.parse('{"__proto__":{"polluted":1},"a":[1],"t":"text"}') as unknown;
    for (const path of [
      'constructor',
      'toString',
      'hasOwnProperty.name',
      'a.length',
      'a.map',
      'a.-1',
      'a.00',
      'a.1',
      't.0',
      't.length',
      'missing.a.b',
    ]) {
      assert.equal(valueOf({ var: path }, data), null, path);
    }
    assert.equal(valueOf({ var: '__proto__.polluted' }, data), 1);
    assert.equal(valueOf({ var: '__proto__' }, {}), null);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  for (const [name, json, data] of [
    ['a date that is none', at('2021-02-30'), null],
    ['a date that is no text', { plusTime: [7, 0, 'day'] }, null],
    ['a point in time in place of text', { plusTime: [at('2021-01-01'), 0, 'day'] }, null],
    ['a time beyond the year 9999', { plusTime: ['9999-12-31', 1, 'day'] }, null],
    [
      'an amount that leads out of all numbers',
      { plusTime: ['2021-01-01', Number.MAX_SAFE_INTEGER, 'year'] },
      null,
    ],
    ['a sum beyond the safe integers', { '+': [Number.MAX_SAFE_INTEGER, 1] }, null],
    ['a sum of text', { '+': ['1', 1] }, null],
    ['a comparison of text', { '<': ['a', 'b'] }, null],
    ['a comparison of fractions', { '<': [{ var: '' }, 1] }, 0.5],
    ['a comparison of huge numbers', { '<': [{ var: '' }, 1] }, 1e300],
    ['a comparison with what is not there', { '<': [{ var: 'a' }, 1] }, {}],
    ['a comparison of dates as text', { before: ['2021-01-01', '2021-01-02'] }, null],
    ['a point in time as a condition', { if: [at('2021-01-01'), 1, 2] }, null],
    ['a point in time under and', { and: [at('2021-01-01'), true] }, null],
    ['a fraction as a condition', { '!': [{ var: '' }] }, 0.5],
    ['in without a list', { in: [1, { var: 'a' }] }, { a: '123' }],
    ['reduce of an object', { reduce: [{ var: 'a' }, true, true] }, { a: { b: 1 } }],
    ['a date of birth with a time', { dccDateOfBirth: ['2021-01-01T00:00:00Z'] }, null],
    ['an identifier that is a number', { extractFromUVCI: [1, 0] }, null],
    ['a text too long for an identifier', { extractFromUVCI: [{ var: '' }, 0] }, 'a'.repeat(1_025)],
  ] as const) {
    it(`RULE_FAILED: ${name}`, () => {
      assert.throws(
        () => valueOf(json, data),
        (error) => isProtocolError(error, 'RULE_FAILED'),
      );
    });
  }

  it('RULE_TOO_COSTLY: takes the last step that it may and no more', () => {
    // The operation, the path with one name, the list of two elements: 1 + 2 + 1 + 2.
    const json = { in: [{ var: 'a' }, { var: 'list' }] };
    const data = { a: 1, list: [2, 1] };
    const steps = 1 + 2 + 2 + 2;
    assert.equal(valueOf(json, data, steps), true);
    assert.throws(
      () => valueOf(json, data, steps - 1),
      (error) => isProtocolError(error, 'RULE_TOO_COSTLY'),
    );
  });

  it('RULE_TOO_COSTLY: steps that several evaluations share are spent once', () => {
    const steps = new Steps(3);
    const [one, two] = [parseExpression(true), parseExpression([true])];
    assert.equal(evaluate(one, null, { steps }), true);
    assert.deepEqual(evaluate(two, null, { steps }), [true]);
    assert.throws(
      () => evaluate(one, null, { steps }),
      (error) => isProtocolError(error, 'RULE_TOO_COSTLY'),
    );
  });

  it('looks at the members of an object once, however often it is a condition', () => {
    let looks = 0;
    const object = new Proxy(
      { a: 1 },
      {
        ownKeys: (target) => {
          looks++;
          return Reflect.ownKeys(target);
        },
      },
    );
    const again = Array.from({ length: 100 }, () => ({ var: 'object' }));
    assert.equal(valueOf({ and: [...again, true] }, { object }), true);
    assert.equal(looks, 1);
  });

  it('RULE_TOO_COSTLY: bounds lists within lists and values that would grow without end', () => {
    const list = Array.from({ length: 300 }, (_, i) => i);
    const square = {
      reduce: [{ var: 'list' }, { reduce: [{ var: 'current' }, { '+': [{ var: 'accumulator' }, 1] }, 0] }, 0],
    };
    const twofold = { reduce: [{ var: 'list' }, [{ var: 'accumulator' }, { var: 'accumulator' }], [1]] };
    assert.throws(
      () => valueOf(square, { list: list.map(() => list) }),
      (error) => isProtocolError(error, 'RULE_TOO_COSTLY'),
    );
    // 2^300 elements if written out; here each value holds the one before it twice.
    assert.equal(isTruthy(valueOf(twofold, { list })), true);
  });

  it('any expression over any data ends with a value or a declared fault, the same each time', () => {
    const declared: readonly FaultCode[] = ['RULE_FAILED', 'RULE_TOO_COSTLY'];
    const outcome = (json: unknown, data: unknown) => {
      try {
        return { value: valueOf(json, data, 500) };
      } catch (error) {
        assert.ok(isProtocolError(error) && declared.includes(error.fault.code), String(error));
        return { fault: error.fault.code };
      }
    };
    const seen = new Set<string>();
    fc.assert(
      fc.property(expressions, ruleData, (json, data) => {
        const before = JSON.stringify(data);
        const first = outcome(json, data);
        assert.deepEqual(outcome(json, data), first);
        assert.equal(JSON.stringify(data), before);
        seen.add('fault' in first ? first.fault : 'value');
      }),
      { numRuns: 2_000 },
    );
    assert.ok(seen.has('value') && seen.has('RULE_FAILED'));
  });

  it('onRead hears of what stands outside of a reduce alone', () => {
    const reads: string[] = [];
    const json = {
      reduce: [{ var: 'a' }, { '+': [{ var: 'accumulator' }, { var: 'current' }] }, { var: 'b' }],
    };
    const options = { onRead: (path: string) => reads.push(path) };
    assert.equal(evaluate(parseExpression(json), { a: [1, 2], b: 3 }, options), 6);
    assert.deepEqual(reads, ['a', 'b']);
  });

  it('onRead hears each path that was read, and what was there', () => {
    const reads: [string, RuleValue][] = [];
    const expression = parseExpression({ and: [{ var: 'a.b' }, { var: 'c' }] });
    evaluate(expression, { a: { b: 2 } }, { onRead: (...read) => reads.push(read) });
    assert.deepEqual(reads, [
      ['a.b', 2],
      ['c', null],
    ]);
  });
});
