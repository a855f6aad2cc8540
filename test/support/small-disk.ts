/** A disk that is soon full: a tmpfs in a folder of its own, which only root can mount. */
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../node/region/files.ts';
import { temporaryFolders } from './temporary.ts';

export interface SmallDisk {
  /** Where it is mounted. */
  readonly path: string;
  /** Takes all space but about `bytes`; less where others write meanwhile. */
  fillUpTo(bytes: number): void;
  /** Gives back what `fillUpTo` took. */
  makeSpace(): void;
}

/** Call it within `describe`, whose tests are skipped with a word where it cannot be mounted; it goes when they are over. */
export function smallDisk(bytes: number): () => SmallDisk {
  let mounted: string | undefined;
  // Lazily: a failed test may leave files open. Also where the process ends before its hooks.
  const unmount = (): void => {
    if (mounted !== undefined) execFileSync('umount', ['-l', mounted]);
    mounted = undefined;
  };
  process.once('exit', unmount);
  after(() => {
    unmount();
    process.off('exit', unmount);
  });
  const folder = temporaryFolders();
  before(function () {
    const path = folder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'none', path], { stdio: 'ignore' });
      mounted = path;
    } catch {
      console.log('      skipped: a small tmpfs can be mounted by root only');
      this.skip();
    }
  });
  return () => {
    const path = mounted ?? '';
    const filler = join(path, 'filler');
    return {
      path,
      fillUpTo: (left) => {
        const { bavail, bsize } = statfsSync(path);
        try {
          writeFileSync(filler, Buffer.alloc(Math.max(0, Math.floor(bavail * bsize - left))));
        } catch (error) {
          if (!isErrno(error, 'ENOSPC')) throw error;
        }
      },
      makeSpace: () => rmSync(filler, { force: true }),
    };
  };
}
