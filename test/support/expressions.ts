/** Random CertLogic expressions and data for them, as JSON. */
import fc from 'fast-check';

const names = fc.constantFrom(
  'a',
  'b',
  'c',
  '0',
  '1',
  'current',
  'accumulator',
  '__proto__',
  'constructor',
  'length',
);
const dates = fc.constantFrom(
  '2020-02-29',
  '2021-01-31',
  '2021-06-01T00:00:00+02:00',
  '2021-06-01T23:59:59Z',
  '1999',
  '2000-02',
  'never',
);

export const ruleData: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, false, 0, 1, -3, '', 'x'),
    dates,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }),
  ),
})).value;

export const expressions: fc.Arbitrary<unknown> = fc.letrec((tie) => {
  const expression = tie('expression');
  const times = fc.tuple(
    expression,
    fc.integer({ min: -500, max: 500 }),
    fc.constantFrom('year', 'month', 'day', 'hour'),
  );
  const path = fc.array(names, { maxLength: 3 }).map((list) => list.join('.'));
  const several = fc.array(expression, { minLength: 2, maxLength: 3 });
  const operation = (op: string, operands: fc.Arbitrary<unknown>) => operands.map((list) => ({ [op]: list }));
  return {
    expression: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.constantFrom(true, false, 0, 1, 7, '', 'x'), dates),
      operation('var', path),
      operation('plusTime', times),
      fc.array(expression, { maxLength: 3 }),
      fc.constantFrom('===', 'in', '+').chain((op) => operation(op, fc.tuple(expression, expression))),
      fc
        .constantFrom('and', '<', '>', '<=', '>=', 'after', 'before', 'not-after', 'not-before')
        .chain((op) => operation(op, several)),
      fc
        .constantFrom('if', 'reduce')
        .chain((op) => operation(op, fc.tuple(expression, expression, expression))),
      fc.constantFrom('!', 'dccDateOfBirth').chain((op) => operation(op, fc.tuple(expression))),
      operation('extractFromUVCI', fc.tuple(expression, fc.integer({ min: -1, max: 4 }))),
    ),
  };
}).expression;
