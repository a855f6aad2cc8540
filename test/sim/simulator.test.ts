import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FAULT_KINDS, LIES, SCHEMES } from './fault-kinds.ts';
import { CRASH_STEPS, rangeShortfallsOf } from './minimums.ts';
import { runRange } from './range.ts';
import { isGood, resultOf, textOf } from './report.ts';
import { runSeed } from './run.ts';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/** Its time is virtual: beside tests that have deadlines it takes what these leave, and so lasts as long as they do. */
const NICENESS = 5;

describe('simulator', function () {
  this.timeout(1_500_000);

  it('a federation of seven nodes keeps its promises through an hour of faults, and the same seed gives the same hour', async () => {
    const options = { from: 1, to: 100, nodes: 7, hours: 1, twice: 20, ed25519: 0, workers: 2 };
    const range = await runRange(options, (result) => assert.ok(isGood(result), textOf(result)), NICENESS);
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

  it('a hundred seeds have to see every fault, and lies and plans as far as so many regions can have them', () => {
    const counts = (names: object, count: number) =>
      Object.fromEntries(Object.keys(names).map((name) => [name, count]));
    const points = CRASH_STEPS.flatMap((step) => [`before ${step}`, `after ${step}`]);
    const crashPoints = Object.fromEntries(points.map((point) => [point, 1]));
    const faults = { ...counts(FAULT_KINDS, 20), ...counts(LIES, 10) };
    const shortfallsAt = (nodes: number, seen: Readonly<Record<string, number>>) =>
      rangeShortfallsOf({ seeds: 100, nodes, faults: seen, crashPoints });
    assert.deepEqual(shortfallsAt(6, faults), []);
    assert.deepEqual(shortfallsAt(6, { ...faults, flood: 9 }), ['flood: 9 of at least 10']);
    assert.deepEqual(shortfallsAt(6, { ...faults, loss: 19 }), ['loss: 19 of at least 20']);
    assert.equal(shortfallsAt(7, faults).length, Object.keys(LIES).length + Object.keys(SCHEMES).length);
  });

  it('its command line tells of a wrong option, and helps', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    const wrong = run('--seeds', '9..1');
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--seeds takes a range such as 1\.\.200, not 9\.\.1/);
    assert.match(run('--help').stdout, /npm run sim -- --seeds 1\.\.200/);
  });
});
