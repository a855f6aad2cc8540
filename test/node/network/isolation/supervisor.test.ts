import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Supervisor } from '../../../../node/network/isolation/supervisor.ts';
import { until } from '../../../support/until.ts';

class FakeThread extends EventEmitter {
  postMessage(): void {
    // Nobody listens.
  }

  terminate(): Promise<number> {
    this.emit('exit', 1);
    return Promise.resolve(1);
  }
}

function bench() {
  const threads: FakeThread[] = [];
  const ends: unknown[] = [];
  const supervisor = new Supervisor({
    spawn: () => {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    },
    onSpawn: () => undefined,
    onEnd: (cause) => ends.push(cause),
  });
  return { supervisor, threads, ends };
}

describe('Supervisor', () => {
  it('starts another thread when one ends, and tells what that threw', async () => {
    const { supervisor, threads, ends } = bench();
    supervisor.start();
    const cause = new Error('boom');
    threads[0]?.emit('error', cause);
    threads[0]?.emit('exit', 1);
    await until(() => threads.length === 2, 'another is started');
    assert.deepEqual(ends, [cause]);
    assert.deepEqual(supervisor.counters, { restarts: 1, stuck: 0, lastCause: 'boom' });
    await supervisor.stop(0);
  });

  it('starts none after it was stopped, and can be stopped twice', async () => {
    const { supervisor, threads } = bench();
    supervisor.start();
    await Promise.all([supervisor.stop(0), supervisor.stop(0)]);
    assert.equal(threads.length, 1);
    assert.equal(supervisor.counters.restarts, 0);
  });
});
