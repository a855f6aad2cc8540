import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RecentMap } from '../../protocol/recent-map.ts';

describe('RecentMap', () => {
  it('keeps exactly `limit` entries and forgets the one unused for longest', () => {
    const map = new RecentMap<{ n: number }>(2);
    map.set('a', { n: 1 });
    map.set('b', { n: 2 });
    map.get('a');
    map.set('c', { n: 3 });
    assert.deepEqual([map.get('a')?.n, map.get('b'), map.get('c')?.n, map.size], [1, undefined, 3, 2]);
  });

  it('counts setting again as a use and not as another entry', () => {
    const map = new RecentMap<{ n: number }>(2);
    map.set('a', { n: 1 });
    map.set('b', { n: 2 });
    map.set('a', { n: 3 });
    map.set('c', { n: 4 });
    assert.deepEqual([map.get('a')?.n, map.get('b'), map.get('c')?.n], [3, undefined, 4]);
  });

  it('forgets what is deleted, and deletes what is absent without effect', () => {
    const map = new RecentMap<object>(2);
    map.set('a', {});
    map.delete('a');
    map.delete('a');
    assert.deepEqual([map.get('a'), map.size], [undefined, 0]);
  });

  it('never holds more than `limit` entries, whatever is done to it', () => {
    const action = fc.tuple(fc.constantFrom('get', 'set', 'delete'), fc.string({ maxLength: 1 }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(action), (limit, actions) => {
        const map = new RecentMap<{ key: string }>(limit);
        for (const [verb, key] of actions) {
          if (verb === 'set') map.set(key, { key });
          else if (verb === 'delete') map.delete(key);
          else assert.equal(map.get(key)?.key ?? key, key);
          assert.ok(map.size <= limit);
        }
      }),
    );
  });
});
