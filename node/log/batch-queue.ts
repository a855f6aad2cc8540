/** What waits to be logged, handed out in batches: by time while little comes, by number while much does. */
import { type Clock } from '../ports.ts';

export interface BatchQueueOptions {
  /** Milliseconds for which the first of a batch waits for others. */
  readonly gatherMs: number;
  /** A batch of so many goes at once. */
  readonly batchMax: number;
  /** So many may wait. */
  readonly queueMax: number;
}

export class BatchQueue<T> {
  readonly #options: BatchQueueOptions;
  readonly #clock: Clock;
  readonly #waiting: T[] = [];
  #closed = false;
  #gathered: Promise<void> = Promise.resolve();
  #full = new AbortController();
  #wake: () => void = () => undefined;

  constructor(options: BatchQueueOptions, { clock }: { readonly clock: Clock }) {
    this.#options = options;
    this.#clock = clock;
  }

  /** False if the queue is full: the newcomer is turned away. */
  push(item: T): boolean {
    const { gatherMs, batchMax, queueMax } = this.#options;
    if (this.#waiting.length >= queueMax) return false;
    if (this.#waiting.push(item) === 1 && gatherMs > 0) {
      this.#full = new AbortController();
      this.#gathered = this.#clock.wait(gatherMs, this.#full.signal).catch(() => undefined);
    }
    if (this.#waiting.length === batchMax) this.#full.abort();
    this.#wake();
    return true;
  }

  /** Resolves when there is a batch to take, and at the latest when somebody pokes. One caller at a time. */
  async ready(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    await this.#gathered;
  }

  poke(): void {
    this.#wake();
  }

  /** What waits now waits for no others. */
  hasten(): void {
    this.#full.abort();
  }

  /** The next batch; empty if nothing waits. */
  take(): T[] {
    return this.#waiting.splice(0, this.#options.batchMax);
  }

  /** All that wait; the queue is empty then. */
  drain(): T[] {
    return this.#waiting.splice(0);
  }

  /** Whoever awaits `ready` goes on at once, now and later. */
  close(): void {
    this.#closed = true;
    this.#full.abort();
    this.#wake();
  }
}
