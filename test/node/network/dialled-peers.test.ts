import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { DialledPeers, type DialledPeersOptions } from '../../../node/network/dialled-peers.ts';
import { SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
import { WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { HostWorld, identitySeed, NETWORK, peerOf } from '../../support/host-fixture.ts';

const NOT_ABORTED = new AbortController().signal;

describe('DialledPeers', () => {
  const world = new HostWorld();
  const dialled = new Set<DialledPeers>();
  let mute: Server | undefined;
  afterEach(async () => {
    await Promise.all([...dialled].map((peers) => peers.stop()));
    dialled.clear();
    mute?.close();
    mute = undefined;
  });

  function made(options: DialledPeersOptions = {}): DialledPeers {
    const peers = new DialledPeers(options, { clock: { nowMs: () => Date.now() } });
    dialled.add(peers);
    return peers;
  }

  const as = (region: string) => ({
    identitySeed: identitySeed(region),
    region,
    network: NETWORK,
    software: 'entente test',
  });

  const admitted = (addresses: Readonly<Record<string, string>>) =>
    new Map(Object.entries(addresses).map(([region, one]) => world.admission(region, { addresses: [one] })));

  it('connects to whom it dials in the name of its region, and carries questions and answers', async () => {
    const fr = await world.start('FR');
    world.admit('FR', []);
    fr.admit(new Map([world.admission('DE')]));
    fr.handle(SYNC_PROTOCOL, (peer, request) =>
      Promise.resolve(Uint8Array.of(...request, peer === peerOf('DE') ? 1 : 0)),
    );
    const peers = made();
    assert.deepEqual(peers.peers(), []);
    await peers.dial(as('DE'), admitted({ FR: world.addressOf('FR') }));
    assert.deepEqual([peers.peers(), peers.missing], [[peerOf('FR')], []]);
    assert.deepEqual(
      peers.connected.map(({ region }) => region),
      ['FR'],
    );
    const answer = await peers.request(peerOf('FR'), SYNC_PROTOCOL, Uint8Array.of(7), NOT_ABORTED);
    assert.deepEqual([...answer], [7, 1]);
  });

  it('tells of each that it did not reach why: nobody listens, it is not let in, nothing is said in time', async () => {
    await world.start('FR');
    world.admit('FR', []);
    mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as { readonly port: number };
    const peers = made({ dialMs: 2_000 });
    const it_ = `/ip4/127.0.0.1/tcp/${port}`;
    await peers.dial(as('DE'), admitted({ FR: world.addressOf('FR'), AT: '/ip4/127.0.0.1/tcp/1', IT: it_ }));
    const troubles = Object.fromEntries(peers.missing.map(({ region, trouble }) => [region, trouble]));
    assert.deepEqual(troubles, { FR: 'not-welcome', AT: 'refused', IT: undefined });
    assert.deepEqual(peers.peers(), []);
  });

  it('asks nothing by a protocol that it is told to leave alone, and nobody before it has dialled', async () => {
    const fr = await world.start('FR');
    fr.admit(new Map([world.admission('DE')]));
    let asked = 0;
    fr.handle(WRITER_PROTOCOL, () => Promise.resolve(Uint8Array.of(++asked)));
    const peers = made({ unasked: [WRITER_PROTOCOL] });
    const ask = () => peers.request(peerOf('FR'), WRITER_PROTOCOL, Uint8Array.of(7), NOT_ABORTED);
    await assert.rejects(ask(), { code: 'PEER_UNREACHABLE' });
    await peers.dial(as('DE'), admitted({ FR: world.addressOf('FR') }));
    await assert.rejects(ask(), { code: 'PEER_UNREACHABLE' });
    assert.equal(asked, 0);
  });

  it('stops where it could not even start, of which the call that dialled has told', async () => {
    const peers = made();
    const dialling = peers.dial({ ...as('DE'), identitySeed: new Uint8Array(5) }, admitted({}));
    await assert.rejects(dialling);
    await peers.stop();
  });

  it('stops waiting when it is told to, and stops twice', async () => {
    mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as { readonly port: number };
    const peers = made({ dialMs: 60_000 });
    const stopping = new AbortController();
    const dialling = peers.dial(as('DE'), admitted({ FR: `/ip4/127.0.0.1/tcp/${port}` }), stopping.signal);
    await once(mute, 'connection');
    stopping.abort();
    await assert.rejects(dialling, { name: 'AbortError' });
    await peers.stop();
    await peers.stop();
  });
});
