import assert from 'node:assert/strict';
import { UnheldForks } from '../../../node/evidence/unheld-forks.ts';
import { type Store } from '../../../node/store/store.ts';
import { FORK_PREFIX } from '../../../node/trust/fork-book.ts';
import { type EvidenceOf } from '../../../protocol/evidence/evidence.ts';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { testKey, trustModules } from '../../support/region-fixture.ts';
import { hurriedClock, medium, startedStore } from '../../support/store-fixture.ts';

describe('UnheldForks', () => {
  const { ORIGIN } = proofs;
  let disk: FaultyMedium;
  let store: Store;
  let state: TrustState | undefined;
  const troubles: unknown[] = [];
  const held = new Map<string, { accuse: (evidence: ForkEvidence) => Promise<void> }>();
  beforeEach(async () => {
    held.clear();
    troubles.length = 0;
    ({ state } = proofs.accused);
    disk = medium();
    store = await startedStore(disk);
  });
  afterEach(() => store.stop());

  async function opened(): Promise<UnheldForks> {
    const forks = new UnheldForks({
      ...trustModules,
      store,
      clock: hurriedClock,
      logs: () => held,
      stateOf: () => state,
      onTrouble: (error) => troubles.push(error),
    });
    await forks.open();
    return forks;
  }
  const proof = (): ForkEvidence => {
    const { size, sides } = proofs.fork() as EvidenceOf<'fork'>;
    return { size, sides: sides };
  };

  it('A1: keeps a proof, and gives it while the region is followed and the log is not held', async () => {
    await (await opened()).keep(ORIGIN, proof());
    const forks = await opened();
    assert.deepEqual(forks.of(ORIGIN), [proof()]);
    assert.deepEqual(forks.report, { forked: [ORIGIN], disowned: [] });
    const given: ForkEvidence[] = [];
    held.set(ORIGIN, { accuse: (evidence) => Promise.resolve(void given.push(evidence)) });
    await forks.keep(ORIGIN, proof());
    assert.deepEqual([given, forks.of(ORIGIN), forks.report.forked], [[proof()], [], []]);
    assert.deepEqual((await opened()).of(ORIGIN), []);
    held.clear();
    state = undefined;
    assert.deepEqual([forks.of(ORIGIN), forks.report.forked], [[], []]);
  });

  it('T9: reread knows no more what was put away with another root of the region', async () => {
    const forks = await opened();
    await forks.keep(ORIGIN, proof());
    for await (const [key] of store.entries(`${FORK_PREFIX}/`, `${FORK_PREFIX}0`))
      await store.write([{ del: key }]);
    await forks.reread('FR.');
    assert.equal(forks.of(ORIGIN).length, 1);
    await forks.reread(`DE.${proofs.NETWORK}/`);
    assert.deepEqual(forks.of(ORIGIN), []);
  });

  it('A27: keeps nothing by keys that the region has not named', async () => {
    const forks = await opened();
    const key = testKey('of a stranger');
    const sides = [proofs.story, proofs.otherStory].map((tree) => proofs.sideOf(tree, 5, { size: 5, key }));
    const made = { size: 5, sides: sides as unknown as ForkEvidence['sides'] };
    await assert.rejects(forks.keep(ORIGIN, made), (error) => isProtocolError(error, 'NOTE_UNSIGNED'));
    assert.deepEqual([forks.of(ORIGIN), forks.report.forked], [[], []]);
  });

  /** By one key, at another size than `proof`. */
  const anotherProof = (): ForkEvidence => {
    const sides = [proofs.story, proofs.otherStory].map((tree) => proofs.sideOf(tree, 6));
    return { size: 6, sides: sides as unknown as ForkEvidence['sides'] };
  };
  /** Damages all that is kept, or makes it what no version keeps. */
  async function spoil(isSealed: boolean): Promise<void> {
    if (isSealed) {
      for (const { key } of await store.inspect(`${FORK_PREFIX}/`, 9))
        if (key.startsWith(FORK_PREFIX)) await store.write([{ put: key, value: Uint8Array.of(1) }]);
    } else assert.ok(disk.flipBit(`${FORK_PREFIX}/`));
  }

  for (const isSealed of [false, true])
    it(`F4: what ${isSealed ? 'is none by this version' : 'is damaged'} is told, stops no start, and clears no log until it is given again`, async () => {
      await (await opened()).keep(ORIGIN, proof());
      await spoil(isSealed);
      const forks = await opened();
      assert.deepEqual([forks.of(ORIGIN), forks.isForked(ORIGIN)], [[], true]);
      assert.deepEqual(forks.report, { forked: [ORIGIN], disowned: [] });
      assert.equal(troubles.length, 1);
      assert.match(String(troubles[0]), /cannot be read[^]*counts as forked/);
      if (!isSealed) assert.equal((await store.inspect(`${FORK_PREFIX}/`, 1))[0]?.intact, false);
      const given = proofs.accused.keys.checkpoint.keyId;
      const named = state ?? assert.fail();
      state = {
        log: named.log.bind(named),
        keysWithRole: named.keysWithRole.bind(named),
        key: (keyId: string) => {
          const key = named.key(keyId);
          return key && keyId === given ? { ...key, compromise: {} } : key;
        },
      } as unknown as TrustState;
      assert.deepEqual(forks.report.forked, [ORIGIN], 'nobody can tell whose it is');
      await forks.keep(ORIGIN, proof());
      assert.deepEqual(forks.report, { forked: [], disowned: [ORIGIN] });
      assert.deepEqual((await opened()).report, { forked: [], disowned: [ORIGIN] });
    });

  it('F4: one that is damaged keeps none of the others of that log back', async () => {
    const forks = await opened();
    await forks.keep(ORIGIN, proof());
    assert.ok(disk.flipBit(`${FORK_PREFIX}/`));
    await forks.keep(ORIGIN, anotherProof());
    const again = await opened();
    assert.deepEqual(again.of(ORIGIN), [anotherProof()]);
    assert.deepEqual([again.isForked(ORIGIN), troubles.length], [true, 1]);
  });
});
