/** One process of a node, from its start to its end or its death: what it waits for never comes once it is dead. */
import { type Clock } from '../../node/ports.ts';
import { type VirtualClock } from './virtual-clock.ts';

export class Life {
  #isDead = false;
  /** Waits of this process that are not over: a bound of the node's own queues. */
  waits = 0;

  get isDead(): boolean {
    return this.#isDead;
  }

  end(): void {
    this.#isDead = true;
  }

  /** What `promise` resolves with, unless the process dies before: then this never settles. */
  async whileAlive<T>(promise: Promise<T>): Promise<T> {
    try {
      const result = await promise;
      return this.#isDead ? await never() : result;
    } catch (error) {
      if (this.#isDead) return never();
      throw error;
    }
  }
}

export function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** How wrong the clock of a machine is. */
export interface ClockError {
  /** Milliseconds ahead of the true time; negative behind it. */
  aheadMs: number;
}

/** The clock that a process sees: its wall time is off, its waiting is not. */
export class ProcessClock implements Clock {
  readonly #clock: VirtualClock;
  readonly #error: ClockError;
  readonly #life: Life;

  constructor(clock: VirtualClock, error: ClockError, life: Life) {
    this.#clock = clock;
    this.#error = error;
    this.#life = life;
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.#error.aheadMs;
  }

  runMs(): number {
    return this.#clock.nowMs();
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    const life = this.#life;
    if (life.isDead) return never();
    return new Promise((resolve, reject) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the port demands the reason itself
      const abort = (): void => reject(signal?.reason);
      if (signal?.aborted) return abort();
      life.waits++;
      const callOff = this.#clock.after(ms, () => {
        life.waits--;
        signal?.removeEventListener('abort', aborted);
        if (!life.isDead) resolve();
      });
      const aborted = (): void => {
        life.waits--;
        callOff();
        abort();
      };
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }
}
