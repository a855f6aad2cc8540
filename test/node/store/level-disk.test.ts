import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { PAGE_READING_CHILD, ROUND_BYTES, ROUNDS } from '../../support/page-reading-child.ts';
import { STORE_CHILD } from '../../support/store-child.ts';
import { rejectsWith } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const value = Uint8Array.of(1, 2, 3);

describe('LevelDisk', () => {
  const folder = temporaryFolders();
  const diskIn = (directory: string): LevelDisk => new LevelDisk({ directory, reserveBytes: 0 });

  it('creates a directory that only its owner may enter', async () => {
    const directory = join(folder(), 'data', 'store');
    const disk = diskIn(directory);
    await disk.open();
    await disk.close();
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(directory), ['level']);
  });

  it('a creation that a crash broke off is begun anew', async () => {
    const directory = folder();
    mkdirSync(join(directory, 'level.new'));
    writeFileSync(join(directory, 'level.new', 'MANIFEST-000001'), 'torn');
    const disk = diskIn(directory);
    await disk.open();
    await disk.write([{ put: 'a', value }]);
    await disk.close();
    assert.deepEqual(readdirSync(directory), ['level']);
  });

  it('never founds a new database in a directory that lost CURRENT, its manifest or a log', async () => {
    for (const lost of [/^CURRENT$/, /^MANIFEST/, /\.log$/]) {
      const directory = folder();
      const disk = diskIn(directory);
      await disk.open();
      await disk.write([{ put: 'a', value }]);
      await disk.close();
      for (const name of readdirSync(join(directory, 'level'))) {
        if (lost.test(name)) rmSync(join(directory, 'level', name));
      }
      await rejectsWith(disk.open(), 'STORE_CORRUPT', /CURRENT|MANIFEST|log/);
      await rejectsWith(disk.open(), 'STORE_CORRUPT');
    }
  });

  it('T13, F10: range keeps nothing of the pages that it has handed out', async function () {
    this.timeout(60_000);
    const child = fork(PAGE_READING_CHILD, [folder()], { execArgv: [] });
    const [grownBytes] = (await once(child, 'message')) as [number];
    const readBytes = ROUNDS * ROUND_BYTES;
    assert.ok(grownBytes < readBytes / 4, `grown by ${grownBytes} of ${readBytes} bytes`);
    if (child.exitCode === null) await once(child, 'exit');
  });

  it('B72 a live process locks it, a dead one does not, and a locked directory is not taken for a damaged one', async () => {
    const directory = folder();
    const child = fork(STORE_CHILD, ['hold', directory], { execArgv: process.execArgv });
    await once(child, 'message');
    const disk = diskIn(directory);
    await rejectsWith(disk.open(), 'STORE_LOCKED');
    // Seen from here the files of a running process may not fit each other.
    const level = join(directory, 'level');
    for (const name of readdirSync(level)) if (name.startsWith('MANIFEST')) rmSync(join(level, name));
    await rejectsWith(disk.open(), 'STORE_LOCKED');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await rejectsWith(disk.open(), 'STORE_CORRUPT');

    const other = folder();
    const dying = fork(STORE_CHILD, ['hold', other], { execArgv: process.execArgv });
    await once(dying, 'message');
    dying.kill('SIGKILL');
    await once(dying, 'exit');
    const next = diskIn(other);
    await next.open();
    await next.close();
  });

  it('B72 a directory that cannot be written says so', async function () {
    if (process.getuid?.() === 0) this.skip(); // nothing is unwritable for root
    const directory = folder();
    mkdirSync(join(directory, 'level'), { mode: 0o500 });
    await rejectsWith(diskIn(join(directory, 'level', 'x')).open(), 'DISK_UNWRITABLE');
  });

  it('a reserve is there in full or not at all', async () => {
    const directory = folder();
    const disk = new LevelDisk({ directory, reserveBytes: 2_500_000 });
    await disk.open();
    await disk.fillReserve();
    assert.equal(statSync(join(directory, 'reserve')).size, 2_500_000);
    writeFileSync(join(directory, 'reserve'), 'torn');
    await disk.fillReserve();
    assert.equal(statSync(join(directory, 'reserve')).size, 2_500_000);
    await disk.freeReserve();
    assert.deepEqual(readdirSync(directory), ['level']);
    await disk.close();
  });
});
