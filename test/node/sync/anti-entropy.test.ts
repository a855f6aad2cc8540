import assert from 'node:assert/strict';
import { AntiEntropy } from '../../../node/sync/anti-entropy.ts';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
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
      puller: new Puller({ client, random: (length) => new Uint8Array(length) }),
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
        puller: new Puller({ client, random: (bytes) => new Uint8Array(bytes) }),
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
