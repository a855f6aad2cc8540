import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from '../../../node/region/lock.ts';
import { NodeError } from '../../../node/node-error.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('takeLock', () => {
  const folder = temporaryFolders();

  it('refuses a second holder until the first gives it back, which may be done twice', async () => {
    const path = join(folder(), 'lock');
    const release = await takeLock(path);
    await assert.rejects(takeLock(path), (error) => {
      assert.ok(error instanceof NodeError && error.code === 'DIRECTORY_LOCKED' && error.retry);
      assert.match(error.message, new RegExp(`process ${process.pid} `));
      return true;
    });
    await release();
    const again = await takeLock(path);
    await release();
    assert.ok(existsSync(path), 'the first holder must not take the lock of the second');
    await again();
    assert.ok(!existsSync(path));
  });

  it('B72: takes over the lock of a process that is gone, and one that was never written', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    for (const content of [`${gone}\n`, '', 'x']) {
      const path = join(folder(), 'lock');
      writeFileSync(path, content);
      await (
        await takeLock(path)
      )();
    }
  });
});
