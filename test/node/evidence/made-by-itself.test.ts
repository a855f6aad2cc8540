import assert from 'node:assert/strict';
import { type Libp2pHost } from '../../../node/network/host/libp2p-host.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { HostWorld } from '../../support/host-fixture.ts';
import { LiveWorld } from '../../support/live-world.ts';
import { tellStory } from '../../support/log-story.ts';
import { until } from '../../support/until.ts';

/** The first is the region of the fixture, and lies; the second copies its logs. */
const [LIAR, COPYING, ...OTHERS] = ['DE', 'IT', 'ES', 'FR'] as const;
const ALL = [LIAR, COPYING, ...OTHERS] as const;
/** Two periods of 10 s. */
const TWO_PERIODS_MS = 20_000;

describe('evidence that a node makes of what it copies, on libp2p', function () {
  this.timeout(120_000);
  const hosts = new HostWorld();

  it('A11: an hour that goes back, in a log that one copies, is proven at every node within two periods of heads, and after a restart', async () => {
    const world = new LiveWorld();
    try {
      const started = new Map<string, Libp2pHost>();
      for (const region of ALL) started.set(region, await hosts.start(region));
      const hostOf = (region: string) => started.get(region) ?? assert.fail();
      ALL.forEach((region, i) => {
        const others = ALL.filter((other) => other !== region);
        hosts.admit(region, others, ALL.slice(0, i));
      });
      const isMeshed = () => ALL.every((region) => hostOf(region).peers().length === ALL.length - 1);
      await until(isMeshed, 'meshed');
      const tree = proofs.backdated;
      const note = proofs.noteOn(tree);
      tellStory(hostOf(LIAR), { origin: proofs.ORIGIN, tree, note });
      for (const region of ALL)
        await world.found(region, hostOf(region), region === COPYING ? { mirrors: [LIAR] } : {});
      await world.befriendAll();
      await world.issue(LIAR, 'whoever');
      const { node } = world.of(COPYING);
      await until(() => node.status.sizes[proofs.ORIGIN] === tree.entries.length, 'the log is copied');
      const first = (region: string) => world.of(region).node.status.accusations[0];
      const expected = { kind: 'hours', region: LIAR, origin: proofs.ORIGIN, at: 5, isDisowned: false };
      for (const region of [COPYING, ...OTHERS]) {
        await until(() => first(region) !== undefined, `${region} holds the proof`, TWO_PERIODS_MS);
        const { name, ...accusation } = first(region) ?? assert.fail();
        assert.deepEqual(accusation, expected, name);
      }
      assert.equal(world.of(OTHERS[0]).node.status.sizes[proofs.ORIGIN], undefined, 'which copies nothing');
      await hostOf(OTHERS[0]).stop();
      const again = await world.restart(OTHERS[0], await hosts.start(OTHERS[0]));
      assert.deepEqual(again.node.status.accusations[0]?.kind, 'hours');
      for (const { region, troubles } of world.nodes) assert.deepEqual(troubles, [], region);
    } finally {
      await world.stop();
    }
  });
});
