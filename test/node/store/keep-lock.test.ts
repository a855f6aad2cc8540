import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { withKeepLock } from '../../../node/store/keep-lock.ts';
import { rejectsWith } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('withKeepLock', () => {
  const folder = temporaryFolders();
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = folder();
    path = join(dir, 'gate.json');
  });
  /** Adds one in a way that loses what others add meanwhile. */
  const addOne = () =>
    withKeepLock(path, async () => {
      const count = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
      await setImmediate();
      writeFileSync(path, `${count + 1}`);
    });

  it('lets one work at a time, and leaves nothing beside the file', async () => {
    await Promise.all(Array.from({ length: 20 }, addOne));
    assert.equal(readFileSync(path, 'utf8'), '20');
    assert.deepEqual(readdirSync(dir), ['gate.json']);
  });

  it('lets the next one work when work fails', async () => {
    await assert.rejects(
      withKeepLock(path, () => Promise.reject(new RangeError('on purpose'))),
      RangeError,
    );
    await addOne();
    assert.equal(readFileSync(path, 'utf8'), '1');
  });

  it('says what the disk says where no file can be made', async () => {
    const work = () => Promise.reject(new RangeError('never called'));
    await rejectsWith(withKeepLock('/dev/null/x/gate.json', work), 'DISK_IO', /\/dev\/null/);
  });

  it('F1: breaks the lock of a process that is gone, once for all who wait', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(`${path}.lock`, `${pid}`);
    await Promise.all(Array.from({ length: 5 }, addOne));
    assert.equal(readFileSync(path, 'utf8'), '5');
    assert.deepEqual(readdirSync(dir), ['gate.json']);
  });

  it('F1: breaks a lock that was never signed', async () => {
    writeFileSync(`${path}.lock`, '');
    utimesSync(`${path}.lock`, 1, 1);
    await addOne();
    assert.equal(readFileSync(path, 'utf8'), '1');
  });

  it('makes the folder of the file', async () => {
    path = join(dir, 'below', 'gate.json');
    await addOne();
    assert.ok(existsSync(path));
  });
});
