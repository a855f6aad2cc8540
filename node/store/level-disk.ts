/**
 * A `Disk` on LevelDB: `level/` and a ballast file `reserve` in one directory. LevelDB is used without compression, so
 * that its files can be checked here, and every batch is synced.
 */
import { rm, truncate } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Level } from 'level';
import { type NodeError } from '../node-error.ts';
import { type Change, type Disk, type DiskCheck, type Entry, type RangeOptions } from '../ports.ts';
import { makeDirectory, modeOf, moveFile } from '../region/files.ts';
import { diskError } from './disk-error.ts';
import { checkClosedDirectory, checkTablesInUse } from './leveldb/check.ts';
import { holdLock, isLockedElsewhere } from './leveldb/lock.ts';
import { Reserve } from './reserve.ts';
import { storeError } from './store-error.ts';

export interface LevelDiskOptions {
  /** Created where it is absent, with mode 0700. */
  readonly directory: string;
  /** Bytes kept back for a full disk: 16 MiB by default, 0 for none. */
  readonly reserveBytes?: number;
  /** False opens damaged files as far as LevelDB can: for a salvage or an audit only. */
  readonly checked?: boolean;
  /** Asked whenever nobody else can have it open any more; what this rejects with, opening does, and leaves it closed. */
  readonly mayOpen?: () => Promise<void>;
}

/** Where a salvage makes the copy that then takes the place of `level/`. */
export const SALVAGE_DIRECTORY = 'salvage';

/** Bytes after which a page of a range ends. */
const PAGE_BYTES = 1 << 20;
export const RESERVE_BYTES = 16 << 20;
/** Bytes of a page that may stay behind in its iterator: fewer than it costs to go there once more. */
const LEFT_BEHIND_BYTES = 1 << 14;
/** Before all keys of a store. */
const FIRST_KEY = ' ';
const FORMAT = { keyEncoding: 'utf8', valueEncoding: 'view', compression: false } as const;

type LevelIterator = ReturnType<Level<string, Uint8Array>['iterator']>;

/** LevelDB locks out other processes; this, other disks of this process. */
const directoriesInUse = new Set<string>();

export class LevelDisk implements Disk {
  readonly #directory: string;
  readonly #checked: boolean;
  readonly #mayOpen: () => Promise<void>;
  readonly #reserve: Reserve;
  #level: Level<string, Uint8Array> | undefined;

  constructor({
    directory,
    reserveBytes = RESERVE_BYTES,
    checked = true,
    mayOpen = () => Promise.resolve(),
  }: LevelDiskOptions) {
    this.#directory = resolve(directory);
    this.#checked = checked;
    this.#mayOpen = mayOpen;
    this.#reserve = new Reserve({ path: join(this.#directory, 'reserve'), bytes: reserveBytes });
  }

  async open(): Promise<void> {
    if (this.#level !== undefined) throw new TypeError('the disk is open');
    if (directoriesInUse.has(this.#directory)) throw this.#locked();
    directoriesInUse.add(this.#directory);
    try {
      if (!(await exists(this.#path))) await this.#create();
      else if (this.#checked) await this.#checkClosed();
      const level = await openLevel(this.#path, { createIfMissing: false });
      try {
        await this.#mayOpen();
      } catch (error) {
        await level.close();
        throw error;
      }
      this.#level = level;
    } catch (error) {
      directoriesInUse.delete(this.#directory);
      throw diskError(error, this.#path);
    }
  }

  async close(): Promise<void> {
    const level = this.#level;
    if (level === undefined) return;
    this.#level = undefined;
    try {
      await level.close();
    } catch (error) {
      throw diskError(error, this.#path);
    } finally {
      directoriesInUse.delete(this.#directory);
    }
  }

  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#call((level) => level.getMany([...keys]));
  }

  range(from: string, to: string, { limit, reverse = false }: RangeOptions): Promise<Entry[]> {
    return this.#call(async (level) => {
      const iterator = level.iterator({ gte: from, lt: to, reverse, highWaterMarkBytes: PAGE_BYTES });
      try {
        const page = await iterator.nextv(limit);
        if (bytesOf(page) > LEFT_BEHIND_BYTES) await leave(iterator, to);
        return page;
      } finally {
        await iterator.close();
      }
    });
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#call(async (level) => {
      // A chained batch takes less than half the time of an array of operations.
      const batch = level.batch();
      try {
        for (const change of changes) {
          if ('put' in change) batch.put(change.put, change.value);
          else batch.del(change.del);
        }
        await batch.write({ sync: true });
      } finally {
        await batch.close();
      }
    });
  }

  /** What LevelDB notes of it goes too: in its log the keys asked for, in its list of tables the first and the last key of each. */
  compact(from: string, to: string): Promise<void> {
    return this.#call(async (level) => {
      // Of the keys that were removed last none is the first of a table then.
      await level.batch().put(FIRST_KEY, new Uint8Array(0)).del(FIRST_KEY).write({ sync: true });
      await (level as unknown as Compactable).compactRange(from, to);
      // LevelDB goes on behind what was there, and leaves a hole.
      await truncate(join(this.#path, 'LOG'));
      await rm(join(this.#path, 'LOG.old'), { force: true });
    });
  }

  freeReserve(): Promise<void> {
    return this.#reserve.free();
  }

  fillReserve(): Promise<void> {
    return this.#reserve.fill();
  }

  async *check(): AsyncGenerator<DiskCheck, void, undefined> {
    for await (const step of checkTablesInUse(this.#path)) {
      if (this.#level === undefined) throw this.#closed();
      yield step;
    }
  }

  get #path(): string {
    return join(this.#directory, 'level');
  }

  async #call<T>(use: (level: Level<string, Uint8Array>) => Promise<T>): Promise<T> {
    const level = this.#level;
    if (level === undefined) throw this.#closed();
    try {
      return await use(level);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      throw this.#level === level ? diskError(error, this.#path) : this.#closed(error);
    }
  }

  /** Made under another name: `level/` is a whole database or absent, never one that LevelDB would found anew. */
  async #create(): Promise<void> {
    const salvaged = join(this.#directory, SALVAGE_DIRECTORY, 'level');
    if (await exists(salvaged)) return moveFile(salvaged, this.#path);
    const fresh = `${this.#path}.new`;
    await makeDirectory(this.#directory, 0o700);
    await rm(fresh, { recursive: true, force: true });
    await (await openLevel(fresh, { createIfMissing: true })).close();
    await moveFile(fresh, this.#path);
  }

  async #checkClosed(): Promise<void> {
    for await (const { damage } of checkClosedDirectory(this.#path)) {
      if (damage === undefined) continue;
      // Another process may have changed the files while they were read.
      if (await isLockedElsewhere(this.#path)) throw this.#locked();
      throw storeError('STORE_CORRUPT', `${this.#path}: ${damage}`);
    }
  }

  #locked(): NodeError {
    return storeError('STORE_LOCKED', `${this.#path} is open already`);
  }

  #closed(cause?: unknown): NodeError {
    return storeError('DISK_CLOSED', `${this.#path} is closed`, { cause });
  }
}

/**
 * Locks the store in a directory without opening it, so that its files stay as they are; what is given unlocks it.
 * @throws {NodeError} STORE_LOCKED if somebody has it open, and as `LevelDisk.open`.
 */
export async function lockStore(directory: string): Promise<() => Promise<void>> {
  const path = resolve(directory);
  const level = join(path, 'level');
  if (directoriesInUse.has(path)) throw storeError('STORE_LOCKED', `${level} is open already`);
  directoriesInUse.add(path);
  try {
    const release = await holdLock(level);
    return async () => {
      await release();
      directoriesInUse.delete(path);
    };
  } catch (error) {
    directoriesInUse.delete(path);
    throw diskError(error, level);
  }
}

/** What level's types leave out of the class that it re-exports in Node. */
interface Compactable {
  compactRange(from: string, to: string): Promise<void>;
}

/** Sets a damaged directory right as far as LevelDB can: what it cannot read, it moves to `lost/`. */
export async function repairLevel(directory: string): Promise<void> {
  const path = join(directory, 'level');
  // level's types leave out the statics of the class that it re-exports in Node.
  const { repair } = Level as unknown as { repair: (location: string) => Promise<void> };
  try {
    await repair(path);
  } catch (error) {
    throw diskError(error, path);
  }
}

function bytesOf(page: readonly Entry[]): number {
  return page.reduce((sum, [, value]) => sum + value.length, 0);
}

/**
 * Makes an iterator let go of its own copy of the page that it read last. Closing does not: the copy stays until the collector finds
 * the handle, which weighs nothing to it, so that a node that reads a log to its end would hold all of the log.
 */
async function leave(iterator: LevelIterator, end: string): Promise<void> {
  iterator.seek(end);
  await iterator.nextv(1);
}

async function exists(path: string): Promise<boolean> {
  return (await modeOf(path)) !== undefined;
}

async function openLevel(
  path: string,
  { createIfMissing }: { createIfMissing: boolean },
): Promise<Level<string, Uint8Array>> {
  const level = new Level<string, Uint8Array>(path, { ...FORMAT, createIfMissing });
  await level.open();
  return level;
}
