import assert from 'node:assert/strict';
import { temporaryFolders } from '../support/temporary.ts';
import { IN_MINUTES, judge } from './judge.ts';
import { hasProcessFigures } from '../support/process-figures.ts';
import { soak } from './soak.ts';

const SECONDS = 120;

describe('three nodes under load', function () {
  this.timeout(4 * SECONDS * 1_000);
  const folder = temporaryFolders();

  it('hold what they held after two minutes of issuing, revoking, verdicts, slow readers and a peer that comes and goes', async function () {
    if (!hasProcessFigures) {
      console.log('      skipped: this system has no /proc that tells the memory of a process');
      return this.skip();
    }
    const soaked = await soak({ dir: folder(), seconds: SECONDS, restartS: SECONDS / 4 });
    const { figures, faults } = judge(soaked, IN_MINUTES);
    assert.deepEqual(faults, [], JSON.stringify(figures));
    assert.ok(soaked.restarts >= 2 && soaked.slowCuts > 0);
    assert.ok(soaked.issued > SECONDS / 2 && soaked.revoked > SECONDS / 8);
    const { pass = 0, stop = 0 } = soaked.verdicts;
    assert.ok(pass > SECONDS && stop > SECONDS, JSON.stringify(soaked.verdicts));
    assert.ok(soaked.undetermined + soaked.turnedAway < (pass + stop) / 20);
  });
});
