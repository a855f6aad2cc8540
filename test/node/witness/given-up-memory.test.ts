import assert from 'node:assert/strict';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { openCheckpoint, signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Followed } from '../../../node/sync/followed.ts';
import { UnheldForks } from '../../../node/evidence/unheld-forks.ts';
import { readLeft } from '../../../node/witness/left-mark.ts';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { type Claim } from '../../../node/log/replica.ts';
import { type Change, type HighWater } from '../../../node/ports.ts';
import { type Store } from '../../../node/store/store.ts';
import { storedEvidence } from '../../../node/trust/stored-evidence.ts';
import {
  type GivenUpMemoryModules,
  leaveGivenUp,
  treeAtLeft,
} from '../../../node/witness/given-up-memory.ts';
import { settleLeft } from '../../../node/witness/left-proof.ts';
import { logVerifierKeys } from '../../../node/trust/log-keys.ts';
import { PublishedLog, words } from '../../support/published-log.ts';
import { LOG_ID, RegionFixture, trustModules } from '../../support/region-fixture.ts';
import { hurriedClock, medium, startedStore } from '../../support/store-fixture.ts';

const ORIGIN = `FR.test/attest/${LOG_ID}`;
const logOf = (count: number, word: string, key: string) =>
  new PublishedLog([...words(4), ...words(count - 4, word)], { origin: ORIGIN, key: `FR.test/trust ${key}` });
const good = (key = 'fresh checkpoint') => logOf(20, 'good', key);
const bad = (count = 9, key = 'checkpoint') => logOf(count, 'bad', key);

describe('leaveGivenUp', () => {
  let region: RegionFixture;
  let store: Store;
  /** The copies that are held, and what is brought against them. */
  const held = new Map<string, Pick<Followed, 'accuse'>>();
  beforeEach(async () => {
    held.clear();
    region = new RegionFixture({ region: 'FR' });
    region.admit([{ key: region.key('fresh checkpoint'), role: 'checkpoint' }]);
    store = await startedStore(medium());
  });
  afterEach(() => store.stop());

  const giveUp = (size = 10, log = good(), key = region.keys.checkpoint) =>
    region.add(region.compromise(key, { [LOG_ID]: { size, root: log.tree.root(size) } }));

  /** Whether a witness that saw this begins anew when a peer shows that, which it then cosigns, and how often the peer was asked. */
  async function leaves(
    seen: {
      readonly size: number;
      readonly tree: { root: () => Uint8Array };
      readonly note: () => Uint8Array;
    },
    shown: PublishedLog,
    change: (claim: Claim) => Claim = (claim) => claim,
  ): Promise<{ left: boolean; asked: number }> {
    let known: HighWater | undefined = { size: seen.size, root: seen.tree.root(), note: seen.note() };
    let asked = 0;
    const forks = new UnheldForks({
      ...trustModules,
      store,
      clock: hurriedClock,
      logs: () => held,
      stateOf: () => region.state,
      onTrouble: (error) => assert.fail(String(error)),
    });
    const modules = {
      ...trustModules,
      store,
      forks,
      client: {
        ask: (_peer: string, { size }: { size: number }) => {
          asked++;
          return Promise.resolve({ kind: 'claim', ...change(shown.claim(size)) });
        },
      },
      witness: {
        lastSeen: () => Promise.resolve(known),
        leave: async (
          _origin: string,
          isLeft: (one: HighWater) => Promise<boolean>,
          commit: (changes: readonly Change[]) => Promise<void>,
        ) => {
          if (known === undefined || !(await isLeft(known))) return commit([]);
          known = undefined;
          await commit([{ del: `witness/${ORIGIN}` }]);
        },
      },
    } as unknown as GivenUpMemoryModules;
    const left = await leaveGivenUp('peer', ORIGIN, region.state, modules);
    assert.equal(left, known === undefined);
    const there = await treeAtLeft('peer', shown.note(), modules);
    const { sha256, verifySignature } = trustModules;
    const checkpoint = openCheckpoint(
      shown.note(),
      logVerifierKeys(sha256, region.state, ORIGIN),
      verifySignature,
    );
    const keep = (origin: string, fork: ForkEvidence) => forks.keep(origin, fork);
    const settled = await settleLeft(checkpoint, shown.note(), there, { ...modules, keepFork: keep });
    await store.write(settled ?? assert.fail('the peer has shown it'));
    return { left, asked };
  }

  it('A15: keeps what it left while the log was shorter, and proves the fork once the log is as long', async () => {
    giveUp(8);
    const [sooner, later] = [bad(30), bad(35)];
    for (const seen of [later, sooner, later])
      assert.deepEqual(await leaves(seen, good()), { left: true, asked: 1 });
    assert.deepEqual(await storedEvidence(store), []);
    const longer = logOf(31, 'good', 'fresh checkpoint');
    assert.deepEqual(await leaves(good(), longer), { left: false, asked: 1 });
    const [evidence, ...more] = await storedEvidence(store);
    assert.deepEqual([evidence?.fork.evidence.size, more.length], [30, 0]);
    assert.deepEqual(await leaves(longer, longer), { left: false, asked: 0 });
  });

  it('A15: is told by no other checkpoint than the one that is cosigned whether it was another tree', async () => {
    giveUp(8);
    const seen = bad(30);
    assert.deepEqual(await leaves(seen, good()), { left: true, asked: 1 });
    const [longer, asBefore] = [logOf(31, 'good', 'fresh checkpoint'), bad(32, 'fresh checkpoint')];
    const isBusy = (error: unknown) => isNodeError(error, 'LOG_BUSY');
    const proven = { ...asBefore.claim(30) };
    await assert.rejects(
      leaves(good(), longer, () => proven),
      isBusy,
    );
    assert.equal((await readLeft(ORIGIN, store))?.size, 30);
    assert.deepEqual(await leaves(good(), longer), { left: false, asked: 1 });
    assert.equal((await storedEvidence(store)).length, 1);
  });

  it('T3: gives the proof to the copy of the log that is held', async () => {
    giveUp();
    const brought: ForkEvidence[] = [];
    held.set(ORIGIN, { accuse: (evidence) => Promise.resolve(void brought.push(evidence)) });
    assert.deepEqual(await leaves(bad(), good()), { left: true, asked: 2 });
    assert.deepEqual([brought.length, (await storedEvidence(store)).length], [1, 0]);
  });

  it('A15: goes by a checkpoint of that size itself', async () => {
    giveUp(8);
    assert.deepEqual(await leaves(bad(30), good()), { left: true, asked: 1 });
    assert.deepEqual(await leaves(good(), logOf(30, 'good', 'fresh checkpoint')), { left: false, asked: 0 });
    assert.equal((await storedEvidence(store)).length, 1);
  });

  it('A14: accuses nobody where what it left for an older checkpoint turns out to be the same tree', async () => {
    giveUp();
    const ahead = logOf(14, 'good', 'checkpoint');
    assert.deepEqual(await leaves(ahead, logOf(12, 'good', 'fresh checkpoint')), { left: true, asked: 1 });
    for (const [size, asked] of [
      [13, 0],
      [15, 1],
      [16, 0],
    ] as const)
      assert.deepEqual(await leaves(good(), logOf(size, 'good', 'fresh checkpoint')), { left: false, asked });
    assert.deepEqual(await storedEvidence(store), []);
  });

  it('A15, T3: begins anew with the tree that the root named, and keeps the proof of the fork', async () => {
    giveUp();
    assert.deepEqual(await leaves(bad(), good()), { left: true, asked: 2 });
    const [evidence, ...more] = await storedEvidence(store);
    assert.deepEqual([evidence?.origin, evidence?.fork.evidence.size, more.length], [ORIGIN, 9, 0]);
  });

  it('A14: asks nobody where nothing is given up, another key, or without this log', async () => {
    const untouched = { left: false, asked: 0 };
    assert.deepEqual(await leaves(bad(), good()), untouched);
    giveUp(10, good(), region.keys.witness);
    assert.deepEqual(await leaves(bad(), good()), untouched);
    region.add(region.compromise(region.keys.checkpoint, { trust: region.cutOff() }));
    assert.deepEqual(await leaves(bad(), good()), untouched);
    assert.deepEqual(await leaves(bad(9, 'stranger'), good()), untouched);
    assert.deepEqual(await storedEvidence(store), []);
  });

  it('A15, T3: a cut-off short of what was seen will do, whether the log is as long by now or not', async () => {
    giveUp(8);
    assert.deepEqual(await leaves(bad(), good()), { left: true, asked: 2 });
    assert.equal((await storedEvidence(store)).length, 1);
    assert.deepEqual(await leaves(bad(30), good()), { left: true, asked: 1 });
  });

  it('T11: who saw a thief say that a log has more entries than it ever will begins anew with the tree that the root named', async () => {
    giveUp();
    const { publicKey, sign } = region.keys.checkpoint;
    const key = makeVerifierKey(trustModules.sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
    const checkpoint = { origin: ORIGIN, size: 2 ** 52, root: new Uint8Array(32).fill(7) };
    const ahead = {
      size: checkpoint.size,
      tree: { root: () => checkpoint.root },
      note: () => encodeNote(signCheckpoint(checkpoint, key, sign)),
    };
    assert.equal((await leaves(ahead, logOf(20, 'other', 'fresh checkpoint'))).left, false, 'another tree');
    assert.deepEqual(await leaves(ahead, good()), { left: true, asked: 1 });
  });

  it('T9: keeps what is on the tree that the root named, and is moved by no other tree', async () => {
    giveUp();
    const onIt = logOf(9, 'good', 'checkpoint');
    assert.equal((await leaves(onIt, good())).left, false);
    assert.equal((await leaves(logOf(14, 'good', 'checkpoint'), good())).left, false, 'beyond the cut-off');
    assert.equal((await leaves(bad(), logOf(20, 'other', 'fresh checkpoint'))).left, false);
  });

  const refuses = (title: string, code: FaultCode, shown: PublishedLog, change?: (claim: Claim) => Claim) =>
    it(`refuses ${title}`, async () => {
      giveUp();
      await assert.rejects(leaves(bad(), shown, change), (error) => isProtocolError(error, code));
    });
  refuses('a tree by the key that was given up', 'NOTE_UNSIGNED', good('checkpoint'));
  refuses('a tree by a key that nobody knows', 'NOTE_UNSIGNED', good('stranger'));
  refuses('a proof that is none', 'PROOF_INVALID', good(), (claim) => ({
    ...claim,
    path: claim.path.slice(1),
  }));
  refuses('a claim of another size', 'PROOF_INVALID', good(), (claim) => ({
    ...claim,
    size: claim.size + 1,
  }));
  refuses('a root that the tree has not', 'PROOF_INVALID', good(), (claim) =>
    claim.size === 9 ? { ...claim, root: new Uint8Array(32) } : claim,
  );
});
