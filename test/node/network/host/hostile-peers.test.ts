import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type Stream } from '@libp2p/interface';
import { encode } from 'it-length-prefixed';
import {
  BREACHES,
  CONNECTIONS_PENDING,
  CONNECTIONS_PER_S,
  IN_HAND,
  STREAMS_OF_PEER,
} from '../../../../node/network/network-limits.ts';
import { HELLO_PROTOCOL } from '../../../../node/network/hello.ts';
import { LOG_PROTOCOL } from '../../../../node/sync/log-messages.ts';
import { SYNC_PROTOCOL, WITNESS_PROTOCOL } from '../../../../node/sync/messages.ts';
import { SYNC_REQUEST_BYTES_MAX } from '../../../../node/sync/sync-limits.ts';
import { portOf } from '../../../support/fault-proxy.ts';
import { peerOf } from '../../../support/host-fixture.ts';
import { ended, firstFrame, type HostilePeer } from '../../../support/hostile-peer.ts';
import { assertUnharmed, countsOf, HELLO, HostileScene } from '../../../support/hostile-scene.ts';
import { until } from '../../../support/until.ts';

const HUGE_LENGTH = Buffer.from('ffffffffffffffffff01', 'hex');
const FOUR_GIB = Buffer.from('8080808010', 'hex');

describe('Libp2pHost and peers that break the protocol', () => {
  const hostile = new HostileScene();
  const { world } = hostile;
  const scene = (options = {}) => hostile.open(options);
  const intruder = (region?: string) => hostile.intruder(region);

  for (const [number, what, bytes, reason] of [
    ['B41', 'a length that is none', HUGE_LENGTH, 'frame'],
    ['B42', 'a length of 4 GiB, and a byte', Buffer.concat([FOUR_GIB, HELLO]), 'frame'],
    ['B43', 'frames without bytes', Buffer.alloc(1_000_000), 'empty-request'],
    [
      'T13',
      'a request a byte too long',
      Buffer.concat([encode.single(Buffer.alloc(SYNC_REQUEST_BYTES_MAX + 1)).subarray()]),
      'frame',
    ],
  ] as const) {
    it(`${number}: ${what} costs the stream, and the third time the connection`, async () => {
      const { de, fr, it } = await scene();
      await it.greet();
      for (let time = 1; time <= BREACHES.max; time++) {
        const stream = await it.stream(SYNC_PROTOCOL);
        try {
          stream.send(bytes);
        } catch {
          // It was reset while it was being sent.
        }
        await ended(stream);
        assert.equal(countsOf(de, 'IT')[reason], time);
      }
      await until(() => it.connection.status !== 'open', 'it is disconnected');
      assert.equal(countsOf(de, 'IT')['shut-out'], 1);
      await assertUnharmed(fr);
      await assert.rejects(intruder().then((again) => again.greet()));
      assert.ok((de.status.refused['shut-out'] ?? 0) > 0);
    });
  }

  it('B40: a protocol name of 1,025 bytes costs the stream', async () => {
    const { fr, it } = await scene();
    await it.greet();
    const stream = await it.bareStream();
    stream.send(encode.single(Buffer.from('/multistream/1.0.0\n')));
    stream.send(encode.single(Buffer.from(`/${'x'.repeat(1_023)}\n`)));
    await ended(stream);
    await assertUnharmed(fr);
  });

  it('B44: no more streams of a protocol than its share, and the others keep theirs', async () => {
    const { de, fr, it } = await scene();
    await it.greet();
    de.handle(SYNC_PROTOCOL, (peer, request) => {
      return peer === peerOf('IT') ? new Promise(() => undefined) : Promise.resolve(request);
    });
    const streams: Stream[] = [];
    for (let i = 0; i < STREAMS_OF_PEER + 10; i++) {
      const stream = await it.stream(SYNC_PROTOCOL);
      if (stream.status === 'open') stream.send(encode.single(HELLO));
      streams.push(stream);
    }
    await until(
      () => streams.filter(({ status }) => status === 'open').length <= STREAMS_OF_PEER,
      'too many end',
    );
    assert.ok(de.status.requests.inHand <= IN_HAND.ofPeer);
    await assertUnharmed(fr);
  });

  it('B45: who never reads is cut off, and little was made for him', async () => {
    const { de, fr, it } = await scene({ stallMs: 300 });
    await it.greet();
    let made = 0;
    de.handleStream(LOG_PROTOCOL, async function* () {
      for (;;) {
        made++;
        yield await Promise.resolve(Buffer.alloc(65_536));
      }
    });
    const stream = await it.stream(LOG_PROTOCOL);
    stream.pause();
    stream.send(encode.single(HELLO));
    await until(() => countsOf(de, 'IT')['slow-reader'] === 1, 'it is cut off');
    assert.ok(made < 64, `${made} chunks of 64 KiB`);
    await assertUnharmed(fr);
  });

  it('B42: who begins a request and does not go on loses that stream, and no other', async () => {
    const { de, fr, it } = await scene({ stallMs: 300 });
    await it.greet();
    const [silent, stalled, slow] = [
      await it.stream(SYNC_PROTOCOL),
      await it.stream(SYNC_PROTOCOL),
      await it.stream(SYNC_PROTOCOL),
    ];
    const request = encode.single(HELLO).subarray();
    const answer = firstFrame(slow);
    stalled.send(request.subarray(0, 3));
    slow.send(request.subarray(0, 3));
    slow.send(request.subarray(3));
    assert.deepEqual(Buffer.from((await answer).payload), HELLO);
    await ended(stalled);
    assert.equal(countsOf(de, 'IT')['stalled-request'], 1);
    assert.deepEqual([silent.status, slow.status], ['open', 'open']);
    assert.equal(it.connection.status, 'open');
    await assertUnharmed(fr);
  });

  it('B42: who gets on with a request a byte at a time loses that stream when its time is up', async () => {
    const { de, fr, it } = await scene({ requestMs: 300 });
    await it.greet();
    de.handle(SYNC_PROTOCOL, (_peer, request) => Promise.resolve(request));
    // A byte of the second comes with the first: its time begins with the answer.
    for (const first of [Buffer.alloc(0), encode.single(HELLO).subarray()]) {
      const stream = await it.stream(SYNC_PROTOCOL);
      const answer = first.length > 0 ? firstFrame(stream) : undefined;
      const length = encode.single(Buffer.alloc(SYNC_REQUEST_BYTES_MAX)).subarray(0, 2);
      stream.send(Buffer.concat([first, length]));
      await answer;
      const trickle = setInterval(() => stream.status === 'open' && stream.send(Buffer.alloc(1)), 20);
      await ended(stream).finally(() => clearInterval(trickle));
    }
    assert.equal(countsOf(de, 'IT')['slow-request'], 2);
    assert.equal(it.connection.status, 'open');
    const later = await it.stream(SYNC_PROTOCOL);
    for (let i = 0; i < 3; i++) {
      const answer = firstFrame(later);
      later.send(encode.single(HELLO));
      assert.deepEqual(Buffer.from((await answer).payload), HELLO);
    }
    await assertUnharmed(fr);
  });

  it('B46: silence before and within the handshake holds up nobody', async () => {
    const { fr } = await scene();
    const port = portOf(world.addressOf('DE'));
    const silent: Socket[] = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
    for (const socket of silent) {
      socket.on('error', () => undefined);
      socket.write(encode.single(Buffer.from('/multistream/1.0.0\n')).subarray());
    }
    await world.start('ES');
    world.admit('DE', ['FR', 'IT', 'ES']);
    world.admit('ES', ['DE'], ['DE']);
    await until(() => world.host('ES').peers().length === 1, 'an honest newcomer connects');
    await assertUnharmed(fr);
    for (const socket of silent) socket.destroy();
  });

  it('B46: one address that connects and is silent has its share of what waits, and others connect', async () => {
    const { de, fr } = await scene();
    const port = portOf(world.addressOf('DE'));
    const { ofAddress, ofAll } = CONNECTIONS_PENDING;
    const silent = (count: number, localAddress: string): Socket[] =>
      Array.from({ length: count }, () => {
        const socket = connect({ port, host: '127.0.0.1', localAddress });
        return socket.on('error', () => undefined).resume();
      });
    // Libp2p itself lets in so many new ones of an address in a second.
    const sockets = silent(Math.min(CONNECTIONS_PER_S, ofAddress + 8), '127.0.0.2');
    await until(
      () => (de.status.refused['too-many-pending'] ?? 0) === sockets.length - ofAddress,
      'the rest',
    );
    await until(
      () => sockets.filter(({ closed }) => closed).length === sockets.length - ofAddress,
      'is closed',
    );
    assert.ok(ofAll >= 4 * ofAddress);
    await world.start('ES');
    world.admit('DE', ['FR', 'IT', 'ES']);
    world.admit('ES', ['DE'], ['DE']);
    await until(() => world.host('ES').peers().length === 1, 'an honest newcomer connects');
    assert.equal(de.status.refused['too-many-pending'], sockets.length - ofAddress);
    for (const socket of sockets) socket.destroy();
    await until(() => sockets.every(({ closed }) => closed), 'all are gone');
    const later = silent(ofAddress, '127.0.0.2');
    await until(() => later.every(({ readyState }) => readyState === 'open'), 'all are open');
    await assertUnharmed(fr);
    for (const socket of later) socket.destroy();
  });

  it('B46: where all peers have one address, as many connections wait as the operator says', async () => {
    const { de, fr } = await scene({ pendingOfAddress: 3 });
    const port = portOf(world.addressOf('DE'));
    const sockets = Array.from({ length: 5 }, () => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      return socket.on('error', () => undefined).resume();
    });
    await until(() => de.status.refused['too-many-pending'] === 2, 'the rest is closed');
    await until(() => sockets.filter(({ closed }) => closed).length === 2, 'those two');
    await assertUnharmed(fr);
    for (const socket of sockets) socket.destroy();
  });

  it('B48: an unknown version is answered with those that are known, and that is all', async () => {
    const { de, it } = await scene();
    const answer = await it.greet({ versions: [99] });
    assert.deepEqual(answer.versions, [1]);
    await until(() => it.connection.status !== 'open', 'it is disconnected');
    assert.equal(de.status.refused['other-version'], 1);
  });

  it('B48: a hello that is none is refused, and so is a request before any hello', async () => {
    const { de, fr, it } = await scene();
    let asked = 0;
    de.handle(SYNC_PROTOCOL, (_peer, request) => {
      asked++;
      return Promise.resolve(request);
    });
    const early = await it.stream(SYNC_PROTOCOL);
    early.send(encode.single(HELLO));
    const stream = await it.stream(HELLO_PROTOCOL);
    const frame = firstFrame(stream);
    stream.send(encode.single(Buffer.from('a1616101', 'hex')));
    assert.equal((await frame).result, 'malformed');
    await ended(early);
    assert.equal(asked, 0);
    assert.equal(de.status.refused['hello-malformed'], 1);
    await assertUnharmed(fr);
  });

  it('T17: invited peers that flood are told to wait, however many, and recognised ones are answered', async () => {
    const { de, fr } = await scene();
    const regions = ['BE', 'ES', 'NL', 'PT', 'SE'];
    const lesser = regions.map((region) => world.admission(region, { standing: 'invited' }));
    de.admit(new Map([world.admission('FR'), ...lesser]));
    let held = 0;
    de.handle(SYNC_PROTOCOL, (peer, request) => {
      if (peer === peerOf('FR')) return Promise.resolve(request);
      held++;
      return new Promise(() => undefined);
    });
    const peers = await Promise.all(regions.map((region) => intruder(region)));
    const last = peers.pop() ?? assert.fail();
    await last.greet();
    for (const peer of peers) {
      await peer.greet();
      for (let i = 0; i < IN_HAND.ofPeer; i++) (await peer.stream(SYNC_PROTOCOL)).send(encode.single(HELLO));
    }
    await until(() => held === IN_HAND.ofInvited, 'their share is taken');
    const stream = await last.stream(SYNC_PROTOCOL);
    const frame = firstFrame(stream);
    stream.send(encode.single(HELLO));
    assert.equal((await frame).result, 'busy');
    await assertUnharmed(fr);
  });

  it('T17: the nodes of one region have together what a region has, and others are answered', async () => {
    const { de, fr } = await scene();
    const nodes = ['BE', 'ES', 'NL'];
    de.admit(
      new Map([world.admission('FR'), ...nodes.map((node) => world.admission(node, { region: 'XX' }))]),
    );
    let held = 0;
    de.handle(SYNC_PROTOCOL, (peer, request) => {
      if (peer === peerOf('FR')) return Promise.resolve(request);
      held++;
      return new Promise(() => undefined);
    });
    const peers = await Promise.all(nodes.map((node) => intruder(node)));
    for (const peer of peers) await peer.greet({ region: 'XX' });
    const last = peers.pop() ?? assert.fail();
    for (const peer of peers) {
      for (let i = 0; i < IN_HAND.ofPeer; i++) (await peer.stream(SYNC_PROTOCOL)).send(encode.single(HELLO));
    }
    await until(() => held === IN_HAND.ofRegion, 'their share is taken');
    const stream = await last.stream(SYNC_PROTOCOL);
    const frame = firstFrame(stream);
    stream.send(encode.single(HELLO));
    assert.equal((await frame).result, 'busy');
    await assertUnharmed(fr);
  });

  it('T17: one peer that floods is told to wait, the others are answered', async () => {
    const { de, fr, it } = await scene();
    await it.greet();
    const free: (() => void)[] = [];
    de.handle(SYNC_PROTOCOL, (peer, request) => {
      if (peer !== peerOf('IT')) return Promise.resolve(request);
      return new Promise((resolve) => free.push(() => resolve(request)));
    });
    de.handleStream(LOG_PROTOCOL, () => assert.fail('no room'));
    for (let i = 0; i < IN_HAND.ofPeer; i++) (await it.stream(SYNC_PROTOCOL)).send(encode.single(HELLO));
    await until(() => free.length === IN_HAND.ofPeer, 'all of its share is taken');
    const stream = await it.stream(LOG_PROTOCOL);
    const frame = firstFrame(stream);
    stream.send(encode.single(HELLO));
    assert.equal((await frame).result, 'busy');
    assert.equal(countsOf(de, 'IT')['too-many-requests'], 1);
    await assertUnharmed(fr);
    for (const one of free) one();
  });

  it('A29 T17: a peer with its share of requests to be cosigned in hand is told to wait, another is answered at once', async () => {
    const { de, fr, it } = await scene();
    const again = await intruder();
    for (const connection of [it, again]) await connection.greet();
    const free: (() => void)[] = [];
    de.handle(WITNESS_PROTOCOL, (peer, request) => {
      if (peer !== peerOf('IT')) return Promise.resolve(request);
      return new Promise((resolve) => free.push(() => resolve(request)));
    });
    const held: Promise<{ readonly result: string }>[] = [];
    const ask = async (from: HostilePeer) => {
      const stream = await from.stream(WITNESS_PROTOCOL);
      const frame = firstFrame(stream);
      stream.send(encode.single(HELLO));
      return { frame };
    };
    for (let i = 0; i < IN_HAND.ofPeer; i++) held.push((await ask(it)).frame);
    await until(() => free.length === IN_HAND.ofPeer, 'all of its share is taken');
    // By another connection: of one protocol a connection has no more streams than that.
    const next = await ask(again);
    assert.equal((await next.frame).result, 'busy');
    assert.equal(countsOf(de, 'IT')['too-many-requests'], 1);
    const { signal } = new AbortController();
    const cosigned = await fr.request(peerOf('DE'), WITNESS_PROTOCOL, HELLO, signal);
    assert.deepEqual(Buffer.from(cosigned), HELLO);
    assert.equal(free.length, IN_HAND.ofPeer);
    for (const one of free.splice(0)) one();
    assert.deepEqual(new Set((await Promise.all(held)).map(({ result }) => result)), new Set(['end']));
    const later = await ask(again);
    await until(() => free.length === 1, 'its turn comes');
    free[0]?.();
    assert.equal((await later.frame).result, 'end');
    await assertUnharmed(fr);
  });

  it('T18: a hundred strangers from one host cost no honest link', async () => {
    const { de, fr } = await scene();
    for (let i = 0; i < 10; i++) {
      await Promise.all(
        Array.from({ length: 10 }, (_, j) =>
          intruder(`ZZ-${i}${j}`)
            .then((peer) => peer.greet())
            .catch(() => undefined),
        ),
      );
      assert.deepEqual(de.peers(), [peerOf('FR')]);
    }
    assert.ok((de.status.refused['stranger'] ?? 0) > 50);
    assert.deepEqual(
      de.status.conduct
        .map(({ peer }) => peer)
        .filter((peer) => peer !== peerOf('FR') && peer !== peerOf('IT')),
      [],
    );
    await assertUnharmed(fr);
  });
});
