import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { foundRegion } from '../../../node/region/found.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { assertHeld, assertPlacedOnce, assertSound } from '../../support/issued-check.ts';
import {
  type Acknowledged,
  acknowledgedIn,
  ISSUING_CHILD,
  realModules,
} from '../../support/issuing-child.ts';
import { seeded } from '../../support/seeded.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** 3 in the suite, since each takes seconds; TEST_KILLS=200 or more by hand. */
const KILLS = Number(process.env['TEST_KILLS'] ?? 3);
const LIVES_MS_MAX = 250;
/** Killed before it took orders, that is in its recovery: one in so many. */
const EARLY_ONE_IN = 5;

/** Lets a node issue, and kills it `livesMs` after its first code, or early. Returns what it acknowledged. */
async function issueAndDie(
  path: string,
  prefix: string,
  livesMs: number,
  isEarly: boolean,
): Promise<Acknowledged[]> {
  const child = fork(ISSUING_CHILD, [path, prefix], {
    execArgv: process.execArgv,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let printed = '';
  const closed = once(child, 'close');
  const issues = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      printed += text;
      if (printed.includes('\nack ')) resolve();
    });
  });
  if (!isEarly) await Promise.race([issues, closed]);
  await systemClock.wait(isEarly ? 4 * livesMs : livesMs);
  child.kill('SIGKILL');
  const [code, signal] = (await closed) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', `the process ended by itself with ${code}: ${printed.slice(-500)}`);
  return acknowledgedIn(printed);
}

describe('RegionNode on LevelDB F1: kill -9', () => {
  const folder = temporaryFolders();

  it(`${KILLS} nodes killed at random while they issue: every acknowledged code is logged once and held, and the logs are sound`, async function () {
    this.timeout(60_000 + KILLS * 20_000);
    const path = join(folder(), 'DE');
    const modules = await realModules();
    await foundRegion(path, { region: 'DE', network: 'test', name: 'DE', roots: 1, threshold: 1 }, modules);
    const random = seeded(7);
    const acknowledged: Acknowledged[] = [];
    for (let kill = 1; kill <= KILLS; kill++) {
      const isEarly = kill % EARLY_ONE_IN === 0;
      const fresh = await issueAndDie(path, `k${kill}`, random() * LIVES_MS_MAX, isEarly);
      acknowledged.push(...fresh);
      await assertHeld(path, fresh);
      await assertSound(path, false);
    }
    assertPlacedOnce(acknowledged);
    assert.ok(acknowledged.length >= KILLS, `only ${acknowledged.length} codes were acknowledged`);
    await assertHeld(path, acknowledged);
    const entries = await assertSound(path, true);
    if (KILLS > 3) console.log(`      ${acknowledged.length} acknowledged, ${entries} entries, 0 lost`);
  });
});
