import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { EvaluatingThread, type EvaluatingJob } from '../../../node/lookup/evaluating-thread.ts';
import { lookupInput, lookupKeyPair, secretOfInput } from '../../../protocol/lookup/oblivious.ts';
import { sha256 } from '../../support/primitives.ts';

const PLACE = { region: 'DE', network: 'demo', day: 20_783 };
const { secretKey } = lookupKeyPair(new Uint8Array(32).fill(1), PLACE);
const inputsOf = (...numbers: string[]) => numbers.map((number) => lookupInput(PLACE, number));
const wanted = (inputs: readonly Uint8Array[]) =>
  inputs.map((input) => secretOfInput(sha256, secretKey, input));

/** A thread that answers when the test says so, or ends. */
class StubWorker extends EventEmitter {
  readonly jobs: EvaluatingJob[] = [];
  isTerminated = false;
  ref(): void {
    // The test waits by itself.
  }
  unref(): void {
    // Nothing waits for it.
  }
  postMessage(job: EvaluatingJob): void {
    this.jobs.push(job);
  }
  answer(): void {
    const { inputs = [] } = this.jobs.shift() ?? {};
    this.emit('message', wanted(inputs));
  }
  terminate(): Promise<number> {
    this.isTerminated = true;
    return Promise.resolve(0);
  }
}

describe('EvaluatingThread', () => {
  it('a real thread comes to the same, and the key stays whole here', async () => {
    const thread = new EvaluatingThread({ sha256 });
    const inputs = inputsOf('1', '2', '3', '4', '5');
    assert.deepEqual(await thread.evaluate(secretKey, inputs), wanted(inputs));
    assert.ok(secretKey.some((byte) => byte !== 0));
    await thread.stop();
  });

  it('answers in the order of the questions, and evaluates here what a thread that ended had in hand', async () => {
    const workers: StubWorker[] = [];
    const spawn = () => {
      const worker = new StubWorker();
      workers.push(worker);
      return worker as never;
    };
    const thread = new EvaluatingThread({ sha256, spawn });
    const [one, other, last] = [inputsOf('1'), inputsOf('2', '3'), inputsOf('4')];
    const found = [one, other].map((inputs) => thread.evaluate(secretKey, inputs));
    workers[0]?.answer();
    assert.deepEqual(await found[0], wanted(one));
    workers[0]?.emit('exit', 1);
    assert.deepEqual(await found[1], wanted(other));
    const later = thread.evaluate(secretKey, last);
    assert.equal(workers.length, 2, 'another thread follows');
    await thread.stop();
    assert.deepEqual(await later, wanted(last));
    assert.equal(workers[1]?.isTerminated, true);
    assert.deepEqual(await thread.evaluate(secretKey, last), wanted(last), 'and after its end here');
  });

  it('F13: evaluates here where no thread can be started', async () => {
    const spawn = () => {
      throw new Error('no more threads');
    };
    const thread = new EvaluatingThread({ sha256, spawn });
    const inputs = inputsOf('1', '2');
    assert.deepEqual(await thread.evaluate(secretKey, inputs), wanted(inputs));
    await thread.stop();
  });

  it('evaluates here where there is no processor for a thread', async () => {
    const thread = new EvaluatingThread({ sha256, spawn: undefined });
    const inputs = inputsOf('1', '2', '3', '4', '5', '6', '7', '8', '9');
    assert.deepEqual(await thread.evaluate(secretKey, inputs), wanted(inputs));
    await thread.stop();
  });
});
