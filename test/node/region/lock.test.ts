import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from '../../../node/region/lock.ts';
import { NodeError } from '../../../node/node-error.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('takeLock', () => {
  const folder = temporaryFolders();

  function isLocked(error: unknown): boolean {
    return error instanceof NodeError && error.code === 'DIRECTORY_LOCKED' && error.retry;
  }

  it('refuses a second holder until the first gives it back, which may be done twice', async () => {
    const dir = folder();
    const path = join(dir, 'lock');
    const release = await takeLock(path);
    await assert.rejects(takeLock(path), (error) => {
      assert.ok(isLocked(error) && error instanceof Error);
      assert.match(error.message, new RegExp(`process ${process.pid} `));
      return true;
    });
    await release();
    const again = await takeLock(path);
    await release();
    await assert.rejects(takeLock(path), isLocked, 'the first holder must not take the lock of the second');
    await again();
    assert.deepEqual(readdirSync(dir), []);
  });

  it('B72: takes over the lock of a process that is gone, and of no other', async () => {
    const dir = folder();
    const path = join(dir, 'lock');
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(`${path}.${gone}.0123456789ab`, '');
    writeFileSync(`${path}smith`, '');
    const release = await takeLock(path);
    await release();
    assert.deepEqual(readdirSync(dir), ['locksmith']);
    const living = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
    try {
      writeFileSync(`${path}.${living.pid}.0123456789ab`, '');
      await assert.rejects(takeLock(path), isLocked);
      assert.deepEqual(readdirSync(dir), [`lock.${living.pid}.0123456789ab`, 'locksmith']);
    } finally {
      living.kill('SIGKILL');
      await once(living, 'exit');
    }
    await (
      await takeLock(path)
    )();
  });

  it('B72: of many who find the lock of a process that is gone, never two hold it at once', async () => {
    const dir = folder();
    const path = join(dir, 'lock');
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    let holders = 0;
    let held = 0;
    for (let round = 0; round < 20; round++) {
      writeFileSync(`${path}.${gone}.0123456789ab`, '');
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          try {
            const release = await takeLock(path);
            held++;
            assert.equal(++holders, 1);
            await new Promise(setImmediate);
            holders--;
            await release();
          } catch (error) {
            if (!isLocked(error)) throw error;
          }
        }),
      );
    }
    assert.ok(held > 0);
    assert.deepEqual(readdirSync(dir), []);
  });
});
