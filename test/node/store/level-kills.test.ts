import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { seeded } from '../../support/seeded.ts';
import { CHILD_OWNER, contentOf, STORE_CHILD } from '../../support/store-child.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** 20 in the suite; TEST_KILLS=200 or more by hand. */
const KILLS = Number(process.env['TEST_KILLS'] ?? 20);
const LIVES_MS_MAX = 60;

/** Lets a process write into `directory` from key number `first` on, and kills it. Returns the keys it acknowledged. */
async function writeAndDie(directory: string, first: number, livesMs: number): Promise<string[]> {
  const child = fork(STORE_CHILD, ['write', directory, String(first)], {
    execArgv: process.execArgv,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let printed = '';
  child.stdout?.setEncoding('latin1').on('data', (text: string) => (printed += text));
  const closed = once(child, 'close');
  await Promise.race([once(child, 'message'), closed]);
  await systemClock.wait(livesMs);
  child.kill('SIGKILL');
  const [code, signal] = (await closed) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', `the process ended by itself with ${code}`);
  return printed
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('ack '))
    .map((line) => line.slice(4));
}

describe('Store on LevelDB F1: kill -9', () => {
  const folder = temporaryFolders();

  it(`${KILLS} processes killed at random while they write: nothing acknowledged is lost`, async function () {
    this.timeout(30_000 + KILLS * 5_000);
    const directory = folder();
    const random = seeded(1);
    const acknowledged = new Set<string>();
    let unheard = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      for (const key of await writeAndDie(directory, kill * 100_000, random() * LIVES_MS_MAX))
        acknowledged.add(key);
      const store = storeInDirectory(
        { directory, owner: CHILD_OWNER, reserveBytes: 0 },
        { clock: systemClock },
      );
      await store.start();
      const found = new Set<string>();
      for await (const [key, value] of store.entries('w', 'x')) {
        assert.deepEqual(Buffer.from(value), Buffer.from(contentOf(key)), key);
        found.add(key);
      }
      assert.deepEqual(
        [...acknowledged].filter((key) => !found.has(key)),
        [],
        `lost after kill ${kill}`,
      );
      unheard = found.size - acknowledged.size;
      await store.stop();
    }
    assert.ok(acknowledged.size > KILLS * 8, `only ${acknowledged.size} writes were acknowledged`);
    if (KILLS > 20) console.log(`      ${acknowledged.size} acknowledged, ${unheard} more found, 0 lost`);
  });
});
