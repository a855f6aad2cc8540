import assert from 'node:assert/strict';
import { type Libp2pHost } from '../../../../node/network/host/libp2p-host.ts';
import { SYNC_PROTOCOL } from '../../../../node/sync/messages.ts';
import { FaultProxy, type LinkFaults, portOf } from '../../../support/fault-proxy.ts';
import { HostWorld, peerOf } from '../../../support/host-fixture.ts';
import { until } from '../../../support/until.ts';

const signal = () => new AbortController().signal;
const hello = Buffer.from('hello');

describe('Libp2pHost on bad links', () => {
  const world = new HostWorld();
  const proxies: FaultProxy[] = [];

  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
  });

  /** FR dials DE through a proxy. */
  async function linked(
    faults: Partial<LinkFaults> = {},
    options = {},
  ): Promise<{ de: Libp2pHost; fr: Libp2pHost; proxy: FaultProxy }> {
    const de = await world.start('DE', options);
    const fr = await world.start('FR', options);
    const proxy = new FaultProxy(portOf(world.addressOf('DE')), faults);
    proxies.push(proxy);
    const port = await proxy.start();
    world.admit('DE', ['FR']);
    fr.admit(new Map([world.admission('DE', { addresses: [`/ip4/127.0.0.1/tcp/${port}`] })]));
    await until(() => de.peers().length === 1 && fr.peers().length === 1, 'connected', 30_000);
    de.handle(SYNC_PROTOCOL, (_peer, request) => Promise.resolve(request));
    return { de, fr, proxy };
  }

  it('F8: works at 200 ms each way, hello and requests alike', async () => {
    const { fr } = await linked({ delayMs: 200 });
    assert.deepEqual(Buffer.from(await fr.request(peerOf('DE'), SYNC_PROTOCOL, hello, signal())), hello);
  });

  it('connects again after a reset', async () => {
    const { de, fr, proxy } = await linked();
    proxy.reset();
    await until(() => fr.peers().length === 0, 'FR sees the reset');
    await until(() => fr.peers().length === 1 && de.peers().length === 1, 'connected again');
    assert.deepEqual(Buffer.from(await fr.request(peerOf('DE'), SYNC_PROTOCOL, hello, signal())), hello);
  });

  it('finds a half-open connection by its own pings, counts it, and connects again', async () => {
    const { fr, proxy } = await linked({}, { ping: { everyMs: 50, deadlineMs: 500 } });
    proxy.halfOpen();
    await until(() => (fr.status.refused['dead'] ?? 0) > 0, 'FR finds out');
    await until(() => fr.peers().length === 1, 'connected again');
    assert.deepEqual(Buffer.from(await fr.request(peerOf('DE'), SYNC_PROTOCOL, hello, signal())), hello);
  });

  it('keeps a connection whose echo is late, but within the time', async () => {
    const { fr, proxy } = await linked({ delayMs: 100 }, { ping: { everyMs: 50, deadlineMs: 5_000 } });
    await until(() => (fr.status.peers[0]?.rttMs ?? 0) > 100, 'an echo came');
    assert.equal(proxy.accepted, 1);
    assert.equal(fr.status.refused['dead'], undefined);
  });

  it('takes nothing that was changed on the way: the connection ends and comes back', async () => {
    const { fr, proxy } = await linked();
    proxy.faults.flipRate = 1;
    await assert.rejects(fr.request(peerOf('DE'), SYNC_PROTOCOL, hello, signal()), {
      code: 'PEER_UNREACHABLE',
    });
    proxy.faults.flipRate = 0;
    await until(() => proxy.accepted > 1 && fr.peers().length === 1, 'connected again', 40_000);
    const answer = await fr.request(peerOf('DE'), SYNC_PROTOCOL, hello, signal());
    assert.deepEqual(Buffer.from(answer), hello);
    assert.ok(proxy.flips > 0);
  });

  it('a stalled link delays, and loses nothing', async () => {
    const { fr, proxy } = await linked();
    proxy.faults.isStalled = true;
    let isAnswered = false;
    const answers = Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        fr.request(peerOf('DE'), SYNC_PROTOCOL, Buffer.from([i]), signal()),
      ),
    ).finally(() => (isAnswered = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isAnswered, false);
    proxy.faults.isStalled = false;
    assert.deepEqual(
      (await answers).map(([byte]) => byte),
      Array.from({ length: 20 }, (_, i) => i),
    );
  });
});
