import assert from 'node:assert/strict';
import { logKey, testKey, verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { medium, rejectsWith, startedStore } from '../../support/store-fixture.ts';
import { ATTEST, CHECKPOINT_KEY, claimOf, permitOf, TRUST } from '../../support/writer-words.ts';
import { type VerifierKey } from '../../../protocol/log/verifier-key.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { WriterBook } from '../../../node/writer/writer-book.ts';
import {
  encodeWriterAnswer,
  encodeWriterRequest,
  type WriterAnswer,
} from '../../../node/writer/writer-messages.ts';
import { WriterServer } from '../../../node/writer/writer-server.ts';
import { Writership } from '../../../node/writer/writership.ts';

type Claimed = ReturnType<typeof claimOf>;
type Permitted = ReturnType<typeof permitOf>;

/** Witnesses with their real memory; one may answer something else, or nothing. */
async function electorate() {
  const clock = new ManualClock(1_795_436_400_000);
  const ground = {
    keys: [logKey(TRUST, 1).key, logKey(TRUST, 2).key],
    /** What the writer knows of its keys before its witnesses do. */
    own: undefined as VerifierKey[] | undefined,
    signer: CHECKPOINT_KEY,
    witnesses: ['FR', 'IT', 'ES'],
    instead: new Map<string, WriterAnswer | 'silence'>(),
  };
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
  const keysOf = () => ground.keys;
  const servers = new Map<string, WriterServer>();
  for (const region of ['FR', 'IT', 'ES', 'PL']) {
    const places = { store: await startedStore(medium()), secondPlace: new MemorySecondPlace() };
    const isNamed = () => false;
    const writers = new WriterBook({ ...places, sha256, verifySignature, keysOf, isNamed });
    const modules = { network: network.join(region), book: new PeerBook({ clock }), writers };
    const rootWord = () => undefined;
    servers.set(region, new WriterServer({ ...modules, keysOf, rootWord, isWitness: () => true }));
  }
  const request = async (peer: string, _protocol: string, bytes: Uint8Array): Promise<Uint8Array> => {
    const answer = ground.instead.get(peer);
    if (answer === 'silence') return new Uint8Array();
    if (answer !== undefined) return encodeWriterAnswer(answer);
    return (servers.get(peer) ?? assert.fail()).answer('CN-33', bytes);
  };
  const client = {
    peers: () => [...servers.keys()],
    request,
    blaming: (_: string, work: () => never) => work(),
  };
  let session = 1;
  const writer = (machine = 1): Writership =>
    new Writership(
      { origin: TRUST, writer: testKey(100 + machine).publicKey },
      {
        client,
        clock,
        random: (length) => new Uint8Array(length).fill(session++),
        verifySignature,
        regionOf: (peer) => peer,
        witnesses: () => ground.witnesses,
        folded: () => 0,
        trees: () => [],
        checkpointKey: () => ({ ...ground.signer, keyId: new Uint8Array(4) }),
        keys: () => ground.own ?? ground.keys,
      },
    );
  /** Asks a witness for a tree in the name of a machine. */
  const ask = (region: string, claim: Claimed, permit: Permitted) =>
    request(region, '', encodeWriterRequest({ kind: 'permit', claim: claim.bytes, permit: permit.bytes }));
  return { ground, writer, ask };
}

const root = (tree: number) => new Uint8Array(32).fill(tree);

/** Claims epoch 5 by the first key, and has a tree permitted by the second. */
async function longReign() {
  const world = await electorate();
  for (let epoch = 1; epoch < 5; epoch++) await world.writer(2 - (epoch % 2)).take('promote');
  const old = world.writer(1);
  await old.take('promote');
  world.ground.signer = testKey(2);
  await old.permit({ origin: TRUST, from: 0, size: 10, root: root(1) });
  assert.equal(old.report?.epoch, 5);
  return { ...world, old };
}

describe('Writership where keys are given up and witnesses lie', () => {
  it('T11: where the key of the claim is given up, its permits still bind: the next epoch is above theirs, and its trees outrank them', async () => {
    const { ground, writer } = await longReign();
    ground.keys = ground.keys.slice(1);
    const next = writer(2);
    await next.take('promote');
    assert.equal(next.report?.epoch, 6);
    assert.deepEqual(next.pledges, [{ origin: TRUST, epoch: 5, size: 10, root: root(1) }]);
    next.keep({ origin: TRUST });
    await next.permit({ origin: TRUST, from: 10, size: 12, root: root(2) });
    const third = writer(1);
    await third.take('promote');
    assert.deepEqual(third.pledges, [{ origin: TRUST, epoch: 6, size: 12, root: root(2) }]);
  });

  it('T11: a writer whose claim was signed by a key that is given up claims anew, and writes on', async () => {
    const { ground, old } = await longReign();
    ground.keys = ground.keys.slice(1);
    const both = [
      old.permit({ origin: TRUST, from: 10, size: 11, root: root(2) }),
      old.permit({ origin: ATTEST, from: 0, size: 1, root: root(3) }),
    ];
    await Promise.all(both);
    assert.deepEqual([old.report?.isSelf, old.report?.epoch], [true, 6]);
    ground.keys = [];
    await rejectsWith(old.confirm(), 'LOG_BEHIND', /FR, IT, ES take no words by the key of this machine/);
  });

  it('T3, T11: a witness that has not heard that a key is given up hides what another had permitted: its grant does not count until it has', async () => {
    const { ground, writer, ask } = await longReign();
    const thief = { epoch: 9, machine: 9 };
    for (const region of ground.witnesses)
      await ask(region, claimOf(thief), permitOf(thief, { from: 10, size: 10 ** 9 }));
    ground.own = ground.keys.slice(1);
    const next = writer(2);
    await rejectsWith(next.take('promote'), 'PEER_UNREACHABLE', /0 of 2/);
    ground.keys = ground.own;
    await next.take('promote');
    assert.deepEqual(next.pledges, [{ origin: TRUST, epoch: 5, size: 10, root: root(1) }]);
  });

  it('tells witnesses that do not know its key apart from those that are silent', async () => {
    const { ground, old } = await longReign();
    ground.signer = testKey(3);
    const asked = { origin: TRUST, from: 10, size: 11, root: root(2) };
    await rejectsWith(old.permit(asked), 'PEER_UNREACHABLE', /0 of 2 .*; FR, IT, ES does not know the key/);
    ground.signer = testKey(2);
    for (const region of ground.witnesses) ground.instead.set(region, 'silence');
    await rejectsWith(old.permit(asked), 'PEER_UNREACHABLE', /0 of 2 [^;]*$/);
  });

  it('T5: no liar stops it with a word of old, its own, of another log or of what it has signed', async () => {
    const { ground, old } = await longReign();
    const [reign, asked] = [
      { epoch: 5, session: 5 },
      { origin: TRUST, from: 10, size: 11, root: root(2) },
    ];
    ground.instead.set('FR', 'silence').set('IT', 'silence');
    const { bytes: own } = claimOf(reign);
    const lies: WriterAnswer[] = [
      { kind: 'fenced', claim: own },
      { kind: 'fenced', claim: claimOf({ epoch: 4, machine: 2 }).bytes },
      { kind: 'taken', permit: permitOf({ epoch: 4, machine: 2 }, { from: 0, size: 50 }).bytes },
      { kind: 'taken', permit: permitOf(reign, { from: 0, size: 50, origin: ATTEST }).bytes },
      { kind: 'taken', permit: permitOf(reign, { from: 0, size: 10, tree: 1 }).bytes },
      { kind: 'taken', permit: permitOf(reign, { from: 10, size: 11, tree: 2 }).bytes },
      { kind: 'taken', permit: permitOf({ epoch: 9 }, { from: 10, size: 11 }, testKey(9)).bytes },
    ];
    for (const [i, lie] of lies.entries()) {
      ground.instead.set('ES', lie);
      await rejectsWith(old.permit(asked), 'PEER_UNREACHABLE', undefined);
      await rejectsWith(old.confirm(), 'PEER_UNREACHABLE', undefined);
      assert.ok(old.report?.isSelf, `lie ${i}`);
    }
    ground.instead.clear();
    await old.permit(asked);
  });

  it('T4, T9: a later epoch, another process in the same and another tree in its place stop it', async () => {
    const [reign, asked] = [
      { epoch: 5, session: 5 },
      { origin: TRUST, from: 10, size: 11, root: root(2) },
    ];
    const proofs: WriterAnswer[] = [
      { kind: 'fenced', claim: claimOf({ epoch: 6, machine: 2 }).bytes },
      { kind: 'fenced', claim: claimOf({ epoch: 5, session: 9 }).bytes },
      { kind: 'taken', permit: permitOf({ epoch: 6 }, { from: 0, size: 1, origin: ATTEST }).bytes },
      { kind: 'taken', permit: permitOf(reign, { from: 10, size: 11, tree: 3 }).bytes },
    ];
    for (const proof of proofs) {
      const { ground, old } = await longReign();
      ground.instead.set('FR', 'silence').set('IT', 'silence').set('ES', proof);
      await rejectsWith(old.permit(asked), 'LOG_FENCED');
      ground.instead.clear();
      await rejectsWith(old.permit(asked), 'LOG_FENCED');
    }
  });
});
