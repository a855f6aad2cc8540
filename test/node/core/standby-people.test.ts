import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { encodeBasis } from '../../../protocol/disclosure/basis.ts';
import { MANUAL_RULE_ID } from '../../../protocol/trust/tally.ts';
import { SPARE, withStandby } from '../../support/standby-world.ts';

describe('The standby of a region', () => {
  it('T25 keeps its own copy of a code, and forgets it when it is told so itself', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    const order = { subject: 'p1', lettingPass: true };
    const held = (name: string) => world.run(world.node(name).heldCodes.ofSubject('p1'));
    await world.run(world.node('DE').forget(order));
    assert.deepEqual([(await held('DE')).length, (await held(SPARE)).length], [0, 1]);
    const [leaf] = await world.run(world.node(SPARE).forget(order));
    assert.equal(leaf?.index, 0);
    await world.run(world.node(SPARE).promote());
    assert.deepEqual(await held(SPARE), []);
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
