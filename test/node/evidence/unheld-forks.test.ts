import assert from 'node:assert/strict';
import { UnheldForks } from '../../../node/evidence/unheld-forks.ts';
import { isNodeError } from '../../../node/node-error.ts';
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

  it('F4: what is damaged is told, and stops no start', async () => {
    await (await opened()).keep(ORIGIN, proof());
    assert.ok(disk.flipBit(`${FORK_PREFIX}/`));
    assert.deepEqual((await opened()).of(ORIGIN), []);
    assert.ok(troubles.length === 1 && isNodeError(troubles[0], 'VALUE_CORRUPT'));
    assert.equal((await store.inspect(`${FORK_PREFIX}/`, 1))[0]?.intact, false);
  });
});
