/** `entente` as a process whose clock runs ahead of the machine's by as many milliseconds as its parent says, at its start and later. */
import { runCli } from '../../cli/program.ts';
import { processSurroundings } from '../../cli/surroundings.ts';
import { type Clock } from '../../node/ports.ts';

/** This file, to be started as a process with the arguments of the command line. */
export const CLOCKED_MAIN = import.meta.filename;

/** The variable with the milliseconds at the start. */
export const AHEAD_VARIABLE = 'CLOCK_AHEAD_MS';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** When it is put forward, whoever waited for a time that has come by then is woken at once, as on any other clock. */
class ClockAhead implements Clock {
  #aheadMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(aheadMs: number) {
    this.#aheadMs = aheadMs;
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** What it is put forward by has passed for the process. */
  runMs(): number {
    return this.nowMs();
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the port demands the reason itself
      if (signal?.aborted) return reject(signal.reason);
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as above
      const abort = (): void => end(() => reject(signal?.reason));
      const sleeper = { dueMs: this.nowMs() + ms, wake: () => end(resolve) };
      const timer = setTimeout(sleeper.wake, ms);
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  set(aheadMs: number): void {
    this.#aheadMs = aheadMs;
    const nowMs = this.nowMs();
    for (const { dueMs, wake } of [...this.#sleepers]) if (dueMs <= nowMs) wake();
  }
}

if (process.argv[1] === CLOCKED_MAIN) {
  const clock = new ClockAhead(Number(process.env[AHEAD_VARIABLE] ?? 0));
  process.on('message', (aheadMs) => {
    clock.set(Number(aheadMs));
    process.send?.('set');
  });
  // It may end although its parent could still say something.
  process.channel?.unref();
  const nowS = (): number => Math.floor(clock.nowMs() / 1_000);
  process.exitCode = await runCli(process.argv.slice(2), { ...processSurroundings(), nowS, clock });
}
