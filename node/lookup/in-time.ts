/** A wait that has an end, whoever hangs. */
import { type Clock } from '../ports.ts';

/**
 * What `work` gives within so many milliseconds of running time; undefined where it takes longer, or `signal` ends it. `work` is told by
 * its own signal. Rejects as `work`.
 */
export async function inTime<T>(
  clock: Pick<Clock, 'wait'>,
  ms: number,
  signal: AbortSignal,
  work: (within: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const over = new AbortController();
  const within = AbortSignal.any([signal, over.signal]);
  const nothing = (): undefined => undefined;
  try {
    return await Promise.race([work(within), clock.wait(ms, within).then(nothing, nothing)]);
  } finally {
    over.abort();
  }
}
