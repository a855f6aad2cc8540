import assert from 'node:assert/strict';
import { type ServerResponse } from 'node:http';
import { Refusals, REFUSALS_WAITING_MAX } from '../../../node/http/refusals.ts';

class Answer {
  status = 0;
  destroyed = false;
  readonly headers: Record<string, unknown> = {};

  writeHead(status: number, headers: object): void {
    this.status = status;
    Object.assign(this.headers, headers);
  }

  end(): void {
    assert.notEqual(this.status, 0, 'the head comes first');
  }

  destroy(): void {
    this.destroyed = true;
  }
}

describe('Refusals', () => {
  let nowMs = 0;
  let refusals: Refusals;
  beforeEach(() => {
    nowMs = 0;
    refusals = new Refusals({ nowMs: () => nowMs });
  });

  function turnedAway(count: number): Answer[] {
    const answers = Array.from({ length: count }, () => new Answer());
    for (const answer of answers) refusals.add(answer as unknown as ServerResponse);
    return answers;
  }

  const told = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 503).length;

  it('T17: tells a few after a tenth of a second, and when to come again', () => {
    const answers = turnedAway(3);
    nowMs = 99;
    refusals.tell();
    assert.equal(told(answers), 0);
    nowMs = 100;
    refusals.tell();
    assert.equal(told(answers), 3);
    assert.equal(answers[0]?.headers['retry-after'], '1');
  });

  it('T17: tells a crowd in its order, no more of them at a time than cost little', () => {
    const answers = turnedAway(40);
    nowMs = 1_000;
    const counts = [1, 2, 3].map(() => {
      refusals.tell();
      return told(answers);
    });
    assert.deepEqual(counts, [15, 30, 40]);
    assert.equal(refusals.waiting, 0);
  });

  it('passes over those who went away', () => {
    const answers = turnedAway(20);
    for (const answer of answers.slice(0, 10)) answer.destroyed = true;
    nowMs = 100;
    refusals.tell();
    assert.equal(told(answers), 10);
  });

  it('T17: holds no more than would be told in three seconds, and ends the connection of the next', () => {
    const answers = turnedAway(REFUSALS_WAITING_MAX + 1);
    assert.deepEqual(
      answers.map(({ destroyed }) => destroyed).filter((isCut) => isCut),
      [true],
    );
    assert.deepEqual([answers.at(-1)?.destroyed, refusals.cutOff], [true, 1]);
  });
});
