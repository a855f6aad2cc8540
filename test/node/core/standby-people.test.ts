import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { encodeBasis } from '../../../protocol/disclosure/basis.ts';
import { MANUAL_RULE_ID } from '../../../protocol/trust/tally.ts';
import { FIRST, follows, SECOND, SPARE, withStandby } from '../../support/standby-world.ts';

const FORGET = { subject: 'p1', lettingPass: true };

describe('The standby of a region', () => {
  for (const [how, isAway] of [
    ['at once', false],
    ['once it is there again', true],
  ] as const)
    it(`T25 forgets ${how} whom the writer is told to forget, and nobody else`, async () => {
      const world = await withStandby();
      await world.issue('DE');
      await world.issue('DE', 'p2');
      await world.pass(10);
      const held = (name: string, subject = 'p1') => world.run(world.node(name).heldCodes.ofSubject(subject));
      assert.deepEqual([(await held(SPARE)).length, (await held(SPARE, 'p2')).length], [1, 1]);
      if (isAway) await world.kill(SPARE, { inOrder: true });
      const { leaves, other } = await world.run(world.node('DE').forget(FORGET));
      assert.deepEqual([leaves.length, other], [1, isAway ? 'awaited' : 'forgot']);
      assert.equal(world.node('DE').status.toForget, isAway ? 1 : 0);
      if (isAway) {
        // What is still to be told outlives the process that was told.
        await world.kill('DE', { inOrder: true });
        world.replace('DE', { fenced: { identity: FIRST } });
        await world.boot('DE');
        world.replace(SPARE, { fenced: { identity: SECOND, isStandby: true } });
        await world.boot(SPARE, follows(world));
        await world.pass(35);
        assert.equal(world.node('DE').status.toForget, 0);
      }
      await world.run(world.node(SPARE).promote());
      assert.deepEqual([await held(SPARE), (await held(SPARE, 'p2')).length], [[], 1]);
      const [{ log, index } = assert.fail()] = leaves;
      assert.deepEqual(await world.run(world.node(SPARE).heldCodes.atPlaces([{ log, index }])), [undefined]);
      await world.stop();
    });

  it('T25 has the writer forget whom it is told to forget itself', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    const { other } = await world.run(world.node(SPARE).forget(FORGET));
    assert.equal(other, 'forgot');
    assert.deepEqual(await world.run(world.node('DE').heldCodes.ofSubject('p1')), []);
    await world.stop();
  });

  it('knows once it is promoted whom an override binds, and by whom it was given', async () => {
    const world = await withStandby();
    const atS = world.nowS;
    const expiresAtS = Math.ceil(atS / 3_600) * 3_600 + 86_400;
    const status = { colour: 'red', measure: 'isolate', untilS: expiresAtS, expiresAtS } as const;
    const by = ['a'.repeat(16), 'b'.repeat(16)] as const;
    const basis = encodeBasis({ kind: 'override', atS, id: '0'.repeat(32), reason: 'outbreak', by });
    const fields = { status: { ...status, ruleId: MANUAL_RULE_ID, ruleVersion: 1 } };
    await world.run(world.node('DE').issue({ subject: 'p1', fields, basis }));
    await world.pass(10);
    await world.run(world.node(SPARE).promote());
    const { log, index } = await world.issue(SPARE, 'p1');
    const green = { colour: 'green', measure: 'none', expiresAtS, ruleId: 'base', ruleVersion: 1 } as const;
    const code = { subject: 'p1', status: green, log, index };
    await assert.rejects(world.run(world.node(SPARE).overrides.requireUnbound(code, false)), (error) =>
      isNodeError(error, 'REFUSED'),
    );
    await world.stop();
  });
});
