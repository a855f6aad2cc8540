import assert from 'node:assert/strict';
import { RPC } from '@libp2p/gossipsub/message';
import { encode } from 'it-length-prefixed';
import { GOSSIP_AT_ONCE, GOSSIP_QUEUES } from '../../../../node/network/network-limits.ts';
import { peerOf } from '../../../support/host-fixture.ts';
import { ended } from '../../../support/hostile-peer.ts';
import { assertUnharmed, countsOf, HELLO, HostileScene } from '../../../support/hostile-scene.ts';
import { until } from '../../../support/until.ts';

describe('Libp2pHost and gossip of peers that break the protocol', () => {
  const hostile = new HostileScene();
  const { world } = hostile;
  const scene = (options = {}) => hostile.open(options);
  const intruder = (region?: string) => hostile.intruder(region);

  const repeated = <T>(count: number, item: T): T[] => new Array<T>(count).fill(item);
  type Messages = { topic: string; data: Uint8Array }[];
  const messageOf = (text: string): Messages => [{ topic: 'trust', data: Buffer.from(text) }];
  const NO_CONTROL = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] };
  // What comes of a frame, by the good message that it carries: the stream ends, the frame counts for nothing, or it is taken.
  for (const [number, what, comesOf, frameWith] of [
    [
      'B49',
      'subscribes to 349,525 topics',
      'end',
      (messages: Messages) =>
        RPC.encode({ subscriptions: repeated(349_525, { subscribe: true, topic: '' }), messages }),
    ],
    [
      'B49',
      'subscribes to topics that are none',
      'nothing',
      (messages: Messages) => {
        const subscriptions = repeated(2_000, 0).map((_, i) => ({ subscribe: true, topic: `t${i}` }));
        return RPC.encode({ subscriptions, messages });
      },
    ],
    [
      'B50',
      'announces 65 messages, let alone 5,001',
      'nothing',
      (messages: Messages) => {
        const ihave = [{ topicID: 'trust', messageIDs: repeated(65, Uint8Array.of(1)) }];
        return RPC.encode({ subscriptions: [], messages, control: { ...NO_CONTROL, ihave } });
      },
    ],
    [
      'B50',
      'wants 65 messages, let alone 5,001',
      'nothing',
      (messages: Messages) => {
        const iwant = [{ messageIDs: repeated(65, Uint8Array.of(1)) }];
        return RPC.encode({ subscriptions: [], messages, control: { ...NO_CONTROL, iwant } });
      },
    ],
    [
      'B51',
      'prunes for ever',
      'message',
      (messages: Messages) => {
        const prune = [{ topicID: 'trust', peers: [], backoff: 2 ** 53 - 1 }];
        return RPC.encode({ subscriptions: [], messages, control: { ...NO_CONTROL, prune } });
      },
    ],
    [
      'B51',
      'offers other peers in a prune',
      'nothing',
      (messages: Messages) => {
        const prune = [{ topicID: 'trust', peers: [{ peerID: Uint8Array.of(1) }], backoff: 1 }];
        return RPC.encode({ subscriptions: [], messages, control: { ...NO_CONTROL, prune } });
      },
    ],
    ['B52', 'sends a wire type that is none', 'nothing', (messages: Messages) => spoilt(messages, 0x0f, 1)],
    ['B52', 'sends a field that is none', 'message', (messages: Messages) => spoilt(messages, 0x00, 1)],
    ['B52', 'cuts a varint', 'nothing', (messages: Messages) => spoilt(messages, 0x0a, 0x80)],
  ] as const) {
    it(`${number}: a peer that ${what} in gossip reaches nobody but itself`, async () => {
      const { de, fr, it } = await scene();
      await it.greet();
      const heard: string[] = [];
      const listen = (peer: string, message: Uint8Array) => {
        heard.push(`${peer === peerOf('IT') ? 'IT' : 'DE'}: ${Buffer.from(message).toString()}`);
        return 'ignore' as const;
      };
      de.subscribe('trust', listen);
      fr.subscribe('trust', listen);
      const stream = await it.gossip();
      const send = (frame: Uint8Array) => {
        try {
          stream.send(encode.single(frame));
        } catch {
          // It was reset while it was being sent.
        }
      };
      send(frameWith(messageOf('with it')));
      if (comesOf === 'end') {
        await ended(stream);
        assert.equal(it.connection.status, 'open');
      } else {
        send(RPC.encode({ subscriptions: [], messages: messageOf('after it') }));
        await until(() => heard.includes('IT: after it'), 'the next frame is heard');
      }
      assert.equal(heard.includes('IT: with it'), comesOf === 'message');
      await until(() => {
        if (!heard.includes('DE: news')) de.publish('trust', Buffer.from('news'));
        return heard.includes('DE: news');
      }, 'FR hears DE');
      await assertUnharmed(fr);
    });
  }

  it('B53: the same message a thousand times is looked at once', async () => {
    const { de, it } = await scene();
    await it.greet();
    let heard = 0;
    let last = 0;
    de.subscribe('trust', (_peer, message) => {
      if (message.length === 1) last++;
      else heard++;
      return 'ignore';
    });
    const stream = await it.gossip();
    const messages = repeated(50, { topic: 'trust', data: HELLO });
    for (let i = 0; i < 20; i++) stream.send(encode.single(RPC.encode({ subscriptions: [], messages })));
    stream.send(
      encode.single(
        RPC.encode({ subscriptions: [], messages: [{ topic: 'trust', data: Uint8Array.of(1) }] }),
      ),
    );
    await until(() => last === 1, 'the last one is heard');
    assert.equal(heard, 1);
  });

  it('T17: gossip beyond a peer’s share is dropped, counted, and does not keep others out', async () => {
    const { de, fr, it } = await scene();
    await it.greet();
    const free: (() => void)[] = [];
    let isFrHeard = false;
    de.subscribe('evidence', (peer) => {
      isFrHeard ||= peer === peerOf('FR');
      if (peer !== peerOf('IT')) return 'accept';
      return new Promise((resolve) => free.push(() => resolve('ignore')));
    });
    const stream = await it.gossip();
    const messages = Array.from({ length: 60 }, (_, i) => ({ topic: 'evidence', data: Uint8Array.of(i, 1) }));
    stream.send(encode.single(RPC.encode({ subscriptions: [], messages })));
    await until(() => (countsOf(de, 'IT')['gossip-dropped'] ?? 0) > 0, 'some are dropped');
    assert.ok((de.status.gossip['evidence']?.waitingMax ?? 0) <= 8);
    for (const one of free.splice(0)) one();
    await until(() => {
      for (const one of free.splice(0)) one();
      if (!isFrHeard) fr.publish('evidence', Buffer.from(`${performance.now()}`));
      return isFrHeard;
    }, 'FR is heard');
  });

  it('T17: gossip of invited peers is dropped beyond their share, and that of recognised ones is not', async () => {
    const { de, fr } = await scene();
    const regions = ['BE', 'ES', 'LT', 'NL', 'PT', 'SE', 'SI', 'SK'];
    const lesser = regions.map((region) => world.admission(region, { standing: 'invited' }));
    de.admit(new Map([world.admission('FR'), ...lesser]));
    const held = new Set<string>();
    de.subscribe('evidence', (peer) => {
      held.add(peer);
      return new Promise(() => undefined);
    });
    const dropped = () =>
      de.status.conduct.reduce((sum, { counts }) => sum + (counts['gossip-dropped'] ?? 0), 0);
    const { ofInvited, ofPeer } = GOSSIP_QUEUES[1];
    for (const [i, region] of regions.entries()) {
      const peer = await intruder(region);
      await peer.greet();
      const messages = Array.from({ length: 12 }, (_, j) => ({
        topic: 'evidence',
        data: Uint8Array.of(i, j),
      }));
      (await peer.gossip()).send(encode.single(RPC.encode({ subscriptions: [], messages })));
    }
    await until(() => de.status.gossip['evidence']?.received === 12 * regions.length, 'all came');
    assert.equal(de.status.gossip['evidence']?.waiting, ofInvited);
    assert.equal(dropped(), 12 * regions.length - GOSSIP_AT_ONCE - ofInvited);
    assert.ok(ofPeer * regions.length > ofInvited, 'no peer is beyond its own share');
    fr.publish('evidence', Buffer.from('news'));
    await until(() => de.status.gossip['evidence']?.waiting === ofInvited + 1, 'FR is heard');
    assert.equal(countsOf(de, 'FR')['gossip-dropped'], undefined);
  });
});

/** A frame with messages, and at its end what no frame has. */
function spoilt(messages: { topic: string; data: Uint8Array }[], ...end: number[]): Uint8Array {
  return Buffer.concat([RPC.encode({ subscriptions: [], messages }), Uint8Array.from(end)]);
}
