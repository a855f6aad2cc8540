import assert from 'node:assert/strict';
import { runModel } from '../../support/writer-model.ts';

const SEEDS = Array.from({ length: 18 }, (_, i) => i + 1);
const STEPS = 1_200;

describe('Writership while the witnesses change', () => {
  it('T4, T9: machines that die, sleep and are promoted never sign two trees that part, whatever messages are late or lost', async () => {
    let [signed, changes, reigns] = [0, 0, 0];
    for (const seed of SEEDS) {
      const report = await runModel({ seed, steps: STEPS, isForesighted: true });
      assert.deepEqual(report.forks, [], `seed ${seed}`);
      signed += report.signed;
      changes += report.changes;
      reigns += report.reigns;
    }
    assert.ok(signed > 300 && changes > 50 && reigns > 100, `${signed} ${changes} ${reigns}`);
  });

  it('the model finds the fork of a writer that asks those alone whom the signed log names', async () => {
    const reports = [];
    for (const seed of SEEDS) reports.push(await runModel({ seed, steps: STEPS, isForesighted: false }));
    assert.ok(reports.some(({ forks }) => forks.length > 0));
  });
});
