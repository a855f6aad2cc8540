/** Whether another process holds a LevelDB directory. Node has no call for it; LevelDB's own lock answers. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { codesOf } from '../disk-error.ts';

/**
 * Opens an empty directory that has the lock file of `directory` for its own, without creating anything in it: LevelDB
 * takes the lock first, and gives it back when it finds no database. False also where that cannot be found out.
 * Must not be called for a directory that this process has open: giving the lock back would free it.
 */
export async function isLockedElsewhere(directory: string): Promise<boolean> {
  const scratch = await mkdtemp(join(tmpdir(), 'entente-lock-'));
  const probe = new Level(scratch, { createIfMissing: false });
  try {
    await symlink(join(directory, 'LOCK'), join(scratch, 'LOCK'));
    await probe.open();
  } catch (error) {
    return codesOf(error).includes('LEVEL_LOCKED');
  } finally {
    await probe.close();
    await rm(scratch, { recursive: true, force: true });
  }
  return false;
}
