import assert from 'node:assert/strict';
import { cutOffsOf } from '../../../cli/ceremony/cut-offs.ts';
import { type Desk } from '../../../cli/desk/desk.ts';

describe('cutOffsOf', () => {
  /** Of a region whose logs have 12 entries each, and whose trust log may have a false start. */
  const sizes = async (role: 'checkpoint' | 'trust-log', text: string, falseStart?: number) => {
    const rootAt = (_: string, size: number) => Promise.resolve(Uint8Array.of(size));
    const desk = { falseStart, size: () => Promise.resolve(12), rootAt } as unknown as Desk;
    return (await cutOffsOf(desk, role, [text])).map(({ size, root }) => [size, ...root]);
  };

  it('T1: names of the trust log, for a checkpoint key, at most what lies before a `state` statement of nobody', async () => {
    assert.deepEqual(await sizes('checkpoint', 'trust=now'), [[12, 12]]);
    for (const text of ['trust=now', 'trust=8', 'trust=7'])
      assert.deepEqual(await sizes('checkpoint', text, 7), [[6, 6]], text);
    assert.deepEqual(await sizes('checkpoint', 'trust=6', 7), [[6, 6]]);
    assert.deepEqual(await sizes('checkpoint', 'trust=5', 7), [[5, 5]]);
    assert.deepEqual(await sizes('checkpoint', '2026-11=now', 7), [[12, 12]]);
    assert.deepEqual(await sizes('trust-log', 'trust=now', 7), [[12, 12]]);
    await assert.rejects(sizes('checkpoint', 'trust=13', 7), /trust has 12 entries/);
  });
});
