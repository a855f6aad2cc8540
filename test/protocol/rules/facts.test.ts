import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nestedFacts, readFacts } from '../../../protocol/rules/facts.ts';
import { RULE_DATA } from '../../support/rule-fixture.ts';

const declared = RULE_DATA.facts;
const entriesOf = (json: unknown) => Object.fromEntries(readFacts(declared, json).facts ?? []);
const faultOf = (json: unknown) => readFacts(declared, json).faults[0];

describe('readFacts', () => {
  it('takes dotted names, objects and both; null is not known', () => {
    const facts = { 'list.level': 'key', 'list.since': '2026-03-01', doses: 2 };
    assert.deepEqual(entriesOf(facts), facts);
    assert.deepEqual(
      entriesOf({ list: { level: 'key' }, 'list.since': '2026-03-01', doses: 2, name: null }),
      facts,
    );
  });

  it('gives conditions the nested form', () => {
    const { facts = new Map() } = readFacts(declared, { list: { level: 'key' }, doses: 0 });
    assert.deepEqual(nestedFacts(facts), { list: { level: 'key' }, doses: 0 });
  });

  for (const [name, good, ...bad] of [
    ['test.positive', true, 'true', 1, []],
    ['doses', 0, -1, 0.5, 2 ** 53, '1'],
    ['name', '谢', '', 'x'.repeat(257), 7],
    ['areas', ['CN-11'], 'CN-11', [1], [''], Array(129).fill('x'), { 0: 'x' }],
    [
      'declaration.day',
      '2024-02-29',
      '2021-02-30',
      '2026-3-1',
      '04/01/2022',
      '2026-03-01T00:00:00Z',
      20_260_301,
    ],
    [
      'test.time',
      '2026-03-01T08:00:00+08:00',
      '2026-03-01T08:00:00',
      '2026-03-01',
      '2026-02-30T08:00:00Z',
      0,
    ],
    ['list.level', 'watch', 'red', 'KEY', ['key'], true],
  ] as const) {
    it(`B69: ${name} takes its type alone, and shows the right form`, () => {
      assert.deepEqual(entriesOf({ [name]: good }), { [name]: good });
      for (const value of bad) {
        const fault = faultOf({ [name]: value });
        assert.ok(fault !== undefined, JSON.stringify(value));
        assert.ok(fault.fact === name || fault.unknown?.startsWith(`${name}.`), JSON.stringify(fault));
      }
    });
  }

  it('refuses facts that the rules do not know, among them what every object has', () => {
    for (const json of [
      { colour: 'red' },
      { list: { name: 'x' } },
      { constructor: 1 },
      { toString: 1 },
      { list: 'x' },
    ]) {
      assert.equal(faultOf(json)?.fact, undefined);
      assert.ok(faultOf(json)?.unknown !== undefined);
    }
    assert.ok(faultOf(JSON.parse('{"__proto__":{"doses":1}}'))?.unknown?.startsWith('__proto__'));
  });

  it('B69: refuses a fact that is there twice', () => {
    assert.equal(faultOf({ list: { level: 'key' }, 'list.level': 'watch' })?.reason, 'is there twice');
  });

  it('refuses what is no object, and no fault quotes a value', () => {
    for (const json of [null, [], 'x', 1]) assert.equal(readFacts(declared, json).facts, undefined);
    assert.ok(!JSON.stringify(readFacts(declared, { doses: 'SECRET', name: 7 }).faults).includes('SECRET'));
  });

  it('ends with facts or faults for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const { facts, faults } = readFacts(declared, json);
        assert.equal(facts === undefined, faults.length > 0);
      }),
    );
  });
});
