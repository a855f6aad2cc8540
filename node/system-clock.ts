/** The clock of the machine. */
import { setTimeout } from 'node:timers/promises';
import { type Clock } from './ports.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  wait: async (ms, signal) => {
    try {
      await setTimeout(ms, undefined, { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
