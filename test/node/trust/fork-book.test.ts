import assert from 'node:assert/strict';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { type VerifySignature } from '../../../protocol/primitives.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { type Store } from '../../../node/store/store.ts';
import { FORKS_MAX } from '../../../node/sync/sync-limits.ts';
import { FORKS_DISOWNED_MAX, FORKS_KEPT_MAX, ForkBook, isDisowned } from '../../../node/trust/fork-book.ts';
import { allVerifierKeys } from '../../../node/trust/log-keys.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { RegionFixture, type TestKey, trustModules } from '../../support/region-fixture.ts';
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
  const opened = () => ForkBook.open(proofs.ORIGIN, { ...trustModules, verifySignature, store });
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
