import assert from 'node:assert/strict';
import { AntiEntropy } from '../../../node/sync/anti-entropy.ts';
import { BranchFinder } from '../../../node/sync/branch-finder.ts';
import { EvidenceHints, HINTS_IN_VAIN_MAX } from '../../../node/sync/evidence-hints.ts';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL, TOPICS } from '../../../node/sync/messages.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { Puller } from '../../../node/sync/puller.ts';
import { SyncClient } from '../../../node/sync/sync-client.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { sha256 } from '../../support/primitives.ts';

describe('EvidenceHints', () => {
  let nowMs: number;
  let hints: EvidenceHints;
  beforeEach(() => {
    nowMs = 5_000;
    hints = new EvidenceHints({ runMs: () => nowMs });
  });
  /** Milliseconds until a peer that names something all the time is asked again. */
  const pause = (peer: string): number => {
    const fromMs = nowMs;
    while (!hints.isDue(peer)) nowMs += 1_000;
    return nowMs - fromMs;
  };

  it('A28: doubles the pause of a peer whose names nobody serves, up to an hour, and no other’s', () => {
    const pauses = Array.from({ length: HINTS_IN_VAIN_MAX + 2 }, () => pause('liar'));
    const doubling = Array.from({ length: HINTS_IN_VAIN_MAX - 1 }, (_, i) => 4_000 * 2 ** i);
    assert.deepEqual(pauses, [0, ...doubling, 3_600_000, 3_600_000]);
    assert.equal(pause('honest'), 0);
  });

  it('asks a peer that gives what it names once in two seconds, whatever came before', () => {
    for (let i = 0; i < 4; i++) pause('peer');
    for (let i = 0; i < 4; i++) {
      hints.served('peer');
      assert.equal(pause('peer'), 2_000);
    }
  });
});

describe('AntiEntropy where peers name evidence', () => {
  const clock = new ManualClock(1_000_000);
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
  const own = network.join('DE');
  const book = new PeerBook({ clock });
  const client = new SyncClient({ network: own, clock, book });
  const nameOf = (file: Uint8Array) => hexOf(sha256(file)).slice(0, 32);
  /** Of each peer what it would give, and how often it was asked. */
  const files = new Map<string, Uint8Array[]>();
  const asked = new Map<string, number>();
  const taken = new Set<string>();
  const evidence = {
    names: new Uint8Array(),
    nameOf,
    newAmong: (names: Uint8Array) =>
      new Set(
        hexOf(names)
          .match(/.{32}/g)
          ?.filter((one) => !taken.has(one)),
      ),
    take: (file: Uint8Array) => {
      const isNew = file[0] === 1 && !taken.has(nameOf(file));
      if (isNew) taken.add(nameOf(file));
      return Promise.resolve(isNew);
    },
  };
  const rounds = new AntiEntropy(
    { intervalMs: 1_000_000 },
    {
      ...{ sha256, network: own, clock, book, client, evidence },
      finder: new BranchFinder({ client }),
      puller: new Puller({ client, clock, random: (length) => new Uint8Array(length) }),
      logs: () => new Map(),
    },
  );
  after(() => rounds.stop());

  it('A28: asks who names what nobody has ever less, and who gives what it names, though it is refused, each time', async () => {
    const peers = ['liar', 'honest'].map((name) => [name, network.join(name)] as const);
    for (const [name, peer] of peers)
      peer.handle(SYNC_PROTOCOL, (_from, bytes) => {
        if (parseRequest(bytes).kind === 'heads')
          return Promise.resolve(encodeAnswer({ kind: 'heads', heads: [] }));
        asked.set(name, (asked.get(name) ?? 0) + 1);
        return Promise.resolve(encodeAnswer({ kind: 'evidence', files: files.get(name) ?? [] }));
      });
    rounds.start();
    await clock.advance(1_000);
    asked.clear();
    for (let i = 0; i < 40; i++) {
      const refused = Uint8Array.of(0, i);
      files.set('honest', [refused]);
      const named = {
        liar: sha256(Uint8Array.of(9, i)).subarray(0, 16),
        honest: sha256(refused).subarray(0, 16),
      };
      for (const [name, peer] of peers)
        peer.publish(
          TOPICS.evidence,
          encodeAnswer({ kind: 'evidence-names', names: named[name as keyof typeof named] }),
        );
      await clock.advance(2_500);
    }
    assert.deepEqual(Object.fromEntries(asked), { liar: 5, honest: 40 });
    const wanted = Uint8Array.of(1);
    files.set('liar', [wanted]);
    const round = rounds.round('liar');
    await clock.advance(1_000);
    await round;
    assert.ok(taken.has(nameOf(wanted)));
    asked.clear();
    const [, liar] = peers[0] ?? assert.fail();
    liar.publish(TOPICS.evidence, encodeAnswer({ kind: 'evidence-names', names: new Uint8Array(16) }));
    await clock.advance(1_000);
    assert.equal(asked.get('liar'), 1, 'who gave what was wanted is asked again');
  });
});
