import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { isNodeError } from '../../../node/node-error.ts';
import { answerJobs } from '../../../node/threads/answering-jobs.ts';
import { HelperThread } from '../../../node/threads/helper-thread.ts';

const ECHO = `const { parentPort } = require('node:worker_threads');
parentPort.on('message', (job) => { if (job === 'throw') throw new Error('it broke'); parentPort.postMessage(job); });`;

describe('HelperThread', () => {
  let nowMs: number;
  let isBroken: boolean;
  let workers: Worker[];
  let troubles: unknown[];
  let ends: number;
  let thread: HelperThread<unknown, unknown>;
  beforeEach(() => {
    [nowMs, isBroken, workers, troubles, ends] = [0, false, [], [], 0];
    thread = new HelperThread(
      { name: 'tests', idleMs: 30_000 },
      {
        spawn: () => {
          // An option that no thread takes makes the constructor itself throw, as a machine does that has no more threads.
          const worker = new Worker(ECHO, {
            eval: true,
            ...(isBroken && { execArgv: ['--no-such-option'] }),
          });
          workers.push(worker);
          return worker;
        },
        onEnd: () => ends++,
        onTrouble: (error) => troubles.push(error),
        nowMs: () => nowMs,
      },
    );
  });
  afterEach(() => thread.stop());

  const toldOnce = (why: RegExp) => {
    const [error] = troubles;
    assert.ok(troubles.length === 1 && isNodeError(error, 'THREAD_FAILED'));
    assert.match(error.message, why);
  };

  it('F13: a thread that cannot be started answers nobody, is told of once, and is tried again after a pause', async () => {
    isBroken = true;
    for (let times = 0; times < 3; times++) assert.equal(await thread.ask(1), undefined);
    nowMs = 60_000;
    assert.equal(await thread.ask(1), undefined);
    toldOnce(/thread for tests cannot be started.*--no-such-option/);
    isBroken = false;
    nowMs += 59_999;
    assert.equal(await thread.ask(1), undefined);
    assert.equal(workers.length, 0);
    nowMs += 1;
    assert.equal(await thread.ask(1), 1);
    isBroken = true;
    workers[0]?.emit('exit', 1);
    assert.equal(await thread.ask(2), undefined);
    assert.equal(troubles.length, 2, 'told again, since one has answered');
  });

  it('is not started any more once it is stopped, however long ago a start failed', async () => {
    isBroken = true;
    await thread.ask(1);
    await thread.stop();
    [isBroken, nowMs] = [false, 60_000];
    assert.equal(await thread.ask(1), undefined);
    assert.equal(workers.length, 0);
  });

  for (const [what, why, end] of [
    ['breaks down', /it broke/, () => thread.ask('throw')],
    ['cannot be given a job', /could not be cloned/, () => thread.ask(() => 1)],
    [
      'has its answer lost',
      /not read/,
      () => Promise.resolve(workers[0]?.emit('messageerror', new Error('not read'))),
    ],
  ] as const)
    it(`F13: a thread that ${what} is ended, and gives nobody the answer to another's job`, async () => {
      assert.equal(await thread.ask('first'), 'first');
      const answers = [thread.ask('second'), end(), thread.ask('last')];
      const [second, , last] = await Promise.all(answers);
      assert.ok(second === undefined || second === 'second');
      assert.equal(last, undefined);
      assert.deepEqual([ends, workers.length], [1, 1]);
      toldOnce(why);
      nowMs += 60_000;
      assert.equal(await thread.ask('later'), 'later');
      assert.equal(workers.length, 2);
    });
});

describe('answerJobs', () => {
  class Port extends EventEmitter {
    readonly posted: unknown[][] = [];
    postMessage(...args: unknown[]): void {
      this.posted.push(args);
    }
  }

  it('answers in order, and ends the thread by what throws where a job came over broken', () => {
    const port = new Port();
    answerJobs(port as never, (job: number) => ({ answer: 2 * job }));
    for (const job of [1, 2]) port.emit('message', job);
    assert.deepEqual(port.posted, [
      [2, []],
      [4, []],
    ]);
    const lost = new Error('not read');
    assert.throws(() => port.emit('messageerror', lost), lost);
    assert.doesNotThrow(() => answerJobs(null, () => ({ answer: 1 })));
  });
});
