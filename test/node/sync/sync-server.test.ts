import assert from 'node:assert/strict';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { Replica } from '../../../node/log/replica.ts';
import { concatBytes } from '../../../protocol/bytes.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { readNote, signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import {
  encodeRequest,
  parseAnswer,
  type SyncAnswer,
  type SyncRequest,
} from '../../../node/sync/messages.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { SyncServer, type SyncServerModules } from '../../../node/sync/sync-server.ts';
import {
  ANSWER_MS_MAX,
  ANSWERS_GIVEN,
  BAN_MS,
  FAULTS_MAX,
  REQUESTS_AT_ONCE,
} from '../../../node/sync/sync-limits.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { Machine } from '../../support/log-fixture.ts';
import { logKey, verifySignature } from '../../support/keys.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const ORIGIN = 'DE.test/trust';
const SIZE = 300;
const key = logKey(ORIGIN, 5);
const reference = ReferenceTree.ofSize(SIZE);
const NOTE = encodeNote(
  signCheckpoint({ origin: ORIGIN, size: SIZE, root: reference.root() }, key.key, key.sign),
);

const FORK: ForkEvidence = {
  size: SIZE,
  sides: [
    { note: NOTE, root: reference.root(), path: [] },
    { note: NOTE, root: reference.root(), path: [] },
  ],
};

async function server(forks = 0, changes: Partial<SyncServerModules> = {}) {
  const machine = new Machine();
  const store = await machine.openStore();
  const tree = await machine.openTree(store, ORIGIN);
  const replica = new Replica({ tree, sha256, verifySignature });
  await replica.apply({ from: 0, entries: reference.entries, note: NOTE }, [key.key]);
  const clock = new ManualClock(1_000_000);
  const book = new PeerBook({ clock });
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock }).join('DE');
  const logs = () =>
    new Map([[ORIGIN, { tree, note: NOTE, forks: Array.from({ length: forks }, () => FORK) }]]);
  const syncServer = new SyncServer({ sha256, network, clock, book, logs, ...changes });
  const ask = async (request: SyncRequest): Promise<SyncAnswer> =>
    parseAnswer(await syncServer.answer('FR', encodeRequest(request)));
  return { ask, syncServer, book, clock };
}

describe('SyncServer.answer', () => {
  it('gives ranges that lead to the note, however few bytes are asked for', async () => {
    const { ask } = await server();
    for (const [from, bytesMax] of [
      [0, 1_000_000],
      [0, 0],
      [7, 100],
      [255, 500],
      [299, 0],
    ] as const) {
      const answer = await ask({ kind: 'range', origin: ORIGIN, from, bytesMax });
      assert.ok(answer.kind === 'range');
      const end = from + answer.entries.length;
      assert.ok(answer.entries.length >= 1);
      assert.deepEqual(
        answer.entries.map((entry) => Buffer.from(entry)),
        reference.entries.slice(from, end).map((entry) => Buffer.from(entry)),
      );
      const proof = { oldSize: end, newSize: SIZE, oldRoot: reference.root(end), newRoot: reference.root() };
      verifyConsistency(sha256, { ...proof, path: answer.path });
    }
  });

  it('gives claims and leaves with their proofs', async () => {
    const { ask } = await server();
    const claim = await ask({ kind: 'claim', origin: ORIGIN, size: 129 });
    assert.ok(claim.kind === 'claim');
    assert.deepEqual(Buffer.from(claim.root), Buffer.from(reference.root(129)));
    const ends = { oldSize: 129, newSize: SIZE, oldRoot: claim.root, newRoot: reference.root() };
    verifyConsistency(sha256, { ...ends, path: claim.path });
    const leaf = await ask({ kind: 'leaf', origin: ORIGIN, index: 100, size: 257 });
    assert.ok(leaf.kind === 'leaf');
    assert.deepEqual(
      Buffer.from(leaf.leafHash),
      Buffer.from(leafHash(sha256, reference.entries[100] as Uint8Array)),
    );
    verifyInclusion(sha256, {
      index: 100,
      size: 257,
      leafHash: leaf.leafHash,
      root: reference.root(257),
      path: leaf.path,
    });
  });

  it('says what it does not have, one beyond each end', async () => {
    const { ask } = await server();
    const refusals: [SyncRequest, string][] = [
      [{ kind: 'range', origin: ORIGIN, from: SIZE, bytesMax: 1 }, 'not-there'],
      [{ kind: 'claim', origin: ORIGIN, size: SIZE + 1 }, 'not-there'],
      [{ kind: 'leaf', origin: ORIGIN, index: 5, size: 5 }, 'not-there'],
      [{ kind: 'leaf', origin: ORIGIN, index: 5, size: SIZE + 1 }, 'not-there'],
      [{ kind: 'forks', origin: 'FR.test/trust' }, 'unknown-log'],
    ];
    for (const [request, reason] of refusals)
      assert.deepEqual(await ask(request), { kind: 'refused', reason });
  });

  it('T5: tells a region of its own logs, and others of some of each region, beside 250 logs of each of two liars that fill an answer', async () => {
    const noteOn = (origin: string, lines: number) => {
      const { text, signatures } = parseNote(NOTE);
      const all = Array.from({ length: lines }, () => signatures[0] ?? assert.fail());
      return encodeNote({ text: text.replace(ORIGIN, origin), signatures: all });
    };
    const attested = new Map<string, Uint8Array>();
    for (const liar of ['IT', 'ES'])
      for (let i = 0; i < 250; i++) {
        const month = `${2000 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}`;
        const origin = `${liar}.test/attest/${month}`;
        attested.set(origin, noteOn(origin, 128));
      }
    const own = 'FR.test/attest/2026-11';
    attested.set(own, noteOn(own, 1));
    for (const region of ['FR', 'PL', undefined]) {
      const regionOf = () => region;
      const { ask } = await server(0, { regionOf, attested: () => Promise.resolve(attested) });
      const answer = await ask({ kind: 'heads' });
      assert.ok(answer.kind === 'heads' && answer.heads.length < attested.size);
      const origins = answer.heads.map(({ note }) => readNote(note).checkpoint.origin);
      assert.ok(origins.slice(0, 4).includes(own), region);
      if (region === 'FR') assert.equal(origins[0], own);
      assert.ok(origins.includes(ORIGIN));
    }
  });

  it('A15: tells of what was left of the logs of a region nobody but its peers', async () => {
    const origin = 'FR.test/attest/2026-11';
    const note = encodeNote({ ...parseNote(NOTE), text: parseNote(NOTE).text.replace(ORIGIN, origin) });
    const left = (region: string) =>
      Promise.resolve(new Map(region === 'FR' ? [[origin, note] as const] : []));
    for (const region of ['FR', 'DE', 'IT', undefined]) {
      const { ask } = await server(0, { regionOf: () => region, left });
      const answer = await ask({ kind: 'heads' });
      assert.ok(answer.kind === 'heads');
      const isTold = answer.heads.some((head) => Buffer.from(note).equals(head.note));
      assert.equal(isTold, region === 'FR', region);
    }
  });

  it('leaves out a head whose note the asker has, unless there are proofs of a fork', async () => {
    const headsOf = async (known: Uint8Array, forks = 0) => {
      const { ask } = await server(forks);
      const answer = await ask({ kind: 'heads', known });
      assert.ok(answer.kind === 'heads');
      return answer.heads;
    };
    const digest = sha256(NOTE);
    const [other, near] = [sha256(digest), Uint8Array.from(digest)];
    near[31] = (near[31] ?? 0) ^ 1;
    assert.deepEqual(await headsOf(digest), []);
    assert.deepEqual(await headsOf(concatBytes(other, digest)), []);
    for (const known of [new Uint8Array(0), other, near]) {
      assert.deepEqual(await headsOf(known), [{ note: NOTE, forks: 0 }]);
    }
    assert.deepEqual(await headsOf(digest, 1), [{ note: NOTE, forks: 1 }]);
  });

  it('T17: answers no more than its share of requests of a peer at once, and of others still', async () => {
    const { syncServer } = await server();
    const heads = encodeRequest({ kind: 'heads' });
    const asked = Array.from({ length: REQUESTS_AT_ONCE.ofPeer + 1 }, () => syncServer.answer('FR', heads));
    const other = syncServer.answer('IT', heads);
    const kinds = (await Promise.all(asked)).map((bytes) => parseAnswer(bytes).kind);
    assert.equal(kinds.filter((kind) => kind === 'heads').length, REQUESTS_AT_ONCE.ofPeer);
    assert.equal(kinds.at(-1), 'refused');
    assert.equal(parseAnswer(await other).kind, 'heads');
    assert.equal(parseAnswer(await syncServer.answer('FR', heads)).kind, 'heads');
  });

  describe('of a region that asks without end', () => {
    /** Hashes, as which each answer about evidence counts. */
    const COST = 62_500;
    const evidence = () => Promise.resolve(Array.from({ length: 16 }, () => new Uint8Array(4 * COST)));
    const asking = { kind: 'evidence', known: new Uint8Array(0) } as const;

    async function askedOut() {
      const { syncServer, clock } = await server(0, { evidence });
      const kinds: string[] = [];
      /** What the answer is, once there is one. */
      const ask = async (peer: string, request: SyncRequest) => {
        const answer = parseAnswer(await syncServer.answer(peer, encodeRequest(request)));
        kinds.push(`${peer} ${answer.kind}`);
      };
      const inTime = ANSWERS_GIVEN.ofRegion.burst / COST - 1;
      for (let n = 0; n < inTime; n++) await ask('FR', asking);
      assert.equal(kinds.splice(0).length, inTime);
      return { ask, kinds, clock };
    }

    it('T17: it waits until it has paid for what it was answered, and no other region does', async () => {
      const { ask, kinds, clock } = await askedOut();
      const leaf = { kind: 'leaf', origin: ORIGIN, index: 7, size: SIZE } as const;
      // Of a tree with two levels of tiles: so many are as dear as what is left.
      const leaves = Math.floor(COST / 512) - 2;
      for (let n = 0; n < leaves; n++) await ask('FR', leaf);
      assert.equal(kinds.splice(0).length, leaves);
      await ask('FR', asking);
      void ask('FR', leaf);
      await settled();
      await ask('IT', leaf);
      assert.deepEqual(kinds, ['FR evidence', 'IT leaf']);
      await clock.advance(200);
      assert.equal(kinds.length, 2);
      await clock.advance(120);
      assert.deepEqual(kinds.slice(2), ['FR leaf']);
    });

    it('T17: it is refused where it would have to wait longer than anybody does', async () => {
      const { ask, kinds, clock } = await askedOut();
      await Promise.all(Array.from({ length: REQUESTS_AT_ONCE.ofPeer }, () => ask('FR', asking)));
      assert.equal(kinds.splice(0).length, REQUESTS_AT_ONCE.ofPeer);
      const { perS } = ANSWERS_GIVEN.ofRegion;
      const debtS = ((REQUESTS_AT_ONCE.ofPeer - 1) * COST) / perS;
      await ask('FR', asking);
      assert.deepEqual(kinds.splice(0), ['FR refused']);
      await clock.advance(1_000 * (debtS - 1.1));
      void ask('FR', asking);
      await settled();
      assert.deepEqual(kinds.splice(0), ['FR refused']);
      await clock.advance(200);
      void ask('FR', asking);
      await settled();
      assert.deepEqual(kinds, []);
      await clock.advance(1_000);
      assert.deepEqual(kinds, ['FR evidence']);
    });

    it('T17: however many do so, one that asks little is answered at once, and nobody is kept longer than he waits', async () => {
      const share = (peer: string) => ({ region: peer.split(' ')[0] ?? '', isInvited: false });
      const { syncServer, clock } = await server(0, { evidence, shareOf: share });
      let isOver = false;
      let answered = 0;
      let heldMs = 0;
      const insist = async (peer: string): Promise<void> => {
        while (!isOver) {
          const atMs = clock.nowMs();
          const { kind } = parseAnswer(await syncServer.answer(peer, encodeRequest(asking)));
          heldMs = Math.max(heldMs, clock.nowMs() - atMs);
          if (kind === 'evidence') answered++;
          else await clock.wait(50);
        }
      };
      const regions = ['ES', 'FR', 'IT', 'PT', 'SE'];
      const nodes = regions.flatMap((region) => [`${region} one`, `${region} two`]);
      const insisting = nodes.flatMap((node) => Array.from({ length: 8 }, () => insist(node)));
      const leaf = { kind: 'leaf', origin: ORIGIN, index: 7, size: SIZE } as const;
      for (let s = 0; s < 5; s++) {
        for (const request of [{ kind: 'heads' }, leaf] as const) {
          const atMs = clock.nowMs();
          const answer = parseAnswer(await syncServer.answer('AT one', encodeRequest(request)));
          assert.equal(answer.kind, request.kind);
          assert.equal(clock.nowMs(), atMs);
        }
        await clock.advance(1_000);
      }
      isOver = true;
      await clock.advance(2_000);
      await Promise.all(insisting);
      assert.ok(answered > 5 * (ANSWERS_GIVEN.ofAll.perS / COST) * 0.8);
      assert.ok(heldMs <= ANSWER_MS_MAX / 2, `kept for ${heldMs} ms`);
    });

    it('is answered at the end of its node, and not kept waiting', async () => {
      const { syncServer } = await server(0, { evidence });
      for (let n = 0; n < ANSWERS_GIVEN.ofRegion.burst / COST; n++)
        await syncServer.answer('FR', encodeRequest(asking));
      const last = syncServer.answer('FR', encodeRequest(asking));
      syncServer.stop();
      assert.equal(parseAnswer(await last).kind, 'refused');
    });
  });

  it('a peer that sends what is no request is left alone after three times, for ten minutes', async () => {
    const { syncServer, book, clock } = await server();
    for (let i = 0; i < FAULTS_MAX; i++) {
      assert.equal(book.isBanned('FR'), false);
      const answer = parseAnswer(await syncServer.answer('FR', Uint8Array.of(0xff)));
      assert.deepEqual(answer, { kind: 'refused', reason: 'malformed' });
    }
    assert.equal(book.isBanned('FR'), true);
    assert.equal(book.isBanned('IT'), false);
    const heads = encodeRequest({ kind: 'heads' });
    assert.deepEqual(parseAnswer(await syncServer.answer('FR', heads)), { kind: 'refused', reason: 'busy' });
    await clock.advance(BAN_MS);
    assert.equal(parseAnswer(await syncServer.answer('FR', heads)).kind, 'heads');
  });
});
