import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { AnswerWatch } from '../../../node/http/answer-watch.ts';

/** A connection that takes as many bytes as it is told. */
class Taker {
  bytesWritten = 0;
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
  }
  get socket(): Socket {
    return this as unknown as Socket;
  }
}

const answer = () => Object.assign(new EventEmitter(), { closed: false }) as unknown as ServerResponse;

describe('AnswerWatch', () => {
  function watching() {
    let nowMs = 0;
    const watch = new AnswerWatch({ stillMsMax: 100_000, nowMs: () => nowMs });
    const lookAfter = (ms: number): void => {
      nowMs += ms;
      watch.look();
    };
    return { watch, lookAfter };
  }

  it('T17: gives up a connection that takes nothing more, and no other', () => {
    const { watch, lookAfter } = watching();
    const [stalled, slow] = [new Taker(), new Taker()];
    watch.watch(stalled.socket, answer());
    watch.watch(slow.socket, answer());
    lookAfter(99_999);
    slow.bytesWritten += 65_536;
    lookAfter(0);
    assert.ok(!stalled.destroyed);
    lookAfter(1);
    assert.deepEqual([stalled.destroyed, slow.destroyed, watch.givenUp], [true, false, 1]);
  });

  it('T17: who reads slowly gets all, however long that takes', () => {
    const { watch, lookAfter } = watching();
    const slow = new Taker();
    const response = answer();
    watch.watch(slow.socket, response);
    for (let piece = 0; piece < 1_000; piece++) {
      lookAfter(90_000);
      slow.bytesWritten += 65_536;
      lookAfter(0);
    }
    assert.ok(!slow.destroyed && watch.isWaiting(slow.socket));
    response.emit('close');
    assert.ok(!watch.isWaiting(slow.socket));
    lookAfter(200_000);
    assert.ok(!slow.destroyed);
  });

  it('answers that wait behind another have time as long as that gets on', () => {
    const { watch, lookAfter } = watching();
    const slow = new Taker();
    const [first, second] = [answer(), answer()];
    watch.watch(slow.socket, first);
    watch.watch(slow.socket, second);
    lookAfter(60_000);
    slow.bytesWritten++;
    lookAfter(0);
    first.emit('close');
    lookAfter(60_000);
    assert.ok(!slow.destroyed && watch.isWaiting(slow.socket));
    lookAfter(40_000);
    assert.ok(slow.destroyed);
  });

  it('does not watch what is taken already', () => {
    const { watch } = watching();
    const taker = new Taker();
    watch.watch(taker.socket, Object.assign(answer(), { closed: true }));
    assert.ok(!watch.isWaiting(taker.socket));
  });
});
