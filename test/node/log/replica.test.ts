import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../../protocol/log/verifier-key.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { verifyForkEvidence } from '../../../protocol/evidence/fork.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { signOwnCheckpoint } from '../../../node/log/own-checkpoint.ts';
import { type Applied, type Piece, Replica } from '../../../node/log/replica.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { type Store } from '../../../node/store/store.ts';
import { audit, Machine, ORIGIN, startLog } from '../../support/log-fixture.ts';
import { settled } from '../../support/manual-clock.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { PublishedLog, words } from '../../support/published-log.ts';

const { verifySignature } = opensslBackEnd;
const primitives = { sha256, verifySignature };

const log = new PublishedLog(words(700));
const { keys } = log;

interface Copy {
  readonly machine: Machine;
  readonly store: Store;
  readonly tree: LogTree;
  readonly replica: Replica;
  readonly apply: (piece: Piece, keys?: readonly VerifierKey[]) => Promise<Applied>;
  readonly stop: () => Promise<void>;
}

async function copy(machine = new Machine()): Promise<Copy> {
  const store = await machine.openStore();
  const tree = await machine.openTree(store);
  const replica = new Replica({ tree, ...primitives });
  const stop = async () => {
    tree.close();
    await store.stop();
  };
  return { machine, store, tree, replica, apply: (piece, by = keys) => replica.apply(piece, by), stop };
}

/** The entries of a stopped copy, which must be a prefix of the log; its notes are checked apart. */
async function assertPrefix(machine: Machine, of = log): Promise<void> {
  const store = await machine.openStore();
  const tree = await machine.openTree(store);
  assert.deepEqual(Buffer.from(tree.head.root), Buffer.from(of.tree.root(tree.size)));
  let index = 0;
  for await (const entry of tree.reader.entries(0, tree.size)) {
    assert.deepEqual(Buffer.from(entry), Buffer.from(of.tree.entries[index++] ?? []));
  }
  tree.close();
  await store.stop();
}

function rejectsWith(promise: Promise<unknown>, code: FaultCode): Promise<void> {
  return assert.rejects(promise, (error) => isProtocolError(error, code));
}

/** The log up to `size`, then other entries. */
const forkAt = (size: number, length: number) =>
  new PublishedLog([...words(size), ...words(length - size, 'fork')]);

function assertFork(applied: Applied): void {
  assert.equal(applied.outcome, 'forked');
  assert.ok('evidence' in applied && applied.evidence);
  const [first, second] = verifyForkEvidence(applied.evidence, keys, primitives);
  assert.equal(first.origin, ORIGIN);
  assert.equal(second.origin, ORIGIN);
}

describe('Replica.apply', () => {
  it('takes a log piece by piece, and what it has is what was signed', async () => {
    const { machine, tree, apply, stop } = await copy();
    assert.deepEqual(await apply(log.piece(0, 3)), { outcome: 'grown', size: 3 });
    assert.deepEqual(await apply(log.piece(3, 300)), { outcome: 'grown', size: 300 });
    assert.deepEqual(await apply(log.piece(300)), { outcome: 'grown', size: 700 });
    assert.deepEqual(tree.head.signed, { size: 700, root: tree.head.root, note: log.note() });
    await stop();
    await assertPrefix(machine);
    assert.equal(machine.secondPlace.marks.get(ORIGIN)?.size, 700);
  });

  it('takes parts of a signed tree by a consistency path, and keeps the note that proves them', async () => {
    const { machine, tree, apply, stop } = await copy();
    await apply(log.piece(0, 100));
    assert.deepEqual(await apply(log.piece(100, 260, 700)), { outcome: 'grown', size: 260 });
    assert.equal(tree.head.signed?.size, 100, 'the newest checkpoint whose tree it has');
    assert.deepEqual(tree.head.ahead, { note: log.note(700), path: log.tree.proof(260, 700) });
    assert.equal(machine.secondPlace.marks.get(ORIGIN)?.size, 100);
    await apply(log.piece(260, 700));
    assert.equal(tree.head.signed?.size, 700);
    assert.equal(tree.head.ahead, undefined);
    await stop();
    await assertPrefix(machine);
  });

  it('becomes whole by the note alone that it has caught up with', async () => {
    const { tree, apply, stop } = await copy();
    await apply(log.piece(0, 260, 700));
    assert.ok(!('size' in (tree.head.signed ?? {})));
    assert.deepEqual(await apply(log.piece(260, 260)), { outcome: 'known', size: 260 });
    assert.equal(tree.head.signed?.size, 260);
    await stop();
  });

  it('A28: keeps one line of each key, however often the bearer has repeated it', async () => {
    const { tree, apply, stop } = await copy();
    const repeated = (note: Uint8Array) => {
      const { text, signatures } = parseNote(note);
      return encodeNote({ text, signatures: Array.from({ length: 99 }, () => signatures).flat() });
    };
    const ahead = log.piece(0, 260, 700);
    await apply({ ...ahead, note: repeated(ahead.note) });
    assert.deepEqual(tree.head.ahead?.note, ahead.note);
    const whole = log.piece(260, 261);
    await apply({ ...whole, note: repeated(whole.note) });
    assert.deepEqual(tree.head.signed?.note, whole.note);
    await stop();
  });

  it('B56 names a gap, and where it begins', async () => {
    const { apply, stop } = await copy();
    await apply(log.piece(0, 10));
    assert.deepEqual(await apply(log.piece(11, 20)), { outcome: 'gap', size: 10 });
    assert.deepEqual(await apply(log.piece(10, 20)), { outcome: 'grown', size: 20 });
    await stop();
  });

  it('B53 B56 takes duplicates and overlaps for what they are', async () => {
    const { apply, tree, stop } = await copy();
    await apply(log.piece(0, 300));
    const { head } = tree;
    for (const piece of [log.piece(0, 300), log.piece(100, 200), log.piece(0, 1), log.piece(299, 300)]) {
      assert.deepEqual(await apply(piece), { outcome: 'known', size: 300 });
    }
    assert.deepEqual(await apply(log.piece(100, 250, 700)), { outcome: 'known', size: 300 });
    assert.deepEqual(tree.head, head);
    for (const from of [0, 299, 300]) {
      assert.deepEqual(await apply(log.piece(from, 301 + from)), { outcome: 'grown', size: 301 + from });
    }
    await stop();
  });

  it('comes to the same in any order of pieces, repeated or not', async () => {
    const { entries } = log.tree;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(120), fc.nat(120), fc.nat(120)), { minLength: 1, maxLength: 12 }),
        async (draws) => {
          const { machine, tree, apply, stop } = await copy();
          for (const draw of draws) {
            const [from = 0, to = 0, size = 0] = [...draw].sort((a, b) => a - b);
            const before = tree.size;
            if (to === 0) continue;
            const applied = await apply(log.piece(from, to, size));
            const grown = from <= before && to > before;
            const expected = grown ? 'grown' : size > before && from > before ? 'gap' : 'known';
            assert.equal(applied.outcome, expected);
            assert.equal(tree.size, grown ? to : before);
          }
          assert.ok(tree.size <= entries.length);
          await stop();
          await assertPrefix(machine);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('refuses notes that prove nothing, and keeps what it has', async () => {
    const { apply, tree, stop } = await copy();
    await apply(log.piece(0, 10));
    const other = new PublishedLog(words(20), { key: 'stranger' });
    await rejectsWith(apply(other.piece(10)), 'NOTE_UNSIGNED');
    const elsewhere = new PublishedLog(words(20), { origin: 'FR.test/attest/2026-11' });
    await rejectsWith(apply(elsewhere.piece(10), elsewhere.keys), 'ORIGIN_INVALID');
    const note = log.note(20).slice();
    note[note.length - 5] = (note.at(-5) ?? 0) ^ 1;
    await assert.rejects(apply({ ...log.piece(10, 20), note }), (error) => isProtocolError(error));
    await rejectsWith(apply({ ...log.piece(10, 20), note: new Uint8Array(70_000) }), 'TOO_LARGE');
    assert.equal(tree.size, 10);
    await stop();
  });

  it('A9 refuses entries that are changed, missing, doubled, swapped or too many', async () => {
    const { apply, tree, stop } = await copy();
    await apply(log.piece(0, 10));
    const { entries, note } = log.piece(10, 20);
    const [first, second, ...rest] = entries as [Uint8Array, Uint8Array, ...Uint8Array[]];
    const changed = first.slice();
    changed[0] = (changed[0] ?? 0) ^ 1;
    for (const wrong of [
      [changed, second, ...rest],
      [second, first, ...rest],
      [first, first, ...rest],
      [first, ...rest],
      entries.slice(0, -1),
      [],
    ]) {
      await rejectsWith(apply({ from: 10, entries: wrong, note }), 'PROOF_INVALID');
    }
    await rejectsWith(apply({ from: 10, entries: [...entries, first], note }), 'SIZE_INVALID');
    const part = log.piece(10, 15, 20);
    await rejectsWith(apply({ ...part, path: [] }), 'PROOF_INVALID');
    await rejectsWith(apply({ ...part, path: log.tree.proof(14, 20) }), 'PROOF_INVALID');
    await rejectsWith(apply({ ...log.piece(10, 20), path: part.path ?? [] }), 'PROOF_INVALID');
    assert.equal(tree.size, 10);
    assert.equal((await apply({ from: 10, entries, note })).outcome, 'grown');
    await stop();
  });

  it('refuses an overlap that the sender made up, without blaming the log', async () => {
    const { apply, tree, stop } = await copy();
    await apply(log.piece(0, 10));
    const { entries, note } = log.piece(5, 20);
    const changed = [new Uint8Array([1, 2, 3]), ...entries.slice(1)];
    await rejectsWith(apply({ from: 5, entries: changed, note }), 'PROOF_INVALID');
    assert.equal(tree.size, 10);
    await stop();
  });

  it('A1 A2 A27 tells a fork by notes alone, with evidence that others can check', async () => {
    const { apply, tree, stop } = await copy();
    await apply(log.piece(0, 300));
    for (const size of [1, 200, 256, 299, 300]) {
      const fork = new PublishedLog(words(size, 'x'));
      assertFork(await apply({ from: size, entries: [], note: fork.note() }));
    }
    assert.equal(tree.size, 300);
    await stop();
  });

  it('A2 B56 tells a fork by an overlap that the log has signed otherwise', async () => {
    for (const [at, length, from] of [
      [0, 400, 0],
      [100, 400, 50],
      [100, 301, 100],
      [299, 300 + 9, 256],
      [255, 512, 1],
    ] as const) {
      const { apply, tree, stop } = await copy();
      await apply(log.piece(0, 300));
      assertFork(await apply(forkAt(at, length).piece(from)));
      assert.equal(tree.size, 300);
      await stop();
    }
  });

  it('tells a fork by a part of the other tree', async () => {
    const { apply, stop } = await copy();
    await apply(log.piece(0, 300));
    const fork = forkAt(100, 500);
    assertFork(await apply(fork.piece(50, 300, 500)));
    assertFork(await apply(fork.piece(50, 200, 500)));
    // Between its own end and the note the other tree is not known, so neither is a path.
    const applied = await apply(fork.piece(50, 400, 500));
    assert.deepEqual(applied, { outcome: 'forked', evidence: undefined });
    await stop();
  });

  it('tells a fork while it catches up', async () => {
    const { apply, stop } = await copy();
    await apply(log.piece(0, 300, 700));
    assertFork(await apply(forkAt(100, 400).piece(0)));
    // The copy's note proves its end, and nothing before.
    const note = forkAt(100, 200).note();
    const applied = await apply({ from: 200, entries: [], note });
    assert.deepEqual(applied, { outcome: 'forked', evidence: undefined });
    await stop();
  });

  it('A3 F6 a copy that went back takes nothing but the tree that it once had', async () => {
    const machine = new Machine();
    const before = await copy(machine);
    await before.apply(log.piece(0, 100));
    await before.stop();
    const backup = machine.medium.snapshot();
    const after = await copy(machine);
    await after.apply(log.piece(100, 300));
    await after.stop();
    machine.medium.restore(backup);
    const { apply, tree, stop } = await copy(machine);
    assert.equal(tree.shortfall?.size, 300);
    assertFork(await apply(forkAt(100, 400).piece(100)));
    assertFork(await apply(forkAt(200, 300).piece(100)));
    assert.equal(tree.size, 100);
    assert.equal((await apply(log.piece(100, 250))).outcome, 'grown');
    assert.equal(tree.shortfall?.size, 300);
    assert.equal((await apply(log.piece(250, 400))).outcome, 'grown');
    assert.equal(tree.shortfall, undefined);
    await stop();
    await assertPrefix(machine);
  });

  it('is of one mind after a failure of any write, before or after it landed', async () => {
    for (const when of ['before', 'after'] as const) {
      for (const what of ['DISK_IO', 'DISK_FULL', 'crash'] as const) {
        for (let write = 1; write <= 4; write++) {
          const machine = new Machine({ seed: write });
          machine.medium.plan({ write, when, what });
          const run = async () => {
            const { apply, stop } = await copy(machine);
            for (const [from, to] of [
              [0, 100],
              [100, 300],
              [300, 301],
            ] as const) {
              while ((await apply(log.piece(from, to)).catch(retry))?.outcome === undefined);
            }
            await stop();
          };
          await Promise.race([run(), machine.crashed]);
          const again = await copy(machine);
          for (let size = again.tree.size; size < 400; size = again.tree.size)
            await again.apply(log.piece(size, 400));
          await again.stop();
          await assertPrefix(machine);
        }
      }
    }
  });
});

describe('an own log that went back', () => {
  const ownKey = (machine: Machine) =>
    makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey: machine.signer.publicKey });

  /** All of a log, as a peer would send it. */
  async function whole({ tree }: { tree: LogTree }): Promise<Piece> {
    const entries: Uint8Array[] = [];
    for await (const entry of tree.reader.entries(0, tree.size)) entries.push(entry);
    return { from: 0, entries, note: tree.head.signed?.note ?? new Uint8Array(0) };
  }

  /** A log of one entry whose next batch is staged and not signed: its process has crashed. */
  async function staged(machine: Machine): Promise<void> {
    const process = await startLog(machine);
    await process.sequencer.submit('a');
    machine.medium.plan({ write: machine.medium.counters.writes + 2, when: 'before', what: 'crash' });
    void process.sequencer.submit('b');
    await machine.crashed;
    machine.watch();
  }

  it('F6 T9 signs again once it has caught up with what it signed, and not before', async () => {
    const machine = new Machine();
    await staged(machine);
    const backup = machine.medium.snapshot();
    const later = await startLog(machine);
    await later.sequencer.submit('c');
    const piece = await whole(later);
    await later.stop();
    machine.medium.restore(backup);
    // The batch that is staged brings it to size 2, and no further.
    await assert.rejects(startLog(machine), (error) => isNodeError(error, 'LOG_BEHIND'));
    const { apply, stop } = await copy(machine);
    assert.deepEqual(await apply(piece, [ownKey(machine)]), { outcome: 'grown', size: 3 });
    await stop();
    const again = await startLog(machine);
    assert.equal((await again.sequencer.submit('d')).index, 3);
    await again.stop();
    assert.equal((await audit(machine)).length, 4);
  });

  it('fails closed if peers hold another entry where a batch was staged', async () => {
    const machine = new Machine();
    await staged(machine);
    const other = new Machine({ seed: 2 });
    const otherLog = await startLog(other);
    const { entry } = await otherLog.sequencer.submit('x');
    await otherLog.stop();
    const own = await copy(machine);
    const first = (await whole(own)).entries;
    const entries = [...first, entry];
    const tree = new ReferenceTree(entries);
    const note = signOwnCheckpoint(
      { origin: ORIGIN, size: 2, root: tree.root() },
      machine.signer,
      primitives,
    ).note;
    await own.apply({ from: 0, entries, note }, [ownKey(machine)]);
    await own.stop();
    await assert.rejects(startLog(machine), (error) => isNodeError(error, 'LOG_CONTRADICTED') && error.fatal);
  });
});

/** Lets the store recover before the next attempt. */
async function retry(error: unknown): Promise<undefined> {
  assert.ok(isNodeError(error) && error.retry, String(error));
  await settled();
}

describe('Replica.confront', () => {
  it('tells agreement, gap and fork about the size of a copy', async () => {
    const { apply, replica, stop } = await copy();
    await apply(log.piece(0, 300));
    assert.deepEqual(await replica.confront(log.claim(300), keys), { outcome: 'known', size: 300 });
    assert.deepEqual(await replica.confront(log.claim(256), keys), { outcome: 'known', size: 300 });
    assert.deepEqual(await replica.confront(log.claim(301), keys), { outcome: 'gap', size: 300 });
    const fork = forkAt(299, 500);
    assertFork(await replica.confront(fork.claim(300), keys));
    assert.equal((await replica.confront(fork.claim(299), keys)).outcome, 'known');
    await stop();
  });

  it('refuses a claim whose path proves nothing', async () => {
    const { apply, replica, stop } = await copy();
    await apply(log.piece(0, 300));
    await rejectsWith(
      replica.confront({ ...log.claim(300), root: log.tree.root(299) }, keys),
      'PROOF_INVALID',
    );
    await rejectsWith(replica.confront({ ...log.claim(300), path: [] }, keys), 'PROOF_INVALID');
    await rejectsWith(replica.confront({ ...log.claim(300), size: 0 }, keys), 'SIZE_INVALID');
    await stop();
  });
});

describe('verifyForkEvidence', () => {
  const fork = forkAt(100, 400);
  const side = (of: PublishedLog, size: number) => {
    const { root, path, note } = of.claim(size);
    return { root, path, note };
  };

  it('A27 cannot be made against a log that signed one history', () => {
    const good = { size: 101, sides: [side(log, 101), side(fork, 101)] as const };
    verifyForkEvidence(good, keys, primitives);
    const refused = (evidence: typeof good, code: FaultCode) =>
      assert.throws(
        () => verifyForkEvidence(evidence, keys, primitives),
        (error) => isProtocolError(error, code),
      );
    refused({ size: 100, sides: [side(log, 100), side(fork, 100)] }, 'EVIDENCE_UNFOUNDED');
    refused({ size: 101, sides: [side(log, 101), side(log, 101)] }, 'EVIDENCE_UNFOUNDED');
    refused(
      { size: 101, sides: [side(log, 101), { ...side(log, 101), root: fork.tree.root(101) }] },
      'PROOF_INVALID',
    );
    refused({ size: 102, sides: [side(log, 101), side(fork, 101)] }, 'PROOF_INVALID');
    refused({ size: 0, sides: [side(log, 101), side(fork, 101)] }, 'SIZE_INVALID');
    const stranger = new PublishedLog(words(400, 'x'), { key: 'stranger' });
    refused({ size: 101, sides: [side(log, 101), side(stranger, 101)] }, 'NOTE_UNSIGNED');
  });

  it('refuses the notes of two logs', () => {
    const elsewhere = new PublishedLog(words(200, 'y'), { origin: 'FR.test/attest/2026-11' });
    assert.throws(
      () =>
        verifyForkEvidence(
          { size: 101, sides: [side(log, 101), side(elsewhere, 101)] },
          [...keys, ...elsewhere.keys],
          primitives,
        ),
      (error) => isProtocolError(error, 'ORIGIN_INVALID'),
    );
  });
});
