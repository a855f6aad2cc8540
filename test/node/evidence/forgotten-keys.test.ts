import assert from 'node:assert/strict';
import { EvidenceBook } from '../../../node/evidence/evidence-book.ts';
import { NamedStatements, type NamedStatementsModules } from '../../../node/evidence/named-statements.ts';
import { type Store } from '../../../node/store/store.ts';
import { encodeEvidence } from '../../../protocol/evidence/evidence.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import * as proofs from '../../support/evidence-fixture.ts';
import { DAY_S, RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';
import { hurriedClock, medium, startedStore } from '../../support/store-fixture.ts';

describe('EvidenceBook, once a state has forgotten the keys behind a word', () => {
  let store: Store;
  let region: RegionFixture;
  let minimum: number;
  let held: object;
  let work: Promise<void>;
  let recounts: number;
  beforeEach(async () => {
    recounts = 0;
    store = await startedStore(medium());
    region = new RegionFixture({ region: 'DE', network: proofs.NETWORK });
    minimum = 0;
    held = {};
    work = Promise.resolve();
  });
  afterEach(() => store.stop());

  const isHeld = (of: string) => of === 'DE';
  async function* entries(from: number, to: number): AsyncGenerator<Uint8Array> {
    for (const entry of region.entries.slice(from, to)) yield await Promise.resolve(entry);
  }
  const leafHashes = (from: number, to: number) =>
    Promise.resolve(region.entries.slice(from, to).map((entry) => leafHash(trustModules.sha256, entry)));
  const log = () =>
    Object.assign(held, {
      region: 'DE',
      state: region.state,
      fold: region.fold,
      tree: { reader: { entries, leafHashes }, size: region.entries.length, head: { minimum } },
      left: { count: 0 },
    });

  async function opened(): Promise<EvidenceBook> {
    const keeper = (of: string) => (isHeld(of) ? log() : undefined);
    const book = new EvidenceBook({
      ...trustModules,
      store,
      clock: hurriedClock,
      stateOf: (of) => (isHeld(of) ? region.state : undefined),
      named: new NamedStatements({
        ...trustModules,
        clock: hurriedClock,
        keeper,
      } as unknown as NamedStatementsModules),
      run: (one) => void (work = work.then(one)),
      onRecount: () => void recounts++,
    });
    await book.open();
    return book;
  }

  /** By a `state` statement two months later. */
  function forget(): void {
    const { attest } = region.keys;
    const later = region.key('a later trust-log key');
    region.nowS = START_S + 40 * DAY_S;
    region.admit([{ key: later, role: 'trust-log' }]);
    region.nowS = START_S + 64 * DAY_S;
    region.add(region.stateStatement(), [later]);
    assert.equal(region.state.key(attest.keyId), undefined);
  }
  const giveUp = (cutOffs = {}) => region.add(region.compromise(region.keys.attest, cutOffs));
  const standing = (book: EvidenceBook) => book.accusations.map(({ isDisowned }) => !isDisowned);
  const indexAt = (index: number) => {
    const both = ['one', 'other'].map((salting) => proofs.attestation(index, 0, { salting }));
    return encodeEvidence(proofs.indexes({ attestations: both as [Uint8Array, Uint8Array] }));
  };

  it('T3: what was disowned stays so, after a start too, and what its thief makes then does not stand', async () => {
    const book = await opened();
    assert.equal(await book.take(encodeEvidence(proofs.leaf())), true);
    assert.deepEqual(standing(book), [true]);
    giveUp();
    assert.deepEqual(standing(book), [false]);
    forget();
    assert.deepEqual(standing(book), [false], 'before the log was looked at too');
    await work;
    assert.deepEqual(standing(book), [false]);
    assert.equal(await book.take(indexAt(7)), true);
    assert.deepEqual(standing(book), [false, false]);
    const again = await opened();
    assert.deepEqual(standing(again), [false, false]);
    await again.recheck();
    await work;
    assert.deepEqual(standing(again), [false, false]);
  });

  it('A28: what was not disowned stands again as soon as the log was looked at, and what comes then', async () => {
    const book = await opened();
    await book.take(encodeEvidence(proofs.leaf()));
    forget();
    assert.deepEqual([standing(book), recounts], [[false], 0]);
    await work;
    assert.deepEqual([standing(book), recounts], [[true], 1], 'who leans on it is told');
    assert.equal(await book.take(indexAt(7)), true);
    assert.deepEqual([standing(book), recounts], [[true, true], 1]);
    const again = await opened();
    await again.recheck();
    assert.deepEqual(standing(again), [true, true]);
  });

  it('T3: goes by what had effect: a compromise with a cut-off that the log never had gives nothing up', async () => {
    const book = await opened();
    await book.take(encodeEvidence(proofs.leaf()));
    const wrong = region.compromise(region.keys.attest, { trust: { size: 2, root: region.rootAt(1) } });
    assert.equal(region.refusal(wrong), 'STATEMENT_CONFLICT');
    forget();
    assert.deepEqual(standing(book), [false]);
    await work;
    assert.deepEqual(standing(book), [true]);
  });

  it('T3: goes by a cut-off that the log had', async () => {
    const book = await opened();
    await book.take(encodeEvidence(proofs.leaf()));
    giveUp({ trust: region.cutOff(2) });
    forget();
    assert.deepEqual(standing(book), [false]);
    await work;
    assert.deepEqual(standing(book), [false]);
  });

  it('A27: where the beginning of the log was pruned nobody can tell, and nobody is accused', async () => {
    const book = await opened();
    await book.take(encodeEvidence(proofs.leaf()));
    forget();
    minimum = 1;
    assert.deepEqual(standing(book), [false]);
    await work;
    assert.deepEqual(standing(book), [false]);
  });
});
