/**
 * Group commit: writers that come while a batch is on its way share the next one, so that many of them pay for one
 * sync. Owner of the queue. A writer's changes are never split, batches go one after the other, and the order of
 * arrival is kept.
 */
import { type NodeError } from '../node-error.ts';
import { storeError } from './store-error.ts';
import { type Change } from '../ports.ts';

export interface GroupCommitOptions {
  /** Bytes of keys and values of one batch; a writer with more has one for itself. */
  readonly batchBytesMax: number;
  /** Bytes waiting; a writer that would exceed them is refused with STORE_BUSY. */
  readonly queueBytesMax: number;
}

export interface GroupCommitModules {
  /** Makes the changes durable, all or none. */
  readonly commit: (changes: Change[]) => Promise<void>;
  /** Called once for a failed batch, before its writers hear of it: what they and all who wait are told. */
  readonly failed: (error: unknown) => NodeError;
}

interface Writer {
  readonly changes: readonly Change[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: NodeError) => void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #modules: GroupCommitModules;
  #queue: Writer[] = [];
  #queueBytes = 0;
  #held = false;
  #pump: Promise<void> | undefined;

  constructor(options: GroupCommitOptions, modules: GroupCommitModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Resolves once the changes are durable. `bytes` counts keys and values. */
  write(changes: readonly Change[], bytes: number): Promise<void> {
    if (this.#queueBytes > 0 && this.#queueBytes + bytes > this.#options.queueBytesMax) {
      const message = `${this.#queueBytes} bytes wait to be written already: try again, or offer less`;
      return Promise.reject(storeError('STORE_BUSY', message));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ changes, bytes, resolve, reject });
      this.#queueBytes += bytes;
      this.#start();
    });
  }

  /** Sends nothing more, while writers may go on to queue. A batch on its way goes on. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#start();
  }

  /** Refuses all that wait. */
  refuse(error: NodeError): void {
    const refused = this.#queue;
    this.#queue = [];
    this.#queueBytes = 0;
    for (const writer of refused) writer.reject(error);
  }

  /** Resolves when no batch is on its way and none can start. */
  async idle(): Promise<void> {
    while (this.#pump !== undefined) await this.#pump;
  }

  #start(): void {
    if (this.#pump !== undefined || this.#held || this.#queue.length === 0) return;
    this.#pump = this.#run().finally(() => {
      this.#pump = undefined;
      this.#start();
    });
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // writers of the same turn share the first batch
    while (!this.#held && this.#queue.length > 0) {
      const writers = this.#take();
      try {
        await this.#modules.commit(writers.flatMap(({ changes }) => changes));
      } catch (error) {
        this.#fail(writers, error);
        return;
      }
      for (const writer of writers) writer.resolve();
      await Promise.resolve(); // a writer that goes straight on shares the next batch
    }
  }

  #take(): Writer[] {
    let count = 0;
    let bytes = 0;
    for (const writer of this.#queue) {
      if (count > 0 && bytes + writer.bytes > this.#options.batchBytesMax) break;
      count++;
      bytes += writer.bytes;
    }
    this.#queueBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  /**
   * Those behind the failed batch are refused with it: had they been written, a later change could stand where an
   * earlier one of the same owner does not.
   */
  #fail(writers: readonly Writer[], error: unknown): void {
    const told = this.#modules.failed(error);
    for (const writer of writers) writer.reject(told);
    this.refuse(told);
  }
}
