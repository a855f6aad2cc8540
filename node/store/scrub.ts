/**
 * The background reader: goes through all a store holds again and again at a bounded rate, so that rot is found while
 * peers can still heal it.
 */
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { keyAfter } from './reader.ts';
import { type Store } from './store.ts';

export interface ScrubOptions {
  /** 4 MiB/s by default: 15 GB an hour. */
  readonly bytesPerSecond?: number;
  /** From the end of one pass to the start of the next; 1 h by default. */
  readonly pauseMs?: number;
}

export interface ScrubModules {
  readonly store: Pick<Store, 'inspect' | 'checkDisk'>;
  readonly clock: Clock;
  /**
   * Told of a key whose value is not what was written, or that was never written in this form. Puts the value right
   * if it can; rejections count as not healed. Called one at a time.
   */
  readonly heal: (key: string) => Promise<void>;
  /**
   * Told of damage below the values: keys may be missing, or old values may have come back, in a file of the disk.
   * The disk should be salvaged and its owners' data compared with peers.
   */
  readonly damaged: (damage: string) => void;
}

/** Counted over all passes. */
export interface ScrubCounters {
  readonly passes: number;
  readonly values: number;
  readonly bytes: number;
  readonly corrupt: number;
  readonly healed: number;
  readonly damaged: number;
}

const DEFAULTS = { bytesPerSecond: 4 << 20, pauseMs: 3_600_000 };
const PAGE_SIZE = 256;

export class Scrub {
  readonly #options: Required<ScrubOptions>;
  readonly #modules: ScrubModules;
  readonly #stopping = new AbortController();
  readonly #counters = { passes: 0, values: 0, bytes: 0, corrupt: 0, healed: 0, damaged: 0 };
  #running: Promise<void> | undefined;

  constructor(options: ScrubOptions, modules: ScrubModules) {
    this.#options = { ...DEFAULTS, ...options };
    this.#modules = modules;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  get counters(): ScrubCounters {
    return { ...this.#counters };
  }

  /** One pass over everything. Rejects as the store's reads do, or with the stop's reason. */
  async pass(): Promise<void> {
    const { store, damaged } = this.#modules;
    for await (const { bytes, damage } of store.checkDisk()) {
      if (damage !== undefined) {
        this.#counters.damaged++;
        damaged(damage);
      }
      await this.#pace(bytes);
    }
    for (let from = ''; ;) {
      const page = await store.inspect(from, PAGE_SIZE);
      const last = page.at(-1);
      if (last === undefined) break;
      let bytes = 0;
      for (const { key, bytes: read, intact } of page) {
        bytes += read;
        if (!intact) await this.#heal(key);
      }
      this.#counters.values += page.length;
      await this.#pace(bytes);
      from = keyAfter(last.key);
    }
    this.#counters.passes++;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.pass();
        await this.#modules.clock.wait(this.#options.pauseMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isNodeError(error)) throw error;
        // The store is being reopened, or is down: it has told so itself.
        await this.#modules.clock.wait(this.#options.pauseMs, signal).catch(() => undefined);
      }
    }
  }

  async #heal(key: string): Promise<void> {
    this.#counters.corrupt++;
    try {
      await this.#modules.heal(key);
      this.#counters.healed++;
    } catch (error) {
      if (!isNodeError(error)) throw error;
    }
  }

  async #pace(bytes: number): Promise<void> {
    this.#counters.bytes += bytes;
    const { signal } = this.#stopping;
    await this.#modules.clock.wait((bytes * 1_000) / this.#options.bytesPerSecond, signal);
  }
}
