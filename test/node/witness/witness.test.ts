import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { LOG_LINES_MAX } from '../../../protocol/limits.ts';
import { verifyForkEvidence } from '../../../protocol/evidence/fork.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type AddCheckpoint } from '../../../node/witness/add-checkpoint.ts';
import { type Witness, witnessKey as keyInStore } from '../../../node/witness/witness.ts';
import { type Vetting } from '../../../node/witness/witness-rule.ts';
import { ProtocolError } from '../../../protocol/fault.ts';
import { type Store } from '../../../node/store/store.ts';
import { logKey, verifySignature, witnessKey } from '../../support/keys.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { type ReferenceTree } from '../../support/reference-tree.ts';
import { medium } from '../../support/store-fixture.ts';
import {
  log,
  NAME,
  noteOf,
  NOW_MS,
  ORIGIN,
  other,
  request,
  tree,
  witnessOn,
} from '../../support/witness-fixture.ts';

const own = witnessKey(NAME, 2);

async function refusalOf(witness: Witness, asked: AddCheckpoint): Promise<string> {
  const answer = await witness.add(asked);
  assert.ok(!answer.cosigns);
  return answer.size === undefined ? answer.refusal : `${answer.refusal} ${answer.size}`;
}

describe('Witness.add', () => {
  it('cosigns at the first meeting and as the log grows, and the line verifies under the time of the clock', async () => {
    const { witness } = await witnessOn(medium());
    for (const [oldSize, size] of [
      [0, 7],
      [7, 7],
      [7, 8],
      [8, 40],
    ] as const) {
      const answer = await witness.add(request(oldSize, size));
      assert.ok(answer.cosigns, `${oldSize} to ${size}`);
      const { text, signatures } = parseNote(noteOf(size));
      const cosigned = encodeNote({ text, signatures: [...signatures, answer.line] });
      const opened = openCheckpoint(cosigned, [log.key, own.key], verifySignature);
      assert.deepEqual(
        opened.cosignatures.map(({ timestampS }) => timestampS),
        [NOW_MS / 1000],
      );
    }
  });

  it('A15, T5: cosigns no checkpoint that more keys of the log have signed than it remembers, and proves a fork by all that it does', async () => {
    const { witness, ground, forks, store } = await witnessOn(medium());
    const keys = Array.from({ length: LOG_LINES_MAX + 1 }, (_, i) => logKey(ORIGIN, 20 + i));
    ground.keys = keys.map(({ key }) => key);
    const noteBy = (of: ReferenceTree, by: typeof keys) => {
      const lines = by.flatMap((key) => parseNote(noteOf(20, of, key)).signatures);
      return encodeNote({ text: parseNote(noteOf(20, of)).text, signatures: lines });
    };
    const [first = assert.fail(), ...others] = keys;
    const refused = await witness.add(request(0, 20, { note: noteBy(tree, keys) }));
    assert.ok(!refused.cosigns);
    assert.deepEqual([refused.refusal, refused.fault?.fault.code], ['malformed', 'TOO_LARGE']);
    assert.match(refused.fault?.message ?? '', /at most 16 of its keys have signed, got 17/);
    assert.equal(await witness.lastSeen(ORIGIN), undefined);
    const repeated = noteBy(
      tree,
      keys.map(() => first),
    );
    assert.ok((await witness.add(request(0, 10, { note: noteOf(10, tree, first) }))).cosigns);
    assert.ok((await witness.add(request(10, 20, { note: repeated }))).cosigns);
    assert.deepEqual((await witness.lastSeen(ORIGIN))?.note, noteBy(tree, [first]));
    await witness.leave(
      ORIGIN,
      () => Promise.resolve(true),
      (changes) => store.write(changes),
    );
    assert.ok((await witness.add(request(0, 20, { note: noteBy(tree, others) }))).cosigns);
    const { note } = (await witness.lastSeen(ORIGIN)) ?? assert.fail();
    assert.deepEqual(note, noteBy(tree, others));
    assert.ok(!(await witness.add(request(20, 20, { path: [], note: noteBy(other, keys) }))).cosigns);
    assert.equal(forks.length, 1);
  });

  it('409: another old size than it cosigned last names that size, and 0 if there is none', async () => {
    const { witness } = await witnessOn(medium());
    assert.equal(await refusalOf(witness, request(3, 7)), 'conflict 0');
    await witness.add(request(0, 7));
    assert.equal(await refusalOf(witness, request(0, 9)), 'conflict 7');
    assert.equal(await refusalOf(witness, request(8, 9)), 'conflict 7');
    assert.equal(await refusalOf(witness, request(6, 9)), 'conflict 7');
  });

  it('B59: a smaller size than it saw is never cosigned', async () => {
    const { witness } = await witnessOn(medium());
    await witness.add(request(0, 20));
    assert.equal(await refusalOf(witness, request(20, 19, { path: [] })), 'malformed');
    assert.equal(await refusalOf(witness, request(10, 19)), 'conflict 20');
    assert.equal((await witness.lastSeen(ORIGIN))?.size, 20);
  });

  it('B58: the same size with another root is refused and gives evidence that verifies', async () => {
    const { witness, forks } = await witnessOn(medium());
    await witness.add(request(0, 20));
    for (const [oldSize, refusal] of [
      [20, 'unproven'],
      [0, 'conflict 20'],
      [21, 'malformed'],
    ] as const) {
      const asked = request(oldSize, 20, { path: [], note: noteOf(20, other) });
      assert.equal(await refusalOf(witness, asked), refusal);
    }
    const { text, signatures } = parseNote(noteOf(20, other));
    const padding = { name: 'padding', keyId: 7, bytes: new Uint8Array(40_000) };
    const padded = encodeNote({ text, signatures: [...signatures, padding] });
    assert.equal(await refusalOf(witness, request(20, 20, { path: [], note: padded })), 'unproven');
    assert.equal(forks.length, 4);
    for (const evidence of forks) verifyForkEvidence(evidence, [log.key], { sha256, verifySignature });
    const bytesMax = 1_000;
    const isSmall = forks.every(({ sides }) => sides.every(({ note }) => note.length < bytesMax));
    assert.ok(isSmall, 'what its bearer adds does not make the evidence larger');
  });

  it('422: a proof of another tree, none, one too long, and one at the first meeting', async () => {
    const { witness } = await witnessOn(medium());
    assert.equal(await refusalOf(witness, request(0, 7, { path: [tree.leaf(0)] })), 'unproven');
    await witness.add(request(0, 7));
    const path = tree.proof(7, 20);
    assert.equal(await refusalOf(witness, request(7, 20, { path: [] })), 'unproven');
    assert.equal(await refusalOf(witness, request(7, 20, { path: [...path, tree.leaf(0)] })), 'unproven');
    assert.equal(await refusalOf(witness, request(7, 20, { path: other.proof(7, 20) })), 'unproven');
    assert.equal(
      await refusalOf(witness, request(7, 20, { note: noteOf(20, other), path: other.proof(7, 20) })),
      'unproven',
    );
    assert.equal(await refusalOf(witness, request(7, 7, { path: [tree.leaf(0)] })), 'unproven');
    assert.ok((await witness.add(request(7, 20))).cosigns);
  });

  it('403 and 404: unknown logs, unknown keys, and a bad signature by a known one', async () => {
    const { witness } = await witnessOn(medium());
    const stranger = logKey('FR.test/trust', 3);
    assert.equal(await refusalOf(witness, request(0, 7, { note: noteOf(7, tree, stranger) })), 'unknown-log');
    assert.equal(
      await refusalOf(witness, request(0, 7, { note: noteOf(7, tree, logKey(ORIGIN, 3)) })),
      'unsigned',
    );
    const { text, signatures } = parseNote(noteOf(7));
    const bad = signatures.map((line) => ({
      ...line,
      bytes: line.bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
    }));
    assert.equal(
      await refusalOf(witness, request(0, 7, { note: encodeNote({ text, signatures: bad }) })),
      'unsigned',
    );
    assert.equal(await refusalOf(witness, request(0, 7, { note: Uint8Array.of(1, 2) })), 'malformed');
  });

  it('A14 rollback: of two requests at once that both fit, one is cosigned', async () => {
    const { witness } = await witnessOn(medium());
    await witness.add(request(0, 7));
    const answers = await Promise.all([witness.add(request(7, 20)), witness.add(request(7, 9))]);
    assert.deepEqual(
      answers.map(({ cosigns }) => cosigns),
      [true, false],
    );
  });

  it('A14 persist: what was cosigned is in the store before the answer, and binds the next process', async () => {
    const on = medium();
    const secondPlace = new MemorySecondPlace();
    const first = await witnessOn(on, secondPlace);
    await first.witness.add(request(0, 20));
    on.crash();
    const second = await witnessOn(on, secondPlace);
    assert.equal(await refusalOf(second.witness, request(0, 9)), 'conflict 20');
  });

  it('A14 persist: no cosignature leaves where the store fails, and the next one is right either way', async () => {
    for (const when of ['before', 'after'] as const) {
      const on = medium();
      const { witness } = await witnessOn(on);
      await witness.add(request(0, 7));
      on.plan({ write: on.counters.writes + 1, when, what: 'DISK_IO' });
      await assert.rejects(witness.add(request(7, 20)), (error) => isNodeError(error, 'STORE_WRITE_UNKNOWN'));
      const seen = (await witness.lastSeen(ORIGIN))?.size;
      assert.equal(seen, when === 'before' ? 7 : 20);
      assert.ok((await witness.add(request(seen, 40))).cosigns);
    }
  });

  it('A14 restored backup: what it once said still binds a witness whose store has gone back', async () => {
    const on = medium();
    const secondPlace = new MemorySecondPlace();
    const before = await witnessOn(on, secondPlace);
    await before.witness.add(request(0, 7));
    const backup = on.snapshot();
    await before.witness.add(request(7, 20));
    await before.store.stop();
    on.restore(backup);
    const after = await witnessOn(on, secondPlace);
    assert.equal(await refusalOf(after.witness, request(7, 9)), 'conflict 20');
    assert.ok((await after.witness.add(request(20, 40))).cosigns);
  });

  it('A14 restored backup: of two trees of one size it is held to what the second place says, and the other is a fork', async () => {
    const [on, secondPlace] = [medium(), new MemorySecondPlace()];
    const first = await witnessOn(on, secondPlace);
    await first.witness.add(request(0, 9, { note: noteOf(9, other) }));
    await first.store.stop();
    const { marks } = secondPlace;
    const [place = assert.fail()] = marks.keys();
    marks.set(place, { size: 9, root: tree.root(9), note: noteOf(9) });
    const after = await witnessOn(on, secondPlace);
    assert.deepEqual((await after.witness.lastSeen(ORIGIN))?.root, tree.root(9));
    assert.equal((await after.witness.add(request(9, 9, { note: noteOf(9, other) }))).cosigns, false);
    assert.equal(after.forks.length, 1);
    assert.equal((await after.witness.add(request(9, 9))).cosigns, true);
    const stored = await after.store.get(keyInStore(ORIGIN));
    assert.ok(
      Buffer.from(stored ?? []).includes(Buffer.from(tree.root(9))),
      'and the store is again what the second place is',
    );
    assert.equal((await after.witness.add(request(9, 12))).cosigns, true);
    await after.store.stop();
  });

  it('A14 restored backup: a larger tree that it had left since binds it no more, and what it cosigned instead does', async () => {
    const [on, secondPlace] = [medium(), new MemorySecondPlace()];
    const first = await witnessOn(on, secondPlace);
    await first.witness.add(request(0, 20));
    const backup = on.snapshot();
    const { store } = first;
    const commit = (changes: Parameters<Store['write']>[0]) => store.write(changes);
    await first.witness.leave(ORIGIN, () => Promise.resolve(true), commit);
    assert.equal(await first.witness.lastSeen(ORIGIN), undefined);
    const path = other.proof(9, 12);
    assert.ok((await first.witness.add(request(0, 9, { note: noteOf(9, other) }))).cosigns);
    await store.stop();
    on.restore(backup);
    const after = await witnessOn(on, secondPlace);
    const { size, root } = (await after.witness.lastSeen(ORIGIN)) ?? assert.fail();
    assert.deepEqual([size, root], [9, other.root(9)]);
    assert.equal(await refusalOf(after.witness, request(20, 40)), 'conflict 9');
    assert.ok((await after.witness.add({ oldSize: 9, path, note: noteOf(12, other) })).cosigns);
    await after.store.stop();
    const { witness, store: last } = await witnessOn(on, secondPlace);
    assert.equal((await witness.lastSeen(ORIGIN))?.size, 12, 'which the store says again');
    await last.stop();
  });

  it('A14: a write that landed though it failed, or before the process died, is in the second place before the answer', async () => {
    for (const dies of [false, true]) {
      const on = medium();
      const secondPlace = new MemorySecondPlace();
      const first = await witnessOn(on, secondPlace);
      await first.witness.add(request(0, 7));
      const backup = on.snapshot();
      on.plan({ write: on.counters.writes + 1, when: 'after', what: 'DISK_IO' });
      await assert.rejects(first.witness.add(request(7, 20)), (error) =>
        isNodeError(error, 'STORE_WRITE_UNKNOWN'),
      );
      if (dies) on.crash();
      const { witness, store } = dies ? await witnessOn(on, secondPlace) : first;
      assert.ok((await witness.add(request(20, 20))).cosigns);
      await store.stop();
      on.restore(backup);
      const after = await witnessOn(on, secondPlace);
      assert.equal(await refusalOf(after.witness, request(7, 9)), 'conflict 20');
    }
  });

  it('A14: what it has not folded, and what would lead readers astray, it neither cosigns nor remembers', async () => {
    let vetting: Vetting = { isFolded: false };
    const { witness } = await witnessOn(medium(), undefined, { vet: () => vetting });
    assert.equal(await refusalOf(witness, request(0, 7)), 'unfolded');
    const objection = new ProtocolError('STATE_MISMATCH', 'another state', { index: 3 });
    vetting = { isFolded: true, objection };
    const answer = await witness.add(request(0, 7));
    assert.ok(!answer.cosigns && answer.refusal === 'unfit' && answer.fault === objection);
    assert.equal(await witness.lastSeen(ORIGIN), undefined);
    vetting = { isFolded: true, objection: undefined };
    assert.ok((await witness.add(request(0, 7))).cosigns);
  });

  it('A11: refuses while its clock is before its last cosignature', async () => {
    const { witness, clock } = await witnessOn(medium());
    await witness.add(request(0, 7));
    clock.nowAtMs -= 1_000;
    await assert.rejects(witness.add(request(7, 7, { path: [] })), (error) =>
      isNodeError(error, 'CLOCK_BEHIND'),
    );
    clock.nowAtMs += 1_000;
    assert.ok((await witness.add(request(7, 7, { path: [] }))).cosigns);
  });
});

describe('Witness.again', () => {
  const { text } = parseNote(noteOf(7));
  const asked = { origin: ORIGIN, text };

  it('cosigns at the time of the clock what it cosigned last, and nothing else', async () => {
    const { witness, clock } = await witnessOn(medium());
    assert.equal(await witness.again(asked), undefined);
    await witness.add(request(0, 7));
    await clock.wait(5_000);
    const line = await witness.again(asked);
    assert.ok(line);
    const { signatures } = parseNote(noteOf(7));
    const note = encodeNote({ text, signatures: [...signatures, line] });
    const [cosigned] = openCheckpoint(note, [log.key, own.key], verifySignature).cosignatures;
    assert.equal(cosigned?.timestampS, NOW_MS / 1000 + 5);
    assert.equal(await witness.again({ origin: ORIGIN, text: parseNote(noteOf(7, other)).text }), undefined);
    assert.equal(await witness.again({ origin: ORIGIN, text: parseNote(noteOf(8)).text }), undefined);
    await witness.add(request(7, 8));
    assert.equal(await witness.again(asked), undefined);
  });

  it('A14: not once the keys of the log are others, or its entries have met an objection', async () => {
    const { ground, witness } = await witnessOn(medium());
    await witness.add(request(0, 7));
    for (const vetting of [
      { isFolded: false },
      { isFolded: true, objection: new ProtocolError('STATE_AHEAD', 'ahead') },
    ] as const) {
      ground.vetting = vetting;
      assert.equal(await witness.again(asked), undefined);
    }
    ground.vetting = { isFolded: true, objection: undefined };
    assert.ok(await witness.again(asked));
    ground.keys = [];
    assert.equal(await witness.again(asked), undefined);
  });

  it('A11: refuses while its clock is before its last cosignature', async () => {
    const { witness, clock } = await witnessOn(medium());
    await clock.wait(5_000);
    await witness.add(request(0, 7));
    clock.nowMs = () => NOW_MS;
    await assert.rejects(witness.again(asked), (error) => isNodeError(error, 'CLOCK_BEHIND'));
  });
});
