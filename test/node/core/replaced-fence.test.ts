import assert from 'node:assert/strict';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { SPARE, TRUST, withStandby } from '../../support/standby-world.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

const LOG = '2026-11';
const ATTEST = `DE.test/attest/${LOG}`;
const ALL = ['DE', 'FR', 'IT'];

describe('a region that witnesses fence, whose root gives up a checkpoint key on the machine that follows', () => {
  let world: NodeWorld;

  beforeEach(async () => {
    world = await withStandby();
  });
  afterEach(() => world.stop());

  const log = (name: string) => world.node(name).keeper('DE')?.state.log(`${LOG}.1`);

  /** What is signed from here on reaches all but the machine that follows. */
  function cutOff(): void {
    for (const name of ALL) world.network.cut(SPARE, name);
  }

  async function giveUpOn(name: string): Promise<void> {
    const { fixture } = world.machine('DE');
    fixture.nowS = world.nowS;
    const fresh = fixture.key('fresh checkpoint');
    for (const machine of ['DE', SPARE]) world.machine(machine).instead.checkpoint = fresh;
    const { size, root } = world.node(name).log(TRUST)?.head ?? assert.fail();
    const statements = [
      fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, { trust: { size, root } }),
    ];
    await world.run(world.node(name).logEntries(statements.map((one) => fixture.entryOf(one))));
    await world.until(() => world.node(name).status.writing === 'writing', `${name} writes`);
  }

  it('T9: an index that the writer before had signed, as the witnesses know, is signed by nobody else', async () => {
    assert.equal(world.node(SPARE).status.sizes[ATTEST], 0);
    cutOff();
    const lost = await world.issue('DE');
    assert.deepEqual([lost.log, lost.index], [LOG, 0]);
    await world.pass(10);
    await world.kill('DE');
    world.network.rejoin(SPARE);
    await rejectsWith(world.run(world.node(SPARE).promote()), 'LOG_BEHIND');
    await giveUpOn(SPARE);
    assert.ok(log(SPARE) !== undefined, 'the replacement is announced');
    const issued = await world.issue(SPARE, 'p2');
    assert.deepEqual([issued.log, issued.index], [`${LOG}.1`, 0]);
  });
});
