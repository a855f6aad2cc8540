import assert from 'node:assert/strict';
import { Places } from '../../node/places.ts';

describe('Places', () => {
  const full = () => new Error('full');

  it('does so much at a time, the rest in the order of the calls, and refuses what is too much', async () => {
    const places = new Places({ atOnceMax: 2, waitingMax: 3 });
    const ends: (() => void)[] = [];
    const begun: number[] = [];
    const work = (n: number) =>
      places.take(() => {
        begun.push(n);
        return new Promise<number>((resolve, reject) => {
          ends[n] = n === 1 ? () => reject(new Error('failed')) : () => resolve(n);
        });
      }, full);
    const all = [0, 1, 2, 3, 4].map(work);
    await assert.rejects(work(5), /full/);
    assert.deepEqual([begun, places.waiting], [[0, 1], 3]);
    ends[1]?.();
    await assert.rejects(all[1] ?? assert.fail(), /failed/);
    assert.deepEqual([begun, places.waiting], [[0, 1, 2], 2]);
    places.turnAway(new Error('away'));
    for (const one of all.slice(3)) await assert.rejects(one, /away/);
    ends[0]?.();
    ends[2]?.();
    assert.deepEqual([await all[0], await all[2]], [0, 2]);
    const again = [6, 7, 8].map(work);
    assert.deepEqual(begun, [0, 1, 2, 6, 7], 'all places are free again, and no more');
    for (const n of [6, 7]) ends[n]?.();
    await Promise.all(again.slice(0, 2));
    ends[8]?.();
    assert.equal(await again[2], 8);
  });
});
