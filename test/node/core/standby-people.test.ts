import assert from 'node:assert/strict';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { equalBytes } from '../../../protocol/bytes.ts';
import { encodeBasis } from '../../../protocol/disclosure/basis.ts';
import { MANUAL_RULE_ID } from '../../../protocol/disclosure/override.ts';
import { STANDBY_PROTOCOL } from '../../../node/writer/batch-share.ts';
import { encodeWriterAnswer, WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { signedBasis } from '../../support/operators.ts';
import { FIRST, follows, SECOND, SPARE, withStandby } from '../../support/standby-world.ts';

/** The indexes at which batches of an attestation log are staged. */
function stagedOn(world: NodeWorld, name: string, log: string): number[] {
  const staged = `log/DE.test/attest/${log}/staged/`;
  const keys = world
    .machine(name)
    .medium.snapshot()
    .entries.map(([key]) => key);
  return keys.filter((key) => key.startsWith(staged)).map((key) => Number(key.slice(staged.length)));
}

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
      const sinceS = world.nowS;
      const { leaves, other } = await world.run(world.node('DE').forget(FORGET));
      const untilS = world.nowS;
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
      // Whoever is ordered a code after that is not forgotten by it, whenever the standby hears of it.
      const { otherAtS = -1 } = await world.run(world.node(SPARE).once.marks.of('p1'));
      assert.ok(sinceS <= otherAtS && otherAtS <= untilS, `${sinceS} ${otherAtS} ${untilS}`);
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
    const { other, declared } = await world.run(world.node(SPARE).forget(FORGET));
    assert.deepEqual([other, declared], ['forgot', 'on-writer']);
    await assert.rejects(
      world.run(world.node(SPARE).forget({ ...FORGET, subject: 'p3' })),
      (error) => isNodeError(error, 'NOT_FOUND') && /machine that writes/.test(error.hint ?? ''),
    );
    await world.issue('DE', 'p2');
    const onWriter = await world.run(world.node('DE').forget({ ...FORGET, subject: 'p2' }));
    assert.equal(onWriter.declared, undefined);
    assert.deepEqual(await world.run(world.node('DE').heldCodes.ofSubject('p1')), []);
    await world.stop();
  });

  it('T25 forgets nothing that it is told before that is noted, and notes each code once', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    await world.kill(SPARE, { inOrder: true });
    const noted: string[] = [];
    let isFull = true;
    const held = async () => (await world.run(world.node(SPARE).heldCodes.ofSubject('p1'))).length;
    world.replace(SPARE, {
      fenced: { identity: SECOND, isStandby: true },
      noteForgetting: async ({ log }) => {
        if (isFull) throw new NodeError('DISK_FULL', 'the trail cannot be written', { retry: true });
        noted.push(`${log} ${await held()}`);
      },
    });
    await world.boot(SPARE, follows(world));
    const { leaves, other } = await world.run(world.node('DE').forget(FORGET));
    assert.deepEqual([leaves.length, other, await held()], [1, 'awaited', 1]);
    isFull = false;
    await world.pass(65);
    assert.deepEqual([world.node('DE').status.toForget, await held()], [0, 0]);
    assert.deepEqual(noted, [`${leaves[0]?.log} 1`]);
    await world.stop();
  });

  it('T9: keeps what its successor gives it of people, although what it had staged itself before was outrun', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    const others = [SPARE, 'FR', 'IT'];
    for (const other of others) world.network.cut('DE', other);
    const status = { colour: 'green', measure: 'none', ruleId: 'base', ruleVersion: 1 } as const;
    const fields = { status: { ...status, expiresAtS: world.nowS + 86_400 } };
    world
      .node('DE')
      .issue({ subject: 'p2', fields })
      .catch(() => undefined);
    await world.pass(5);
    await world.run(world.node(SPARE).promote());
    await world.issue(SPARE, 'p3');
    // It hears that it is fenced, and is given what comes next before it has the entry in the place of its own.
    const isTold = [WRITER_PROTOCOL, STANDBY_PROTOCOL];
    world.network.tamper = ({ from, to, protocol, bytes }) =>
      [from, to].includes('DE') && !isTold.includes(protocol) ? undefined : bytes;
    for (const other of others) world.network.mend('DE', other);
    await world.until(() => world.node('DE').status.writing === 'standby', 'it is fenced', 120);
    await world.pass(15);
    const { log, index } = await world.issue(SPARE, 'p4');
    assert.deepEqual(stagedOn(world, 'DE', log), [index - 1, index]);
    world.network.tamper = undefined;
    await world.pass(40);
    assert.deepEqual(stagedOn(world, 'DE', log), []);
    await world.kill(SPARE);
    await world.run(world.node('DE').promote());
    const held = async (subject: string) => (await world.node('DE').heldCodes.ofSubject(subject)).length;
    assert.deepEqual([await held('p2'), await held('p4')], [0, 1]);
    assert.equal((await world.issue('DE', 'p5')).index, index + 1);
    await world.stop();
  });

  it('T25 has nobody again whom it was told to forget, where the writer shares the batch once more', async () => {
    const world = await withStandby();
    await world.issue('DE', 'p2');
    await world.pass(10);
    const permitted = encodeWriterAnswer({ kind: 'permitted' });
    world.network.tamper = ({ to, protocol, bytes }) =>
      protocol === WRITER_PROTOCOL && to === 'DE' && equalBytes(bytes, permitted) ? undefined : bytes;
    world.issue('DE').catch(() => undefined);
    const rows = () => world.machine(SPARE).medium.snapshot().entries;
    await world.until(
      () => rows().some(([key]) => /^log\/.*\/attest\/.*\/staged\//.test(key)),
      'it is staged',
    );
    await world.kill('DE');
    world.network.tamper = undefined;
    const { leaves, other } = await world.run(world.node(SPARE).forget(FORGET));
    assert.deepEqual([leaves.length, other], [1, 'awaited']);
    world.replace('DE', { fenced: { identity: FIRST } });
    await world.boot('DE');
    await world.pass(45);
    assert.equal(world.node(SPARE).status.toForget, 0);
    for (const name of ['DE', SPARE]) {
      const held = (subject: string) => world.run(world.node(name).heldCodes.ofSubject(subject));
      assert.deepEqual([await held('p1'), (await held('p2')).length], [[], 1], name);
    }
    await world.stop();
  });

  it('knows once it is promoted whom an override binds, and by whom it was given', async () => {
    const world = await withStandby();
    const atS = world.nowS;
    const expiresAtS = Math.ceil(atS / 3_600) * 3_600 + 86_400;
    const status = { colour: 'red', measure: 'isolate', untilS: expiresAtS, expiresAtS } as const;
    const basis = encodeBasis(signedBasis({ region: 'DE', network: 'test' }, { atS }));
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
