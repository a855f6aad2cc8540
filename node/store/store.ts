/**
 * The one way anything is kept by a node. What it acknowledged it has; what it cannot vouch for it never hands out;
 * after a failed write it closes the disk, opens it again and lets its owners check what they know before it goes on.
 */
import { isNodeError, type NodeError } from '../node-error.ts';
import { storeError } from './store-error.ts';
import {
  type Change,
  type Clock,
  type CommitMark,
  type Disk,
  type DiskCheck,
  type Entry,
  type RangeOptions,
} from '../ports.ts';
import { bringUp, commitsChange, completeChange } from './bring-up.ts';
import { refusalOf, type StoreCondition, type StoreState } from './condition.ts';
import { GroupCommit } from './group-commit.ts';
import { DiskReader, type EntriesOptions, pagesOf, type StoreReader } from './reader.ts';
import { bytesOf, sealChange } from './sealed-change.ts';
import { isIntact } from './sealed.ts';

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

/**
 * Asked after each opening, before the store serves: compares what the owner knows with what the store holds. An owner
 * that finds its data wrong and can have it healed closes its own part and resolves; a rejection makes the whole store
 * read-only. Reads by `reader` only, and writes nothing.
 */
export type StoreCheck = (reader: StoreReader) => Promise<void>;

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
  readonly #options: Required<StoreOptions>;
  readonly #modules: StoreModules;
  readonly #reader: DiskReader;
  readonly #group: GroupCommit;
  readonly #checks = new Set<StoreCheck>();
  readonly #stopping = new AbortController();
  readonly #counters = { batches: 0, changes: 0, failures: 0, opens: 0 };
  #condition = CLOSED;
  /** Batches known to be durable: the number in the last of them. */
  #commits = 0;
  #incomplete = false;
  /** The mark of the last batch on its way to where it is kept. */
  #noted: Promise<void> = Promise.resolve();
  #failuresInARow = 0;
  /** The opening of the disk that is going on, or the last one. */
  #opening: Promise<void> = Promise.resolve();
  /** That and the waiting for better times behind it. */
  #recovery: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(options: StoreOptions, modules: StoreModules) {
    this.#options = { ...DEFAULTS, ...options };
    this.#modules = modules;
    this.#reader = new DiskReader(modules.disk);
    this.#group = new GroupCommit(this.#options, {
      commit: (changes) => this.#commit(changes),
      failed: (error) => this.#poison(error),
    });
  }

  /**
   * Opens or creates the store. On a full disk it resolves in the state `full`.
   * @throws {NodeError} STORE_LOCKED, STORE_FOREIGN, SCHEMA_NEWER, STORE_CORRUPT, VALUE_CORRUPT, DISK_UNWRITABLE, or
   * DISK_IO and DISK_FULL after all attempts. It is stopped then.
   */
  async start(): Promise<void> {
    if (this.#condition.state !== 'closed' || this.#stopped !== undefined) {
      throw new TypeError('a store is started once');
    }
    await this.#open(false);
    const { state, reason } = this.condition;
    if (state === 'down') {
      await this.stop();
      throw reason ?? storeError('STORE_CLOSED', 'the store was stopped while it started');
    }
    this.#recovery = this.#watch();
  }

  /** Refuses new calls, finishes the writes that wait, and closes. Safe to call twice and in any state. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  get condition(): StoreCondition {
    return this.#condition;
  }

  get counters(): StoreCounters {
    return { ...this.#counters };
  }

  /** True after a salvage until `declareComplete`: what a read does not find may have been lost. */
  get incomplete(): boolean {
    return this.#incomplete;
  }

  /** Said once all owners have made good what a salvage may have lost. Rejects as `write` does. */
  async declareComplete(): Promise<void> {
    await this.#enqueue([completeChange], 0);
    this.#incomplete = false;
  }

  /** Adds a check, and returns what removes it. */
  addCheck(check: StoreCheck): () => void {
    this.#checks.add(check);
    return () => this.#checks.delete(check);
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

  /** A page of all keys from `from` on, the store's own too, with whether their values are intact: for a scrub. */
  inspect(from: string, limit: number): Promise<Inspected[]> {
    return this.#read(async () => {
      const page = await this.#modules.disk.range(from, '\x7f', { limit });
      return page.map(([key, stored]) => ({ key, bytes: stored.length, intact: isIntact(key, stored) }));
    });
  }

  /** Checks what lies at rest below the values, step by step; ends with DISK_CLOSED where the disk is reopened. */
  checkDisk(): AsyncIterable<DiskCheck> {
    return this.#modules.disk.check();
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries++) {
      while (this.#recovering()) await this.#opening;
      const refusal = this.#refusal('read');
      if (refusal !== undefined) throw refusal;
      const { opens } = this.#counters;
      try {
        return await read();
      } catch (error) {
        const sameDisk = opens === this.#counters.opens && !this.#recovering();
        if (sameDisk || retries === READ_RETRIES_MAX) throw error;
      }
    }
  }

  #recovering(): boolean {
    return this.#condition.state === 'recovering';
  }

  #enqueue(changes: readonly Change[], bytes: number): Promise<void> {
    const refusal = this.#refusal('write');
    return refusal === undefined ? this.#group.write(changes, bytes) : Promise.reject(refusal);
  }

  #refusal(call: 'read' | 'write'): NodeError | undefined {
    const stopping = call === 'write' && this.#stopping.signal.aborted;
    return refusalOf(stopping ? CLOSED : this.#condition, call);
  }

  async #commit(changes: Change[]): Promise<void> {
    const { disk, mark } = this.#modules;
    const made = changes.length;
    const commits = this.#commits + 1;
    changes.push(commitsChange(commits));
    await disk.write(changes);
    // A mark that could not be noted fails the batch after its own: it lags by one at most.
    await this.#noted;
    this.#commits = commits;
    this.#failuresInARow = 0;
    this.#counters.batches++;
    this.#counters.changes += made;
    this.#noted = mark.note(commits);
    this.#noted.catch(() => undefined);
  }

  /** From here on what the disk holds is unknown. Returns what the writers are told. */
  #poison(error: unknown): NodeError {
    const cause = asDiskError(error);
    const full = cause.code === 'DISK_FULL';
    this.#counters.failures++;
    if (!full) this.#failuresInARow++;
    this.#recovery = this.#open(full, cause).then(() => this.#watch());
    const message = `a write failed and may or may not have been made: read, or repeat it (${cause.message})`;
    return storeError('STORE_WRITE_UNKNOWN', message, { cause });
  }

  /** While the trouble is one that may pass, waits for that and opens the disk again. */
  async #watch(): Promise<void> {
    for (;;) {
      const { state, reason } = this.#condition;
      if (state === 'full') await this.#spaceIsBack();
      else if (state === 'down' && reason?.retry) await this.#wait(this.#options.retryMs);
      else return;
      if (this.#stopping.signal.aborted) return;
      await this.#open(state === 'down' && reason?.code === 'DISK_FULL', reason);
    }
  }

  async #spaceIsBack(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#wait(this.#options.retryMs);
      try {
        await this.#modules.disk.fillReserve();
        return;
      } catch (error) {
        if (!isNodeError(error)) throw error;
      }
    }
  }

  /** Start, recovery and the way back from a full disk are this: the calls wait until it has entered a state. */
  #open(full: boolean, reason?: NodeError): Promise<void> {
    this.#group.hold();
    this.#enter('recovering', reason);
    this.#opening = this.#attempt(full, reason);
    return this.#opening;
  }

  async #attempt(full: boolean, reason: NodeError | undefined): Promise<void> {
    for (const delayMs of this.#options.openDelaysMs) {
      if (delayMs > 0) await this.#wait(delayMs);
      if (this.#stopping.signal.aborted) break;
      try {
        full = await this.#bringUp(full);
        return await this.#serve(full, reason);
      } catch (error) {
        reason = asDiskError(error);
        if (!reason.retry) break;
        full ||= reason.code === 'DISK_FULL';
      }
    }
    await this.#closeDisk();
    this.#enter('down', reason);
  }

  /** Resolves with whether the disk is full. */
  async #bringUp(full: boolean): Promise<boolean> {
    const { disk, mark } = this.#modules;
    await this.#noted.catch(() => undefined);
    this.#noted = Promise.resolve();
    await this.#closeDisk();
    if (full) await disk.freeReserve();
    this.#counters.opens++;
    const options = { owner: this.#options.owner, acknowledged: this.#commits };
    const { commits, incomplete } = await bringUp(options, { disk, mark });
    this.#commits = commits;
    this.#incomplete = incomplete;
    return full || !(await this.#keepsReserve());
  }

  async #keepsReserve(): Promise<boolean> {
    try {
      await this.#modules.disk.fillReserve();
      return true;
    } catch (error) {
      if (isNodeError(error, 'DISK_FULL')) return false;
      throw error;
    }
  }

  async #serve(full: boolean, reason: NodeError | undefined): Promise<void> {
    for (const check of this.#checks) {
      try {
        await check(this.#reader);
      } catch (error) {
        if (isNodeError(error) && error.retry) throw error;
        this.#enter('read-only', isNodeError(error) ? error : checkFailed(error));
        return;
      }
    }
    if (full) this.#enter('full', reason ?? storeError('DISK_FULL', 'too little space to keep the reserve'));
    else if (this.#failuresInARow >= this.#options.failuresMax) this.#enter('read-only', reason);
    else this.#enter('serving');
  }

  #enter(state: StoreState, reason?: NodeError): void {
    this.#condition = { state, reason };
    const refusal = this.#refusal('write');
    if (refusal !== undefined) this.#group.refuse(refusal);
    else if (state === 'serving') this.#group.release();
    this.#options.onCondition(this.#condition);
  }

  async #close(): Promise<void> {
    const { disk, mark } = this.#modules;
    this.#stopping.abort();
    await this.#group.idle();
    await this.#recovery;
    await this.#opening;
    await this.#noted.catch(() => undefined);
    await disk.close();
    await mark.close();
    this.#enter('closed');
  }

  /** A disk that does not close in order is opened anew all the same: that tells what became of it. */
  async #closeDisk(): Promise<void> {
    try {
      await this.#modules.disk.close();
    } catch (error) {
      if (!isNodeError(error)) throw error;
    }
  }

  /** Waits, at most until the store is stopped. */
  async #wait(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#modules.clock.wait(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function asDiskError(error: unknown): NodeError {
  if (isNodeError(error)) return error;
  return storeError('DISK_IO', 'the disk failed in a way that its driver does not know', { cause: error });
}

function checkFailed(cause: unknown): NodeError {
  return storeError('STORE_CORRUPT', 'an owner could not check what the store holds', { cause });
}
