import assert from 'node:assert/strict';
import { askedLists, isLacking } from '../../../node/lists/asked-lists.ts';
import { type ListKind } from '../../../node/lists/kinds.ts';
import { ruleSetWith } from '../../support/rule-fixture.ts';

describe('askedLists', () => {
  const rules = ruleSetWith({
    facts: {
      'declaration.day': 'day',
      'control.level': ['key', 'watch'],
      'travel.high': 'day',
      'list.level': ['key', 'watch'],
      'list.since': 'day',
      'test.positive': 'flag',
      'test.time': 'time',
    },
  });
  const inForce = new Map<ListKind, { asOfS: number }>([
    ['control', { asOfS: 3_600 }],
    ['contacts', { asOfS: 0 }],
    ['travel', { asOfS: 3_599 }],
  ]);

  it('gives the lists of which the rules know facts, areas with stays, and which are missing or old', () => {
    const asked = askedLists(rules, inForce, { nowS: 7_200, oldHours: 1 });
    assert.deepEqual(
      asked.map((one) => [one.list, one.facts.join(), one.asOfS, one.isOld, isLacking(one)]),
      [
        ['control', 'control.level', 3_600, false, false],
        ['tests', 'test.positive', undefined, false, true],
        ['travel', 'travel.high', 3_599, true, true],
        ['areas', 'travel.high', undefined, false, true],
      ],
    );
  });

  it('holds none to be old where the region says so', () => {
    const asked = askedLists(rules, inForce, { nowS: 1e9, oldHours: 0 });
    assert.ok(asked.every(({ isOld }) => !isOld));
  });
});
