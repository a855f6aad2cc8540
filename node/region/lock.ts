/** One writer per region directory: two that sign at the same index would make two histories. */
import { isErrno, readFileIfPresent, removeFile, withFile } from './files.ts';
import { NodeError } from '../node-error.ts';

const LOCK_BYTES_MAX = 64;

/**
 * Takes the lock file, which holds this process's id; a lock of a process that is gone is taken over.
 * Returns the function that gives it back, safe to call twice.
 * @throws {NodeError} DIRECTORY_LOCKED (retry) while another process lives that took it.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  if (!(await createLock(path))) {
    const holder = await holderOf(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new NodeError('DIRECTORY_LOCKED', `process ${holder} is writing to this region`, {
        hint: `Wait until it ends. If no such process runs, remove ${path}.`,
        retry: true,
      });
    }
    await removeFile(path);
    if (!(await createLock(path))) {
      throw new NodeError('DIRECTORY_LOCKED', 'another process has just taken this region', { retry: true });
    }
  }
  let held = true;
  return async () => {
    if (!held) return;
    held = false;
    await removeFile(path);
  };
}

async function createLock(path: string): Promise<boolean> {
  try {
    await withFile(path, 'wx', 0o644, (file) => file.writeFile(`${process.pid}\n`));
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

async function holderOf(path: string): Promise<number | undefined> {
  const text = await readFileIfPresent(path, LOCK_BYTES_MAX);
  const pid = Number.parseInt(new TextDecoder().decode(text), 10);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}
