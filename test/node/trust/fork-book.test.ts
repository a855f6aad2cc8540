import assert from 'node:assert/strict';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { NOTE_SIGNATURES_MAX } from '../../../protocol/limits.ts';
import { encodeNote, parseNote, signNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type VerifySignature } from '../../../protocol/primitives.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { LogTree } from '../../../node/log/log-tree.ts';
import { NodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { type Store } from '../../../node/store/store.ts';
import { Mirror } from '../../../node/sync/mirror.ts';
import { FORKS_MAX } from '../../../node/sync/sync-limits.ts';
import { systemClock } from '../../../node/system-clock.ts';
import {
  FORK_PREFIX,
  FORKS_DISOWNED_MAX,
  FORKS_KEPT_MAX,
  ForkBook,
  isDisowned,
} from '../../../node/trust/fork-book.ts';
import { allVerifierKeys } from '../../../node/trust/log-keys.ts';
import { TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { WitnessKeys } from '../../../node/trust/witness-keys.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture, type TestKey, testKey, trustModules } from '../../support/region-fixture.ts';
import { medium, startedStore } from '../../support/store-fixture.ts';

/** By one key, at a size where the trees differ. */
function forkBy(key: TestKey, at: number): ForkEvidence {
  const sides = [proofs.story, proofs.otherStory].map((tree) => proofs.sideOf(tree, at, { key }));
  return { size: at, sides: sides as [ForkEvidence['sides'][0], ForkEvidence['sides'][1]] };
}

describe('ForkBook', () => {
  const SIZES = [4, 5, 6, 7, 8, 9];
  let region: RegionFixture;
  let store: Store;
  let book: ForkBook;
  let checked: number;
  beforeEach(async () => {
    checked = 0;
    region = new RegionFixture({ region: 'DE', network: proofs.NETWORK });
    store = await startedStore(medium());
    book = await opened();
  });
  afterEach(() => store.stop());

  const verifySignature: VerifySignature = (check) => {
    checked++;
    return trustModules.verifySignature(check);
  };
  const opened = () =>
    ForkBook.open(proofs.ORIGIN, { ...trustModules, clock: systemClock, verifySignature, store });
  const admitted = (names: readonly string[]) => {
    const keys = names.map((name) => region.key(name));
    region.admit(keys.map((key) => ({ key, role: 'checkpoint' })));
    return keys;
  };
  /** Whether it is kept. */
  const take = async (fork: ForkEvidence, state: Pick<TrustState, 'key'> = region.state) => {
    const keys = allVerifierKeys(trustModules.sha256, region.state, proofs.ORIGIN);
    return (await book.take(fork, keys, state)) !== undefined;
  };
  const count = (one: ForkBook) => {
    const disowned = one.forks.filter((fork) => isDisowned(fork, region.state)).length;
    return { disowned, standing: one.forks.length - disowned };
  };

  it('T3, T5: keeps few of what a thief of keys that were given up makes, and what stands beside them', async () => {
    const [stolen = assert.fail(), another = assert.fail(), good = assert.fail()] = admitted(['a', 'b', 'c']);
    for (const key of [stolen, another]) region.add(region.compromise(key, {}));
    let taken = 0;
    for (const key of [stolen, another]) for (const at of SIZES) if (await take(forkBy(key, at))) taken++;
    assert.equal(taken, FORKS_DISOWNED_MAX);
    assert.equal(await take(forkBy(good, 4)), true);
    assert.deepEqual(count(book), { disowned: FORKS_DISOWNED_MAX, standing: 1 });
    const given = book.forks.slice(0, FORKS_MAX);
    assert.ok(!given.every((fork) => isDisowned(fork, region.state)), 'an answer has room for it');
  });

  it('A28: verifies a proof that is disowned and has no place once, and again where its key is not given up', async () => {
    const [stolen = assert.fail()] = admitted(['a']);
    region.add(region.compromise(stolen, {}));
    const [late = assert.fail(), ...others] = SIZES.map((at) => forkBy(stolen, at));
    for (const fork of others.slice(0, FORKS_DISOWNED_MAX)) assert.equal(await take(fork), true);
    const before = checked;
    for (let i = 0; i < 3; i++) assert.equal(await take(late), false);
    assert.equal(checked, before + 2, 'the line under each note');
    assert.equal(await take(late, { key: () => undefined }), true);
  });

  it('T5: where all places are taken, one that stands takes that of one that is disowned, for good', async () => {
    const keys = admitted(Array.from({ length: FORKS_KEPT_MAX / 4 }, (_, i) => `key ${i}`));
    const [last = assert.fail()] = admitted(['last']);
    for (const key of keys) {
      for (const at of SIZES.slice(0, 4)) assert.equal(await take(forkBy(key, at)), true);
      region.add(region.compromise(key, {}));
    }
    assert.deepEqual(count(book), { disowned: FORKS_KEPT_MAX, standing: 0 });
    assert.equal(await take(forkBy(last, 4)), true);
    for (const one of [book, await opened()])
      assert.deepEqual(count(one), { disowned: FORKS_KEPT_MAX - 1, standing: 1 });
  });
});

describe('ForkBook.open', () => {
  it('F4: what is damaged keeps its place, and is made good by the same proof though none that is disowned finds room', async () => {
    const region = new RegionFixture({ region: 'DE', network: proofs.NETWORK });
    const key = region.key('a');
    region.admit([{ key, role: 'checkpoint' }]);
    const store = await startedStore(medium());
    const modules = { ...trustModules, clock: systemClock, store };
    const troubles: unknown[] = [];
    const opened = () => ForkBook.open(proofs.ORIGIN, modules, (error) => troubles.push(error));
    const take = (book: ForkBook, at: number) =>
      book.take(forkBy(key, at), allVerifierKeys(sha256, region.state, proofs.ORIGIN), region.state);
    const first = await opened();
    const sizes = Array.from({ length: FORKS_DISOWNED_MAX + 1 }, (_, i) => i + 4);
    for (const at of sizes) assert.ok(await take(first, at));
    const damaged = [...first.proofs.keys()].at(-1) ?? assert.fail();
    await store.write([{ put: `${FORK_PREFIX}/${proofs.ORIGIN}/${damaged}`, value: Uint8Array.of(1) }]);
    region.add(region.compromise(key, {}));
    const book = await opened();
    assert.deepEqual([book.forks.length, book.unread, troubles.length], [FORKS_DISOWNED_MAX, 1, 1]);
    assert.equal(await take(book, sizes.length + 4), undefined, 'another is one too many');
    assert.ok(await take(book, sizes.at(-1) ?? 0));
    assert.deepEqual([book.forks.length, book.unread], [sizes.length, 0]);
    assert.deepEqual([(await opened()).unread, troubles.length], [0, 1]);
    await store.stop();
  });
});

describe('ForkBook.learn', () => {
  it('A28: reads each note once however many keys are named, verifies only lines under their ids, and lets others have their turn', async () => {
    let checked = 0;
    const store = await startedStore(medium());
    const verifySignature: VerifySignature = (check) => {
      checked++;
      return trustModules.verifySignature(check);
    };
    const opened = () =>
      ForkBook.open(proofs.ORIGIN, { ...trustModules, clock: systemClock, verifySignature, store });
    const verifierOf = (publicKey: Uint8Array) =>
      makeVerifierKey(sha256, { name: proofs.ORIGIN, algorithm: ED25519, publicKey });
    const [first, second, third, ...others] = Array.from({ length: 12 }, (_, i) => testKey(`key ${i}`));
    const known = [first ?? assert.fail(), second ?? assert.fail()];
    const { publicKey, sign } = third ?? assert.fail();
    const signer = verifierOf(publicKey);
    const claimed = others.map((key) => verifierOf(key.publicKey));
    const strangers = Array.from({ length: 390 }, (_, i) => verifierOf(sha256(Uint8Array.of(i, i >> 8))));
    /** With a line of one who is to be named, lines that others who are have not made, and as many as a note takes. */
    const crowded = (side: ForkEvidence['sides'][0]) => {
      const { text, signatures } = parseNote(side.note);
      const lines = [...signatures, signNote(signer, text, sign)];
      for (const { keyId } of claimed) lines.push({ name: proofs.ORIGIN, keyId, bytes: new Uint8Array(64) });
      while (lines.length < NOTE_SIGNATURES_MAX)
        lines.push({ name: proofs.ORIGIN, keyId: lines.length, bytes: new Uint8Array(340) });
      return { ...side, note: encodeNote({ text, signatures: lines }) };
    };
    const book = await opened();
    for (const key of known)
      for (const at of [4, 5, 6, 7]) {
        const { size, sides } = forkBy(key, at);
        const fork = { size, sides: [crowded(sides[0]), crowded(sides[1])] as const };
        await book.take(fork, [verifierOf(key.publicKey)]);
      }
    assert.equal(book.forks.length, FORKS_MAX);
    const keys = [...known.map((key) => verifierOf(key.publicKey)), signer, ...claimed, ...strangers];
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    for (const [next, lines] of [
      [() => Promise.resolve(book), 1 + claimed.length],
      [opened, claimed.length],
    ] as const) {
      const one = await next();
      [checked, turns] = [0, 0];
      await one.learn(keys);
      assert.equal(checked, 2 * FORKS_MAX * lines);
      assert.ok(turns >= FORKS_MAX, `${turns} turns of others`);
      const signed = (side: readonly string[]) => side.includes(keyIdOf(sha256, publicKey));
      assert.ok(one.forks.every(({ signers }) => signers.every(signed)));
      await one.learn([...keys].reverse());
      assert.equal(checked, 2 * FORKS_MAX * lines, 'nobody is new');
    }
    isOver = true;
    await store.stop();
  });

  const grownRegion = (revocations: number): RegionFixture => {
    const region = new RegionFixture({ region: 'FR' });
    for (let i = 0; i < revocations; i++) region.revoke([i]);
    return region;
  };
  /** A note with the lines of both. */
  const joined = (one: Uint8Array, other: Uint8Array): Uint8Array => {
    const { text, signatures } = parseNote(one);
    return encodeNote({ text, signatures: [...signatures, ...parseNote(other).signatures] });
  };

  /** A proof of which each side is signed by the first key and by one that is not named yet. */
  const signedTwice = () => {
    const region = grownRegion(6);
    const other = grownRegion(5);
    other.revoke([77]);
    const third = region.key('checkpoint 3');
    const size = region.entries.length;
    const sideOf = (log: RegionFixture) => {
      const note = joined(noteOf(log), noteOf(log, size, third));
      return { note, root: log.rootAt(size), path: [] };
    };
    const evidence: ForkEvidence = { size, sides: [sideOf(region), sideOf(other)] };
    return { region, third, evidence };
  };

  it('T4: a proof counts alike whether it came before or after a key was named that had signed both sides, also by the next process', async () => {
    const { region, third, evidence } = signedTwice();
    const told: string[] = [];
    const early = await keeperOf(region, { onFork: (origin) => told.push(origin) });
    await early.keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    await early.keeper.accuse(evidence);
    region.admit([{ key: region.key('checkpoint 2'), role: 'checkpoint' }]);
    region.add(region.compromise(region.keys.checkpoint, {}));
    const grow = async ({ keeper }: typeof early) => {
      const from = keeper.tree.size;
      const note = noteOf(region, undefined, region.key('checkpoint 2'));
      await keeper.apply({ from, entries: region.entries.slice(from), note });
    };
    await grow(early);
    assert.deepEqual(early.keeper.standingForks, [], 'by a key that was given up, and one that nobody knows');
    region.admit([{ key: third, role: 'checkpoint' }]);
    await grow(early);
    const late = await keeperOf(region);
    await grow(late);
    await late.keeper.accuse(evidence);
    for (const { keeper } of [early, late]) assert.deepEqual(keeper.standingForks, [evidence]);
    assert.deepEqual([...early.keeper.proofs], [...late.keeper.proofs]);
    assert.deepEqual(told, [region.origin, region.origin], 'once it counts again');
    await early.store.stop();
    const { keeper: next } = await keeperOf(region, { on: early.on });
    assert.deepEqual([...next.proofs], [...late.keeper.proofs]);
  });

  it('F3: counts where the disk takes nothing too, also for a keeper that is opened, and is written once it can be', async () => {
    const { region, third, evidence } = signedTwice();
    const { keeper, store } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    await keeper.accuse(evidence);
    const from = region.entries.length;
    region.admit([{ key: third, role: 'checkpoint' }]);
    const write = store.write.bind(store);
    const isOfFork = (change: Change) => 'put' in change && change.put.startsWith(`${FORK_PREFIX}/`);
    store.write = (changes) =>
      changes.some(isOfFork) ? Promise.reject(new NodeError('STORE_FULL', 'no space')) : write(changes);
    await keeper.apply({ from, entries: region.entries.slice(from), note: noteOf(region) });
    const { region: name, network, fingerprint } = region;
    const next = await TrustKeeper.open(
      { region: name, network, fingerprint },
      {
        ...trustModules,
        store,
        secondPlace: new MemorySecondPlace(),
        tree: keeper.tree,
        clock: systemClock,
        witnessKeys: () => new WitnessKeys([], sha256),
      },
    );
    const signersOf = (held: TrustKeeper['proofs']) => [...held.values()].map(({ signers }) => signers);
    const both = [region.keys.checkpoint.keyId, third.keyId];
    for (const one of [keeper, next]) assert.deepEqual(signersOf(one.proofs), [[both, both]]);
    const stored = async () => {
      const book = await ForkBook.open(region.origin, { ...trustModules, clock: systemClock, store });
      return signersOf(book.proofs);
    };
    const [first] = both;
    assert.deepEqual(await stored(), [[[first], [first]]]);
    store.write = write;
    await keeper.advance();
    assert.deepEqual(await stored(), [[both, both]]);
    await store.stop();
  });

  it('T4: of an attestation log too', async () => {
    const region = new RegionFixture({ region: 'DE', network: proofs.NETWORK });
    const third = region.key('checkpoint 3');
    const [first, second] = [proofs.story, proofs.otherStory].map((tree) => ({
      ...proofs.sideOf(tree, 9),
      note: joined(proofs.noteOn(tree), proofs.noteOn(tree, { key: third })),
    }));
    const evidence: ForkEvidence = { size: 9, sides: [first ?? assert.fail(), second ?? assert.fail()] };
    const store = await startedStore(medium());
    const tree = await LogTree.open(proofs.ORIGIN, {
      store,
      secondPlace: new MemorySecondPlace(),
      sha256,
    });
    const told: string[] = [];
    const mirror = await Mirror.open({
      ...trustModules,
      clock: systemClock,
      store,
      tree,
      keys: () => [],
      state: () => region.state,
      onFork: (origin) => told.push(origin),
    });
    await mirror.accuse(evidence);
    region.add(region.compromise(region.keys.checkpoint, {}));
    assert.deepEqual(mirror.standingForks, []);
    region.admit([{ key: third, role: 'checkpoint' }]);
    assert.equal(await mirror.heed(proofs.noteOn(proofs.story, { key: third })), 'behind');
    assert.deepEqual(mirror.standingForks, [evidence]);
    assert.deepEqual(told, [proofs.ORIGIN, proofs.ORIGIN]);
    tree.close();
    await store.stop();
  });
});
