import assert from 'node:assert/strict';
import { runStolenKey, type StolenKeyOptions } from '../../support/stolen-key-model.ts';

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);
const STEPS = 700;

/** Whether any history forks; the others are not run then. */
async function findsFork(options: Omit<StolenKeyOptions, 'seed' | 'steps'>): Promise<boolean> {
  for (const seed of SEEDS)
    if ((await runStolenKey({ seed, steps: STEPS, ...options })).forks.length > 0) return true;
  return false;
}

describe('Writership where a checkpoint key is stolen', () => {
  it('T3, T11: whatever a thief claims and has permitted, the region writes on once its root gives the key up, and no two trees part that keys signed which it keeps', async () => {
    let [signed, robberies, revived] = [0, 0, 0];
    for (const seed of SEEDS) {
      const report = await runStolenKey({ seed, steps: STEPS });
      assert.deepEqual(report.forks, [], `seed ${seed}`);
      signed += report.signed;
      robberies += report.robberies;
      if (report.signedAfter > 0) revived++;
    }
    assert.ok(signed > 200 && robberies > 300, `${signed} ${robberies}`);
    assert.ok(revived > SEEDS.length / 2, `the region wrote on in ${revived} of ${SEEDS.length} histories`);
  });

  it('the model finds the fork of a writer that signs by another key than had the tree permitted', async () => {
    assert.ok(await findsFork({ isByPermit: false }));
  });

  it('the model finds the fork where what a thief has permitted takes the place of what another key had', async () => {
    assert.ok(await findsFork({ isByKey: false }));
  });
});
