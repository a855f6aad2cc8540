import assert from 'node:assert/strict';
import { shuffled } from '../../../node/issuing/shuffle.ts';
import { seededBytes } from '../../support/issuing-fixture.ts';
import { seeded } from '../../support/seeded.ts';

describe('shuffled', () => {
  const random = seededBytes(seeded(7));

  it('gives every number once', () => {
    for (const count of [0, 1, 2, 31, 4_127]) {
      const order = shuffled(count, random);
      assert.equal(order.length, count);
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        Array.from({ length: count }, (_, i) => i),
      );
    }
  });

  it('favours no order: each of the 24 of four numbers comes as often as chance lets it', () => {
    const times = new Map<string, number>();
    const draws = 24_000;
    for (let i = 0; i < draws; i++) {
      const order = shuffled(4, random).join();
      times.set(order, (times.get(order) ?? 0) + 1);
    }
    assert.equal(times.size, 24);
    // Chi-square with 23 degrees of freedom: above 49.7 once in a thousand draws of the seed.
    const chi = [...times.values()].reduce((sum, n) => sum + (n - 1_000) ** 2 / 1_000, 0);
    assert.ok(chi < 49.7, String(chi));
  });
});
