/** Stopping a node that is told to: with all that is in hand, if that takes no longer than whoever waits for it has patience. */
import { EXIT } from '../exit.ts';
import { type Surroundings } from '../surroundings.ts';

export interface StopInTimeOptions {
  /** Milliseconds from the signal until it ends in any case. */
  readonly patienceMs: number;
}

/**
 * Aborts with SIGINT or SIGTERM. `patienceMs` later, or with a second signal, the process ends with a line that says so, wherever it
 * is by then: what was acknowledged is on the disk, and the next start goes on from there as after a loss of power.
 */
export function stopInTime(
  { patienceMs }: StopInTimeOptions,
  { onSignal = () => undefined, endNow = () => undefined, writeErr }: Surroundings,
): AbortSignal {
  const stopping = new AbortController();
  const giveUp = (why: string): void => {
    writeErr(`${why}: it ends at once. What was acknowledged is on the disk.\n`);
    endNow(EXIT.failure);
  };
  const stop = (): void => {
    if (stopping.signal.aborted) return giveUp('Told to stop twice');
    stopping.abort();
    // A node that has stopped by then is not kept by this.
    setTimeout(() => giveUp(`Not stopped ${patienceMs / 1_000} s after it was told to`), patienceMs).unref();
  };
  onSignal('SIGINT', stop);
  onSignal('SIGTERM', stop);
  return stopping.signal;
}
