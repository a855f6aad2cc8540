import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { availableParallelism } from 'node:os';
import { type SignatureCheck } from '../../../protocol/primitives.ts';
import { openNativeCrypto } from '../../../node/crypto/native.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { isPackable, packChecks, unpackChecks } from '../../../node/verdicts/packed-checks.ts';
import { SignatureThread, type SignatureWorker } from '../../../node/verdicts/signature-thread.ts';
import { until } from '../../support/until.ts';

const { verifySignature, signerOf } = await openNativeCrypto();
const signer = signerOf(new Uint8Array(32).fill(7));

function signed(text: string, isGood = true): SignatureCheck {
  const message = new TextEncoder().encode(text);
  const signature = signer.sign(message);
  if (!isGood) signature[40] = (signature[40] ?? 0) ^ 1;
  return { publicKey: signer.publicKey, message, signature };
}

/** A thread that answers when it is told to. */
class Worker extends EventEmitter {
  readonly posted: Uint8Array[] = [];
  isTerminated = false;
  isDeaf = false;

  postMessage(packed: Uint8Array): void {
    if (this.isDeaf) throw new Error('it takes nothing');
    this.posted.push(packed);
  }

  answer(): void {
    const checks = unpackChecks(this.posted.shift() ?? assert.fail('nothing was handed over'));
    this.emit(
      'message',
      Uint8Array.from(checks, (check) => Number(verifySignature(check))),
    );
  }

  terminate(): Promise<number> {
    this.isTerminated = true;
    return Promise.resolve(0);
  }

  unref(): void {
    // Nothing to hold.
  }
}

describe('SignatureThread', () => {
  let workers: Worker[];
  let nowMs: number;
  let here: number;
  let isBroken: boolean;
  let troubles: unknown[];
  let thread: SignatureThread;
  beforeEach(() => {
    [workers, nowMs, here, isBroken, troubles] = [[], 0, 0, false, []];
    thread = new SignatureThread(
      { busyPerS: 100 },
      {
        verifySignature: (check) => {
          here++;
          return verifySignature(check);
        },
        onTrouble: (error) => troubles.push(error),
        spawn: () => {
          if (isBroken) throw new Error('no more threads');
          const worker = new Worker();
          workers.push(worker);
          return worker as unknown as SignatureWorker;
        },
        nowMs: () => nowMs,
      },
    );
  });
  afterEach(() => thread.stop());

  const check = async (...checks: SignatureCheck[]) => thread.check(checks);
  const [good, bad] = [signed('good'), signed('bad', false)];

  /** Asks so often that the next check is one of many. */
  function makeBusy(): void {
    for (let i = 0; i < 20; i++) void thread.check([good]);
    nowMs += 100;
    here = 0;
  }

  it('checks here while there is little to do, and starts no thread', () => {
    for (let i = 0; i < 5; i++) {
      nowMs += 100;
      assert.deepEqual(thread.check([good, bad]), [true, false]);
    }
    assert.deepEqual([here, workers.length], [10, 0]);
  });

  it('hands many over together, and gives each its own answers', async () => {
    makeBusy();
    const all = [[good], [bad, good], [good, bad], [bad], [], [good, good]].map((checks) => check(...checks));
    const [worker] = workers;
    assert.equal(worker?.posted.length, 1, 'eight checks are enough for one run');
    worker?.answer();
    assert.deepEqual(await Promise.all(all), [
      [true],
      [false, true],
      [true, false],
      [false],
      [],
      [true, true],
    ]);
    assert.equal(here, 0);
  });

  it('hands fewer over after a moment', async () => {
    makeBusy();
    const answers = thread.check([bad]);
    assert.equal(workers[0]?.posted.length, 0);
    await until(() => workers[0]?.posted.length === 1, 'handed over');
    workers[0]?.answer();
    assert.deepEqual(await answers, [false]);
  });

  it('T17: checks here what the thread has no room for', () => {
    makeBusy();
    for (let i = 0; i < 64; i++) assert.ok(thread.check([good]) instanceof Promise);
    assert.deepEqual(thread.check([bad]), [false]);
    assert.equal(here, 1);
  });

  it('checks here what cannot be good, of whatever length', () => {
    makeBusy();
    const short = { ...good, signature: good.signature.subarray(0, 63) };
    assert.deepEqual(thread.check([short]), [false]);
    assert.deepEqual(thread.check([{ ...good, publicKey: new Uint8Array(0) }]), [false]);
  });

  for (const [what, end] of [
    ['dies', (worker: Worker) => worker.emit('error', new Error('out of memory'))],
    ['has its answer lost', (worker: Worker) => worker.emit('messageerror', new Error('not read'))],
    ['ends', (worker: Worker) => worker.emit('exit', 1)],
    ['answers less than it was asked', (worker: Worker) => worker.emit('message', new Uint8Array(1))],
  ] as const) {
    it(`F13: a thread that ${what} takes no verdict with it, and is followed by another only later`, async () => {
      makeBusy();
      const answers = [good, bad, good].map((first) => check(first, bad, good));
      assert.ok(workers[0]);
      end(workers[0]);
      assert.deepEqual(await Promise.all(answers), [
        [true, false, true],
        [false, false, true],
        [true, false, true],
      ]);
      assert.deepEqual(thread.check([bad]), [false]);
      assert.equal(workers.length, 1);
      makeBusy();
      nowMs += 60_000;
      makeBusy();
      void thread.check([good]);
      assert.equal(workers.length, 2);
      workers[0].emit('message', new Uint8Array(1));
      assert.equal(workers[1]?.isTerminated, false, 'what a thread says that is gone is not heard');
    });
  }

  it('F13: where no thread can be started, or takes anything, all is checked here, and told once', async () => {
    isBroken = true;
    makeBusy();
    for (let times = 0; times < 3; times++) assert.deepEqual(thread.check([bad, good]), [false, true]);
    [isBroken, nowMs] = [false, nowMs + 60_000];
    makeBusy();
    // The second of the two is handed over by a timer, whose throw nobody would catch.
    for (const checks of [Array.from({ length: 8 }, () => good), [bad]]) {
      makeBusy();
      const answers = thread.check(checks);
      const worker = workers.at(-1) ?? assert.fail('no thread was started');
      worker.isDeaf = true;
      if (checks.length > 1) worker.emit('messageerror', new Error('not read'));
      assert.deepEqual(
        await answers,
        checks.map((one) => verifySignature(one)),
      );
      assert.ok(worker.isTerminated);
      nowMs += 60_000;
    }
    assert.equal(workers.length, 2);
    assert.ok(troubles.length === 1 && isNodeError(troubles[0], 'THREAD_FAILED'));
  });

  it('answers what is under way when it is stopped, and everything later', async () => {
    makeBusy();
    const answers = thread.check([bad, good]);
    await thread.stop();
    assert.deepEqual(await answers, [false, true]);
    assert.deepEqual(thread.check([good]), [true]);
    assert.ok(workers[0]?.isTerminated);
  });

  it('a thread that says nothing for three seconds is given up', async () => {
    makeBusy();
    const answers = check(bad, ...Array.from({ length: 7 }, () => good));
    nowMs += 3_000;
    void check(good);
    assert.equal(workers[0]?.isTerminated, false);
    nowMs += 100;
    void check(good);
    assert.equal(workers[0].isTerminated, true);
    assert.equal((await answers)[0], false);
  });

  it('a real thread answers as this one does', async () => {
    let atMs = 0;
    let checkedHere = 0;
    const countingly = (one: SignatureCheck) => {
      checkedHere++;
      return verifySignature(one);
    };
    const real = new SignatureThread({ busyPerS: 1 }, { verifySignature: countingly, nowMs: () => atMs });
    const checks = Array.from({ length: 100 }, (_, i) => signed(`message ${i}`, i % 3 > 0));
    void real.check(checks);
    [atMs, checkedHere] = [100, 0];
    const answers = await Promise.all(checks.map(async (one) => real.check([one])));
    assert.deepEqual(
      answers.flat(),
      checks.map((one) => verifySignature(one)),
    );
    if (availableParallelism() > 1) assert.equal(checkedHere, 100 - 64);
    await real.stop();
  });
});

describe('packChecks', () => {
  it('keeps keys, signatures and messages of any length', () => {
    const checks = [good(0), good(1), good(300), good(65_535)];
    assert.deepEqual(
      unpackChecks(packChecks(checks)).map(({ publicKey, signature, message }) => ({
        publicKey: new Uint8Array(publicKey),
        signature: new Uint8Array(signature),
        message: new Uint8Array(message),
      })),
      checks,
    );
    assert.deepEqual(unpackChecks(packChecks([])), []);
  });

  it('isPackable refuses another length of key or signature, and a message of 64 KiB', () => {
    assert.ok(isPackable(good(65_535)));
    assert.ok(!isPackable(good(65_536)));
    for (const length of [0, 31, 33])
      assert.ok(!isPackable({ ...good(1), publicKey: new Uint8Array(length) }));
    for (const length of [0, 63, 65])
      assert.ok(!isPackable({ ...good(1), signature: new Uint8Array(length) }));
  });

  function good(length: number): SignatureCheck {
    return {
      publicKey: new Uint8Array(32).fill(1),
      signature: new Uint8Array(64).fill(2),
      message: new Uint8Array(length).fill(3),
    };
  }
});
