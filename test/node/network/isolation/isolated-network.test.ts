import assert from 'node:assert/strict';
import { LOG_PROTOCOL } from '../../../../node/sync/log-messages.ts';
import { NodeError } from '../../../../node/node-error.ts';
import { SYNC_PROTOCOL } from '../../../../node/sync/messages.ts';
import { ProtocolError } from '../../../../protocol/fault.ts';
import { peerOf } from '../../../support/host-fixture.ts';
import { IsolatedWorld } from '../../../support/isolated-fixture.ts';
import { until } from '../../../support/until.ts';

const signal = () => new AbortController().signal;
const hello = Buffer.from('hello');

describe('IsolatedNetwork', () => {
  const world = new IsolatedWorld();

  it('carries requests, refusals, streams and gossip across its thread', async () => {
    const [de, fr] = await world.openAll(['DE', 'FR']);
    assert.ok(de && fr);
    const ask = (bytes: Uint8Array) => de.request(peerOf('FR'), SYNC_PROTOCOL, bytes, signal());
    fr.handle(SYNC_PROTOCOL, (peer, request) => Promise.resolve(Buffer.from(`${peer} ${request.length}`)));
    assert.equal(Buffer.from(await ask(hello)).toString(), `${peerOf('DE')} 5`);
    fr.handle(SYNC_PROTOCOL, () => Promise.reject(new NodeError('NOT_FOUND', 'no')));
    await assert.rejects(ask(hello), { name: 'NodeError', code: 'NOT_FOUND', retry: false });
    fr.handle(SYNC_PROTOCOL, () => Promise.reject(new ProtocolError('CBOR_MALFORMED', 'no')));
    await assert.rejects(ask(hello), { name: 'NodeError', code: 'REFUSED' });

    fr.handleStream(LOG_PROTOCOL, async function* () {
      for (let i = 0; i < 100; i++) yield await Promise.resolve(new Uint8Array(1_000).fill(i));
    });
    const seen: (number | undefined)[] = [];
    for await (const chunk of de.stream(peerOf('FR'), LOG_PROTOCOL, hello, signal())) seen.push(chunk[0]);
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, i) => i),
    );

    let heard = '';
    fr.subscribe('evidence', (peer, message) => {
      heard = `${peer} ${Buffer.from(message).toString()}`;
      return 'accept';
    });
    await until(() => {
      de.publish('evidence', hello);
      return heard === `${peerOf('DE')} hello`;
    }, 'FR hears it');
    assert.throws(() => de.handle(LOG_PROTOCOL, () => Promise.resolve(hello)), RangeError);
    assert.throws(() => de.publish('other', hello), RangeError);
  });

  it('aborts a call on both sides of the threads', async () => {
    const [de, fr] = await world.openAll(['DE', 'FR']);
    assert.ok(de && fr);
    const giveUp = new AbortController();
    const gaveUp = new Promise<void>((resolve) => {
      fr.handle(SYNC_PROTOCOL, (_peer, _request, over) => {
        giveUp.abort(new Error('enough'));
        return new Promise(() => over.addEventListener('abort', () => resolve()));
      });
    });
    await assert.rejects(de.request(peerOf('FR'), SYNC_PROTOCOL, hello, giveUp.signal), /enough/);
    await gaveUp;
    assert.equal(de.status.calls, 0);
  });

  for (const [how, strike] of [
    ['an exception in a microtask', (region: string) => world.poison(region)],
    ['being ended', (region: string) => world.kill(region)],
  ] as const) {
    it(`survives ${how}: calls reject, and it is back at its address with its handlers`, async () => {
      const [de, fr] = await world.openAll(['DE', 'FR']);
      assert.ok(de && fr);
      const address = world.addressOf('DE');
      de.handle(SYNC_PROTOCOL, () => Promise.resolve(hello));
      fr.handle(SYNC_PROTOCOL, () => new Promise(() => undefined));
      const underWay = de.request(peerOf('FR'), SYNC_PROTOCOL, hello, signal());
      const rejected = assert.rejects(underWay, { code: 'PEER_UNREACHABLE', retry: true });
      strike('DE');
      await rejected;
      await assert.rejects(de.request(peerOf('FR'), SYNC_PROTOCOL, hello, signal()), {
        code: 'PEER_UNREACHABLE',
      });
      assert.deepEqual(de.peers(), []);
      await until(() => de.peers().includes(peerOf('FR')) && fr.peers().includes(peerOf('DE')), 'it is back');
      assert.equal(world.addressOf('DE'), address);
      assert.equal(de.status.thread.restarts, 1);
      await until(() => fr.status.host?.peers.length === 1, 'FR sees it');
      assert.deepEqual(Buffer.from(await fr.request(peerOf('DE'), SYNC_PROTOCOL, hello, signal())), hello);
    });
  }

  it('rejects with NETWORK_FAILED where it cannot listen, and leaves no thread', async () => {
    await world.open('DE');
    await assert.rejects(world.open('FR', { listen: [world.addressOf('DE')] }), { code: 'NETWORK_FAILED' });
  });
});
