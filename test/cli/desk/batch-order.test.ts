import assert from 'node:assert/strict';
import { linesOfOrder, newOrder } from '../../../cli/desk/batch-order.ts';
import { systemRandom } from '../../../node/system-random.ts';

describe('linesOfOrder', () => {
  const people = Array.from({ length: 100 }, (_, i) => ({ subject: `P-${i}` }));
  const modules = { random: systemRandom(), nowS: () => 1_800_000_000 };

  it('F1: gives everybody the same line under the same key, whoever has a code by then', () => {
    const { key, has: none, atS } = newOrder(modules);
    assert.deepEqual([atS, none.size], [1_800_000_000, 0]);
    const lines = linesOfOrder(people, { key, has: none });
    assert.deepEqual(new Set(lines), new Set(people));
    const has = new Set(['P-0', 'P-50', 'P-99']);
    const expected = lines.map((person) => (has.has(person?.subject ?? '') ? undefined : person));
    assert.equal(expected.filter((person) => person === undefined).length, 3);
    assert.deepEqual(linesOfOrder(people, { key, has }), expected);
  });

  it('mixes the lines anew under each key', () => {
    const [first, second] = [newOrder(modules), newOrder(modules)].map((order) =>
      linesOfOrder(people, order),
    );
    assert.notDeepEqual(first, people);
    assert.notDeepEqual(first, second);
  });
});
