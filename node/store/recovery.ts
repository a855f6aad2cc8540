/**
 * How a store comes to serve, stops serving, and comes back: the owner of its condition. Start, recovery after a failed
 * write and the way back from a full disk are one function.
 */
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Clock, type CommitMark, type Disk } from '../ports.ts';
import { bringUp } from './bring-up.ts';
import { type StoreCondition, type StoreState } from './condition.ts';
import { DiskReader, type StoreReader } from './reader.ts';
import { storeError } from './store-error.ts';

export interface RecoveryOptions {
  readonly owner: string;
  readonly failuresMax: number;
  readonly openDelaysMs: readonly number[];
  readonly retryMs: number;
}

export interface RecoveryModules {
  readonly disk: Disk;
  readonly mark: CommitMark;
  readonly clock: Clock;
  /** Told of every change of condition. Must not throw. */
  readonly changed: (condition: StoreCondition) => void;
}

/**
 * Asked after each opening, before the store serves: compares what the owner knows with what the store holds. An owner
 * that finds its data wrong and can have it healed closes its own part and resolves; a rejection makes the whole store
 * read-only. Reads by `reader` only, and writes nothing.
 */
export type StoreCheck = (reader: StoreReader) => Promise<void>;

export class Recovery {
  readonly checks = new Set<StoreCheck>();
  readonly #options: RecoveryOptions;
  readonly #modules: RecoveryModules;
  readonly #reader: DiskReader;
  readonly #stopping = new AbortController();
  #condition: StoreCondition = { state: 'closed', reason: undefined };
  #opens = 0;
  #commits = 0;
  #incomplete = false;
  #failuresInARow = 0;
  /** The mark of the last batch on its way to where it is kept. */
  #noted: Promise<void> = Promise.resolve();
  /** The opening of the disk that is going on, or the last one. */
  #opening: Promise<void> = Promise.resolve();
  /** That and the waiting for better times behind it. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: RecoveryOptions, modules: RecoveryModules) {
    this.#options = options;
    this.#modules = modules;
    this.#reader = new DiskReader(modules.disk);
  }

  get condition(): StoreCondition {
    return this.#condition;
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Attempts to open the disk: tells one opening from another. */
  get opens(): number {
    return this.#opens;
  }

  /** Batches known to be durable: the number in the last of them. */
  get commits(): number {
    return this.#commits;
  }

  get incomplete(): boolean {
    return this.#incomplete;
  }

  /** Resolves when the opening that is going on has entered a state. */
  get opening(): Promise<void> {
    return this.#opening;
  }

  /** Opens the disk for the first time; ends in any state but `recovering`. What is down then is not tried again. */
  async start(): Promise<void> {
    await this.#open(false);
    if (this.#condition.state !== 'down') this.#work = this.#watch();
  }

  /**
   * Counts a batch as durable. Its mark goes on its way; one that could not be noted rejects here with the batch after
   * its own, so that it lags by one at most.
   */
  async committed(commits: number): Promise<void> {
    await this.#noted;
    this.#commits = commits;
    this.#failuresInARow = 0;
    this.#noted = this.#modules.mark.note(commits);
    this.#noted.catch(() => undefined);
  }

  /** From here on what the disk holds is unknown: it is opened anew, by and by. Returns what failed. */
  failed(error: unknown): NodeError {
    const cause = asDiskError(error);
    const full = cause.code === 'DISK_FULL';
    if (!full) this.#failuresInARow++;
    this.#work = this.#open(full, cause).then(() => this.#watch());
    return cause;
  }

  declareComplete(): void {
    this.#incomplete = false;
  }

  /** Waits no more and opens nothing more. */
  stop(): void {
    this.#stopping.abort();
  }

  /** After `stop`: closes, once nothing works on the disk any more. */
  async close(): Promise<void> {
    const { disk, mark } = this.#modules;
    await this.#work;
    await this.#opening;
    await this.#noted.catch(() => undefined);
    await disk.close();
    await mark.close();
    this.#enter('closed');
  }

  /** While the trouble is one that may pass, waits for that and opens the disk again. */
  async #watch(): Promise<void> {
    for (;;) {
      const { state, reason } = this.#condition;
      if (state === 'full') await this.#spaceIsBack();
      else if (state === 'down' && reason?.retry) await this.#wait(this.#options.retryMs);
      else return;
      if (this.stopping) return;
      await this.#open(state === 'down' && reason?.code === 'DISK_FULL', reason);
    }
  }

  async #spaceIsBack(): Promise<void> {
    while (!this.stopping) {
      await this.#wait(this.#options.retryMs);
      try {
        await this.#modules.disk.fillReserve();
        return;
      } catch (error) {
        if (!isNodeError(error)) throw error;
      }
    }
  }

  #open(full: boolean, reason?: NodeError): Promise<void> {
    this.#enter('recovering', reason);
    this.#opening = this.#attempt(full, reason);
    return this.#opening;
  }

  async #attempt(full: boolean, reason: NodeError | undefined): Promise<void> {
    for (const delayMs of this.#options.openDelaysMs) {
      if (delayMs > 0) await this.#wait(delayMs);
      if (this.stopping) break;
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
    this.#opens++;
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
    for (const check of this.checks) {
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
    this.#modules.changed(this.#condition);
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
