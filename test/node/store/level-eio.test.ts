import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { CHILD_OWNER, contentOf, STORE_CHILD } from '../../support/store-child.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** Syncs that fail, counted in the one thread that syncs: one, every seventh, or all from some point on. */
const FAILING_SYNCS = ['20', '50+7', '35+'];

/** The process has gone on well after a failure, or has said often enough that it cannot. */
function hasShownEnough(lines: readonly string[]): boolean {
  const failed = lines.indexOf('refused STORE_WRITE_UNKNOWN');
  if (failed < 0) return false;
  const after = lines.slice(failed);
  const count = (start: string): number => after.filter((line) => line.startsWith(start)).length;
  return count('ack ') >= 300 || count('refused STORE_DOWN') >= 50;
}

describe('Store on LevelDB F2: errors of fdatasync', () => {
  const folder = temporaryFolders();

  before(function () {
    if (spawnSync('strace', ['-f', 'true'], { stdio: 'ignore' }).status === 0) return;
    console.log('      skipped: strace is not there or may not trace');
    this.skip();
  });

  for (const when of FAILING_SYNCS) {
    it(`EIO on sync ${when}: refused and reopened or read-only, and nothing acknowledged is lost`, async () => {
      const directory = folder();
      const inject = [
        '-f',
        '-q',
        '-o',
        '/dev/null',
        '-e',
        'trace=fdatasync',
        '-e',
        `inject=fdatasync:error=EIO:when=${when}`,
      ];
      const child = spawn(
        'strace',
        [...inject, process.execPath, ...process.execArgv, STORE_CHILD, 'write', directory, '0'],
        {
          env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
          stdio: ['ignore', 'pipe', 'inherit'],
          detached: true,
        },
      );
      let ended = false;
      const endAll = (): void => {
        if (!ended && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        ended = true;
      };
      let printed = '';
      child.stdout.setEncoding('latin1').on('data', (text: string) => {
        printed += text;
        if (hasShownEnough(printed.split('\n'))) endAll();
      });
      child.once('exit', () => (ended = true));
      try {
        await once(child, 'close', { signal: AbortSignal.timeout(45_000) });
      } finally {
        endAll();
      }
      const lines = printed.split('\n').slice(0, -1);
      const acknowledged = lines.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4));
      assert.ok(lines.includes('refused STORE_WRITE_UNKNOWN'), printed.slice(0, 500));
      assert.ok(acknowledged.length > 0);
      if (when === '35+') assert.match(lines.at(-1) ?? '', /STORE_READ_ONLY|STORE_DOWN/);
      if (when === '20') assert.ok(lines.length - lines.indexOf('refused STORE_WRITE_UNKNOWN') > 300);

      const store = storeInDirectory(
        { directory, owner: CHILD_OWNER, reserveBytes: 0 },
        { clock: systemClock },
      );
      await store.start();
      const values = await store.getMany(acknowledged);
      for (const [i, key] of acknowledged.entries()) {
        assert.deepEqual(values[i] && Buffer.from(values[i]), Buffer.from(contentOf(key)), key);
      }
      await store.stop();
    });
  }
});
