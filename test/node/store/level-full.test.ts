import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isNodeError } from '../../../node/node-error.ts';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { type Store } from '../../../node/store/store.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { seeded } from '../../support/seeded.ts';
import { smallDisk } from '../../support/small-disk.ts';
import { CHILD_OWNER, contentOf } from '../../support/store-child.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

/** 3 in the suite; TEST_FULL_DISKS=50 by hand. */
const TRIALS = Number(process.env['TEST_FULL_DISKS'] ?? 3);
const DISK_BYTES = 64 << 20;
const RESERVE_BYTES = 12 << 20;
/** Of the disk, left to the store before it is full. */
const FREE_BYTES_MAX = 8 << 20;
const DEADLINE_MS = 20_000;

const keyOf = (number: number): string => `w/${String(number).padStart(8, '0')}`;

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `not so after ${DEADLINE_MS} ms`);
    await systemClock.wait(5);
  }
}

describe('Store on LevelDB F3: full disk', () => {
  const disk = smallDisk(DISK_BYTES);

  /** Writes until `enough`, repeating what was refused. Adds what was acknowledged, returns the codes of refusals. */
  async function write(
    store: Store,
    from: number,
    acknowledged: Set<string>,
    enough: (number: number) => boolean,
  ): Promise<Set<string>> {
    const refused = new Set<string>();
    for (let number = from; !enough(number); number++) {
      const key = keyOf(number);
      try {
        await store.write([
          { put: key, value: contentOf(key) },
          { put: `${key}/more`, value: new Uint8Array(20_000) },
        ]);
        acknowledged.add(key);
      } catch (error) {
        if (!isNodeError(error) || !error.retry) throw error;
        refused.add(error.code);
        await systemClock.wait(1);
      }
    }
    return refused;
  }

  async function missing(store: Store, acknowledged: Set<string>): Promise<string[]> {
    const lost: string[] = [];
    for (const key of acknowledged) {
      const value = await store.get(key);
      if (value === undefined || !Buffer.from(value).equals(Buffer.from(contentOf(key)))) lost.push(key);
    }
    return lost;
  }

  for (const [reserveBytes, state] of [
    [RESERVE_BYTES, 'full'],
    [0, 'down'],
  ] as const) {
    it(`${TRIALS} disks filled up with a reserve of ${reserveBytes}: ${state} until there is space, then on by itself, nothing acknowledged is lost`, async function () {
      this.timeout(60_000 + TRIALS * 20_000);
      const random = seeded(reserveBytes);
      for (let trial = 0; trial < TRIALS; trial++) {
        const directory = join(disk().path, `trial${trial}`);
        const options = { directory, owner: CHILD_OWNER, reserveBytes, retryMs: 20, openDelaysMs: [0, 5] };
        const store = storeInDirectory(options, { clock: systemClock });
        await store.start();
        const acknowledged = new Set<string>();
        const first = Math.floor(random() * 200);
        await write(store, 0, acknowledged, (number) => number >= first);
        disk().fillUpTo(Math.floor(random() * FREE_BYTES_MAX));

        const stopped = (): boolean => ['full', 'down'].includes(store.condition.state);
        const refused = await write(store, 1_000, acknowledged, stopped);
        assert.ok(refused.has('STORE_WRITE_UNKNOWN'), [...refused].join());
        if (state === 'full') {
          assert.equal(store.condition.state, 'full', store.condition.reason?.message);
          assert.deepEqual(await missing(store, acknowledged), []);
          await rejectsWith(store.write([{ put: 'x', value: new Uint8Array(1) }]), 'STORE_FULL');
        }
        const before = acknowledged.size;

        disk().makeSpace();
        await until(() => store.condition.state === 'serving');
        await write(store, 10_000, acknowledged, (number) => number === 10_020);
        assert.ok(acknowledged.size >= before + 20);
        assert.deepEqual(await missing(store, acknowledged), []);
        await store.stop();

        const again = storeInDirectory(options, { clock: systemClock });
        await again.start();
        assert.deepEqual(await missing(again, acknowledged), []);
        await again.stop();
        rmSync(directory, { recursive: true });
      }
    });
  }

  it('B72 a file system mounted read-only is DISK_UNWRITABLE, and whole again when it is not', async () => {
    const { path } = disk();
    const directory = join(path, 'read-only');
    const level = new LevelDisk({ directory, reserveBytes: 0 });
    await level.open();
    await level.write([{ put: 'a', value: new Uint8Array(1) }]);
    await level.close();
    execFileSync('mount', ['-o', 'remount,ro', path]);
    try {
      await rejectsWith(level.open(), 'DISK_UNWRITABLE');
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', path]);
    }
    await level.open();
    assert.ok((await level.getMany(['a']))[0]);
    await level.close();
  });
});
