import assert from 'node:assert/strict';
import { factsOfCode } from '../../../protocol/foreign/facts-of-code.ts';
import { type ForeignCode, type Json } from '../../../protocol/foreign/foreign-code.ts';
import { readForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { Steps } from '../../../protocol/rules/evaluate.ts';
import { parseExpression } from '../../../protocol/rules/expression.ts';
import { type FactType } from '../../../protocol/rules/rule-set-schema.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { adapterOf, certificate } from '../../support/announced-fixture.ts';
import { readAdapter } from '../../../protocol/foreign/adapter.ts';

const ADAPTER = readAdapter(adapterOf());
const CODE = await readForeign(nativeForeignPrimitives, certificate());

function factsOf(expression: unknown, type: FactType, content: ForeignCode['content'], steps = 20_000) {
  const adapter = { ...ADAPTER, facts: new Map([['a', parseExpression(expression)]]) };
  return factsOfCode(adapter, { a: type }, { ...CODE, content }, new Steps(steps)).get('a');
}

describe('factsOfCode', () => {
  for (const [name, type, value, expected] of [
    ['a flag', 'flag', true, true],
    ['a count', 'count', 2, 2],
    ['a text', 'text', 'x', 'x'],
    ['a number as text', 'text', 2, '2'],
    ['a number as a choice', ['1', '2'], 2, '2'],
    ['texts', 'texts', ['x', 'y'], ['x', 'y']],
    ['a day with a time of day', 'day', '2026-11-20T23:30:00-05:00', '2026-11-20'],
    ['a day in seconds', 'day', 1_795_436_400, '2026-11-23'],
    ['a time in its zone', 'time', '2026-11-20T23:30:00-05:00', '2026-11-21T04:30:00Z'],
  ] as const) {
    it(`reads ${name}`, () =>
      assert.deepEqual(factsOf({ var: 'code.it' }, type as FactType, { it: value }), expected));
  }

  for (const [name, type, value] of [
    ['a number below 0', 'count', -1],
    ['an empty text', 'text', ''],
    ['a text of 257 characters', 'text', 'x'.repeat(257)],
    ['129 texts', 'texts', new Array(129).fill('x')],
    ['a choice that is none', ['1', '2'], 3],
    ['a day without one', 'day', '2026-02-30'],
    ['a time without a day', 'time', '23:30:00Z'],
    ['what is not there', 'text', null],
  ] as const) {
    it(`does not know ${name}`, () =>
      assert.equal(factsOf({ var: 'code.it' }, type as FactType, { it: value as Json }), undefined));
  }

  it('an object is no fact, and none of its members is looked at', () => {
    const ownKeys = () => assert.fail('looked at');
    const it = new Proxy({ a: 1 }, { ownKeys, get: ownKeys, getOwnPropertyDescriptor: ownKeys });
    for (const type of ['flag', 'count', 'text', 'texts', 'day', 'time', ['a']] as const)
      assert.equal(factsOf({ var: 'code.it' }, type as FactType, { it }), undefined);
  });

  it('does not know what takes more steps than are left', () => {
    assert.equal(factsOf({ var: 'code.it' }, 'count', { it: 1 }, 3), 1);
    assert.equal(factsOf({ var: 'code.it' }, 'count', { it: 1 }, 2), undefined);
  });
});
