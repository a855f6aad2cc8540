/** What `fsck` does: reads all that a store holds against its hashes, and holds its logs against the second place. */
import { join } from 'node:path';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type HighWater } from '../ports.ts';
import { parseHead } from '../log/log-head.ts';
import { LogKeys } from '../log/log-keys.ts';
import { COMMITS_KEY, IDENTITY_KEY, INCOMPLETE_KEY, parseCommits } from '../store/bring-up.ts';
import { parseIdentity } from '../store/identity.ts';
import { LevelDisk } from '../store/level-disk.ts';
import { checkClosedDirectory } from '../store/leveldb/check.ts';
import { isLockedElsewhere } from '../store/leveldb/lock.ts';
import { keyAfter } from '../store/reader.ts';
import { openValue } from '../store/sealed.ts';
import { FileSecondPlace } from '../store/second-place.ts';
import { markInDirectory } from '../store/store-directory.ts';
import { storeError } from '../store/store-error.ts';

const PAGE_SIZE = 256;
/** Errors that say nothing against the data. */
const NO_FAULTS: ReadonlySet<string> = new Set(['STORE_LOCKED', 'SCHEMA_NEWER']);
const HEAD_KEY = /^log\/(.+)\/head$/;

export interface StoreCheckOptions {
  /** The directory of the store: see `storeDirectoryAt`. */
  readonly directory: string;
  /** The directory of the second place; none is looked at without it. */
  readonly secondPlace: string | undefined;
  /** Faults that are listed, at least 1; the rest is counted. */
  readonly faultsMax: number;
}

export interface StoreFault {
  readonly code: NodeError['code'];
  readonly message: string;
}

export interface StoreChecked {
  /** Region and network; undefined if the store does not say it. */
  readonly owner: string | undefined;
  /** Batches that the store holds. */
  readonly batches: number;
  /** Intact values by kind, which is the first part of their key. */
  readonly values: Readonly<Record<string, number>>;
  /** Of keys and values that were read. */
  readonly bytes: number;
  /** A salvage has left it so, and nobody has yet made good what may be missing. */
  readonly incomplete: boolean;
  /** Sizes of its logs by origin. */
  readonly logs: Readonly<Record<string, number>>;
  readonly faults: readonly StoreFault[];
  readonly faultCount: number;
}

/**
 * Changes no value. As at any start, LevelDB renews files of its own while it is open.
 * @throws {NodeError} STORE_LOCKED while another process has the store, SCHEMA_NEWER, DISK_IO if it cannot be read at all.
 */
export async function checkStore(
  options: StoreCheckOptions,
  { onProgress }: { readonly onProgress?: (bytes: number) => void } = {},
): Promise<StoreChecked> {
  return new StoreCheck(options).run(onProgress);
}

class StoreCheck {
  readonly #options: StoreCheckOptions;
  readonly #faults: StoreFault[] = [];
  readonly #values: Record<string, number> = {};
  readonly #heads = new Map<string, { readonly size: number; readonly signed: HighWater | undefined }>();
  #faultCount = 0;
  #bytes = 0;
  #owner: string | undefined;
  #batches = 0;
  #incomplete = false;

  constructor(options: StoreCheckOptions) {
    this.#options = options;
  }

  async run(onProgress: ((bytes: number) => void) | undefined): Promise<StoreChecked> {
    const { directory } = this.#options;
    const level = join(directory, 'level');
    if (await isLockedElsewhere(level)) throw storeError('STORE_LOCKED', `${level} is open already`);
    for await (const { damage } of checkClosedDirectory(level)) {
      if (damage !== undefined) this.#blame(storeError('STORE_CORRUPT', `${level}: ${damage}`));
    }
    const disk = new LevelDisk({ directory, reserveBytes: 0, checked: false });
    try {
      await disk.open();
      await this.#readAll(disk, onProgress);
      await this.#compareMark();
      await this.#compareSecondPlace();
    } catch (error) {
      this.#blame(error);
    } finally {
      await disk.close();
    }
    return {
      owner: this.#owner,
      batches: this.#batches,
      values: this.#values,
      bytes: this.#bytes,
      incomplete: this.#incomplete,
      logs: Object.fromEntries([...this.#heads].map(([origin, { size }]) => [origin, size])),
      faults: this.#faults,
      faultCount: this.#faultCount,
    };
  }

  async #readAll(disk: LevelDisk, onProgress: ((bytes: number) => void) | undefined): Promise<void> {
    let read = 0;
    for (let from = ''; ;) {
      const page = await disk.range(from, '\x7f', { limit: PAGE_SIZE });
      const last = page.at(-1);
      if (last === undefined) break;
      for (const [key, stored] of page) this.#take(key, stored);
      read += page.length;
      onProgress?.(this.#bytes);
      from = keyAfter(last[0]);
    }
    if (read > 0 && this.#owner === undefined)
      this.#blame(storeError('STORE_CORRUPT', 'the store does not say whose it is'));
  }

  #take(key: string, stored: Uint8Array): void {
    this.#bytes += key.length + stored.length;
    try {
      const payload = openValue(key, stored);
      const kind = key.split('/', 1)[0] ?? key;
      this.#values[kind] = (this.#values[kind] ?? 0) + 1;
      if (key === IDENTITY_KEY) this.#owner = parseIdentity(payload).owner;
      if (key === COMMITS_KEY) this.#batches = parseCommits(payload);
      if (key === INCOMPLETE_KEY) this.#incomplete = true;
      const origin = HEAD_KEY.exec(key)?.[1];
      if (origin !== undefined && key === new LogKeys(origin).head)
        this.#heads.set(origin, parseHead(payload, origin));
    } catch (error) {
      this.#blame(error);
    }
  }

  /** The mark of acknowledged batches: the store may hold more, never less. */
  async #compareMark(): Promise<void> {
    const mark = markInDirectory(this.#options.directory);
    try {
      const known = await mark.read();
      if (this.#batches < known) {
        const message = `the store holds ${this.#batches} batches of the ${known} it has acknowledged`;
        this.#blame(storeError('STORE_CORRUPT', message));
      }
    } catch (error) {
      this.#blame(error);
    } finally {
      await mark.close();
    }
  }

  /** What was signed or accepted, noted elsewhere: a log of the store that is shorter has gone back. */
  async #compareSecondPlace(): Promise<void> {
    if (this.#options.secondPlace === undefined) return;
    const place = new FileSecondPlace({ directory: this.#options.secondPlace });
    for (const [origin, { size }] of this.#heads) {
      try {
        const mark = await place.read(origin);
        if (mark === undefined || mark.size <= size) continue;
        const message = `${origin}: the store holds ${size} entries, the second place knows of ${mark.size}: the store has gone back`;
        this.#blame(storeError('STORE_CORRUPT', message));
      } catch (error) {
        this.#blame(error);
      }
    }
  }

  /** Passes on what is no fault of the data. */
  #blame(error: unknown): void {
    if (!isNodeError(error) || NO_FAULTS.has(error.code)) throw error;
    this.#faultCount++;
    if (this.#faults.length < this.#options.faultsMax)
      this.#faults.push({ code: error.code, message: error.message });
  }
}
