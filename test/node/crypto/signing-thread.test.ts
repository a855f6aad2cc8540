import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { SigningThread } from '../../../node/crypto/signing-thread.ts';
import { type SigningJob } from '../../../node/crypto/signing-worker.ts';
import { type Signer } from '../../../node/ports.ts';
import { unpackBytes } from '../../../node/threads/packed-bytes.ts';
import { until } from '../../support/until.ts';

const KEY_ID = '0123456789abcdef';
const secretKey = new Uint8Array(32).fill(7);
const signer = opensslBackEnd.signerOf(secretKey);
const messages = Array.from({ length: 2_100 }, (_, i) => Buffer.from(`message ${i}`));
const wanted = messages.map((message) => signer.sign(message));

/** A thread that does what the test says. */
class StubWorker extends EventEmitter {
  readonly jobs: SigningJob[] = [];
  isKept = false;
  isTerminated = false;
  ref(): void {
    this.isKept = true;
  }
  unref(): void {
    this.isKept = false;
  }
  postMessage(job: SigningJob): void {
    this.jobs.push(structuredClone(job));
  }
  /** Does the oldest job, by this key. */
  answer(by: Signer = signer): void {
    const job = this.jobs.shift();
    const some = job !== undefined && 'messages' in job ? unpackBytes(job.messages) : [];
    this.emit('message', Uint8Array.from(some.flatMap((message) => [...by.sign(message)])));
  }
  terminate(): Promise<number> {
    this.isTerminated = true;
    return Promise.resolve(0);
  }
}

describe('SigningThread', () => {
  /** How many messages this thread signed since. */
  let here = 0;
  let workers: StubWorker[];
  let thread: SigningThread;
  const counted: Signer = { publicKey: signer.publicKey, sign: (message) => (here++, signer.sign(message)) };

  beforeEach(() => {
    here = 0;
    workers = [];
    const spawn = () => {
      const worker = new StubWorker();
      workers.push(worker);
      return worker as never;
    };
    thread = new SigningThread({ spawn });
  });
  afterEach(() => thread.stop());

  /** A thread that has been told the key. */
  function introduced() {
    const signerOfMany = thread.signerOfMany(KEY_ID, secretKey, counted);
    assert.equal(signerOfMany(messages.length), undefined, 'nobody waits for its start');
    const worker = workers[0] ?? assert.fail('there is no thread');
    worker.answer();
    return { worker, signerOfMany };
  }

  it('a real thread makes the same signatures in the same order, and the key stays whole here', async () => {
    const real = new SigningThread();
    const signerOfMany = real.signerOfMany(KEY_ID, secretKey, counted);
    await until(() => signerOfMany(messages.length) !== undefined, 'the thread knows the key');
    assert.deepEqual(await signerOfMany(messages.length)?.(messages), wanted);
    assert.equal(here, 0);
    real.forget(KEY_ID);
    assert.equal(signerOfMany(messages.length), undefined, 'a key that is forgotten is not told again');
    await real.stop();
    assert.ok(secretKey.every((byte) => byte === 7));
  });

  it('starts no thread for few, nor where there is no processor for it', async () => {
    assert.equal(thread.signerOfMany(KEY_ID, secretKey, counted)(2_047), undefined);
    assert.equal(workers.length, 0);
    const none = new SigningThread({ spawn: undefined });
    assert.equal(none.signerOfMany(KEY_ID, secretKey, counted)(messages.length), undefined);
    await none.stop();
  });

  it('tells a key once, asks for no few, and keeps the process while somebody waits alone', async () => {
    const { worker, signerOfMany } = introduced();
    await until(() => signerOfMany(256) !== undefined, 'the key is known');
    assert.equal(signerOfMany(255), undefined);
    assert.deepEqual([worker.isKept, worker.jobs.length], [false, 0]);
    const signing = signerOfMany(messages.length)?.(messages);
    assert.deepEqual([worker.isKept, worker.jobs.length], [true, 2]);
    worker.answer();
    worker.answer();
    assert.deepEqual(await signing, wanted);
    assert.deepEqual([worker.isKept, here], [false, 0]);
  });

  it('signs here what a thread that ended had in hand, and begins anew with the next', async () => {
    const { worker, signerOfMany } = introduced();
    await until(() => signerOfMany(256) !== undefined, 'the key is known');
    const signing = signerOfMany(messages.length)?.(messages);
    worker.answer();
    worker.emit('exit', 1);
    assert.deepEqual(await signing, wanted);
    assert.equal(here, messages.length - 2_048, 'what was answered is not signed again');
    assert.equal(signerOfMany(messages.length), undefined);
    assert.equal(workers.length, 2);
    assert.ok('secretKey' in (workers[1]?.jobs[0] ?? {}), 'it is told the key again');
  });

  it('F13: a key that no thread could be told is told the next that starts', async () => {
    let nowMs = 0;
    let isBroken = true;
    const troubles: unknown[] = [];
    const started = new StubWorker();
    const spawn = () => {
      if (isBroken) throw new Error('no more threads');
      return started as never;
    };
    const onTrouble = (error: unknown) => troubles.push(error);
    const broken = new SigningThread({ spawn, onTrouble, nowMs: () => nowMs });
    const signerOfMany = broken.signerOfMany(KEY_ID, secretKey, counted);
    for (let times = 0; times < 2; times++) {
      assert.equal(signerOfMany(messages.length), undefined);
      await new Promise(setImmediate);
    }
    assert.equal(troubles.length, 1);
    [isBroken, nowMs] = [false, 60_000];
    assert.equal(signerOfMany(messages.length), undefined);
    started.answer();
    await until(() => signerOfMany(256) !== undefined, 'the key is known');
    await broken.stop();
  });

  it('signs here what was answered by too few signatures', async () => {
    const { worker, signerOfMany } = introduced();
    await until(() => signerOfMany(256) !== undefined, 'the key is known');
    const signing = signerOfMany(300)?.(messages.slice(0, 300));
    worker.emit('message', new Uint8Array(64 * 299));
    assert.deepEqual(await signing, wanted.slice(0, 300));
    assert.equal(here, 300);
  });

  it('ends the thread with its owner, who signs what was in hand', async () => {
    const { worker, signerOfMany } = introduced();
    await until(() => signerOfMany(256) !== undefined, 'the key is known');
    const signing = signerOfMany(300)?.(messages.slice(0, 300));
    await thread.stop();
    assert.equal(worker.isTerminated, true);
    assert.deepEqual(await signing, wanted.slice(0, 300));
    assert.equal(signerOfMany(messages.length), undefined);
    assert.equal(workers.length, 1);
  });
});
