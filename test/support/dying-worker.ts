/** The network's thread with a weakness: it throws in a microtask, or stops turning, when told to. */
import { parentPort } from 'node:worker_threads';
import '../../node/network/isolation/network-worker.ts';

parentPort?.on('message', (message: unknown) => {
  if (message === 'throw') {
    queueMicrotask(() => {
      throw new Error('thrown in a microtask');
    });
  }
});
