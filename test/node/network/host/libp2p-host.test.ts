import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { ProtocolError } from '../../../../protocol/fault.ts';
import { NodeError } from '../../../../node/node-error.ts';
import { LOG_PROTOCOL } from '../../../../node/sync/log-messages.ts';
import { type GossipVerdict } from '../../../../node/ports.ts';
import { SYNC_PROTOCOL } from '../../../../node/sync/messages.ts';
import { ANSWER_BYTES_MAX } from '../../../../node/sync/sync-limits.ts';
import { HostWorld, peerOf } from '../../../support/host-fixture.ts';
import { until } from '../../../support/until.ts';

const never = new AbortController().signal;
setMaxListeners(0, never);
const hello = Buffer.from('hello');

describe('Libp2pHost', () => {
  const world = new HostWorld();

  it('asks and answers by name, many requests at once', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    const asked: string[] = [];
    fr.handle(SYNC_PROTOCOL, (peer, request) => {
      asked.push(peer);
      return Promise.resolve(Buffer.concat([Buffer.from('re: '), request]));
    });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        de.request(peerOf('FR'), SYNC_PROTOCOL, Buffer.from(`${i}`), never),
      ),
    );
    assert.deepEqual(
      answers.map((answer) => Buffer.from(answer).toString()),
      Array.from({ length: 50 }, (_, i) => `re: ${i}`),
    );
    assert.deepEqual([...new Set(asked)], [peerOf('DE')]);
  });

  it('carries the largest answer whole, and none that is larger', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    const largest = new Uint8Array(ANSWER_BYTES_MAX).map((_, i) => i * 31);
    fr.handle(SYNC_PROTOCOL, () => Promise.resolve(largest));
    assert.deepEqual(await de.request(peerOf('FR'), SYNC_PROTOCOL, hello, never), largest);
    fr.handle(SYNC_PROTOCOL, () => Promise.resolve(new Uint8Array(ANSWER_BYTES_MAX + 1)));
    await assert.rejects(de.request(peerOf('FR'), SYNC_PROTOCOL, hello, never), { code: 'PEER_UNREACHABLE' });
    assert.equal(de.status.conduct[0]?.counts['answer-too-large'], 1);
  });

  it('tells why a request was refused, and the stream is good for the next', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    const errors = [
      [new NodeError('NOT_FOUND', 'no'), 'NOT_FOUND', false],
      [new NodeError('STORE_BUSY', 'no', { retry: true }), 'PEER_UNREACHABLE', true],
      [new ProtocolError('CBOR_MALFORMED', 'no'), 'REFUSED', false],
      [new Error('no'), 'PEER_UNREACHABLE', true],
    ] as const;
    for (const [error, code, retry] of errors) {
      fr.handle(SYNC_PROTOCOL, () => Promise.reject(error));
      await assert.rejects(de.request(peerOf('FR'), SYNC_PROTOCOL, hello, never), { code, retry });
    }
    fr.handle(SYNC_PROTOCOL, () => Promise.resolve(hello));
    assert.deepEqual(Buffer.from(await de.request(peerOf('FR'), SYNC_PROTOCOL, hello, never)), hello);
    await assert.rejects(de.request(peerOf('FR'), LOG_PROTOCOL, hello, never), { code: 'NOT_FOUND' });
    await assert.rejects(de.request(peerOf('FR'), '/entente/other/1.0.0', hello, never), RangeError);
    await assert.rejects(de.request(peerOf('IT'), SYNC_PROTOCOL, hello, never), { code: 'PEER_UNREACHABLE' });
  });

  it('streams an answer in order, and a reader that stops ends it at the sender', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    let ended: (sent: number) => void = () => undefined;
    const sent = new Promise<number>((resolve) => (ended = resolve));
    fr.handleStream(LOG_PROTOCOL, async function* (_peer, request) {
      let i = 0;
      try {
        for (; i < Number(Buffer.from(request).toString()); i++) {
          yield await Promise.resolve(Buffer.from(`${i}`.padEnd(1_000)));
        }
      } finally {
        ended(i);
      }
    });
    const read = async (count: number, upTo: number) => {
      const chunks: string[] = [];
      for await (const chunk of de.stream(peerOf('FR'), LOG_PROTOCOL, Buffer.from(`${count}`), never)) {
        chunks.push(Buffer.from(chunk).toString().trim());
        if (chunks.length === upTo) break;
      }
      return chunks;
    };
    assert.deepEqual(
      await read(1_000, Infinity),
      Array.from({ length: 1_000 }, (_, i) => `${i}`),
    );
    assert.equal(await sent, 1_000);
    const stopped = new Promise<number>((resolve) => (ended = resolve));
    assert.equal((await read(1e9, 5)).length, 5);
    assert.ok((await stopped) < 1e9);
  });

  it('gives a request up when its signal is aborted, on both sides', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    const giveUp = new AbortController();
    const gaveUp = new Promise<void>((resolve) => {
      fr.handle(SYNC_PROTOCOL, (_peer, _request, signal) => {
        queueMicrotask(() => giveUp.abort(new Error('enough')));
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            resolve();
            reject(signal.reason as Error);
          });
        });
      });
    });
    await assert.rejects(de.request(peerOf('FR'), SYNC_PROTOCOL, hello, giveUp.signal), /enough/);
    await gaveUp;
  });

  it('passes on what was accepted, and only that', async () => {
    const [de, fr, it] = await world.startAll(['DE', 'FR', 'IT']);
    assert.ok(de && fr && it);
    const heard: string[] = [];
    const verdicts: GossipVerdict[] = ['accept', 'ignore', 'reject'];
    fr.subscribe('trust', (peer, message) => {
      heard.push(`${peer === peerOf('DE')} ${Buffer.from(message).toString()}`);
      return verdicts[heard.length - 1];
    });
    // What is published before FR has subscribed never reaches it, and the same message is not sent twice.
    let probes = 0;
    let isHeard = false;
    fr.subscribe('evidence', () => {
      isHeard = true;
      return 'ignore';
    });
    await until(() => {
      de.publish('evidence', Buffer.from(`probe ${probes++}`));
      return isHeard;
    }, 'FR listens');
    for (const word of ['one', 'two', 'three']) {
      await until(() => {
        if (!heard.includes(`true ${word}`)) de.publish('trust', Buffer.from(word));
        return heard.includes(`true ${word}`);
      }, `FR hears ${word}`);
    }
    const { trust } = fr.status.gossip;
    assert.deepEqual([trust?.accepted, trust?.ignored, trust?.rejected], [1, 1, 1]);
    assert.equal(fr.status.conduct.find(({ peer }) => peer === peerOf('DE'))?.counts['gossip-trust'], 1);
    assert.throws(() => de.subscribe('other', () => undefined), RangeError);
  });

  it('B47: a stranger is not served, and the honest do not notice', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    const stranger = await world.start('IT');
    let asked = 0;
    de.handle(SYNC_PROTOCOL, () => {
      asked++;
      return Promise.resolve(hello);
    });
    world.admit('IT', ['DE'], ['DE']);
    await until(() => (de.status.refused['stranger'] ?? 0) > 0, 'the stranger is refused');
    await until(() => stranger.status.missing[peerOf('DE')]?.trouble === 'not-welcome', 'the stranger knows');
    await assert.rejects(stranger.request(peerOf('DE'), SYNC_PROTOCOL, hello, never), {
      code: 'PEER_UNREACHABLE',
    });
    assert.deepEqual(de.peers(), [peerOf('FR')]);
    await fr.request(peerOf('DE'), SYNC_PROTOCOL, hello, never);
    assert.equal(asked, 1);
  });

  it('closes the connection of a peer that is admitted no more', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    world.admit('DE', []);
    await until(() => fr.peers().length === 0, 'FR is disconnected');
    assert.equal(de.status.refused['not-admitted-any-more'], 1);
  });

  for (const [what, options, reason] of [
    ['network', { network: 'other' }, 'other-network'],
    ['region', { region: 'IT' }, 'other-region'],
  ] as const) {
    it(`refuses a peer that says it is of another ${what}`, async () => {
      const de = await world.start('DE');
      await world.start('FR', options);
      world.admit('DE', ['FR']);
      world.admit('FR', ['DE'], ['DE']);
      await until(() => (de.status.refused[reason] ?? 0) > 0, 'it is refused');
      assert.deepEqual(de.peers(), []);
    });
  }

  it('tells of everybody who connects, and dials again when a peer is back', async () => {
    const [de, fr] = await world.startAll(['DE', 'FR']);
    assert.ok(de && fr);
    const address = world.addressOf('DE');
    await world.stop('DE');
    await until(() => fr.peers().length === 0, 'FR sees that DE is gone');
    const met: string[] = [];
    fr.onConnect((peer) => met.push(peer));
    await world.start('DE', { listen: [address] });
    world.admit('DE', ['FR']);
    await until(() => met.includes(peerOf('DE')), 'FR is back at DE');
  });

  it('rejects with NETWORK_FAILED where it cannot listen', async () => {
    await world.start('DE');
    await assert.rejects(world.start('FR', { listen: [world.addressOf('DE')] }), { code: 'NETWORK_FAILED' });
  });
});
