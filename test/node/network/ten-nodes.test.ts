import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { type Libp2pHost } from '../../../node/network/host/libp2p-host.ts';
import { GOSSIP_QUEUES } from '../../../node/network/network-limits.ts';
import { HeldGossip } from '../../support/held-gossip.ts';
import { FaultProxy, type LinkFaults, portOf } from '../../support/fault-proxy.ts';
import { HostWorld } from '../../support/host-fixture.ts';
import { LiveWorld } from '../../support/live-world.ts';
import { seeded } from '../../support/seeded.ts';
import { until } from '../../support/until.ts';

const REGIONS = ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'GR', 'HU', 'IE', 'IT'];
/** Looks at no head for a while. */
const BUSY = 'IT';

/** Messages that each of the others sends besides its own: more heads than there is room for, and of the rest what there is room for. */
const SENT = { trust: 4, evidence: 4, head: 64 } as const;

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
    it(`T14, F8: with ${what}, everything arrives everywhere, and of a crowd of messages heads alone are dropped`, async () => {
      const world = new LiveWorld();
      try {
        const started = await meshed(faults);
        const gossip = new HeldGossip(
          new Map(REGIONS.map((region, i) => [region, started[i] as Libp2pHost])),
        );
        for (const [i, region] of REGIONS.entries()) await world.found(region, started[i] as Libp2pHost);
        await world.befriendAll();
        const codes = await Promise.all(REGIONS.map((region) => world.issue(region, `person of ${region}`)));
        const agree = () => new Set(REGIONS.map((region) => world.sizesAt(region))).size === 1;
        await until(agree, 'all hold all logs', 180_000);
        for (const { text } of codes) await settlesOn(world, text, 'pass');

        gossip.hold(BUSY, 'head');
        const before = gossip.countersOf(BUSY);
        for (const region of REGIONS) if (region !== BUSY) gossip.send(region, SENT);
        const others = REGIONS.length - 1;
        const hasCome = () => {
          const counters = gossip.countersOf(BUSY);
          return GOSSIP_QUEUES.every(
            ({ topic }) => counters[topic].received - before[topic].received >= others * SENT[topic],
          );
        };
        await until(hasCome, 'all has come to the busy one', 60_000);
        const revoked = codes.filter((_code, i) => i % 2 === 0);
        await Promise.all(
          revoked.map(({ log, index }, i) => {
            return world.of(REGIONS[2 * i] as string).node.revoke({ log, indexes: [index] });
          }),
        );
        gossip.goOn();
        for (const { text } of revoked) await settlesOn(world, text, 'stop REVOKED');

        const sentTo = (region: string) => (region === BUSY ? others : others - 1);
        const isThere = (region: string) =>
          gossip.lookedAt(region, 'trust') === sentTo(region) * SENT.trust &&
          gossip.lookedAt(region, 'evidence') === sentTo(region) * SENT.evidence;
        await until(() => REGIONS.every(isThere), 'all of the topics that go first is looked at', 30_000);
        for (const region of REGIONS) {
          const { trust, evidence } = gossip.countersOf(region);
          assert.deepEqual([trust.dropped, evidence.dropped], [0, 0], region);
        }
        const { head } = gossip.countersOf(BUSY);
        const bound = GOSSIP_QUEUES.find(({ topic }) => topic === 'head')?.ofAll;
        assert.equal(head.waitingMax, bound, 'the queue of heads was full, and no fuller');
        assert.ok(head.dropped > 0);
        for (const { status } of started) {
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
