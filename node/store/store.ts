/**
 * The one way anything is kept by a node. What it acknowledged it has; what it cannot vouch for it never hands out;
 * after a failed write it closes the disk, opens it again and lets its owners check what they know before it goes on.
 */
import { type NodeError } from '../node-error.ts';
import {
  type Change,
  type Clock,
  type CommitMark,
  type Disk,
  type DiskCheck,
  type Entry,
  type RangeOptions,
} from '../ports.ts';
import { commitsChange, completeChange } from './bring-up.ts';
import { refusalOf, type StoreCondition } from './condition.ts';
import { GroupCommit } from './group-commit.ts';
import { DiskReader, type EntriesOptions, pagesOf, type StoreReader } from './reader.ts';
import { Recovery, type StoreCheck } from './recovery.ts';
import { bytesOf, sealChange } from './sealed-change.ts';
import { isIntact } from './sealed.ts';
import { storeError } from './store-error.ts';

export interface StoreOptions {
  /** The region and network whose store this is, such as `CN-33.example`: 1 to 200 printable ASCII characters. */
  readonly owner: string;
  /** Bytes of one disk batch, 1 MiB by default: by then a sync is paid off, and latency is still low. */
  readonly batchBytesMax?: number;
  /** Bytes of writes waiting, beyond which STORE_BUSY; 64 MiB by default. */
  readonly queueBytesMax?: number;
  /** Failed writes in a row, full disks not counted, after which it is read-only until started anew; 3 by default. */
  readonly failuresMax?: number;
  /** The wait before each attempt to open the disk; 0, 100 ms and 1 s by default. */
  readonly openDelaysMs?: readonly number[];
  /** How often a full disk is asked for space, and a disk that did not open is tried again; 5 s by default. */
  readonly retryMs?: number;
  /** Told of every change, for alarms and metrics. Must not throw. */
  readonly onCondition?: (condition: StoreCondition) => void;
}

const DEFAULTS = {
  batchBytesMax: 1 << 20,
  queueBytesMax: 64 << 20,
  failuresMax: 3,
  openDelaysMs: [0, 100, 1_000],
  retryMs: 5_000,
  onCondition: (): void => undefined,
};

export interface StoreModules {
  /** Closed; the store opens it and is its only caller from then on. */
  readonly disk: Disk;
  readonly mark: CommitMark;
  readonly clock: Clock;
}

/** Counted since the start. */
export interface StoreCounters {
  /** Acknowledged disk batches, and the owners' changes in them. */
  readonly batches: number;
  readonly changes: number;
  /** Batches that failed. */
  readonly failures: number;
  /** Attempts to open the disk. */
  readonly opens: number;
}

/** Whether the value of a key is what was written there. */
export interface Inspected {
  readonly key: string;
  readonly bytes: number;
  readonly intact: boolean;
}

/** Times that a read is tried again because the disk was closed under it. */
const READ_RETRIES_MAX = 4;

const CLOSED: StoreCondition = { state: 'closed', reason: undefined };

export class Store implements StoreReader {
  readonly #disk: Disk;
  readonly #reader: DiskReader;
  readonly #group: GroupCommit;
  readonly #recovery: Recovery;
  readonly #onCondition: (condition: StoreCondition) => void;
  readonly #counters = { batches: 0, changes: 0, failures: 0 };
  #stopped: Promise<void> | undefined;

  constructor(options: StoreOptions, modules: StoreModules) {
    const settings = { ...DEFAULTS, ...options };
    this.#disk = modules.disk;
    this.#reader = new DiskReader(modules.disk);
    this.#onCondition = settings.onCondition;
    this.#group = new GroupCommit(settings, {
      commit: (changes) => this.#commit(changes),
      failed: (error) => this.#failed(error),
    });
    this.#recovery = new Recovery(settings, { ...modules, changed: (condition) => this.#changed(condition) });
  }

  /**
   * Opens or creates the store. On a full disk it resolves in the state `full`.
   * @throws {NodeError} STORE_LOCKED, STORE_FOREIGN, SCHEMA_NEWER, STORE_CORRUPT, VALUE_CORRUPT, DISK_UNWRITABLE, or
   * DISK_IO and DISK_FULL after all attempts. It is stopped then.
   */
  async start(): Promise<void> {
    const { state: before } = this.condition;
    if (before !== 'closed' || this.#stopped !== undefined) throw new TypeError('a store is started once');
    await this.#recovery.start();
    const { state, reason } = this.condition;
    if (state !== 'down') return;
    await this.stop();
    throw reason ?? storeError('STORE_CLOSED', 'the store was stopped while it started');
  }

  /** Refuses new calls, finishes the writes that wait, and closes. Safe to call twice and in any state. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  get condition(): StoreCondition {
    return this.#recovery.condition;
  }

  get counters(): StoreCounters {
    return { ...this.#counters, opens: this.#recovery.opens };
  }

  /** True after a salvage until `declareComplete`: what a read does not find may have been lost. */
  get incomplete(): boolean {
    return this.#recovery.incomplete;
  }

  /** Said once all owners have made good what a salvage may have lost. Rejects as `write` does. */
  async declareComplete(): Promise<void> {
    await this.#enqueue([completeChange], 0);
    this.#recovery.declareComplete();
  }

  /** Adds a check, and returns what removes it. */
  addCheck(check: StoreCheck): () => void {
    const { checks } = this.#recovery;
    checks.add(check);
    return () => checks.delete(check);
  }

  /**
   * Makes all changes, in order, or none; they are durable once it resolves. Values are copied at once. Writes land in
   * the order of the calls; one that builds on another's success must await it.
   * @throws {NodeError} STORE_WRITE_UNKNOWN: made or not, so read, or write the same again. Or that nothing was made:
   * STORE_BUSY, STORE_FULL, STORE_READ_ONLY, STORE_DOWN, STORE_CLOSED.
   */
  async write(changes: readonly Change[]): Promise<void> {
    const sealed = changes.map(sealChange);
    await this.#enqueue(sealed, bytesOf(sealed));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#reader.get(key));
  }

  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#read(() => this.#reader.getMany(keys));
  }

  page(from: string, to: string, options: RangeOptions): Promise<Entry[]> {
    return this.#read(() => this.#reader.page(from, to, options));
  }

  entries(from: string, to: string, options: EntriesOptions = {}): AsyncIterable<Entry> {
    return pagesOf(this, from, to, options);
  }

  /** Leaves nothing of what was removed or replaced between these keys in the files of the disk. */
  compact(from: string, to: string): Promise<void> {
    return this.#read(() => this.#disk.compact(from, to));
  }

  /** A page of all keys from `from` on, the store's own too, with whether their values are intact: for a scrub. */
  inspect(from: string, limit: number): Promise<Inspected[]> {
    return this.#read(async () => {
      const page = await this.#disk.range(from, '\x7f', { limit });
      return page.map(([key, stored]) => ({ key, bytes: stored.length, intact: isIntact(key, stored) }));
    });
  }

  /** Checks what lies at rest below the values, step by step; ends with DISK_CLOSED where the disk is reopened. */
  checkDisk(): AsyncIterable<DiskCheck> {
    return this.#disk.check();
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries++) {
      while (this.#recovering()) await this.#recovery.opening;
      const refusal = this.#refusal('read');
      if (refusal !== undefined) throw refusal;
      const { opens } = this.#recovery;
      try {
        return await read();
      } catch (error) {
        const sameDisk = opens === this.#recovery.opens && !this.#recovering();
        if (sameDisk || retries === READ_RETRIES_MAX) throw error;
      }
    }
  }

  #recovering(): boolean {
    return this.condition.state === 'recovering';
  }

  #enqueue(changes: readonly Change[], bytes: number): Promise<void> {
    const refusal = this.#refusal('write');
    return refusal === undefined ? this.#group.write(changes, bytes) : Promise.reject(refusal);
  }

  #refusal(call: 'read' | 'write'): NodeError | undefined {
    const stopping = call === 'write' && this.#recovery.stopping;
    return refusalOf(stopping ? CLOSED : this.condition, call);
  }

  async #commit(changes: Change[]): Promise<void> {
    const made = changes.length;
    const commits = this.#recovery.commits + 1;
    changes.push(commitsChange(commits));
    await this.#disk.write(changes);
    await this.#recovery.committed(commits);
    this.#counters.batches++;
    this.#counters.changes += made;
  }

  /** Returns what the writers are told. */
  #failed(error: unknown): NodeError {
    this.#counters.failures++;
    const cause = this.#recovery.failed(error);
    const message = `a write failed, and may or may not have been made (${cause.message})`;
    return storeError('STORE_WRITE_UNKNOWN', message, { cause });
  }

  /** Writers wait while it recovers, go on when it serves, and are refused otherwise. */
  #changed(condition: StoreCondition): void {
    const refusal = this.#refusal('write');
    if (refusal !== undefined) this.#group.refuse(refusal);
    else if (condition.state === 'recovering') this.#group.hold();
    else this.#group.release();
    this.#onCondition(condition);
  }

  async #close(): Promise<void> {
    this.#recovery.stop();
    await this.#group.idle();
    await this.#recovery.close();
  }
}
