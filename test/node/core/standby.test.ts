import assert from 'node:assert/strict';
import { type RegionNode } from '../../../node/core/region-node.ts';
import { type IssueRequest } from '../../../node/issuing/issuer.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { TOPICS } from '../../../node/sync/messages.ts';
import { encodeWriterAnswer, WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { parseMemory, recordIn } from '../../../node/writer/writer-memory.ts';
import { STANDBY_PROTOCOL } from '../../../node/writer/batch-share.ts';
import { equalBytes, hexOf } from '../../../protocol/bytes.ts';
import { testKey } from '../../support/keys.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { FIRST, follows, SECOND, SPARE, TRUST, withStandby } from '../../support/standby-world.ts';
import { put, rejectsWith } from '../../support/store-fixture.ts';

/** DE begins something, has its tree permitted by all, hears nothing of it and dies. */
async function dieBeforeSigning(
  world: NodeWorld,
  begin: (de: RegionNode) => Promise<unknown> = (de) => de.issue(requestOf(world, 'p2')),
): Promise<void> {
  let permitted = 0;
  world.network.tamper = ({ from, to, protocol, bytes }) => {
    if (protocol !== WRITER_PROTOCOL || to !== 'DE' || !isPermit(bytes)) return bytes;
    if (!hasPermittedMore(world, from)) return bytes;
    permitted++;
    return undefined;
  };
  begin(world.node('DE')).catch(() => undefined);
  await world.until(() => permitted >= 2, 'it is permitted');
  await world.kill('DE');
  world.network.tamper = undefined;
}

/** Whether a witness has permitted the process that claimed last more of a log than it holds itself. */
function hasPermittedMore(world: NodeWorld, witness: string): boolean {
  const { note } = world.machine(witness).secondPlace.marks.get(`writer:${TRUST}`) ?? assert.fail();
  const { claim, permits } = recordIn(parseMemory(note, TRUST), () => true);
  const { sizes } = world.node(witness).status;
  return [...permits.values()].some(
    ({ word: { origin, epoch, size } }) => epoch === claim?.word.epoch && size > (sizes[origin] ?? 0),
  );
}

function requestOf(world: NodeWorld, subject: string): IssueRequest {
  const expiresAtS = world.nowS + 86_400;
  const status = { colour: 'green', measure: 'none', expiresAtS, ruleId: 'base', ruleVersion: 1 } as const;
  return { subject, fields: { status } };
}

function isPermit(answer: Uint8Array): boolean {
  return equalBytes(answer, encodeWriterAnswer({ kind: 'permitted' }));
}

function isWriting(world: NodeWorld, name: string): boolean {
  return world.node(name).status.writing === 'writing';
}

function forkedAnywhere(world: NodeWorld, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => world.node(name).status.forked);
}

/** The roots of the own trust log at the size that all have. */
async function rootsAt(world: NodeWorld, names: readonly string[]): Promise<ReadonlySet<string>> {
  const sizes = names.map((name) => world.node(name).status.sizes[TRUST] ?? 0);
  const roots = names.map(async (name) => {
    const tree = world.node(name).log(TRUST) ?? assert.fail(`${name} does not hold ${TRUST}`);
    return hexOf(await tree.reader.rootAt(Math.min(...sizes)));
  });
  return new Set(await Promise.all(roots));
}

describe('RegionNode where witnesses fence the writer', () => {
  it('writes with the permits of a quorum, while a second machine follows, judges and signs nothing', async () => {
    const world = await withStandby();
    const code = await world.issue('DE');
    await world.until(() => world.node(SPARE).status.sizes[`DE.test/attest/${code.log}`] === 1, 'it follows');
    await world.pass(15);
    assert.match(await world.outcome(SPARE, code.text), /^pass/);
    const { writer } = world.node('DE').status;
    assert.ok(writer?.isSelf && writer.permitAgeMs !== undefined);
    assert.deepEqual([writer.epoch, writer.witnesses, writer.needed], [1, 2, 2]);
    const seen = world.node(SPARE).status;
    assert.deepEqual([seen.writer?.isSelf, seen.writer?.writer], [false, hexOf(FIRST)]);
    assert.match(seen.reason ?? '', /writes for this region since .*epoch 1/);
    await rejectsWith(world.run(world.node(SPARE).commitState()), 'LOG_FENCED');
    await world.stop();
  });

  it('a standby that has just met the writer, and nobody else, has all logs within seconds, though no gossip reaches it', async () => {
    const world = await withStandby();
    const { log } = await world.issue('DE');
    await world.pass(10);
    const late = 'DE#3';
    world.addMachine(late, { fenced: { identity: testKey(103).publicKey, isStandby: true } });
    for (const other of ['FR', 'IT', SPARE]) world.network.cut(late, other);
    const topics: readonly string[] = Object.values(TOPICS);
    world.network.tamper = ({ to, protocol, bytes }) =>
      to === late && topics.includes(protocol) ? undefined : bytes;
    await world.boot(late, () => true);
    const wanted = Object.entries(world.node('DE').status.sizes);
    assert.ok(wanted.some(([origin]) => origin === `DE.test/attest/${log}`));
    const { sizes, sync } = world.node(late).status;
    assert.ok(wanted.some(([origin, size]) => (sizes[origin] ?? 0) < size));
    const isLevel = () => {
      const held = world.node(late).status.sizes;
      return wanted.every(([origin, size]) => (held[origin] ?? 0) >= size);
    };
    await world.until(isLevel, 'it has all logs', 5);
    assert.ok(world.node(late).status.sync.rounds <= sync.rounds + 3, 'one comparison for all of them');
    await world.stop();
  });

  it('T4: a standby that is promoted goes on from all that was signed; the old writer learns it with its next signature, and signs no more', async () => {
    const world = await withStandby();
    const before = await world.issue('DE');
    await world.pass(10);
    const takenBack: string[] = [];
    world.node('DE').life.takeBack = async ({ log, index, count }, subjects, write) => {
      takenBack.push(`${log} ${index} ${count} ${subjects.join()}`);
      await write?.([]);
    };
    await world.run(world.node(SPARE).promote());
    assert.ok(isWriting(world, SPARE));
    const after = await world.issue(SPARE, 'p2');
    assert.equal(after.index, before.index + 1);
    await assert.rejects(world.issue('DE', 'p3'), (error) => isNodeError(error));
    await world.pass(20);
    assert.deepEqual(takenBack, ['2026-11 1 1 p3'], 'no dossier says of a code that no log has');
    assert.equal(world.node('DE').status.writing, 'standby');
    assert.match(world.node('DE').status.reason ?? '', new RegExp(`${hexOf(SECOND)} writes .*epoch 2`));
    await world.pass(40);
    for (const name of ['DE', SPARE, 'FR', 'IT'])
      for (const { text } of [before, after]) assert.match(await world.outcome(name, text), /^pass/, name);
    assert.equal((await rootsAt(world, ['DE', SPARE, 'FR', 'IT'])).size, 1);
    assert.deepEqual(forkedAnywhere(world, ['DE', SPARE, 'FR', 'IT']), []);
    // And back again: what the old writer had staged for nobody is gone.
    await world.run(world.node('DE').promote());
    assert.equal((await world.issue('DE', 'p4')).index, after.index + 1);
    assert.equal(world.node('DE').status.writer?.epoch, 3);
    await world.stop();
  });

  it('T9: what the writer had permitted and never signed is finished by the standby, which knows whose it is', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    await dieBeforeSigning(world);
    await world.run(world.node(SPARE).promote());
    for (const subject of ['p1', 'p2']) {
      const held = [];
      for await (const one of world.node(SPARE).heldCodes.of({ subject })) held.push(one);
      assert.equal(held.length, 1, subject);
    }
    assert.equal((await world.issue(SPARE, 'p3')).index, 2);
    await world.stop();
  });

  it('T9: two batches of which the writer signed one, and told nobody, are finished as the one tree that was permitted', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    let isIssued = false;
    const isTold = [WRITER_PROTOCOL, STANDBY_PROTOCOL];
    world.network.tamper = ({ from, protocol, bytes }) => {
      if (from === 'DE' && !isTold.includes(protocol)) return undefined;
      if (protocol !== WRITER_PROTOCOL || !isIssued || !isPermit(bytes)) return bytes;
      permitted++;
      return undefined;
    };
    let permitted = 0;
    await world.issue('DE', 'p2');
    isIssued = true;
    world
      .node('DE')
      .issue(requestOf(world, 'p3'))
      .catch(() => undefined);
    await world.until(() => permitted >= 2, 'it is permitted');
    await world.kill('DE');
    world.network.tamper = undefined;
    await world.run(world.node(SPARE).promote());
    assert.equal((await world.issue(SPARE, 'p4')).index, 3);
    await world.stop();
  });

  it('T9: a revocation that the writer had permitted and never signed is finished by the standby', async () => {
    const world = await withStandby();
    const { log, index, text } = await world.issue('DE');
    await world.pass(10);
    await dieBeforeSigning(world, (de) => de.revoke({ log, indexes: [index] }));
    await world.run(world.node(SPARE).promote());
    for (const name of [SPARE, 'FR']) {
      await world.until(() => world.node(name).keeper('DE')?.state?.revoked(log)?.has(index) === true, name);
      assert.match(await world.outcome(name, text), /REVOKED/i);
    }
    await world.stop();
  });

  it('T9: so is a batch of an update or to be handed over, with its records and without what is noted besides', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    const also = () => [put('life/person/00ff', 'dossier'), put('life/untold/00ff', '')];
    const requests = ['p2', 'p3'].map((subject) => ({
      ...requestOf(world, subject),
      also,
      toHandOver: true,
    }));
    await dieBeforeSigning(world, (de) => de.issueAll(requests));
    assert.deepEqual(world.machine('DE').troubles, []);
    await world.run(world.node(SPARE).promote());
    for (const subject of ['p2', 'p3']) {
      const held = [];
      for await (const one of world.node(SPARE).heldCodes.of({ subject })) held.push(one);
      assert.equal(held.length, 1, subject);
    }
    assert.equal((await world.issue(SPARE, 'p4')).index, 3);
    await world.stop();
  });

  it('T9: what a writer has staged before it died is given to the standby before it is permitted', async () => {
    const world = await withStandby();
    const { log, index } = await world.issue('DE');
    await world.pass(10);
    const begins: ((de: RegionNode) => Promise<unknown>)[] = [
      (de) => de.issue(requestOf(world, 'p2')),
      (de) => de.revoke({ log, indexes: [index] }),
    ];
    for (const begin of begins) {
      world.network.cut('DE', SPARE);
      await dieBeforeSigning(world, begin);
      world.network.mend('DE', SPARE);
      world.replace('DE', { fenced: { identity: FIRST } });
      await dieBeforeSigning(world, () => world.boot('DE', () => false));
      await world.run(world.node(SPARE).promote());
      world.replace('DE', { fenced: { identity: FIRST } });
      await world.boot('DE', follows(world));
      await world.run(world.node('DE').promote());
      await world.until(() => world.node(SPARE).status.writing === 'standby', 'it follows again');
    }
    const held = [];
    for await (const one of world.node(SPARE).heldCodes.of({ subject: 'p2' })) held.push(one);
    assert.equal(held.length, 1);
    const counts = ['DE', SPARE].map((name) => world.machine(name).medium.snapshot().entries);
    const [ofWriter, ofSpare] = counts.map((rows) => rows.find(([key]) => key === 'revoking/hour')?.[1]);
    assert.ok(ofWriter !== undefined && ofSpare !== undefined && equalBytes(ofWriter, ofSpare));
    assert.ok(world.node('FR').keeper('DE')?.state?.revoked(log)?.has(index));
    await world.stop();
  });

  it('T9: where it has not what was permitted, it signs nothing; the machine that has it can be promoted instead', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    world.network.cut('DE', SPARE);
    await dieBeforeSigning(world);
    await rejectsWith(
      world.run(world.node(SPARE).promote()),
      'LOG_BEHIND',
      /has 1 entries here.* had 2 permitted/,
    );
    world.replace('DE', { fenced: { identity: FIRST } });
    await world.boot('DE', ({ status }) => status.writing === 'standby');
    await world.run(world.node('DE').promote());
    assert.equal((await world.issue('DE', 'p3')).index, 2);
    await world.stop();
  });

  it('T14: of two that are cut off from each other only one has a quorum, and the other signs nothing', async () => {
    const world = await withStandby(['FR', 'IT', 'ES', 'PL']);
    for (const other of [SPARE, 'FR', 'IT', 'ES']) world.network.cut('DE', other);
    await world.run(world.node(SPARE).promote());
    await world.issue(SPARE);
    await assert.rejects(world.issue('DE', 'p2'), (error) => isNodeError(error));
    for (const other of [SPARE, 'FR', 'IT', 'ES']) world.network.mend('DE', other);
    await world.until(() => world.node('DE').status.writing === 'standby', 'the old writer is fenced', 120);
    await world.pass(40);
    const all = ['DE', SPARE, 'FR', 'IT', 'ES', 'PL'];
    assert.equal((await rootsAt(world, all)).size, 1);
    assert.deepEqual(forkedAnywhere(world, all), []);
    await world.stop();
  });

  it('is not promoted by too few witnesses: all is as before, and the old writer writes on', async () => {
    const world = await withStandby(['FR', 'IT', 'ES', 'PL']);
    for (const other of ['FR', 'IT', 'ES']) world.network.cut(SPARE, other);
    await rejectsWith(world.run(world.node(SPARE).promote()), 'PEER_UNREACHABLE', /1 of 3 witnesses/);
    assert.equal(world.node(SPARE).status.writing, 'standby');
    await world.issue('DE');
    assert.ok(isWriting(world, 'DE'));
    await world.stop();
  });

  it('T9: a restored backup of the writer takes up what it had permitted, and signs no index anew', async () => {
    const world = await withStandby();
    await world.issue('DE');
    const backup = world.machine('DE').medium.snapshot();
    const later = await world.issue('DE', 'p2');
    await world.pass(10);
    const machine = await world.kill('DE');
    machine.medium.restore(backup);
    machine.secondPlace = new MemorySecondPlace();
    world.replace('DE', { fenced: { identity: FIRST } });
    await world.boot('DE');
    assert.equal((await world.issue('DE', 'p3')).index, later.index + 1);
    await world.pass(40);
    assert.deepEqual(forkedAnywhere(world, ['DE', SPARE, 'FR', 'IT']), []);
    await world.stop();
  });

  it('T9: a copy of the region from before it was fenced signs nothing, unless its operator lets it', async () => {
    const world = await withStandby();
    world.addMachine('DE#3');
    await world.boot('DE#3', ({ status }) => status.writing === 'standby');
    assert.match(world.node('DE#3').status.reason ?? '', /fence the writer of this region/);
    await rejectsWith(world.run(world.node('DE#3').commitState()), 'LOG_FENCED');
    assert.ok(isWriting(world, 'DE'));
    await world.stop();
  });

  it('T9: what was signed while nothing fenced it is known to the witnesses as soon as they do again', async () => {
    const world = await withStandby();
    await world.issue('DE');
    await world.pass(10);
    // From here on nobody hears of what it signs but by its words.
    world.network.tamper = ({ from, to, protocol, bytes }) =>
      [from, to].includes('DE') && protocol !== WRITER_PROTOCOL ? undefined : bytes;
    for (const options of [{ isFenceIgnored: true }, { fenced: { identity: FIRST } }]) {
      await world.kill('DE', { inOrder: true });
      world.replace('DE', options);
      const booting = world.boot('DE');
      world.node('DE').force();
      await booting;
      if (options.isFenceIgnored === true) await world.issue('DE', 'p2');
    }
    await world.kill('DE');
    world.network.tamper = undefined;
    await rejectsWith(world.run(world.node(SPARE).promote()), 'LOG_BEHIND', /1 entries here.* 2 permitted/);
    await world.stop();
  });

  it('T9: what a witness has promised the writer, the standby of that witness has promised too', async () => {
    const world = await withStandby();
    await world.kill('FR', { inOrder: true });
    world.replace('FR', { fenced: { identity: testKey(103).publicKey } });
    await world.boot('FR');
    world.addMachine('FR#2', { fenced: { identity: testKey(104).publicKey, isStandby: true } });
    await world.boot('FR#2', ({ status }) => status.writing === 'standby');
    const code = await world.issue('DE');
    const permitted = (name: string) => {
      const { note } = world.machine(name).secondPlace.marks.get(`writer:${TRUST}`) ?? {};
      const { permits } = recordIn(parseMemory(note ?? assert.fail(), TRUST), () => true);
      return permits.get(`DE.test/attest/${code.log}`)?.word.size;
    };
    assert.deepEqual(['FR', 'FR#2'].map(permitted), [1, 1]);
    await world.stop();
  });

  it('two machines with one identity: who starts later writes, and the other signs nothing more', async () => {
    const world = await withStandby();
    world.addMachine('DE#3', { fenced: { identity: FIRST } });
    await world.boot('DE#3');
    await assert.rejects(world.issue('DE'), (error) => isNodeError(error));
    assert.match(world.node('DE').status.reason ?? '', /another process with the keys of this machine/);
    await world.issue('DE#3');
    await world.pass(40);
    assert.equal((await rootsAt(world, ['DE', 'DE#3', 'FR', 'IT'])).size, 1);
    assert.deepEqual(forkedAnywhere(world, ['DE', 'DE#3', 'FR', 'IT']), []);
    await world.stop();
  });

  it('writes on under its epoch where a recognition brings another witness, and the standby goes on from there', async () => {
    const world = await withStandby();
    await world.found('ES');
    await world.befriend('DE', 'ES');
    const before = await world.issue('DE');
    const { writer } = world.node('DE').status;
    assert.deepEqual([writer?.epoch, writer?.witnesses], [1, 3]);
    await world.pass(15);
    await world.run(world.node(SPARE).promote());
    assert.equal((await world.issue(SPARE, 'p2')).index, before.index + 1);
    await world.stop();
  });

  it('a machine whose place was taken while it was away comes back as the standby', async () => {
    const world = await withStandby();
    await world.kill('DE');
    await world.run(world.node(SPARE).promote());
    await world.issue(SPARE);
    world.replace('DE', { fenced: { identity: FIRST } });
    await world.boot('DE', follows(world));
    assert.match(world.node('DE').status.reason ?? '', /epoch 2/);
    assert.ok(isWriting(world, SPARE));
    await world.stop();
  });
});
