import assert from 'node:assert/strict';
import { Gathered } from '../../../node/issuing/gathered.ts';

describe('Gathered', () => {
  it('answers all questions of a turn by one call, each with its own answer', async () => {
    const calls: number[] = [];
    const gathered = new Gathered((questions: readonly number[]) => {
      calls.push(questions.length);
      return Promise.resolve(questions.map((question) => 2 * question));
    });
    assert.deepEqual(await Promise.all([1, 2, 3].map((question) => gathered.ask(question))), [2, 4, 6]);
    assert.equal(await gathered.ask(4), 8);
    assert.deepEqual(calls, [3, 1]);
  });

  it('asks at most 1,024 at once, and a call that fails fails its own questions alone', async () => {
    const gathered = new Gathered((questions: readonly number[]) =>
      questions.includes(0) ? Promise.reject(new RangeError('zero')) : Promise.resolve(questions),
    );
    const asked = Array.from({ length: 2_049 }, (_, i) => gathered.ask(i));
    const settled = await Promise.allSettled(asked);
    assert.deepEqual(
      [0, 1_023, 1_024, 2_048].map((i) => settled[i]?.status),
      ['rejected', 'rejected', 'fulfilled', 'fulfilled'],
    );
  });

  it('an answer that is an error is of its own question alone', async () => {
    const gathered = new Gathered((questions: readonly number[]) =>
      Promise.resolve(questions.map((one) => (one === 1 ? new RangeError('one') : one))),
    );
    const settled = await Promise.allSettled([0, 1, 2].map((one) => gathered.ask(one)));
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
  });

  it('refuses answers of another number than the questions', async () => {
    const gathered = new Gathered(() => Promise.resolve([]));
    await assert.rejects(gathered.ask(1), RangeError);
  });
});
