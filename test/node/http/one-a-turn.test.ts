import assert from 'node:assert/strict';
import { OneATurn } from '../../../node/http/one-a-turn.ts';

describe('OneATurn', () => {
  const turn = () => new Promise(setImmediate);

  it('T17: begins the first at once and the others one in each turn, in their order', async () => {
    const begun: number[] = [];
    const work = new OneATurn<number>((piece) => begun.push(piece));
    for (const piece of [1, 2, 3]) work.add(piece);
    assert.deepEqual([begun, work.waiting], [[1], 2]);
    for (const expected of [
      [1, 2],
      [1, 2, 3],
    ]) {
      await turn();
      assert.deepEqual(begun, expected);
    }
    assert.equal(work.waiting, 0);
  });

  it('begins at once again after it has rested, and keeps the order of many', async () => {
    const begun: number[] = [];
    const work = new OneATurn<number>((piece) => begun.push(piece));
    const pieces = Array.from({ length: 3_000 }, (_, i) => i);
    for (const piece of pieces) work.add(piece);
    while (begun.length < pieces.length) await turn();
    assert.deepEqual(begun, pieces);
    await turn();
    work.add(-1);
    assert.equal(begun.at(-1), -1);
  });
});
