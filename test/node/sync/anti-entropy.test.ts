import assert from 'node:assert/strict';
import { AntiEntropy } from '../../../node/sync/anti-entropy.ts';
import {
  encodeAnswer,
  parseRequest,
  SYNC_PROTOCOL,
  type SyncAnswer,
  type SyncRequest,
  TOPICS,
} from '../../../node/sync/messages.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { BranchFinder } from '../../../node/sync/branch-finder.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { Puller } from '../../../node/sync/puller.ts';
import { SyncClient } from '../../../node/sync/sync-client.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture } from '../../support/region-fixture.ts';

const INTERVAL_MS = 30_000;
const PEERS = Array.from({ length: 20 }, (_, i) => `peer ${i}`);

describe('AntiEntropy', () => {
  const clock = new ManualClock(1_000_000);
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
  const own = network.join('DE');
  let asked: string[] = [];
  for (const peer of PEERS) {
    network.join(peer).handle(SYNC_PROTOCOL, (_from, bytes) => {
      assert.equal(parseRequest(bytes).kind, 'heads');
      asked.push(peer);
      return Promise.resolve(encodeAnswer({ kind: 'heads', heads: [] }));
    });
  }
  const book = new PeerBook({ clock });
  const client = new SyncClient({ network: own, clock, book });
  const antiEntropy = new AntiEntropy(
    { intervalMs: INTERVAL_MS },
    {
      sha256,
      network: own,
      clock,
      book,
      client,
      finder: new BranchFinder({ client }),
      puller: new Puller({ client, clock, random: (length) => new Uint8Array(length) }),
      logs: () => new Map(),
      isMirrored: (peer) => peer === PEERS[19],
    },
  );
  /** Whom it asks in the next interval. */
  const next = async (): Promise<string[]> => {
    asked = [];
    await clock.advance(INTERVAL_MS);
    return asked.sort();
  };

  after(() => antiEntropy.stop());

  it('asks eight peers in an interval, all of many in turn, and those always whose logs are copied here', async () => {
    antiEntropy.start();
    const rounds = [await next(), await next(), await next()];
    for (const round of rounds) {
      assert.ok(round.length === 8 || round.length === 9, `${round.length} in one`);
      assert.equal(new Set(round).size, round.length);
      assert.ok(round.includes(PEERS[19] ?? ''));
    }
    assert.deepEqual([...new Set(rounds.flat())].sort(), [...PEERS].sort());
  });

  it('asks whoever connects at once, and then the others first', async () => {
    await clock.advance(1_000);
    asked = [];
    network.announce(PEERS[0] ?? '');
    await clock.advance(100);
    assert.deepEqual(asked, [PEERS[0]]);
    assert.ok(![...(await next()), ...(await next())].includes(PEERS[0] ?? ''));
  });

  it('begins the next interval at once when it is woken, once for all calls of a second, and the one after that in its time', async () => {
    await next();
    await clock.advance(INTERVAL_MS / 2);
    asked = [];
    for (let i = 0; i < 3; i++) antiEntropy.wake();
    await clock.advance(100);
    const { length } = asked;
    assert.ok(length === 8 || length === 9, `${length} at once`);
    for (let i = 0; i < 3; i++) antiEntropy.wake();
    await clock.advance(800);
    assert.equal(asked.length, length, 'within the second');
    await clock.advance(200);
    assert.ok(asked.length >= length + 8 && asked.length <= length + 9, 'after it');
    asked = [];
    await clock.advance(INTERVAL_MS - 1_000);
    assert.deepEqual(asked, []);
    await clock.advance(1_000);
    assert.ok(asked.length === 8 || asked.length === 9);
  });

  it('asks all of a few', async () => {
    for (const peer of PEERS.slice(8)) network.leave(peer);
    assert.deepEqual(await next(), PEERS.slice(0, 8));
    assert.deepEqual(await next(), PEERS.slice(0, 8));
  });
});

describe('AntiEntropy where one peer has more of a log than another', () => {
  it('T14: has all of it after one round with both, though a fetch was under way from the one with less', async () => {
    const clock = new ManualClock(1_000_000);
    const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
    const own = network.join('DE');
    const made = new RegionFixture({ region: 'FR' });
    for (let i = 0; i < 4; i++) made.revoke([i]);
    const { length } = made.entries;
    for (const [peer, size] of [
      ['IT', length - 2],
      ['ES', length],
    ] as const) {
      const note = noteOf(made, size);
      network.join(peer).handle(SYNC_PROTOCOL, (_from, bytes) => {
        const request = parseRequest(bytes);
        if (request.kind === 'range') {
          const { from } = request;
          const entries = made.entries.slice(from, size);
          return Promise.resolve(encodeAnswer({ kind: 'range', from, entries, note, path: [] }));
        }
        return Promise.resolve(encodeAnswer({ kind: 'heads', heads: [{ note, forks: 0 }] }));
      });
    }
    const book = new PeerBook({ clock });
    const client = new SyncClient({ network: own, clock, book });
    const { keeper } = await keeperOf(made);
    const rounds = new AntiEntropy(
      { intervalMs: INTERVAL_MS },
      {
        ...{ sha256, network: own, clock, book, client },
        finder: new BranchFinder({ client }),
        puller: new Puller({ client, clock, random: (bytes) => new Uint8Array(bytes) }),
        logs: () => new Map([[keeper.origin, keeper]]),
      },
    );
    rounds.start();
    for (let i = 0; i < 100; i++) await clock.advance(10);
    assert.equal(rounds.counters.rounds, 2);
    assert.equal(keeper.tree.size, length);
    await rounds.stop();
  });
});

describe('AntiEntropy where a peer passes on what is not good by what is known here', () => {
  const bad = new RegionFixture({ region: 'FR' });
  const good = new RegionFixture({ region: 'IT' });
  for (const one of [bad, good]) for (let i = 0; i < 4; i++) one.revoke([i]);
  const other = new RegionFixture({ region: 'FR' });
  for (let i = 4; i < 8; i++) other.revoke([i]);

  async function bench(answerTo: (request: SyncRequest) => SyncAnswer) {
    const clock = new ManualClock(1_000_000);
    const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
    const own = network.join('DE');
    const peer = network.join('ES');
    peer.handle(SYNC_PROTOCOL, (_from, bytes) =>
      Promise.resolve(encodeAnswer(answerTo(parseRequest(bytes)))),
    );
    const book = new PeerBook({ clock });
    const client = new SyncClient({ network: own, clock, book });
    const [held, lacking] = [(await keeperOf(bad)).keeper, (await keeperOf(good)).keeper];
    await held.apply({ from: 0, entries: bad.entries, note: noteOf(bad) });
    const rounds = new AntiEntropy(
      { intervalMs: INTERVAL_MS },
      {
        ...{ sha256, network: own, clock, book, client },
        finder: new BranchFinder({ client }),
        puller: new Puller({ client, clock, random: (bytes) => new Uint8Array(bytes) }),
        logs: () => new Map([held, lacking].map((log) => [log.origin, log])),
      },
    );
    const pass = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await clock.advance(10);
    };
    return { held, lacking, rounds, book, pass, peer };
  }
  const refused: SyncAnswer = { kind: 'refused', reason: 'not-there' };
  const sideOf = (region: RegionFixture, key = region.keys.checkpoint) => {
    const size = region.entries.length;
    return { note: noteOf(region, size, key), root: region.rootAt(size), path: [] };
  };
  const size = bad.entries.length;
  const stolen = bad.key('of nobody');
  const proofs: Extract<SyncAnswer, { kind: 'forks' }>['forks'] = [
    { size, sides: [sideOf(bad), sideOf(other, stolen)] },
    { size, sides: [sideOf(bad), sideOf(other)] },
  ];

  it('A16 A27: a bad note of one log costs nobody a fault, and the next log is compared', async () => {
    const { text, signatures } = parseNote(noteOf(bad, 5));
    const lines = signatures.map((line) => ({ ...line, bytes: line.bytes.map((byte) => byte ^ 1) }));
    const heads = [encodeNote({ text, signatures: lines }), noteOf(good)].map((note) => ({ note, forks: 0 }));
    const { lacking, rounds, book, pass } = await bench((request) => {
      if (request.kind === 'heads') return { kind: 'heads', heads };
      if (request.kind !== 'range') return refused;
      const { from } = request;
      return { kind: 'range', from, entries: good.entries.slice(from), note: noteOf(good), path: [] };
    });
    rounds.start();
    await pass();
    assert.equal(lacking.tree.size, good.entries.length);
    assert.equal(book.recordOf('ES').faultsInAll, 0);
    await rounds.stop();
  });

  it('A4 A27: a proof that is none hides none that follows it, asked for or told, and costs nobody a fault', async () => {
    for (const isTold of [false, true]) {
      const { held, rounds, book, pass, peer } = await bench((request) => {
        if (request.kind === 'forks') return { kind: 'forks', forks: proofs };
        if (request.kind !== 'heads') return refused;
        return { kind: 'heads', heads: [{ note: noteOf(bad), forks: isTold ? 0 : 2 }] };
      });
      rounds.start();
      if (isTold) peer.publish(TOPICS.evidence, encodeAnswer({ kind: 'forks', forks: proofs }));
      await pass();
      assert.equal(held.forks.length, 1);
      assert.equal(book.recordOf('ES').faultsInAll, 0);
      await rounds.stop();
    }
  });
});
