import assert from 'node:assert/strict';
import { verifyForkEvidence } from '../../../protocol/evidence/fork.ts';
import { LOG_LINES_MAX } from '../../../protocol/limits.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { attestationLogOrigin } from '../../../protocol/log/origin.ts';
import { type NoteSignature } from '../../../protocol/log/signature-line.ts';
import { type Witness } from '../../../node/witness/witness.ts';
import { logKey, verifySignature } from '../../support/keys.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { medium } from '../../support/store-fixture.ts';
import { log, noteOf, ORIGIN, other, request, tree, witnessOn } from '../../support/witness-fixture.ts';

async function remembered(witness: Witness, origin = ORIGIN): Promise<readonly NoteSignature[]> {
  const seen = await witness.lastSeen(origin);
  return seen === undefined ? [] : parseNote(seen.note).signatures;
}

describe('Witness.add of a tree that several keys of its log have signed', () => {
  it('A15, T5: remembers every key by which a tree is shown to it, one after the other, and cosigns none by more than it remembers', async () => {
    const [on, secondPlace] = [medium(), new MemorySecondPlace()];
    const keys = Array.from({ length: LOG_LINES_MAX + 1 }, (_, i) => logKey(ORIGIN, 20 + i));
    const [first = assert.fail(), second = assert.fail()] = keys;
    // Two keys can have one id.
    keys[1] = { ...second, key: { ...second.key, keyId: first.key.keyId } };
    const lineBy = (key: typeof log) => parseNote(noteOf(20, tree, key)).signatures[0] ?? assert.fail();
    let { witness, ground, store, forks } = await witnessOn(on, secondPlace);
    const again = async () => {
      await store.stop();
      ({ witness, ground, store, forks } = await witnessOn(on, secondPlace));
      ground.keys = keys.map(({ key }) => key);
    };
    for (const [i, key] of keys.entries()) {
      await again();
      const answer = await witness.add(request(i === 0 ? 0 : 20, 20, { note: noteOf(20, tree, key) }));
      const known = keys.slice(0, Math.min(i + 1, LOG_LINES_MAX)).map(lineBy);
      assert.deepEqual([answer.cosigns, await remembered(witness)], [i < LOG_LINES_MAX, known], String(i));
    }
    const backup = on.snapshot();
    assert.ok((await witness.add(request(20, 20, { note: noteOf(20, tree, first) }))).cosigns);
    assert.equal((await remembered(witness)).length, LOG_LINES_MAX);
    assert.deepEqual(on.snapshot(), backup, 'what is known is not written again');
    await witness.add(request(20, 20, { path: [], note: noteOf(20, other, first) }));
    const [evidence = assert.fail()] = forks;
    const [side] = verifyForkEvidence(evidence, ground.keys, { sha256, verifySignature });
    assert.equal(side.signers.length, LOG_LINES_MAX);
    assert.ok((await witness.add(request(20, 40, { note: noteOf(40, tree, keys.at(-1)) }))).cosigns);
    assert.equal((await remembered(witness)).length, 1);
    await store.stop();
  });

  it('A14 restored backup: goes by the keys of whichever of the two places knows of more', async () => {
    const late = logKey(ORIGIN, 9);
    for (const isStoreOld of [true, false]) {
      const [on, secondPlace] = [medium(), new MemorySecondPlace()];
      const before = await witnessOn(on, secondPlace);
      before.ground.keys = [log.key, late.key];
      await before.witness.add(request(0, 20));
      const [backup, marks] = [on.snapshot(), new Map(secondPlace.marks)];
      assert.ok((await before.witness.add(request(20, 20, { note: noteOf(20, tree, late) }))).cosigns);
      await before.store.stop();
      if (isStoreOld) on.restore(backup);
      else for (const [name, mark] of marks) secondPlace.marks.set(name, mark);
      const { witness, store, ground } = await witnessOn(on, secondPlace);
      ground.keys = [log.key, late.key];
      assert.equal((await remembered(witness)).length, 2);
      assert.ok((await witness.add(request(20, 20))).cosigns);
      const [mark = assert.fail()] = secondPlace.marks.values();
      assert.equal(parseNote(mark.note).signatures.length, 2);
      secondPlace.marks.clear();
      await store.stop();
      const last = await witnessOn(on, secondPlace);
      assert.equal((await remembered(last.witness)).length, 2);
      await last.store.stop();
    }
  });
});

describe('LogVisitor.meet', () => {
  it('A15: a witness learns which further key has signed an attestation log that does not grow', async () => {
    const world = new NodeWorld();
    for (const region of ['FR', 'DE']) await world.found(region);
    await world.befriend('FR', 'DE');
    await world.issue('FR');
    const { fixture, instead } = world.machine('FR');
    const origin = attestationLogOrigin('FR', NETWORK, '2026-11');
    const lines = () => world.run(remembered(world.node('DE').witness, origin));
    const seen = async () => (await world.run(world.node('DE').witness.lastSeen(origin)))?.size;
    await world.pass(40);
    assert.equal((await lines()).length, 1);
    const size = await seen();
    const fresh = (instead.checkpoint = fixture.key('fresh checkpoint'));
    fixture.nowS = world.nowS;
    const named = fixture.entryOf(fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]));
    await world.run(world.node('FR').logEntries([named]));
    await world.run(world.node('FR').renew());
    await world.pass(40);
    assert.deepEqual([await seen(), (await lines()).length], [size, 2]);
    await world.stop();
  });
});
