/** The clock of the machine. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type Clock } from './ports.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  runMs: () => performance.now(),
  wait: async (ms, signal) => {
    try {
      // A timer of 0 ms takes 1 at least; who waits for none only lets others have a turn.
      if (ms > 0) await setTimeout(ms, undefined, { signal });
      else await setImmediate(undefined, { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
