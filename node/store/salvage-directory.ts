/** Salvages the store of a directory in place; the damaged files stay beside it. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNodeError } from '../node-error.ts';
import { modeOf, moveFile } from '../region/files.ts';
import { LevelDisk, repairLevel, SALVAGE_DIRECTORY } from './level-disk.ts';
import { salvage, type Salvaged } from './salvage.ts';
import { markInDirectory } from './store-directory.ts';

/** What the names of damaged stores that a salvage left behind begin with. */
const DAMAGED = 'level.damaged';

export interface SalvageDirectoryOptions {
  readonly owner: string;
  readonly directory: string;
}

/**
 * Takes as much space as the store again. Safe to repeat after a crash. Nothing else may have the directory open.
 * @throws {NodeError} STORE_LOCKED, STORE_FOREIGN, SCHEMA_NEWER, STORE_CORRUPT if nothing at all can be read, DISK_FULL.
 */
export async function salvageDirectory({ owner, directory }: SalvageDirectoryOptions): Promise<Salvaged> {
  const copy = join(directory, SALVAGE_DIRECTORY);
  const attempt = async (): Promise<Salvaged> => {
    await rm(copy, { recursive: true, force: true });
    const from = new LevelDisk({ directory, reserveBytes: 0, checked: false });
    const to = new LevelDisk({ directory: copy, reserveBytes: 0 });
    const mark = markInDirectory(directory);
    try {
      await from.open();
      await to.open();
      return await salvage({ owner }, { from, to, mark });
    } finally {
      await mark.close();
      await to.close();
      await from.close();
    }
  };
  let salvaged: Salvaged;
  try {
    salvaged = await attempt();
  } catch (error) {
    if (!isNodeError(error, 'STORE_CORRUPT') && !isNodeError(error, 'DISK_IO')) throw error;
    await repairLevel(directory);
    salvaged = await attempt();
  }
  await moveFile(join(directory, 'level'), await unusedName(join(directory, DAMAGED)));
  await moveFile(join(copy, 'level'), join(directory, 'level'));
  return salvaged;
}

/** Paths of the damaged stores beside a store: nothing that is destroyed in that is destroyed in them. */
export async function damagedStores(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.startsWith(DAMAGED)).map((name) => join(directory, name));
}

async function unusedName(stem: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `${stem}-${number}`;
    if ((await modeOf(name)) === undefined) return name;
  }
}
