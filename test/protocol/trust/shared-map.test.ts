import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SharedMap } from '../../../protocol/trust/shared-map.ts';

describe('SharedMap', () => {
  it('writes to a map or a fork of it never show in another', () => {
    const step = fc.record({
      is: fc.constantFrom('set', 'delete', 'fork'),
      map: fc.nat(9),
      key: fc.nat(4),
      value: fc.nat(99),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (sequence) => {
        const maps = [{ shared: new SharedMap<number, number>(), model: new Map<number, number>() }];
        for (const { is, map, key, value } of sequence) {
          const { shared, model } = maps[map % maps.length] as (typeof maps)[number];
          if (is === 'fork') maps.push({ shared: shared.fork(), model: new Map(model) });
          else if (is === 'set') {
            shared.set(key, value);
            model.set(key, value);
          } else {
            shared.delete(key);
            model.delete(key);
          }
          for (const each of maps) {
            assert.deepEqual([...each.shared], [...each.model]);
            assert.deepEqual([...each.shared.values()], [...each.model.values()]);
            assert.equal(each.shared.size, each.model.size);
            assert.equal(each.shared.has(key), each.model.has(key));
            assert.equal(each.shared.get(key), each.model.get(key));
          }
        }
      }),
    );
  });
});
