import assert from 'node:assert/strict';
import { trustLogOrigin } from '../../../protocol/log/origin.ts';
import { isSignedBy } from '../../../node/log/own-checkpoint.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { bytesOf, workerName } from '../../../node/workers/work-rows.ts';
import { verifySignature } from '../../support/keys.ts';
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
