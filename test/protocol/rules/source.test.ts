import assert from 'node:assert/strict';
import { readRuleSet } from '../../../protocol/rules/rule-set.ts';
import { baseOf, bodyOf, overlaid, type ZoneOffsets } from '../../../protocol/rules/source.ts';
import { RULE_DATA, secondsOf } from '../../support/rule-fixture.ts';

const zones: ZoneOffsets = (zone) => (zone === '+08:00' ? [{ fromS: 0, offsetS: 8 * 3_600 }] : undefined);
const members = Object.fromEntries(
  Object.entries(RULE_DATA).filter(([name]) => name !== 'format' && name !== 'offsets'),
);
const source = {
  ...members,
  id: 'test',
  version: 1,
  from: '2026-01-01',
  until: '2026-02-01',
  zone: '+08:00',
};
const placesOf = (json: unknown) => bodyOf(json, zones).faults.map(({ path }) => path.join('.'));

describe('bodyOf', () => {
  it('turns days into the seconds at which they begin in the zone', () => {
    const { body } = bodyOf(source, zones);
    const { ruleSet, faults } = readRuleSet(body ?? assert.fail());
    assert.deepEqual(faults, []);
    assert.deepEqual(
      [ruleSet?.fromS, ruleSet?.untilS],
      [secondsOf('2025-12-31T16:00:00Z'), secondsOf('2026-01-31T16:00:00Z')],
    );
    assert.deepEqual(ruleSet?.data.offsets, [[0, 28_800]]);
  });

  it('fills in lists and maps that are left out', () => {
    const { id, version, from, until, zone } = source;
    const least = { id, version, title: 'Least', from, until, zone, facts: {}, green: { days: 7 } };
    const { body } = bodyOf(least, zones);
    assert.deepEqual(readRuleSet(body ?? assert.fail()).faults, []);
  });

  it('says what is missing or none', () => {
    assert.deepEqual(placesOf({ ...source, from: '2026-02-30' }), ['from']);
    assert.deepEqual(placesOf({ ...source, from: undefined, until: 1 }), ['from', 'until']);
    assert.deepEqual(placesOf({ ...source, zone: 'Mars/Olympus' }), ['zone']);
    assert.deepEqual(placesOf({ ...source, zone: 8 }), ['zone']);
    for (const json of [null, [], 'x', 1]) assert.deepEqual(placesOf(json), ['']);
  });
});

describe('overlaid', () => {
  const base = {
    title: 'Base',
    green: { days: 7 },
    facts: { a: 'flag', b: 'flag' },
    issuing: [
      { id: 'one', days: 1 },
      { id: 'two', days: 2 },
    ],
    examples: [{ name: 'of the base' }],
  };
  const over = (overlay: object) => overlaid(base, { base: { id: 'x', version: 1 }, ...overlay });

  it('replaces by id in place, adds after, merges maps and keeps the rest, but for examples', () => {
    const { source, faults } = over({
      id: 'y',
      facts: { b: 'count', c: 'day' },
      issuing: [{ id: 'three' }, { id: 'one', days: 9 }],
    });
    assert.deepEqual(faults, []);
    assert.deepEqual(source['issuing'], [{ id: 'one', days: 9 }, { id: 'two', days: 2 }, { id: 'three' }]);
    assert.deepEqual(source['facts'], { a: 'flag', b: 'count', c: 'day' });
    assert.deepEqual([source['title'], source['id'], source['examples']], ['Base', 'y', []]);
    assert.ok(!('base' in source) && !('drop' in source));
  });

  it('drops what it names, and says what the base does not have', () => {
    const { source, faults } = over({
      drop: { issuing: ['one', 'four'], facts: ['a', 'd'], nothing: ['x'] },
    });
    assert.deepEqual(source['issuing'], [{ id: 'two', days: 2 }]);
    assert.deepEqual(source['facts'], { b: 'flag' });
    assert.deepEqual(
      faults.map(({ path }) => path.join('.')),
      ['drop.issuing.1', 'drop.facts.1', 'drop.nothing.0'],
    );
  });

  it('leaves what is no list for the check to find', () => {
    assert.equal(over({ issuing: 'none' }).source['issuing'], 'none');
    assert.deepEqual(overlaid(base, null).source['title'], 'Base');
  });

  it('baseOf knows what an overlay is written over', () => {
    assert.deepEqual(baseOf({ base: { id: 'x', version: 1 } }), { id: 'x', version: 1 });
    for (const json of [null, {}, { base: 'x' }, { base: { id: 'x' } }, { base: { id: 1, version: 1 } }]) {
      assert.equal(baseOf(json), undefined);
    }
  });
});
