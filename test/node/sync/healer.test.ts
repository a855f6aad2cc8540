import assert from 'node:assert/strict';
import { Replica } from '../../../node/log/replica.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { Healer } from '../../../node/sync/healer.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { SyncClient } from '../../../node/sync/sync-client.ts';
import { SyncServer } from '../../../node/sync/sync-server.ts';
import { encodeAnswer, parseAnswer } from '../../../node/sync/messages.ts';
import { Machine } from '../../support/log-fixture.ts';
import { logKey, verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';

const ORIGIN = 'DE.test/attest/2026-11';
const SIZE = 700;
const key = logKey(ORIGIN, 5);
const reference = ReferenceTree.ofSize(SIZE);
const clock = new ManualClock(1_000_000);

function noteAt(size: number): Uint8Array {
  return encodeNote(signCheckpoint({ origin: ORIGIN, size, root: reference.root(size) }, key.key, key.sign));
}

/** A copy of the log that came in three pieces. */
async function copy() {
  const machine = new Machine();
  const store = await machine.openStore();
  const tree = await machine.openTree(store, ORIGIN);
  const replica = new Replica({ tree, sha256, verifySignature });
  for (const [from, to] of [
    [0, 100],
    [100, 400],
    [400, SIZE],
  ] as const) {
    await replica.apply({ from, entries: reference.entries.slice(from, to), note: noteAt(to) }, [key.key]);
  }
  return { machine, store, tree };
}

/** A damaged copy, and a peer that has the log whole. */
async function bench() {
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
  const [damaged, whole] = [await copy(), await copy()];
  const book = new PeerBook({ clock });
  const served = new Map([[ORIGIN, { tree: whole.tree, note: noteAt(SIZE), forks: [] }]]);
  new SyncServer({ sha256, network: network.join('FR'), clock, book, logs: () => served }).start();
  const client = new SyncClient({ network: network.join('DE'), clock, book });
  const logs = () => new Map([[ORIGIN, { tree: damaged.tree }]]);
  const healer = new Healer({ sha256, store: damaged.store, client, logs });
  const run = async (work: Promise<void>): Promise<void> => {
    let isOver = false;
    work.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    for (let i = 0; i < 1_000 && !isOver; i++) await clock.advance(10);
    return work;
  };
  return { ...damaged, network, healer, run, book };
}

function flip(on: FaultyMedium, prefix: string): string {
  return on.flipBit(`log/${ORIGIN}/${prefix}`) ?? assert.fail(`nothing under ${prefix}`);
}

describe('Healer.heal', () => {
  it('F4: puts every run of entries and every tile right, and the log is whole again', async () => {
    const { machine, store, healer, run } = await bench();
    const before = await store.inspect(`log/${ORIGIN}/`, 100);
    for (const { key: name } of before) {
      if (!/entries|tile/.test(name)) continue;
      const flipped = flip(machine.medium, name.slice(`log/${ORIGIN}/`.length));
      assert.equal(flipped, name);
      await assert.rejects(store.get(name), (error) => isNodeError(error, 'VALUE_CORRUPT'));
      await run(healer.heal(name));
    }
    assert.ok((await store.inspect('', 1_000)).every(({ intact }) => intact));
    await store.stop();
    const backup = machine.medium.snapshot();
    machine.medium.restore(backup); // the bits are right again: the medium may be opened
    assert.equal((await auditEntries(machine)).length, SIZE);
  });

  it('F4: puts a tile right for which its log was closed meanwhile, and opens the log', async () => {
    const { machine, tree, healer, run } = await bench();
    for (const prefix of ['tile/0/0000000000000002', 'tile/1/']) {
      const name = flip(machine.medium, prefix);
      await assert.rejects(tree.reload(), (error) => isNodeError(error, 'VALUE_CORRUPT'));
      assert.ok(tree.trouble);
      await run(healer.heal(name));
      assert.deepEqual([tree.trouble, tree.size], [undefined, SIZE]);
    }
  });

  it('writes nothing that a peer cannot prove', async () => {
    const { machine, store, healer, run, network, book } = await bench();
    network.tamper = ({ bytes }) => {
      const answer = parseAnswer(bytes);
      if (answer.kind !== 'range') return bytes;
      return encodeAnswer({ ...answer, entries: answer.entries.map(() => Uint8Array.of(7)) });
    };
    const name = flip(machine.medium, 'entries/');
    await assert.rejects(run(healer.heal(name)), (error) => isNodeError(error, 'NOT_FOUND'));
    assert.equal(book.recordOf('FR').faultsInAll, 0, 'it may hold another branch');
    await assert.rejects(store.get(name), (error) => isNodeError(error, 'VALUE_CORRUPT'));
  });

  it('says so where a key is no part of a log', async () => {
    const { healer, run } = await bench();
    for (const name of [
      'registry/check',
      `log/${ORIGIN}/head`,
      'log/FR.test/trust/entries/0000000000000000',
      `log/${ORIGIN}/entries/${String(SIZE).padStart(16, '0')}`,
    ]) {
      await assert.rejects(run(healer.heal(name)), (error) => isNodeError(error, 'NOT_FOUND'));
    }
  });
});

/** `audit` without the checkpoint's key, which is another here. */
async function auditEntries(machine: Machine): Promise<Uint8Array[]> {
  const store = await machine.openStore();
  const tree = await machine.openTree(store, ORIGIN);
  const entries: Uint8Array[] = [];
  for await (const entry of tree.reader.entries(0, tree.size)) entries.push(entry.slice());
  assert.deepEqual(
    entries.map((entry) => Buffer.from(entry)),
    reference.entries.map((entry) => Buffer.from(entry)),
  );
  await store.stop();
  return entries;
}
