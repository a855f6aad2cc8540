import assert from 'node:assert/strict';
import { parseAttestation } from '../../../protocol/code/attestation.ts';
import { commitmentOf } from '../../../protocol/code/commitment.ts';
import { trustLogOrigin } from '../../../protocol/log/origin.ts';
import { isSignedBy } from '../../../node/log/own-checkpoint.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { bytesOf, workerName } from '../../../node/workers/work-rows.ts';
import { verifySignature } from '../../support/keys.ts';
import { greenFields } from '../../support/issuing-fixture.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { LOG_ID } from '../../support/region-fixture.ts';

const isCode = (code: string) => (error: unknown) => isNodeError(error) && error.code === code;
describe('RegionNode whose registry lies apart', () => {
  it('signs nothing more in any log once another process writes there, gives verdicts, and signs after a new start', async () => {
    const world = new NodeWorld();
    await world.found('DE');
    const tables = await world.moveRegistry('DE');
    const { text } = await world.issue('DE');
    const other = Uint8Array.of(0x82, 0x41, 1, 1);
    await tables.write([{ put: `registry/writer/${LOG_ID}`, value: other }]);
    await assert.rejects(world.issue('DE', 'p2'), isCode('REGISTRY_TAKEN'));
    const node = world.node('DE');
    await world.until(() => node.status.writing === 'failed', 'it signs nothing more');
    await assert.rejects(world.run(node.commitState()), isCode('REGISTRY_TAKEN'));
    await world.pass(60);
    assert.equal(node.status.writing, 'failed');
    assert.match(node.status.reason ?? '', /another process/);
    assert.deepEqual(await tables.get(`registry/writer/${LOG_ID}`), other);
    assert.match(await world.outcome('DE', text), /^pass/);
    assert.equal(world.machine('DE').troubles.filter(isCode('REGISTRY_TAKEN')).length, 1);
    await world.kill('DE', { inOrder: true });
    world.replace('DE');
    await world.boot('DE');
    await world.issue('DE', 'p2');
    await world.stop();
  });

  for (const kept of ['one database', 'databases of their own'] as const)
    it(`issues on after a copy of it, with ${kept}, has outrun what it had staged: nobody has a code of another`, async () => {
      const world = new NodeWorld();
      await world.found('DE');
      await world.found('FR', { mirrors: ['DE'] });
      await world.befriend('DE', 'FR');
      const tables = await world.moveRegistry('DE');
      await world.issue('DE');
      await world.pass(35);
      const machine = await world.kill('DE', { inOrder: true });
      const { medium, troubles, instead } = machine;
      const kill = async (inOrder: boolean) => {
        await world.kill('DE', { inOrder });
        return { disk: medium.snapshot(), rows: tables.copy() };
      };
      const begin = async ({ disk, rows }: Awaited<ReturnType<typeof kill>>) => {
        medium.restore(disk);
        if (kept !== 'one database') tables.putBack(rows);
        machine.secondPlace = new MemorySecondPlace();
        troubles.length = 0;
        world.replace('DE');
        await world.boot('DE');
      };
      const early = { disk: medium.snapshot(), rows: tables.copy() };
      await begin(early);
      instead.isAttestAway = true;
      const staged = ['p2', 'p3'].map((subject) => ({ subject, fields: greenFields(), toHandOver: true }));
      await assert.rejects(world.run(world.node('DE').issueAll(staged)), isCode('LOG_UNSETTLED'));
      const late = await kill(false);
      instead.isAttestAway = false;
      await begin(early);
      for (const subject of ['p4', 'p5', 'p6']) await world.issue('DE', subject);
      await world.pass(35);
      await kill(true);
      await begin(late);
      const node = world.node('DE');
      assert.equal((await world.issue('DE', 'p7')).index, 4);
      assert.deepEqual(await node.heldCodes.ofSubject('p2'), []);
      assert.deepEqual(await node.handovers.open(), []);
      for await (const { subject, openings, attestation } of node.heldCodes.ofLog(LOG_ID))
        assert.deepEqual(parseAttestation(attestation).commitment, commitmentOf(sha256, openings), subject);
      // Of those in the one database the copy has told.
      const told = troubles.filter(isCode('LOG_NOT_WRITTEN')).map((error) => String(error));
      assert.equal(told.length, kept === 'one database' ? 0 : 1);
      for (const one of told) assert.match(one, /2 people in 2026-11 from 1 on/);
      assert.equal((await world.issue('DE', 'p2')).index, 5);
      await world.stop();
    });

  it('tells how many workers say that they are there, and forgets who says so no more', async () => {
    const world = new NodeWorld();
    await world.found('DE');
    assert.equal(world.node('DE').status.workers, undefined);
    const tables = await world.moveRegistry('DE');
    const node = world.node('DE');
    assert.equal(node.status.workers, 0);
    const name = workerName('a');
    await tables.write([{ put: name, value: bytesOf('1') }]);
    await world.until(() => node.status.workers === 1, 'it is seen');
    await world.until(() => node.status.workers === 0, 'it is forgotten');
    assert.equal(await tables.get(name), undefined);
    await world.stop();
  });

  it('renews the checkpoint of the trust log while the database is away', async () => {
    const world = new NodeWorld();
    await world.found('DE');
    const tables = await world.moveRegistry('DE');
    await world.issue('DE');
    const { fixture, instead } = world.machine('DE');
    const fresh = fixture.key('fresh checkpoint');
    const node = world.node('DE');
    fixture.nowS = world.nowS;
    const entry = fixture.entryOf(fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]));
    await world.run(node.submit({ entry }));
    tables.isAway = true;
    instead.checkpoint = fresh;
    await assert.rejects(world.run(node.tend()), isCode('REGISTRY_AWAY'));
    const origin = trustLogOrigin('DE', NETWORK);
    const { note } = node.log(origin)?.head.signed ?? assert.fail();
    assert.ok(isSignedBy(origin, note, fresh, { sha256, verifySignature }));
    tables.isAway = false;
    await world.stop();
  });
});
