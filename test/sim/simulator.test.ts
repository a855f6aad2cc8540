import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runRange } from './range.ts';
import { isGood, resultOf, textOf } from './report.ts';
import { runSeed } from './run.ts';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

describe('simulator', function () {
  this.timeout(900_000);

  it('a federation of seven nodes keeps its promises through an hour of faults, and the same seed gives the same hour', async () => {
    const options = { from: 1, to: 100, nodes: 7, hours: 1, twice: 20, ed25519: 0, workers: 2 };
    const range = await runRange(options, (result) => assert.ok(isGood(result), textOf(result)));
    assert.deepEqual([range.seeds, range.twice, range.failed], [100, 5, []]);
    assert.deepEqual(range.shortfalls, []);
  });

  it('with real signatures the nodes do the same as with those of the registry', async () => {
    // A seed without liars: what those invent depends on the bytes of others.
    const options = { seed: 6, nodes: 4, hours: 0.25 };
    const real = await runSeed({ ...options, realSignatures: true });
    const fake = await runSeed(options);
    assert.ok(isGood(resultOf(real)), textOf(resultOf(real)));
    assert.equal(real.steps, fake.steps);
    assert.deepEqual(real.history, fake.history);
    assert.notEqual(real.trace, fake.trace);
  });

  it('its command line tells of a wrong option, and helps', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    const wrong = run('--seeds', '9..1');
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--seeds takes a range such as 1\.\.200, not 9\.\.1/);
    assert.match(run('--help').stdout, /npm run sim -- --seeds 1\.\.200/);
  });
});
