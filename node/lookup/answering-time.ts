/**
 * The time of this thread that goes into the questions of peers: each takes some milliseconds, in which no verdict is given and no revocation read. Spec:
 * SPEC.md 21.8.
 */
import { type Clock } from '../ports.ts';

/** Of so many milliseconds of running time two fifths, whoever asks: some 60 questions of each region at once, and 20 a second of one that goes on asking. */
const SPAN_MS = 3_000;
const SPENT_MS_MAX = 1_200;

export class AnsweringTime {
  readonly #clock: Pick<Clock, 'runMs'>;
  /** Of the span that has begun, by region: at most as many as are recognised. */
  readonly #spentMs = new Map<string, number>();
  #beganMs = -Infinity;
  #leftMs = 0;

  constructor({ clock }: { readonly clock: Pick<Clock, 'runMs'> }) {
    this.#clock = clock;
  }

  /** Whether a region may have a question answered: it has had less time than is left, so that one alone never takes what others need. */
  hasFor(region: string): boolean {
    const nowMs = this.#clock.runMs();
    if (nowMs - this.#beganMs >= SPAN_MS) {
      this.#beganMs = nowMs;
      this.#leftMs = SPENT_MS_MAX;
      this.#spentMs.clear();
    }
    return (this.#spentMs.get(region) ?? 0) < this.#leftMs;
  }

  /** Does work for a region, and counts what it takes. Throws as `work`. */
  spend<T>(region: string, work: () => T): T {
    const fromMs = this.#clock.runMs();
    try {
      return work();
    } finally {
      const tookMs = this.#clock.runMs() - fromMs;
      this.#leftMs -= tookMs;
      this.#spentMs.set(region, (this.#spentMs.get(region) ?? 0) + tookMs);
    }
  }
}
