import assert from 'node:assert/strict';
import {
  UNPROVEN_OF_KEY_MAX,
  UNPROVEN_OF_LOG_MAX,
  UNPROVEN_PREFIX,
  UnprovenNotes,
} from '../../../node/evidence/unproven-notes.ts';
import { type Store } from '../../../node/store/store.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { verifyForkEvidence } from '../../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../../protocol/log/verifier-key.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture, type TestKey, testKey, trustModules } from '../../support/region-fixture.ts';

describe('UnprovenNotes', () => {
  let region: RegionFixture;
  let keeper: TrustKeeper;
  let store: Store;
  let keys: VerifierKey[];
  let troubles: unknown[];
  const HELD = 4;

  beforeEach(async () => {
    region = new RegionFixture({ region: 'FR' });
    for (let i = 0; i < 8; i++) region.revoke([i]);
    ({ keeper, store } = await keeperOf(region));
    await grow(HELD);
    keys = [verifierOf(region.keys.checkpoint)];
    troubles = [];
  });
  afterEach(() => store.stop());

  function grow(size: number): Promise<unknown> {
    const from = keeper.tree.size;
    return keeper.apply({ from, entries: region.entries.slice(from, size), note: noteOf(region, size) });
  }

  function verifierOf({ publicKey }: TestKey): VerifierKey {
    return makeVerifierKey(sha256, { name: region.origin, algorithm: ED25519, publicKey });
  }

  /** Of a tree that is not that of the region. */
  function other(size: number, key = region.keys.checkpoint, which = 'another'): Uint8Array {
    const { origin } = region;
    const root = sha256(Buffer.from(which));
    return encodeNote(signCheckpoint({ origin, size, root }, verifierOf(key), key.sign));
  }

  async function opened(): Promise<UnprovenNotes> {
    const notes = new UnprovenNotes({
      ...trustModules,
      store,
      logs: () => new Map([[region.origin, keeper]]),
      keysOf: (origin) => (origin === region.origin ? keys : undefined),
      onTrouble: (error) => troubles.push(error),
    });
    await notes.open();
    return notes;
  }

  const stored = async () =>
    (await store.inspect(`${UNPROVEN_PREFIX}/`, 100)).filter(({ key }) =>
      key.startsWith(`${UNPROVEN_PREFIX}/`),
    ).length;

  it('A1: keeps what is ahead and of another tree until the copy is as long, then proves the fork', async () => {
    const notes = await opened();
    await notes.hear(region.origin, other(6));
    assert.deepEqual([notes.count(region.origin), keeper.forks.length], [1, 0]);
    await grow(5);
    await notes.lookAgain();
    assert.deepEqual([notes.count(region.origin), keeper.forks.length], [1, 0]);
    await grow(8);
    await notes.lookAgain();
    assert.deepEqual([notes.count(region.origin), await stored()], [0, 0]);
    const [fork] = keeper.forks;
    verifyForkEvidence(fork ?? assert.fail('nothing is proven'), keys, trustModules);
  });

  it('A1: so does the next process, also where the log has grown meanwhile', async () => {
    await (await opened()).hear(region.origin, other(6));
    assert.equal((await opened()).count(region.origin), 1);
    await grow(8);
    assert.deepEqual([(await opened()).count(region.origin), keeper.forks.length], [0, 1]);
  });

  it('forgets what turns out to be of the tree that is held, and accuses nobody', async () => {
    const notes = await opened();
    for (const size of [6, 7]) await notes.hear(region.origin, noteOf(region, size));
    assert.equal(notes.count(region.origin), 2);
    await grow(8);
    await notes.lookAgain();
    assert.deepEqual([notes.count(region.origin), await stored(), keeper.forks.length], [0, 0, 0]);
  });

  it('A1: proves a fork by two that are ahead and of one size, without any entry of them', async () => {
    const notes = await opened();
    await notes.hear(region.origin, other(9));
    await notes.hear(region.origin, other(9, region.keys.checkpoint, 'a third'));
    const [fork] = keeper.forks;
    verifyForkEvidence(fork ?? assert.fail('nothing is proven'), keys, trustModules);
  });

  it('A12: one of the same size by a key that is given up keeps no other out, and proves nothing', async () => {
    const notes = await opened();
    const thief = testKey('a thief');
    keys = [...keys, verifierOf(thief)];
    await notes.hear(region.origin, other(6, thief));
    keys = keys.slice(0, 1);
    await notes.hear(region.origin, other(6, region.keys.checkpoint, 'a third'));
    assert.deepEqual([notes.count(region.origin), keeper.forks.length], [1, 0]);
    await grow(8);
    await notes.lookAgain();
    assert.equal(keeper.forks.length, 1);
  });

  it('A12: keeps nothing that no key of the log has signed, that is of another log, or that is given up', async () => {
    const notes = await opened();
    await notes.hear(region.origin, other(6, testKey('a stranger')));
    await notes.hear('DE.test/trust', noteOf(new RegionFixture({ region: 'DE' }), 2));
    keys = [];
    await notes.hear(region.origin, other(6));
    assert.deepEqual([notes.count(region.origin), await stored(), troubles], [0, 0, []]);
  });

  it('T17: keeps of one key so many, the smallest, and each of these once', async () => {
    const notes = await opened();
    const sizes = Array.from({ length: UNPROVEN_OF_KEY_MAX + 3 }, (_, i) => 20 - i);
    for (const size of [...sizes, 14, 30]) await notes.hear(region.origin, other(size));
    assert.deepEqual(
      [notes.count(region.origin), await stored()],
      [UNPROVEN_OF_KEY_MAX, UNPROVEN_OF_KEY_MAX],
    );
    await grow(10);
    await notes.lookAgain();
    assert.equal(notes.count(region.origin), UNPROVEN_OF_KEY_MAX);
    const again = await opened();
    assert.equal(again.count(region.origin), UNPROVEN_OF_KEY_MAX);
  });

  it('T17: what a key takes is no place of another, up to so many of all; one that is given up gives way', async () => {
    const notes = await opened();
    const thieves = Array.from({ length: UNPROVEN_OF_LOG_MAX / UNPROVEN_OF_KEY_MAX + 1 }, (_, i) =>
      testKey(`thief ${i}`),
    );
    keys = [...keys, ...thieves.map(verifierOf)];
    for (const [i, thief] of thieves.entries())
      for (let size = 0; size < UNPROVEN_OF_KEY_MAX; size++)
        await notes.hear(region.origin, other(100 + 10 * i + size, thief));
    assert.equal(notes.count(region.origin), UNPROVEN_OF_LOG_MAX);
    keys = keys.slice(0, 1);
    await notes.hear(region.origin, other(6));
    assert.deepEqual([notes.count(region.origin), await stored()], [1, 1]);
    assert.deepEqual(troubles, []);
  });
});
