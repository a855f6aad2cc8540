import assert from 'node:assert/strict';
import { NodeWorld } from '../../support/node-fixture.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

const TRUST = 'DE.test/trust';

describe('RegionNode.logEntries of a compromise that reaches back behind the state that the node began with', () => {
  let world: NodeWorld;

  beforeEach(async () => {
    world = new NodeWorld();
    await world.found('DE');
    await world.run(world.node('DE').commitState());
    await world.kill('DE', { inOrder: true });
    world.replace('DE');
    await world.boot('DE');
    assert.ok((world.node('DE').keeper('DE')?.fold.baseIndex ?? 0) > 0);
  });
  afterEach(() => world.stop());

  const tree = () => world.node('DE').log(TRUST) ?? assert.fail();

  /** Gives a key up, has another root take over, and makes a key known by that one. */
  async function order() {
    const { fixture, instead } = world.machine('DE');
    fixture.nowS = world.nowS;
    const fresh = fixture.key('fresh checkpoint');
    const attest = fixture.key('fresh attest');
    const next = fixture.key('next root');
    instead.checkpoint = fresh;
    const cutOff = { size: 1, root: await tree().reader.rootAt(1) };
    const entries = [
      fixture.entryOf(fixture.keysStatement([{ key: fresh, role: 'checkpoint' }])),
      fixture.entryOf(fixture.compromise(fixture.keys.checkpoint, { trust: cutOff })),
      fixture.entryOf(fixture.rootStatement({ version: 2, keys: [next] }), [...fixture.rootKeys, next]),
      fixture.entryOf(fixture.keysStatement([{ key: attest, role: 'attest' }]), [next]),
    ];
    return { entries, attest, old: fixture.keys.checkpoint };
  }

  it('logs all of an order that changes the root as well', async () => {
    const { entries, attest, old } = await order();
    const { size } = tree();
    assert.equal(await world.run(world.node('DE').logEntries(entries)), size);
    const { state } = world.node('DE').keeper('DE') ?? assert.fail();
    assert.equal(state.root?.version, 2);
    assert.ok(state.key(attest.keyId));
    assert.equal(state.key(old.keyId)?.compromise?.cutOffs.get('trust')?.size, 1);
    assert.match(await world.outcome('DE', (await world.issue('DE')).text), /^pass/);
  });

  it('logs nothing of an order of which one part would have no effect', async () => {
    const { entries } = await order();
    const { size } = tree();
    await rejectsWith(
      world.run(world.node('DE').logEntries([...entries, ...entries.slice(-1)])),
      'REFUSED',
      new RegExp(`entry ${size + 4} would have no effect`),
    );
    assert.equal(tree().size, size);
  });
});

describe('RegionNode.logEntries', () => {
  it('logs nothing of an order whose second entry would have no effect, and names that', async () => {
    const world = new NodeWorld();
    await world.found('DE');
    const { fixture, node } = world.machine('DE');
    const limits = (revocationsPerHour: number) =>
      fixture.entryOf({ kind: 'limits', version: 1, revocationsPerHour });
    const size = node.log(TRUST)?.size ?? assert.fail();
    await rejectsWith(
      world.run(node.logEntries([limits(1), limits(2)])),
      'REFUSED',
      new RegExp(`entry ${size + 1} would have no effect`),
    );
    assert.equal(node.log(TRUST)?.size, size);
    assert.equal(await world.run(node.logEntries([limits(2)])), size);
    await world.stop();
  });
});
