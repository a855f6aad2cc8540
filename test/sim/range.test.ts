import assert from 'node:assert/strict';
import { runRange } from './range.ts';

describe('runRange', function () {
  this.timeout(60_000);

  it('ends with the first result that its caller refuses: by then no worker runs, and nothing more is told', async () => {
    const options = { from: 1, to: 8, nodes: 4, hours: 0.02, twice: 0, ed25519: 0, workers: 2 };
    const told: number[] = [];
    const refused = new Error('refused');
    const running = runRange(options, ({ report }) => {
      told.push(report.seed);
      throw refused;
    });
    await assert.rejects(running, refused);
    assert.equal(told.length, 1);
  });
});
