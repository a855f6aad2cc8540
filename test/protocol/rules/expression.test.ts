import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import { EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX } from '../../../protocol/limits.ts';
import { parseExpression, readExpression } from '../../../protocol/rules/expression.ts';
import { expressions } from '../../support/expressions.ts';

function nested(levels: number): unknown {
  let json: unknown = true;
  for (let i = 0; i < levels; i++) json = [json];
  return json;
}

const placesOf = (json: unknown) => readExpression(json).faults.map(({ path }) => path.join('.'));

describe('readExpression', () => {
  for (const [name, json, ...places] of [
    ['null', null, ''],
    ['a fraction', { '+': [1, 1.5] }, '+.1'],
    ['an integer that is not safe', 2 ** 53, ''],
    ['undefined', undefined, ''],
    ['a function', () => true, ''],
    ['an empty object', {}, ''],
    ['two operators', { '!': [true], and: [true, true] }, ''],
    ['an operator that there is not', { '==': [1, 1] }, ''],
    ['an operator that every object has', { constructor: [1] }, ''],
    ['an operator named as the prototype', JSON.parse('{"__proto__":[1]}'), ''],
    ['division', { '/': [1, 0] }, ''],
    ['operands that are no list', { '!': true }, '!'],
    ['no operand', { '!': [] }, '!'],
    ['two operands of three', { if: [true, true] }, 'if'],
    ['four operands of three', { if: [true, 1, 2, 3] }, 'if'],
    ['one operand of and', { and: [true] }, 'and'],
    ['three operands of two', { '===': [1, 1, 1] }, '==='],
    ['four operands of a comparison', { '<': [1, 2, 3, 4] }, '<'],
    ['a path that is no text', { var: 0 }, 'var'],
    ['a path in a list', { var: ['a'] }, 'var'],
    ['an empty name in a path', { var: 'a..b' }, 'var'],
    ['a path that ends with a dot', { var: 'a.' }, 'var'],
    ['an amount that is computed', { plusTime: ['2021-01-01', { '+': [1, 1] }, 'day'] }, 'plusTime.1'],
    ['an amount that is no whole number', { plusTime: ['2021-01-01', 0.5, 'day'] }, 'plusTime.1'],
    ['a unit that there is not', { plusTime: ['2021-01-01', 1, 'week'] }, 'plusTime.2'],
    ['an index that is text', { extractFromUVCI: ['a', '0'] }, 'extractFromUVCI.1'],
    [
      'several faults at once',
      { and: [null, { plusTime: [{ var: 1 }, 'x', 'week'] }, true] },
      'and.0',
      'and.1.plusTime.0.var',
      'and.1.plusTime.1',
      'and.1.plusTime.2',
    ],
  ] as const) {
    it(`refuses ${name} and says where`, () => {
      assert.equal(readExpression(json).expression, undefined);
      assert.deepEqual(placesOf(json), places);
      assert.throws(
        () => parseExpression(json),
        (error) => isProtocolError(error, 'RULE_MALFORMED') && error.fault.details['at'] === places[0],
      );
    });
  }

  it('takes the deepest expression and refuses one level more', () => {
    assert.deepEqual(placesOf(nested(EXPRESSION_DEPTH_MAX)), []);
    assert.equal(placesOf(nested(EXPRESSION_DEPTH_MAX + 1)).length, 1);
    assert.equal(readExpression(nested(100_000)).faults.length, 1);
    assert.equal(readExpression(nested(4), { depthMax: 3 }).faults.length, 1);
    // An object and the list of its operands are two levels.
    const twofold = { '!': [{ '!': [true] }] };
    assert.equal(readExpression(twofold, { depthMax: 4 }).faults.length, 0);
    assert.equal(readExpression(twofold, { depthMax: 3 }).faults.length, 1);
  });

  it('takes the largest expression and refuses one part more', () => {
    const list = (length: number) => Array<number>(length).fill(1);
    assert.deepEqual(placesOf(list(EXPRESSION_NODES_MAX - 1)), []);
    assert.equal(placesOf(list(EXPRESSION_NODES_MAX)).length, 1);
    assert.equal(placesOf([list(3_000), list(3_000), list(3_000)]).length, 1);
    assert.ok(placesOf(Array(5_000).fill(null)).length <= 20);
  });

  it('ends with an expression or a fault for any JSON, and takes all that are well-formed', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const { expression, faults } = readExpression(json);
        assert.equal(expression === undefined, faults.length > 0);
      }),
    );
    fc.assert(fc.property(expressions, (json) => assert.deepEqual(readExpression(json).faults, [])));
  });
});
