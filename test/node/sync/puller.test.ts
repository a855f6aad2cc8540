import assert from 'node:assert/strict';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL, type SyncAnswer } from '../../../node/sync/messages.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { type Followed } from '../../../node/sync/followed.ts';
import { Puller } from '../../../node/sync/puller.ts';
import { SyncClient } from '../../../node/sync/sync-client.ts';
import { consistencyOf, type KeeperBench, keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { RegionFixture } from '../../support/region-fixture.ts';
import { medium } from '../../support/store-fixture.ts';

type Range = Extract<SyncAnswer, { kind: 'range' }>;
/** What a peer makes of an honest answer; undefined for silence. */
type Manner = (answer: Range) => SyncAnswer | undefined;

const honest: Manner = (answer) => answer;

/** A node that lacks FR's log, and peers that have it: each gives three entries at a time. */
async function bench(
  region: RegionFixture,
  manners: Record<string, Manner>,
  sign = noteOf,
  found?: KeeperBench['on'],
) {
  const clock = new ManualClock(1_000_000);
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
  const own = network.join('DE');
  const asked: string[] = [];
  for (const [name, manner] of Object.entries(manners)) {
    network.join(name).handle(SYNC_PROTOCOL, async (_peer, bytes) => {
      const request = parseRequest(bytes);
      asked.push(`${name} ${request.kind}${'from' in request ? ` ${request.from}` : ''}`);
      const refused: SyncAnswer = { kind: 'refused', reason: 'not-there' };
      const size = region.entries.length;
      if (request.kind === 'claim') {
        const path = consistencyOf(region, request.size, size);
        const root = region.rootAt(request.size);
        return encodeAnswer({ kind: 'claim', size: request.size, root, path, note: sign(region) });
      }
      if (request.kind !== 'range') return encodeAnswer(refused);
      const end = Math.min(size, request.from + 3);
      const path = end === size ? [] : consistencyOf(region, end, size);
      const answer: Range = {
        kind: 'range',
        from: request.from,
        entries: region.entries.slice(request.from, end),
        note: sign(region),
        path,
      };
      const given = manner(answer);
      return given === undefined ? new Promise<never>(() => undefined) : encodeAnswer(given);
    });
  }
  const book = new PeerBook({ clock });
  const client = new SyncClient({ network: own, clock, book });
  const puller = new Puller({ client, clock, random: (length) => new Uint8Array(length) });
  const { keeper } = await keeperOf(region, { on: found ?? medium() });
  const run = async (pull: Promise<boolean>): Promise<boolean> => {
    let isOver = false;
    void pull.finally(() => (isOver = true));
    for (let i = 0; i < 1_000 && !isOver; i++) await clock.advance(10);
    return pull;
  };
  return { keeper, puller, book, asked, clock, run };
}

/** The log's own line says what no key that is known signed. */
function withBadLine(note: Uint8Array): Uint8Array {
  const { text, signatures } = parseNote(note);
  const bad = signatures.map((line) => ({ ...line, bytes: line.bytes.map((byte) => byte ^ 1) }));
  return encodeNote({ text, signatures: bad });
}

function region(): RegionFixture {
  const made = new RegionFixture({ region: 'FR' });
  for (let i = 0; i < 9; i++) made.revoke([i]);
  return made;
}

describe('Puller.pull', () => {
  it('fetches a log of several answers at first contact, and then what is missing alone', async () => {
    const made = region();
    const { keeper, puller, asked, run } = await bench(made, { FR: honest });
    assert.equal(await run(puller.pull(keeper)), true);
    assert.equal(keeper.state.size, made.entries.length);
    assert.deepEqual(asked, ['FR range 0', 'FR range 3', 'FR range 6', 'FR range 9']);
    for (let i = 10; i < 14; i++) made.revoke([i]);
    asked.length = 0;
    assert.equal(await run(puller.pull(keeper)), true);
    assert.deepEqual(asked, ['FR range 12', 'FR range 15']);
    assert.equal(keeper.latest?.state.size, made.entries.length);
  });

  const liars: [title: string, manner: Manner][] = [
    [
      'gives other entries',
      (answer) => ({ ...answer, entries: answer.entries.map(() => Uint8Array.of(1, 2)) }),
    ],
    ['gives none', (answer) => ({ ...answer, entries: [] })],
    ['gives another range', (answer) => ({ ...answer, from: answer.from + 1 })],
    ['answers another question', () => ({ kind: 'heads', heads: [] })],
    [
      'makes up the path',
      (answer) => ({ ...answer, path: answer.path.map((hash) => hash.map((byte) => byte ^ 1)) }),
    ],
    ['makes up the note', (answer) => ({ ...answer, note: Uint8Array.of(1) })],
    [
      'gives the note of another log',
      (answer) => ({ ...answer, note: noteOf(new RegionFixture({ region: 'IT' })) }),
    ],
    ['gives more entries than the note counts', (answer) => ({ ...answer, note: noteOf(region(), 6) })],
  ];
  for (const [title, manner] of liars) {
    it(`T20: a peer that ${title} has a fault, and the next one serves`, async () => {
      const made = region();
      const { keeper, puller, book, run } = await bench(made, { LIAR: manner, IT: honest });
      // The keys are known, so that every answer is held against the log at once.
      await keeper.apply({ from: 0, entries: made.entries.slice(0, 4), note: noteOf(made, 4) });
      assert.equal(await run(puller.pull(keeper, 'LIAR')), true);
      assert.equal(keeper.latest?.state.size, made.entries.length);
      assert.equal(book.recordOf('LIAR').faultsInAll, 1);
      assert.equal(book.recordOf('IT').faultsInAll, 0);
    });
  }

  it('T4, T20: who holds the other branch of a log that has forked is not to blame for keys that were announced there', async () => {
    const ours = region();
    const theirs = region();
    ours.revoke([77]);
    theirs.revoke([78]);
    const next = theirs.key('checkpoint 2');
    const { keeper, puller, book, asked, run } = await bench(theirs, { IT: honest }, (of) =>
      noteOf(of, of.entries.length, next),
    );
    await keeper.apply({ from: 0, entries: ours.entries, note: noteOf(ours) });
    const forked = noteOf(theirs);
    theirs.admit([{ key: next, role: 'checkpoint' }]);
    // Nobody can tell yet whether the log has forked or the peer has made it up.
    assert.equal(await run(puller.pull(keeper, 'IT')), false);
    assert.deepEqual(keeper.forks, []);
    assert.equal(await keeper.heed(forked), 'forked');
    assert.equal(await run(puller.pull(keeper, 'IT')), false);
    assert.equal(book.recordOf('IT').faultsInAll, 0);
    const { length } = ours.entries;
    assert.deepEqual(asked.slice(2), [`IT range ${length}`, 'IT claim']);
  });

  it('A16 T20: who shows a note that is not good by the keys that are known here has no fault, and the next one serves', async () => {
    const made = region();
    // So it is where the log has two keys of one key id, and the peer knows the other one.
    const strange: Manner = (answer) => ({ ...answer, note: withBadLine(answer.note) });
    const { keeper, puller, book, run } = await bench(made, { IT: strange, ES: honest });
    await keeper.apply({ from: 0, entries: made.entries.slice(0, 4), note: noteOf(made, 4) });
    assert.equal(await run(puller.pull(keeper, 'IT')), true);
    assert.equal(keeper.latest?.state.size, made.entries.length);
    assert.equal(book.recordOf('IT').faultsInAll, 0);
  });

  it('T19: who holds the log of another root by that name has no fault, and is asked for it again after ten minutes', async () => {
    const made = region();
    const anew = new RegionFixture({ region: 'FR', rootKeys: 2, threshold: 2 });
    const { puller, book, asked, clock, run } = await bench(anew, { IT: honest, ES: honest });
    const { keeper } = await keeperOf(made);
    for (let round = 0; round < 4; round++) assert.equal(await run(puller.pull(keeper, 'IT')), false);
    assert.deepEqual(asked, ['IT range 0', 'ES range 0']);
    for (const peer of ['IT', 'ES']) assert.equal(book.recordOf(peer).faultsInAll, 0);
    await clock.advance(600_000);
    assert.equal(await run(puller.pull(keeper, 'IT', { alone: true })), false);
    assert.deepEqual(asked.slice(2), ['IT range 0']);
  });

  it('T20: a compromise that reaches back behind the state that this node began with costs nobody a fault', async () => {
    const made = region();
    const cutOff = made.cutOff(4);
    made.commit();
    const before = await keeperOf(made);
    await before.keeper.apply({ from: 0, entries: made.entries, note: noteOf(made) });
    await before.store.stop();
    const fresh = made.key('fresh checkpoint');
    const sign = (of: RegionFixture) => noteOf(of, of.entries.length, fresh);
    const { keeper, puller, book, run } = await bench(made, { IT: honest }, sign, before.on);
    assert.ok(keeper.fold.baseIndex > cutOff.size);
    // The note is by a key that stands behind what only the whole log can check.
    made.add(made.compromise(made.keys['trust-log'], { trust: cutOff }));
    made.add(made.compromise(made.keys.checkpoint, { trust: cutOff }));
    made.admit([{ key: fresh, role: 'checkpoint' }]);
    assert.equal(await run(puller.pull(keeper, 'IT')), true);
    assert.equal(keeper.latest?.state.size, made.entries.length);
    assert.equal(keeper.state.revoked('2026-11')?.count, 1);
    assert.equal(book.recordOf('IT').faultsInAll, 0);
  });

  it('T20: a silent peer is passed over after two seconds', async () => {
    const made = region();
    const { keeper, puller, book, clock, run } = await bench(made, { DEAF: () => undefined, IT: honest });
    const before = clock.nowMs();
    assert.equal(await run(puller.pull(keeper, 'DEAF')), true);
    assert.ok(clock.nowMs() - before >= 2_000 && clock.nowMs() - before < 3_000);
    assert.deepEqual(
      { ...book.recordOf('DEAF') },
      { ...book.recordOf('DEAF'), failuresInAll: 1, faultsInAll: 0 },
    );
  });

  it('gives up where nobody has anything, and leaves the log as it was', async () => {
    const made = region();
    const { keeper, puller, run } = await bench(made, {
      A: () => ({ kind: 'refused', reason: 'unknown-log' }),
    });
    assert.equal(await run(puller.pull(keeper)), false);
    assert.equal(keeper.tree.size, 0);
    assert.equal(puller.counters.fruitless, 1);
  });

  it('fetches a log once, however many ask for it', async () => {
    const made = region();
    const { keeper, puller, asked, run } = await bench(made, { FR: honest });
    const pulls = [puller.pull(keeper), puller.pull(keeper), puller.pull(keeper)];
    await run(pulls[0] as Promise<boolean>);
    assert.deepEqual(await Promise.all(pulls), [true, true, true]);
    assert.equal(asked.length, 4);
  });
});

describe('Puller.pull alone', () => {
  it('isFree tells a fetch that would be joined, or left to the next round, from one that would begin', async () => {
    const { keeper, puller, run } = await bench(region(), { FR: honest });
    const others = ['A', 'B', 'C', 'D'].map(
      (origin) => ({ ...keeper, origin, tree: keeper.tree }) as unknown as Followed,
    );
    assert.ok(puller.isFree(keeper));
    const pull = puller.pull(keeper);
    assert.deepEqual(
      [keeper, ...others].map((log) => puller.isFree(log)),
      [false, true, true, true, true],
    );
    const pulls = others.slice(0, 3).map((log) => puller.pull(log).catch(() => false));
    assert.equal(puller.isFree(others[3] as Followed), false);
    assert.equal(await puller.pull(others[3] as Followed), false);
    await run(pull);
    await run(Promise.all(pulls).then(() => true));
    assert.ok(puller.isFree(keeper));
  });

  it('T20: asks nobody but the peer that has shown more, whatever that gives', async () => {
    const nothing: Manner = () => ({ kind: 'refused', reason: 'not-there' });
    const { keeper, puller, asked, run } = await bench(region(), { JP: nothing, IT: honest });
    assert.equal(await run(puller.pull(keeper, 'JP', { alone: true })), false);
    assert.deepEqual(asked, ['JP range 0']);
    assert.equal(await run(puller.pull(keeper, 'IT', { alone: true })), true);
    assert.ok(asked.slice(1).every((one) => one.startsWith('IT ')));
  });
});
