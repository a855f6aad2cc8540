import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Supervisor, type SupervisorOptions } from '../../../../node/network/isolation/supervisor.ts';
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

function bench(options: SupervisorOptions = {}) {
  const threads: FakeThread[] = [];
  const ends: unknown[] = [];
  const supervisor = new Supervisor(options, {
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

  it('ends a thread that falls silent, and waits longer for the first sign of one that begins', async () => {
    const { supervisor, threads, ends } = bench({ everyMs: 200, missedMs: 400, firstMs: 1_500 });
    const startMs = performance.now();
    supervisor.start();
    await until(() => performance.now() - startMs > 800, 'it could have been missed twice');
    assert.equal(ends.length, 0);
    supervisor.beat();
    await until(() => threads.length === 2, 'another is started');
    assert.equal(supervisor.counters.stuck, 1);
    await until(() => ends.length === 2, 'the other never gave a sign');
    assert.ok(performance.now() - startMs > 2_300);
    await supervisor.stop(0);
  });
});
