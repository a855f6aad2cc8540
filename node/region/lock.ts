/** One writer per region directory: two that sign at the same index would make two histories. */
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NodeError } from '../node-error.ts';
import { isErrno, namesIn, removeFile, withFile } from './files.ts';

/** Two that try in the same moment both step back; after so many tries there is somebody who writes. */
const TRIES = 4;
const RETRY_MS_MAX = 50;

/**
 * Takes the lock at `path` for this process; a claim of a process that is gone is removed.
 * A claim is a file `<path>.<process id>.<random>`: it is complete once it has a name, and no name is used twice. Everybody claims
 * first and looks at the claims of others then, so of two at least one sees the other, and nobody ever removes the claim of one who lives.
 * Returns the function that gives the lock back, safe to call twice.
 * @throws {NodeError} DIRECTORY_LOCKED (retry) while another process lives that claims it.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  for (let tries = 1; ; tries++) {
    const claim = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
    await withFile(claim, 'wx', 0o644, () => Promise.resolve());
    const other = await otherClaim(path, claim);
    if (other === undefined) return once(() => removeFile(claim));
    await removeFile(claim);
    if (tries === TRIES) {
      throw new NodeError('DIRECTORY_LOCKED', `process ${other.processId} is writing to this region`, {
        hint: `Wait until it ends. If that process is another program, remove ${other.path}.`,
        retry: true,
      });
    }
    await delay(1 + Math.random() * RETRY_MS_MAX);
  }
}

/** The claim of a process that lives, besides `own`. Those of the dead are removed. */
async function otherClaim(
  path: string,
  own: string,
): Promise<{ processId: number; path: string } | undefined> {
  const prefix = `${basename(path)}.`;
  for (const name of await namesIn(dirname(path))) {
    const [, digits] = name.startsWith(prefix) ? (CLAIM.exec(name.slice(prefix.length)) ?? []) : [];
    const claim = join(dirname(path), name);
    if (digits === undefined || claim === own) continue;
    if (isAlive(Number(digits))) return { processId: Number(digits), path: claim };
    await removeFile(claim);
  }
  return undefined;
}

const CLAIM = /^([1-9]\d{0,9})\.[0-9a-f]{12}$/;

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}

function once(release: () => Promise<void>): () => Promise<void> {
  let held = true;
  return async () => {
    if (!held) return;
    held = false;
    await release();
  };
}
