/** One at a time for whoever reads a file, adds to what it says and writes it again. */
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { NodeError } from '../node-error.ts';
import { makeDirectory } from '../region/files.ts';
import { diskError } from './disk-error.ts';

const LOOK_MS = 20;
/** Far longer than the largest file takes. */
const WAIT_MS_MAX = 30_000;
/** A lock that says nothing for so long was made by a process that ended before it could say who it is. */
const SILENT_MS = 5_000;

/**
 * Does `work` while nobody else does any under the same path. A lock beside the file names the process that holds it; one whose
 * process is gone is broken.
 * @throws {NodeError} KEEP_BUSY if somebody holds it for half a minute. Rejects as `work`, and as writing beside `path` does.
 */
export async function withKeepLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  await makeDirectory(dirname(path)).catch((error: unknown) => {
    throw diskError(error, dirname(path));
  });
  for (const deadline = Date.now() + WAIT_MS_MAX; !(await isMade(lock));) {
    if (Date.now() > deadline)
      throw new NodeError('KEEP_BUSY', `${path} is in use by another process`, {
        hint: `Wait for it, or remove ${lock} and ${lock}.breaking if no other process uses the file.`,
      });
    if (await isLeft(lock)) await breakLock(lock);
    else await setTimeout(LOOK_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function isMade(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${process.pid}`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Whether the process that made the lock is gone; false also where nobody holds it by now. */
async function isLeft(lock: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(lock, 'utf8'));
    if (!Number.isSafeInteger(pid) || pid <= 0) return Date.now() - (await stat(lock)).mtimeMs > SILENT_MS;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}

/** Only one breaks it, and looks once more: meanwhile it may have been broken and made anew. */
async function breakLock(lock: string): Promise<void> {
  const breaking = `${lock}.breaking`;
  if (!(await isMade(breaking))) {
    await setTimeout(LOOK_MS);
    return;
  }
  try {
    if (await isLeft(lock)) await rm(lock, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
