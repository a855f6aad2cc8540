import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { type TestKey } from '../../support/region-fixture.ts';
import { FIRST, SPARE, TRUST, withStandby } from '../../support/standby-world.ts';
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

  /** `trustLog`: admitted with it. */
  async function giveUpOn(name: string, trustLog?: TestKey): Promise<void> {
    const { fixture } = world.machine('DE');
    fixture.nowS = world.nowS;
    const fresh = fixture.key('fresh checkpoint');
    for (const machine of ['DE', SPARE]) world.machine(machine).instead.checkpoint = fresh;
    const { size, root } = world.node(name).log(TRUST)?.head ?? assert.fail();
    const statements = [
      fixture.keysStatement([
        { key: fresh, role: 'checkpoint' },
        ...(trustLog === undefined ? [] : [{ key: trustLog, role: 'trust-log' } as const]),
      ]),
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

  it('T3, T14: where the file of the trust-log key in force is missing, an order that admits another is logged, and the replacement announced by that', async () => {
    await world.kill('DE');
    const trustLog = world.machine('DE').fixture.key('fresh trust-log');
    world.machine(SPARE).instead.trustLog = trustLog;
    await rejectsWith(giveUpOn(SPARE), 'KEY_FILE_MISSING');
    await giveUpOn(SPARE, trustLog);
    assert.equal((await world.issue(SPARE, 'p2')).log, `${LOG}.1`);
    await world.until(
      () => world.node('FR').status.sizes[TRUST] === world.node(SPARE).status.sizes[TRUST],
      'FR has it',
    );
    assert.ok(world.node('FR').keeper('DE')?.state.log(`${LOG}.1`) !== undefined);
  });

  /** DE dies with a batch that it has staged and that no witness has permitted, of which the other machine has heard nothing. */
  async function dieStaging(): Promise<void> {
    const { index } = await world.issue('DE');
    await world.until(() => world.node(SPARE).status.sizes[ATTEST] === index + 1, 'it follows');
    world.network.isolate('DE');
    const expiresAtS = world.nowS + 86_400;
    const status = { colour: 'green', measure: 'none', expiresAtS, ruleId: 'base', ruleVersion: 1 } as const;
    void world
      .node('DE')
      .issue({ subject: 'p2', fields: { status } })
      .catch(() => undefined);
    await world.until(() => staged() === 1, 'it is staged');
    await world.kill('DE');
    world.network.rejoin('DE');
    assert.equal(staged(), 1);
  }

  const staged = () =>
    world
      .machine('DE')
      .medium.snapshot()
      .entries.filter(([key]) => key.startsWith(`log/${ATTEST}/staged/`)).length;

  async function comeBack(): Promise<void> {
    world.replace('DE', { fenced: { identity: FIRST } });
    await world.boot('DE', ({ status }) => status.writing === 'standby');
  }

  async function assertGivenUp(): Promise<void> {
    await world.pass(20);
    assert.equal(staged(), 0);
    assert.equal(world.node('DE').status.sizes[ATTEST], 1, 'nothing more is signed of what is replaced');
    assert.ok(world.machine('DE').troubles.some((one) => isNodeError(one, 'LOG_NOT_WRITTEN')));
    assert.equal((await world.issue('DE', 'p4')).log, `${LOG}.1`);
    assert.deepEqual(world.node('FR').status.forked, []);
  }

  it('T9: what it had staged where the other machine signed, whose disk is lost, is taken back with the order', async () => {
    await dieStaging();
    await world.run(world.node(SPARE).promote());
    const lost = await world.issue(SPARE, 'p3');
    assert.deepEqual([lost.log, lost.index], [LOG, 1]);
    await world.kill(SPARE);
    await comeBack();
    await giveUpOn('DE');
    await assertGivenUp();
  });

  it('T9: what it had staged of a log that the order on the other machine replaced is taken back as it takes over', async () => {
    await dieStaging();
    await giveUpOn(SPARE);
    assert.equal((await world.issue(SPARE, 'p3')).log, `${LOG}.1`);
    await comeBack();
    await world.until(() => world.node('DE').status.sizes[`${ATTEST}.1`] === 1, 'it follows');
    await world.run(world.node('DE').promote());
    await assertGivenUp();
  });
});
