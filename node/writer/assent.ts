/** How long ago witnesses have let this process write, for what it says without asking them each time. */
import { type Clock } from '../ports.ts';

interface Moment {
  readonly nowMs: number;
  readonly runMs: number;
}

export class Assent {
  readonly #clock: Pick<Clock, 'nowMs' | 'runMs'>;
  #asked: Moment | undefined;

  constructor(clock: Pick<Clock, 'nowMs' | 'runMs'>) {
    this.#clock = clock;
  }

  /** To be called before they are asked: from then on nobody has heard of a successor. Gives what to call once a quorum of them has agreed. */
  ask(): () => void {
    const asked = this.#now;
    return () => (this.#asked = asked);
  }

  /** Somebody else may write from now on. */
  end(): void {
    this.#asked = undefined;
  }

  /** Milliseconds, of both clocks by the one that says more: one stands still while the machine sleeps, the other can be set. Infinity without an assent. */
  get ageMs(): number {
    if (this.#asked === undefined) return Infinity;
    const { nowMs, runMs } = this.#now;
    return Math.max(Math.abs(nowMs - this.#asked.nowMs), runMs - this.#asked.runMs);
  }

  get #now(): Moment {
    return { nowMs: this.#clock.nowMs(), runMs: this.#clock.runMs() };
  }
}
