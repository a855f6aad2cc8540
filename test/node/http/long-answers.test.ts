import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type ServerResponse } from 'node:http';
import { LongAnswers, PIECE_BYTES } from '../../../node/http/long-answers.ts';
import { Replies } from '../../../node/http/replies.ts';
import { appOf } from '../../../node/http/routes.ts';
import { silentLog } from '../../../node/logging/log.ts';

/** Takes a piece when it is told to. */
class Taker extends EventEmitter {
  closed = false;
  destroyed = false;
  readonly pieces: Uint8Array[] = [];
  isEnded = false;
  #next: (error?: Error) => void = () => undefined;

  write(piece: Uint8Array, next: (error?: Error) => void): void {
    this.pieces.push(piece);
    this.#next = next;
  }

  end(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.isEnded = true;
  }

  take(error?: Error): void {
    this.#next(error);
  }

  get response(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}

describe('LongAnswers', () => {
  it('hands over a piece when the one before is taken, and ends with the last', () => {
    const body = Uint8Array.from({ length: 2 * PIECE_BYTES + 1 }, (_, i) => i % 251);
    const taker = new Taker();
    new LongAnswers().send(taker.response, body, 'a');
    assert.equal(taker.pieces.length, 1);
    taker.take();
    assert.deepEqual([taker.pieces.length, taker.isEnded], [2, false]);
    taker.take();
    assert.ok(taker.isEnded);
    assert.deepEqual(new Uint8Array(Buffer.concat(taker.pieces)), body);
  });

  it('ends with a piece that is just full', () => {
    const taker = new Taker();
    new LongAnswers().send(taker.response, new Uint8Array(2 * PIECE_BYTES), 'a');
    taker.take();
    assert.ok(taker.isEnded);
    assert.deepEqual(
      taker.pieces.map(({ length }) => length),
      [PIECE_BYTES, PIECE_BYTES],
    );
  });

  it('stops where the connection is gone', () => {
    const [broken, gone] = [new Taker(), new Taker()];
    for (const taker of [broken, gone])
      new LongAnswers().send(taker.response, new Uint8Array(3 * PIECE_BYTES), 'a');
    broken.take(new Error('reset'));
    gone.destroyed = true;
    gone.take();
    assert.deepEqual([broken.pieces.length, gone.pieces.length], [1, 1]);
  });

  it('T17: counts each body once, until nobody takes it any more', () => {
    const answers = new LongAnswers({ bytesMax: 400_000 });
    const [one, other] = [new Uint8Array(300_000), new Uint8Array(100_001)];
    const takers = [new Taker(), new Taker()];
    for (const { response } of takers) answers.send(response, one, 'a');
    assert.equal(answers.bytes, 300_000);
    assert.ok(answers.hasRoomFor(one, 'b') && answers.hasRoomFor(other.subarray(1), 'b'));
    assert.ok(!answers.hasRoomFor(other, 'b'));
    takers[0]?.emit('close');
    assert.ok(!answers.hasRoomFor(other, 'b'));
    takers[1]?.emit('close');
    assert.equal(answers.bytes, 0);
    assert.ok(answers.hasRoomFor(other, 'b'));
  });

  it('T17: holds nothing for who left before the answer was made', () => {
    const answers = new LongAnswers();
    for (const gone of ['closed', 'destroyed'] as const) {
      const taker = new Taker();
      taker[gone] = true;
      answers.send(taker.response, new Uint8Array(300_000), 'a');
      assert.deepEqual([answers.bytes, taker.pieces.length], [0, 0]);
    }
  });

  it('T17: one client holds no more than its part, each body once, and others get theirs', () => {
    const answers = new LongAnswers({ bytesMax: 1_000_000, clientBytesMax: 400_000 });
    const [one, other] = [new Uint8Array(300_000), new Uint8Array(100_001)];
    const takers = [new Taker(), new Taker(), new Taker()];
    for (const { response } of takers.slice(0, 2)) answers.send(response, one, 'a');
    answers.send(takers[2]?.response ?? assert.fail(), other, 'b');
    assert.ok(answers.hasRoomFor(one, 'a') && answers.hasRoomFor(other.subarray(1), 'a'));
    assert.ok(!answers.hasRoomFor(other, 'a'), 'held for another is not held for this one');
    assert.ok(!answers.hasRoomFor(one, 'b') && answers.hasRoomFor(one.subarray(2), 'b'));
    takers[0]?.emit('close');
    assert.ok(!answers.hasRoomFor(other, 'a'));
    takers[1]?.emit('close');
    assert.ok(answers.hasRoomFor(other, 'a'));
    takers[2]?.emit('close');
    assert.ok(answers.hasRoomFor(one, 'b') && answers.bytes === 0);
  });

  it('T17: the clients of one /48 hold no more than half together', () => {
    const answers = new LongAnswers({ bytesMax: 1_000_000, clientBytesMax: 300_000 });
    const bodies = [250_000, 250_000, 1].map((length) => new Uint8Array(length));
    const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = bodies;
    answers.send(new Taker().response, first, '2001:db8:7:1::/64');
    answers.send(new Taker().response, first, '2001:db8:7:2::/64');
    const taker = new Taker();
    answers.send(taker.response, second, '2001:db8:7:3::/64');
    assert.ok(!answers.hasRoomFor(third, '2001:db8:7:4::/64'));
    assert.ok(answers.hasRoomFor(second, '2001:db8:7:4::/64'), 'each body once');
    assert.ok(answers.hasRoomFor(third, '2001:db8:8:1::/64'));
    taker.emit('close');
    assert.ok(answers.hasRoomFor(third, '2001:db8:7:4::/64'));
  });

  it('T17: where there is no room, the answer is 503 and says when to come again', async () => {
    const longAnswers = new LongAnswers({ bytesMax: 300_000 });
    const [one, other] = [new Uint8Array(200_000), new Uint8Array(200_000)];
    const replies = new Replies(
      { corsOrigins: ['*'], isTls: false, hearer: 'public' },
      { log: silentLog, longAnswers },
    );
    const long = {
      method: 'get',
      path: '/long',
      summary: 'Long',
      answer: { description: 'Long' },
      handle: (context: Parameters<Replies['send']>[0]) => replies.send(context, other, { type: 'x/y' }),
    } as const;
    const app = appOf({ title: 'Long', description: 'Long' }, [long], replies);
    const asked = async () => {
      const headers: Record<string, unknown> = {};
      const taker = Object.assign(new Taker(), { status: 0, headers });
      const outgoing = Object.assign(taker, {
        writeHead: (status: number, given: typeof headers) =>
          Object.assign(taker, { status, headers: given }),
      });
      await app.request('/long', {}, { outgoing, incoming: { socket: { remoteAddress: '192.0.2.1' } } });
      return taker;
    };
    const taker = new Taker();
    longAnswers.send(taker.response, one, 'a');
    const refused = await asked();
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
    assert.match(String(refused.pieces[0]), /"OVERLOADED"/);
    taker.emit('close');
    assert.equal((await asked()).status, 200);
  });
});
