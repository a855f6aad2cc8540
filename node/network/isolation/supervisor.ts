/**
 * Keeps a thread running: one that ends is started again, at once if it lived for a while, and no more than so many times in a
 * minute; one that gives no sign of life is ended.
 */
import { BEAT, RESTARTS } from '../network-limits.ts';
import { type Port } from './channel.ts';

/** What this needs of a `Worker`. */
export interface Thread extends Port {
  on(event: 'message' | 'error', listener: (value: unknown) => void): this;
  on(event: 'exit', listener: (code: number) => void): this;
  terminate(): Promise<number>;
}

/** Milliseconds; see `BEAT`. */
export interface SupervisorOptions {
  readonly everyMs?: number;
  readonly missedMs?: number;
  readonly firstMs?: number;
}

export interface SupervisorModules {
  readonly spawn: () => Thread;
  /** A thread has begun; it may not be ready yet. */
  readonly onSpawn: (thread: Thread) => void;
  /** It has ended; `cause` is what it threw, if it did. Must not throw. */
  readonly onEnd: (cause: unknown) => void;
}

export interface SupervisorCounters {
  readonly restarts: number;
  /** Threads that were ended for want of a sign of life. */
  readonly stuck: number;
  /** What the last thread that ended threw; undefined if nothing. */
  readonly lastCause: string | undefined;
}

export class Supervisor {
  readonly #options: Required<SupervisorOptions>;
  readonly #modules: SupervisorModules;
  readonly #counters = { restarts: 0, stuck: 0 };
  /** By the running time of this process. */
  #startsMs: number[] = [];
  #lastCause: string | undefined;
  #lastBeatMs = 0;
  #hasBeaten = false;
  #lastLookMs = 0;
  #thread: Thread | undefined;
  #ended: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: SupervisorOptions, modules: SupervisorModules) {
    this.#options = { ...BEAT, ...options };
    this.#modules = modules;
  }

  get counters(): SupervisorCounters {
    return { ...this.#counters, lastCause: this.#lastCause };
  }

  start(): void {
    this.#watch ??= setInterval(() => this.#lookAfter(), this.#options.everyMs).unref();
    this.#spawn();
  }

  /** The thread gave a sign of life. */
  beat(): void {
    this.#lastBeatMs = performance.now();
    this.#hasBeaten = true;
  }

  /** Starts none again, and resolves once the thread is gone: by itself within `graceMs`, else ended. Safe to call twice. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#watch);
    clearTimeout(this.#timer);
    const thread = this.#thread;
    if (thread === undefined) return;
    const grace = setTimeout(() => void thread.terminate(), graceMs);
    await this.#ended;
    clearTimeout(grace);
  }

  #spawn(): void {
    const startMs = performance.now();
    this.#startsMs = [...this.#startsMs.filter((ms) => startMs - ms < RESTARTS.withinMs), startMs];
    this.#lastBeatMs = startMs;
    this.#hasBeaten = false;
    const thread = this.#modules.spawn();
    this.#thread = thread;
    let cause: unknown;
    thread.on('error', (error) => (cause = error));
    this.#ended = new Promise((resolve) => {
      thread.on('exit', () => {
        this.#thread = undefined;
        this.#lastCause = cause instanceof Error ? cause.message.slice(0, 200) : undefined;
        this.#modules.onEnd(cause);
        this.#restart(performance.now() - startMs);
        resolve();
      });
    });
    this.#modules.onSpawn(thread);
  }

  #restart(livedMs: number): void {
    if (this.#isStopped) return;
    const nowMs = performance.now();
    const oldest = this.#startsMs[0] ?? nowMs;
    const isTooOften = this.#startsMs.length >= RESTARTS.max;
    const pauseMs = livedMs < RESTARTS.shortLifeMs ? RESTARTS.pauseMs : 0;
    this.#timer = setTimeout(
      () => {
        this.#counters.restarts++;
        this.#spawn();
      },
      isTooOften ? Math.max(pauseMs, oldest + RESTARTS.withinMs - nowMs) : pauseMs,
    );
  }

  #lookAfter(): void {
    const { everyMs, missedMs, firstMs } = this.#options;
    const nowMs = performance.now();
    // Where this thread was busy itself, signs of life wait to be read.
    if (nowMs - this.#lastLookMs > 2 * everyMs) this.#lastBeatMs = nowMs;
    this.#lastLookMs = nowMs;
    const silentMs = nowMs - this.#lastBeatMs;
    if (this.#thread === undefined || silentMs < (this.#hasBeaten ? missedMs : firstMs)) return;
    this.#counters.stuck++;
    this.#lastBeatMs = nowMs;
    void this.#thread.terminate();
  }
}
