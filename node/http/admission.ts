/**
 * Who is let in under load. What counts is measured: how late the event loop is, and how many requests are in hand. The more
 * of either, the more kinds of work are turned away, those that can wait first and verdicts last (docs/operations.md).
 */

/** The share of the limits from which on a kind of work is turned away. Watching the node never is by load, and takes no place. */
export const SHED_AT = {
  batch: 0.5,
  snapshot: 0.6,
  log: 0.75,
  read: 0.75,
  verdict: 1,
  watch: Infinity,
} as const;

export type Work = keyof typeof SHED_AT;

export interface AdmissionOptions {
  /** Requests in hand. */
  readonly inFlightMax: number;
  /** Milliseconds that the event loop is late. */
  readonly delayMsMax: number;
}

export interface AdmissionModules {
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: () => number;
}

/** Often enough to see an overload before it hurts. */
const SAMPLE_MS = 10;
/** Samples without a request until it stops looking: to wake a hundred times a second is most of what an idle node would do. */
const QUIET_SAMPLES_MAX = 100;
/** How much one sample weighs: a pause for garbage is no overload, some late turns of the loop in a row are. */
const WEIGHT = 0.2;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #nowMs: () => number;
  readonly #shed: Record<Work, number> = { batch: 0, snapshot: 0, log: 0, read: 0, verdict: 0, watch: 0 };
  #isStarted = false;
  #timer: NodeJS.Timeout | undefined;
  #quietSamples = 0;
  #sampledAtMs = 0;
  #delayMs = 0;
  #inFlight = 0;

  constructor(options: AdmissionOptions, { nowMs = () => performance.now() }: AdmissionModules = {}) {
    this.#options = options;
    this.#nowMs = nowMs;
  }

  /** Measures whenever there are requests from now on. Safe to call twice, as `stop` is. */
  start(): void {
    this.#isStarted = true;
    this.#watch();
  }

  stop(): void {
    this.#isStarted = false;
    this.#rest();
  }

  #watch(): void {
    this.#quietSamples = 0;
    if (!this.#isStarted || this.#timer !== undefined) return;
    this.#sampledAtMs = this.#nowMs();
    this.#timer = setInterval(() => {
      this.sample();
      if (this.#inFlight === 0 && ++this.#quietSamples >= QUIET_SAMPLES_MAX) this.#rest();
    }, SAMPLE_MS).unref();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#delayMs = 0;
  }

  /** Takes the lateness of this call as that of the event loop, of which it keeps a running mean. */
  sample(): void {
    const nowMs = this.#nowMs();
    const lateMs = Math.max(0, nowMs - this.#sampledAtMs - SAMPLE_MS);
    this.#sampledAtMs = nowMs;
    this.#delayMs += WEIGHT * (lateMs - this.#delayMs);
  }

  /** Lets work in, or not. What is let in is handed back with `done`. */
  take(work: Exclude<Work, 'watch'>): boolean {
    this.#watch();
    if (this.load >= SHED_AT[work]) {
      this.refuse(work);
      return false;
    }
    this.#inFlight++;
    return true;
  }

  /** Counts what somebody else turned away. */
  refuse(work: Work): void {
    this.#shed[work]++;
  }

  done(): void {
    this.#inFlight--;
  }

  /** The fuller of the two limits; from 1 on nothing but watching is let in. */
  get load(): number {
    const { inFlightMax, delayMsMax } = this.#options;
    return Math.max(this.#inFlight / inFlightMax, this.#delayMs / delayMsMax);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  /** Requests turned away since the start. */
  get shed(): Readonly<Record<Work, number>> {
    return this.#shed;
  }
}
