/** An honest pair of hosts, and peers that one of them admits and that behave badly. */
import assert from 'node:assert/strict';
import { type HostOptions, type Libp2pHost } from '../../node/network/host/libp2p-host.ts';
import { SYNC_PROTOCOL } from '../../node/sync/messages.ts';
import { HostWorld, peerOf } from './host-fixture.ts';
import { HostilePeer } from './hostile-peer.ts';
import { until } from './until.ts';

export const HELLO = Buffer.from('hello');

/** Call it within `describe`; all hosts and peers stop after each test. */
export class HostileScene {
  readonly world = new HostWorld();
  readonly #hostile: HostilePeer[] = [];

  constructor() {
    afterEach(async () => {
      await Promise.all(this.#hostile.splice(0).map((peer) => peer.stop()));
    });
  }

  /** DE with an honest FR connected, and IT that DE admits. */
  async open(
    options: Partial<HostOptions> = {},
  ): Promise<{ de: Libp2pHost; fr: Libp2pHost; it: HostilePeer }> {
    const { world } = this;
    const de = await world.start('DE', options);
    const fr = await world.start('FR');
    world.admit('DE', ['FR', 'IT']);
    world.admit('FR', ['DE'], ['DE']);
    de.handle(SYNC_PROTOCOL, (_peer, request) => Promise.resolve(request));
    await until(() => fr.peers().length === 1, 'FR is connected');
    return { de, fr, it: await this.intruder() };
  }

  async intruder(region = 'IT'): Promise<HostilePeer> {
    const peer = await HostilePeer.dial(region, `${this.world.addressOf('DE')}/p2p/${peerOf('DE')}`);
    this.#hostile.push(peer);
    return peer;
  }
}

/** What the honest peer had, it still has. */
export async function assertUnharmed(fr: Libp2pHost): Promise<void> {
  const { signal } = new AbortController();
  assert.deepEqual(Buffer.from(await fr.request(peerOf('DE'), SYNC_PROTOCOL, HELLO, signal)), HELLO);
}

/** What a host counts of a peer, by reason. */
export function countsOf(host: Libp2pHost, region: string): Readonly<Record<string, number>> {
  return host.status.conduct.find(({ peer }) => peer === peerOf(region))?.counts ?? {};
}
