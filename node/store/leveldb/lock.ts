/** The lock of a LevelDB directory, without the database in it. Node has no call for such locks; LevelDB's own takes it. */
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

/**
 * Takes the lock of a LevelDB directory for a database of its own elsewhere, without reading or changing any other file in it; what is given
 * gives it back. Rejects as opening a database does. Must not be called for a directory that this process has open.
 */
export async function holdLock(directory: string): Promise<() => Promise<void>> {
  const scratch = await mkdtemp(join(tmpdir(), 'entente-lock-'));
  const holder = new Level(scratch, { createIfMissing: true });
  const release = async () => {
    await holder.close();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    await symlink(join(directory, 'LOCK'), join(scratch, 'LOCK'));
    await holder.open();
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}
