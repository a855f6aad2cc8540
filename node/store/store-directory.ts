/**
 * The store of a node's data directory: `level/` the database, `reserve` the ballast, `commits` the mark; for a while
 * `level.new/` and `salvage/` while one of them is made; `level.damaged-<n>/` what a salvage left behind.
 */
import { join } from 'node:path';
import { type Clock } from '../ports.ts';
import { FileCommitMark } from './commit-mark.ts';
import { LevelDisk, type LevelDiskOptions } from './level-disk.ts';
import { Store, type StoreOptions } from './store.ts';

export interface StoreDirectoryOptions
  extends StoreOptions, Pick<LevelDiskOptions, 'directory' | 'reserveBytes'> {}

/** A store on LevelDB in `directory`, to be started; the directory is created then. */
export function storeInDirectory(
  options: StoreDirectoryOptions,
  { clock }: { readonly clock: Clock },
): Store {
  return new Store(options, {
    disk: new LevelDisk(options),
    mark: markInDirectory(options.directory),
    clock,
  });
}

export function markInDirectory(directory: string): FileCommitMark {
  return new FileCommitMark(join(directory, 'commits'));
}
