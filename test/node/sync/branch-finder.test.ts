import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { namingStatements } from '../../../protocol/trust/naming.ts';
import { BranchFinder } from '../../../node/sync/branch-finder.ts';
import {
  encodeAnswer,
  parseAnswer,
  parseRequest,
  SYNC_PROTOCOL,
  type SyncAnswer,
} from '../../../node/sync/messages.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { SyncClient } from '../../../node/sync/sync-client.ts';
import { SyncServer } from '../../../node/sync/sync-server.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture, START_S, type TestKey } from '../../support/region-fixture.ts';

/** What a peer answers instead of what it would; undefined for nothing at all. */
type Manner = (answer: SyncAnswer) => SyncAnswer;

const fr = () => new RegionFixture({ region: 'FR' });

describe('BranchFinder.seek', () => {
  let clock: ManualClock;
  let finder: BranchFinder;
  let book: PeerBook;
  let own: TrustKeeper;
  let asked: string[];
  let good: RegionFixture;
  let bad: RegionFixture;
  let fresh: TestKey;
  let network: MemoryNetwork;
  const stops: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    clock = new ManualClock(START_S * 1000);
    network = new MemoryNetwork({ random: () => 0.5 }, { clock });
    book = new PeerBook({ clock });
    const client = new SyncClient({ network: network.join('DE'), clock, book });
    finder = new BranchFinder({ client });
    asked = [];
    [good, bad] = [fr(), fr()];
    for (let i = 0; i < 5; i++) good.revoke([i]);
    bad.revoke([99]);
    fresh = good.key('fresh checkpoint');
    good.admit([{ key: fresh, role: 'checkpoint' }]);
    good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }));
    const bench = await keeperOf(bad);
    own = bench.keeper;
    stops.push(() => bench.store.stop());
    await own.apply({ from: 0, entries: bad.entries, note: noteOf(bad) });
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  /** A peer that holds a log, and answers in its own manner. */
  async function peer(
    name: string,
    of: RegionFixture,
    key: TestKey,
    manner: Manner = (one) => one,
  ): Promise<void> {
    const { keeper, store } = await keeperOf(of);
    await keeper.apply({ from: 0, entries: of.entries, note: noteOf(of, of.entries.length, key) });
    stops.push(() => store.stop());
    const host = network.join(name);
    const logs = () => new Map([[keeper.origin, keeper]]);
    const server = new SyncServer({ sha256, network: host, clock, book: new PeerBook({ clock }), logs });
    host.handle(SYNC_PROTOCOL, async (from, request) => {
      asked.push(`${name} ${parseRequest(request).kind}`);
      return encodeAnswer(manner(parseAnswer(await server.answer(from, request))));
    });
    network.announce(name);
    await clock.advance(10);
  }

  async function seek(name: string, size = good.entries.length): Promise<boolean> {
    const sought = finder.seek(name, own, size);
    let isOver = false;
    void sought.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    for (let i = 0; i < 2_000 && !isOver; i++) await clock.advance(10);
    return sought;
  }

  const fetched = () => asked.filter((what) => what.endsWith('range')).length;

  it('T3: has the log take the branch that its root names, and fetches it from where they part', async () => {
    await peer('IT', good, fresh);
    assert.equal(await seek('IT'), true);
    assert.equal(own.tree.size, good.entries.length);
    assert.equal(asked[0], 'IT naming');
    assert.equal(fetched(), 1);
  });

  const fetchesNothing = (title: string, manner: Manner, isFault = false) =>
    it(`T17: fetches nothing of a peer that ${title}`, async () => {
      await peer('LIAR', good, fresh, manner);
      const answered = await seek('LIAR').catch((error: unknown) => {
        assert.ok(isProtocolError(error));
        return false;
      });
      assert.equal(answered, false);
      assert.equal(fetched(), 0);
      assert.equal(own.tree.size, bad.entries.length);
      assert.equal(book.recordOf('LIAR').faultsInAll, isFault ? 1 : 0);
    });
  const ofNaming = (
    change: (answer: Extract<SyncAnswer, { kind: 'naming' }>) => Partial<typeof answer>,
  ): Manner => {
    return (answer) => (answer.kind === 'naming' ? { ...answer, ...change(answer) } : answer);
  };

  fetchesNothing(
    'shows no statement',
    ofNaming(() => ({ statements: [] })),
  );
  fetchesNothing(
    'shows a note that nobody signed',
    ofNaming(({ note }) => ({ note: withoutSignature(note) })),
  );
  fetchesNothing(
    'shows a note with a bad signature',
    ofNaming(({ note }) => ({ note: withBadSignature(note) })),
  );
  fetchesNothing(
    'shows a note by the key that is given up',
    ofNaming(() => ({ note: noteOf(good) })),
  );
  fetchesNothing(
    'shows another root',
    ofNaming(({ statements }) => ({ statements: statements.slice(1) })),
  );
  fetchesNothing(
    'shows a statement that the root did not sign',
    ofNaming(({ statements }) => ({
      statements: statements.map(({ index, entry }, i) => ({
        index,
        entry:
          i === statements.length - 1
            ? entry.map((byte, at) => (at === entry.length - 1 ? byte ^ 1 : byte))
            : entry,
      })),
    })),
  );
  fetchesNothing('claims that both are the same', (answer) =>
    answer.kind === 'claim' ? { ...answer, root: bad.rootAt(answer.size) } : answer,
  );
  fetchesNothing('answers another question', () => ({ kind: 'heads', heads: [] }), true);

  it('T3: nothing of a log in which another key is given up, or this one where both are the same', async () => {
    const other = fr();
    for (let i = 0; i < 5; i++) other.revoke([i + 50]);
    const next = other.key('next');
    other.admit([{ key: next, role: 'checkpoint' }]);
    other.add(other.compromise(other.keys.witness, { trust: other.cutOff() }));
    await peer('IT', other, next);
    assert.equal(await seek('IT'), false);
    const common = fr();
    for (let i = 0; i < 5; i++) common.revoke([i + 70]);
    common.admit([{ key: next, role: 'checkpoint' }]);
    common.add(common.compromise(common.keys.checkpoint, { trust: common.cutOff(3) }));
    await peer('ES', common, next);
    assert.equal(await seek('ES'), false);
    assert.equal(fetched(), 0);
  });

  it('T17: asks a peer once at a time of a log', async () => {
    await peer('IT', good, fresh);
    const first = finder.seek('IT', own, good.entries.length);
    assert.equal(await finder.seek('IT', own, good.entries.length), false);
    for (let i = 0; i < 50; i++) await clock.advance(10);
    assert.equal(await first, true);
  });
});

describe('namingStatements', () => {
  it('gives roots, what is given up and the keys of it, and of more than 64 the newest keys first', () => {
    const region = fr();
    const all = () => [...region.fold.statements()];
    assert.deepEqual(
      namingStatements(all(), () => true, sha256),
      [],
    );
    region.add(region.compromise(region.keys.checkpoint, { trust: region.cutOff() }));
    const indexes = () => namingStatements(all(), () => false, sha256).map(({ index }) => index);
    assert.deepEqual(indexes(), [0, 1, 3]);
    for (let i = 0; i < 40; i++) {
      const key = region.key(`checkpoint ${i}`);
      region.admit([{ key, role: 'checkpoint' }]);
      region.add(region.compromise(key, { trust: region.cutOff() }));
    }
    assert.equal(indexes().length, 64);
    assert.equal(indexes()[0], 0);
    assert.ok(indexes().includes(region.entries.length - 1));
  });
});

function withoutSignature(note: Uint8Array): Uint8Array {
  const text = Buffer.from(note).toString('utf8');
  const stranger = Buffer.alloc(68, 7).toString('base64');
  return Buffer.from(`${text.slice(0, text.indexOf('\u2014'))}\u2014 nobody.test/trust ${stranger}\n`);
}

function withBadSignature(note: Uint8Array): Uint8Array {
  const text = Buffer.from(note).toString('utf8');
  const at = text.lastIndexOf('==') > 0 ? text.length - 6 : text.length - 4;
  return Buffer.from(text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1));
}
