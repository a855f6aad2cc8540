import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { type Libp2pHost } from '../../../node/network/host/libp2p-host.ts';
import { GOSSIP_QUEUES, IN_HAND } from '../../../node/network/network-limits.ts';
import { FaultProxy, type LinkFaults, portOf } from '../../support/fault-proxy.ts';
import { HostWorld } from '../../support/host-fixture.ts';
import { LiveWorld } from '../../support/live-world.ts';
import { seeded } from '../../support/seeded.ts';
import { until } from '../../support/until.ts';

const REGIONS = ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'GR', 'HU', 'IE', 'IT'];

describe('Ten nodes on libp2p', function () {
  this.timeout(180_000);
  const hosts = new HostWorld();
  const proxies: FaultProxy[] = [];

  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
  });

  /** Every host behind a proxy of its own, through which all others that start later dial it. */
  async function meshed(faults: Partial<LinkFaults>): Promise<Libp2pHost[]> {
    const random = seeded(7);
    const addresses = new Map<string, string>();
    const started: Libp2pHost[] = [];
    for (const region of REGIONS) {
      const host = await hosts.start(region);
      const admissions = REGIONS.filter((other) => other !== region).map((other) => {
        const address = addresses.get(other);
        return hosts.admission(other, { addresses: address === undefined ? [] : [address] });
      });
      const proxy = new FaultProxy(portOf(hosts.addressOf(region)), faults, random);
      proxies.push(proxy);
      addresses.set(region, `/ip4/127.0.0.1/tcp/${await proxy.start()}`);
      started.push(host);
      host.admit(new Map(admissions));
    }
    await until(() => started.every((host) => host.peers().length === REGIONS.length - 1), 'meshed', 120_000);
    return started;
  }

  for (const [what, faults] of [
    ['20 % of the pieces lost', { lossRate: 0.2, lossMs: 200 }],
    ['200 ms of delay', { delayMs: 200, jitterMs: 20 }],
  ] as const) {
    it(`T14, F8: with ${what}, everything arrives everywhere and no queue is beyond its bound`, async () => {
      const world = new LiveWorld();
      try {
        const started = await meshed(faults);
        for (const [i, region] of REGIONS.entries()) await world.found(region, started[i] as Libp2pHost);
        await world.befriendAll();
        const codes = await Promise.all(REGIONS.map((region) => world.issue(region, `person of ${region}`)));
        const agree = () => new Set(REGIONS.map((region) => world.sizesAt(region))).size === 1;
        await until(agree, 'all hold all logs', 180_000);
        for (const { text } of codes) await settlesOn(world, text, 'pass');

        const revoked = codes.filter((_code, i) => i % 2 === 0);
        await Promise.all(
          revoked.map(({ log, index }, i) => {
            return world.of(REGIONS[2 * i] as string).node.revoke({ log, indexes: [index] });
          }),
        );
        for (const { text } of revoked) await settlesOn(world, text, 'stop REVOKED');

        for (const { status } of started) {
          for (const { topic, ofAll } of GOSSIP_QUEUES) {
            assert.ok((status.gossip[topic]?.waitingMax ?? 0) <= ofAll, topic);
          }
          assert.ok(status.requests.inHandMax <= IN_HAND.ofAll);
          assert.deepEqual(
            status.conduct.filter(({ isShutOut }) => isShutOut),
            [],
          );
        }
        for (const { region, troubles } of world.nodes) assert.deepEqual(troubles, [], region);
      } finally {
        await world.stop();
      }
    });
  }

  /** Every node comes to an outcome that begins like this. */
  async function settlesOn(world: LiveWorld, text: string, expected: string): Promise<void> {
    const endMs = performance.now() + 30_000;
    for (const region of REGIONS) {
      let outcome = await world.outcome(region, text);
      while (!outcome.startsWith(expected) && performance.now() < endMs) {
        await setTimeout(50);
        outcome = await world.outcome(region, text);
      }
      assert.ok(outcome.startsWith(expected), `${region}: ${outcome}`);
    }
  }
});
