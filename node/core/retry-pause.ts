/** What a node waits for between tries to sign: some time, somebody else to ask, or the operator. */
import { type Clock } from '../ports.ts';

export interface RetryPauseModules {
  readonly clock: Clock;
  /** Ends the node. */
  readonly stopping: AbortSignal;
  readonly peers: () => readonly string[];
}

/** Pauses between tries that found the same: half a minute, by default. */
export const PAUSES_MAX = 16;

export class RetryPause {
  readonly #modules: RetryPauseModules;
  readonly #retryMs: number;
  #wake: () => void = () => undefined;

  constructor(modules: RetryPauseModules, retryMs: number) {
    this.#modules = modules;
    this.#retryMs = retryMs;
  }

  /** Ends the pause that is under way; nothing if there is none. */
  end(): void {
    this.#wake();
  }

  /** Waits `times` times `retryMs`, or until there is somebody else to ask: an own log that nobody can make whole is asked for without end. */
  async wait(times: number): Promise<void> {
    const { stopping, clock, peers } = this.#modules;
    const known = peers().join();
    const waking = new Promise<void>((resolve) => (this.#wake = resolve));
    for (let i = 0; i < times && !stopping.aborted; i++) {
      const wait = clock.wait(this.#retryMs, stopping).catch(() => undefined);
      if ((await Promise.race([wait, waking.then(() => 'woken')])) === 'woken') return;
      if (peers().join() !== known) return;
    }
  }
}
