import assert from 'node:assert/strict';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { comes, otherTree, storyOf } from '../../support/told-world.ts';

/** Whose log is told in another way, and who is deceived. */
const [LOG, DECEIVED, ...HONEST] = ['DE', 'ES', 'FR', 'IT'] as const;
const LIAR = `${LOG}#9`;
const ORIGIN = `${LOG}.${NETWORK}/trust`;

describe('a node that for a while meets nobody but who tells a log in another way', () => {
  let world: NodeWorld;

  beforeEach(async () => {
    world = new NodeWorld();
    const all = [LOG, ...HONEST];
    for (const region of all) await world.found(region);
    for (const [i, one] of all.entries())
      for (const other of all.slice(i + 1)) await world.befriend(one, other);
    for (const region of [LOG, ...HONEST]) world.network.cut(LIAR, region);
    await world.pass(15);
  });
  afterEach(() => world.stop());

  const keeper = (region: string) => world.node(region).keeper(LOG) ?? assert.fail();
  const held = (region: string) => keeper(region).tree.head;
  const leansOn = (region: string) => world.node(region).trust.regions.get(LOG)?.checkpoint.size;
  const seen = (region: string) => world.run(world.node(region).witness.lastSeen(ORIGIN));

  async function befriended(): Promise<void> {
    for (const other of [LOG, ...HONEST]) {
      await world.recognise(DECEIVED, other);
      if (other !== LOG) await world.recognise(other, DECEIVED);
    }
  }

  it('A12 A16 T3 T10: what a thief of the checkpoint key signs is leaned on by nobody without a quorum, and what he keeps back ages', async () => {
    await world.found(DECEIVED);
    await befriended();
    await world.recognise(LOG, DECEIVED);
    const { text } = await world.issue(LOG);
    await world.until(() => HONEST.every((region) => held(region).size === held(LOG).size), 'all have it');
    await world.until(() => leansOn(DECEIVED) === held(LOG).size, 'it leans on it');
    const { size } = held(LOG);
    world.network.isolate(DECEIVED);
    world.network.mend(DECEIVED, LIAR);
    const tree = await otherTree(world, { region: LOG, holder: HONEST[0], less: 0, more: 3 });
    comes(world, LIAR, storyOf(world, LOG, tree));
    await world.until(() => held(DECEIVED).size === size + 3, 'it has the thief’s');
    await world.pass(40);
    assert.equal(leansOn(DECEIVED), size, 'a signature of the log alone is not enough');
    assert.match(await world.outcome(DECEIVED, text), /^pass/);
    await world.pass(600);
    assert.match(await world.outcome(DECEIVED, text), /^undetermined.*KNOWLEDGE_STALE/);
    assert.equal(leansOn(DECEIVED), size);
  });

  it('A15 T4: a witness whose first contact with a log is a fork vouches for that and no other, moves nobody, and all have the proof', async () => {
    const { text } = await world.issue(LOG);
    const tree = await otherTree(world, { region: LOG, holder: HONEST[0], less: 2, more: 4 });
    await world.pass(15);
    const truth = held(HONEST[0]);
    for (const region of [LOG, ...HONEST]) world.network.cut(DECEIVED, region);
    await world.found(DECEIVED);
    await befriended();
    comes(world, LIAR, storyOf(world, LOG, tree));
    await world.until(() => held(DECEIVED).size === tree.entries.length, 'it has the fork');
    await world.pass(15);
    assert.deepEqual((await seen(DECEIVED))?.root, tree.root(), 'it has cosigned the fork');
    assert.deepEqual(world.node(DECEIVED).status.forked, []);

    for (const region of [LOG, ...HONEST]) world.network.mend(DECEIVED, region);
    const all = [DECEIVED, ...HONEST];
    const areForked = () => all.every((region) => world.node(region).status.forked.includes(ORIGIN));
    await world.until(areForked, 'all have the proof', 20);
    await world.pass(40);
    for (const region of all) {
      assert.match(await world.outcome(region, text), /^undetermined.*FORKED/, region);
      assert.deepEqual(world.node(region).status.accusations, [], region);
    }
    for (const region of HONEST) {
      assert.deepEqual(held(region).root, truth.root, `${region} holds what it held`);
      const cosigned = keeper(region).latest?.pool.cosignatures.map((one) => one.region) ?? [];
      assert.ok(!cosigned.includes(DECEIVED), `it cosigns no other tree at ${region}`);
    }
    assert.deepEqual((await seen(DECEIVED))?.root, tree.root(), 'what it has cosigned binds it');
  });
});
