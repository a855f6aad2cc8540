import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { FOLD_POSITION_SPACING } from '../../../protocol/limits.ts';
import { TrustFold } from '../../../protocol/trust/fold.ts';
import { type CutOff } from '../../../protocol/trust/trust-state.ts';
import {
  DAY_S,
  HOUR_S,
  LOG_ID,
  RegionFixture,
  START_S,
  type TestKey,
  trustModules,
} from '../../support/region-fixture.ts';

const UNAUTHORISED = 'STATEMENT_UNAUTHORISED';
const isHistoryNeeded = (error: unknown) => isProtocolError(error, 'HISTORY_NEEDED');

/** A region with a second trust-log key, which is the honest one where the first was stolen. */
function robbed(): { region: RegionFixture; thief: TestKey; honest: TestKey } {
  const region = new RegionFixture();
  const honest = region.key('honest');
  region.admit([{ key: honest, role: 'trust-log' }]);
  return { region, thief: region.keys['trust-log'], honest };
}

const revokedIn = (region: RegionFixture, log = LOG_ID) => [...(region.state.revoked(log) ?? [])];
const findingsOf = (fold: TrustFold) => fold.findings.map(({ index, code }) => [index, code]);

/** The items of the state, as anybody gets them who folds these entries from the first one. */
function itemsFrom(entries: readonly Uint8Array[], atS: number): readonly Uint8Array[] {
  const history = (fromIndex: number) => entries.slice(fromIndex);
  const fold = new TrustFold({ region: 'DE', network: 'test', history }, trustModules);
  for (const entry of entries) fold.append(entry);
  return fold.commitmentAt(atS).items;
}

/** Compares with a log in which junk stands where `voided` entries stood: what it would be had they had no effect. */
function assertAsIfWithout(region: RegionFixture, voided: readonly number[]): void {
  const entries = region.entries.map((entry, index) => (voided.includes(index) ? new Uint8Array(1) : entry));
  assert.deepEqual(region.fold.commitmentAt(START_S).items, itemsFrom(entries, START_S));
}

describe('TrustFold: voiding (T3)', () => {
  it('takes back what the stolen key revoked from the cut-off on, and nothing else', () => {
    const { region, thief, honest } = robbed();
    region.revoke([1]);
    const cutOff = region.cutOff();
    const first = region.revoke([2, 3]);
    region.add(region.revocation([3, 4]), [honest]);
    region.add(region.revocation([5]), 'root');
    const last = region.revoke([6]);
    assert.deepEqual(revokedIn(region), [1, 2, 3, 4, 5, 6]);
    region.add(region.compromise(thief, { trust: cutOff }));
    assert.deepEqual(revokedIn(region), [1, 3, 4, 5]);
    assert.deepEqual(findingsOf(region.fold), [
      [first, UNAUTHORISED],
      [last, UNAUTHORISED],
    ]);
    assertAsIfWithout(region, [first, last]);
    assert.equal(region.refusal(region.revocation([7]), [thief]), UNAUTHORISED);
  });

  it('a cut-off at the size of the log voids nothing, one entry less voids that entry', () => {
    for (const fewer of [0, 1]) {
      const { region, thief } = robbed();
      const before = region.cutOff();
      region.revoke([1]);
      region.add(region.compromise(thief, { trust: fewer === 0 ? region.cutOff() : before }));
      assert.deepEqual(revokedIn(region), fewer === 0 ? [1] : []);
    }
  });

  it('a compromise without a cut-off for trust voids nothing', () => {
    const { region, thief } = robbed();
    region.revoke([1]);
    region.add(region.compromise(thief, { [LOG_ID]: { size: 0, root: new Uint8Array(32) } }));
    assert.deepEqual(revokedIn(region), [1]);
  });

  it('a cut-off for trust of a key with another role voids nothing', () => {
    const { region } = robbed();
    const cutOff = region.cutOff();
    region.revoke([1]);
    region.add(region.compromise(region.keys.checkpoint, { trust: cutOff }));
    assert.deepEqual(revokedIn(region), [1]);
  });

  it('statements that the thief kept from passing pass after all', () => {
    const { region, thief, honest } = robbed();
    const cutOff = region.cutOff();
    region.nowS += HOUR_S;
    region.add({ kind: 'rules', id: 'baseline', version: 1, from: 0, data: { by: 'thief' } });
    region.nowS -= HOUR_S;
    assert.equal(region.refusal(region.revocation([1]), [honest]), 'STATEMENT_CONFLICT');
    const rules = { kind: 'rules', id: 'baseline', version: 1, from: 0, data: { by: 'root' } } as const;
    assert.equal(region.refusal(rules, 'root'), 'STATEMENT_CONFLICT');
    region.add(region.compromise(thief, { trust: cutOff }));
    assert.deepEqual(revokedIn(region), [1]);
    assert.deepEqual(region.state.rules('baseline')?.data, { by: 'root' });
    assert.equal(region.state.lastAtS, START_S);
  });

  it('a log that the thief announced is gone, and what others revoked in it is not', () => {
    const { region, thief, honest } = robbed();
    const cutOff = region.cutOff();
    region.add({ kind: 'log', log: '2026-12', minimum: 99 });
    region.add(region.revocation([1], '2026-12'), [honest]);
    region.add(region.revocation([2], '2026-12'), 'root');
    region.add(region.revocation([3], '2026-12'), [thief]);
    region.add(region.compromise(thief, { trust: cutOff }));
    assert.equal(region.state.log('2026-12'), undefined);
    assert.deepEqual(revokedIn(region, '2026-12'), [1, 2]);
    region.add({ kind: 'log', log: '2026-12', minimum: 0 }, [honest]);
    assert.deepEqual(revokedIn(region, '2026-12'), [1, 2]);
  });

  it('a suspension by the thief is lifted', () => {
    const { region, thief } = robbed();
    region.recognise(new RegionFixture({ region: 'FR' }));
    const cutOff = region.cutOff();
    region.add({ kind: 'suspension', region: 'FR', version: 1 });
    assert.equal(region.state.recognition('FR')?.standing, 'suspended');
    region.add(region.compromise(thief, { trust: cutOff }));
    assert.equal(region.state.recognition('FR')?.standing, 'recognised');
  });

  it('two keys are voided one after the other', () => {
    const { region, thief, honest } = robbed();
    const early = region.cutOff();
    region.revoke([1]);
    const late = region.cutOff();
    region.add(region.revocation([2]), [honest]);
    region.add(region.compromise(thief, { trust: late }));
    assert.deepEqual(revokedIn(region), [1, 2]);
    region.add(region.compromise(honest, { trust: early }));
    assert.deepEqual(revokedIn(region), [1]);
    region.add(region.compromise(thief, { trust: early }, 2));
    assert.deepEqual(revokedIn(region), []);
  });

  it('stays, whatever a later compromise of the key says', () => {
    const { region, thief } = robbed();
    const early = region.cutOff();
    region.revoke([1]);
    region.add(region.compromise(thief, { trust: early }));
    region.add(region.compromise(thief, { trust: region.cutOff() }, 2));
    region.add(region.compromise(thief, {}, 3));
    assert.deepEqual(revokedIn(region), []);
  });

  it('a state statement that stood on voided entries becomes STATE_MISMATCH, and what it pruned comes back', () => {
    const { region, thief } = robbed();
    const late = region.key('late');
    const overS = Date.UTC(2027, 0, 2) / 1000;
    region.admit([{ key: late, role: 'trust-log', from: overS, until: overS + DAY_S }]);
    region.revoke([1]);
    const cutOff = region.cutOff();
    region.revoke([2]);
    region.nowS = overS;
    const state = region.add(region.stateStatement(), [late]);
    assert.deepEqual(revokedIn(region), []);
    assert.equal(region.state.log(LOG_ID), undefined);
    region.add(region.compromise(thief, { trust: cutOff }));
    assert.deepEqual(revokedIn(region), [1]);
    assert.equal(region.state.log(LOG_ID)?.minimum, 0);
    assert.deepEqual(findingsOf(region.fold).at(-1), [state, 'STATE_MISMATCH']);
    assert.equal(region.fold.newestBase(), undefined);
  });

  it('a compromise that passes only because of a voiding voids in its turn', () => {
    // One thief prunes the keys of another away before their compromise can be stated.
    const region = new RegionFixture();
    const overS = START_S + 40 * DAY_S;
    const midnightS = overS - (overS % DAY_S);
    const [pruner, other] = [region.key('pruner'), region.key('other')];
    region.admit([{ key: other, role: 'trust-log', until: START_S + DAY_S - (START_S % DAY_S) }]);
    region.admit([{ key: pruner, role: 'trust-log', from: midnightS, until: midnightS + DAY_S }]);
    const early = region.cutOff();
    const a = region.add(region.revocation([1]), [other]);
    const beforePruning = region.cutOff();
    region.nowS = overS;
    const b = region.add(region.stateStatement(), [pruner]);
    assert.equal(region.state.key(other.keyId), undefined);
    assert.equal(region.refusal(region.compromise(other, { trust: early })), 'STATEMENT_CONFLICT');
    assert.deepEqual(revokedIn(region), [1]);
    region.add(region.compromise(pruner, { trust: beforePruning }));
    assert.deepEqual(revokedIn(region), []);
    assert.equal(region.state.key(other.keyId)?.compromise?.version, 1);
    assert.deepEqual(findingsOf(region.fold), [
      [a, UNAUTHORISED],
      [b, UNAUTHORISED],
    ]);
    assert.deepEqual(region.fold.commitmentAt(overS).items, itemsFrom(region.entries, overS));
  });

  it('T5: reaches back, over all voidings, 16 times the index and no further', () => {
    const region = new RegionFixture();
    const keys = Array.from({ length: 40 }, (_, i) => region.key(`stolen ${i}`));
    region.admit(keys.map((key) => ({ key, role: 'trust-log' })));
    const from = (size: number) => ({ trust: { size, root: region.rootAt(size) } });
    let reach = 0;
    for (const key of keys) {
      const index = region.entries.length;
      if (reach + index - 1 <= 16 * index) {
        region.add(region.compromise(key, from(1)));
        reach += index - 1;
      } else {
        const size = reach - 15 * index;
        const tooFar = region.entryOf(region.compromise(key, from(size - 1)));
        assert.equal(region.fold.fork().append(tooFar)?.code, 'STATEMENT_CONFLICT');
        region.add(region.compromise(key, from(size)));
        return;
      }
    }
    assert.fail('never reached too far');
  });

  it('does not end: a trust-log key that was given up is never admitted anew', () => {
    const { region, honest } = robbed();
    const key = region.key('short');
    const from = START_S - (START_S % HOUR_S);
    region.admit([{ key, role: 'trust-log', from, until: from + HOUR_S }]);
    const cutOff = region.cutOff();
    region.add(region.revocation([1]), [key]);
    region.add(region.compromise(key, { trust: cutOff }));
    const overS = from + 32 * DAY_S;
    const late = region.key('late');
    region.admit([{ key: late, role: 'trust-log', from: overS, until: overS + DAY_S }]);
    region.nowS = overS;
    region.add(region.stateStatement(), [late]);
    const again = region.keysStatement([{ key, role: 'trust-log', from: overS, until: overS + HOUR_S }]);
    assert.equal(region.refusal(again), 'STATEMENT_CONFLICT');
    region.add(region.compromise(honest, { trust: cutOff }));
    assert.deepEqual(revokedIn(region), []);
  });
});

describe('TrustFold: voiding in a long log', () => {
  const SPACING = FOLD_POSITION_SPACING;
  const size = 2 * SPACING + 100;
  const { region, thief, honest } = robbed();
  const cutOffs: CutOff[] = [];
  const signerAt = (index: number) => (index % 2 === 0 ? thief : honest);

  before(() => {
    while (region.entries.length < size) {
      const index = region.entries.length;
      cutOffs[index] = region.cutOff();
      region.add(region.revocation([index]), [signerAt(index)]);
    }
  });

  /** A fold of the log by another reader, who notes from where the history is read. */
  function reader(history = (from: number) => region.entries.slice(from)): {
    fold: TrustFold;
    reads: number[];
  } {
    const reads: number[] = [];
    const noted = (from: number) => (reads.push(from), history(from));
    const fold = new TrustFold({ region: 'DE', network: 'test', history: noted }, trustModules);
    for (const entry of region.entries.slice(0, size)) fold.append(entry);
    return { fold, reads };
  }

  function compromiseAt(key: TestKey, cutOff: number): Uint8Array {
    return region.entryOf(region.compromise(key, { trust: cutOffs[cutOff] as CutOff }));
  }

  it('goes back no further than it must, and gives what folding everything gives', () => {
    const extra: Uint8Array[] = [];
    const { fold, reads } = reader((from) => [...region.entries.slice(0, size), ...extra].slice(from));
    const [late, early] = [2 * SPACING + 5, 2 * SPACING - 1];
    for (const [key, cutOff, from] of [
      [thief, late, 2 * SPACING],
      [honest, early, SPACING],
    ] as const) {
      const entry = compromiseAt(key, cutOff);
      assert.equal(fold.append(entry), undefined);
      extra.push(entry);
      assert.equal(Math.min(...reads.splice(0)), from);
    }
    const kept = Array.from({ length: size }, (_, index) => index).filter(
      (index) => index > 3 && index < (signerAt(index) === thief ? late : early),
    );
    assert.deepEqual([...(fold.state.revoked(LOG_ID) ?? [])], kept);
    const entries = [...region.entries.slice(0, size), ...extra];
    assert.deepEqual(fold.commitmentAt(START_S).items, itemsFrom(entries, START_S));
  });

  it('F4: a wrong entry long after the cut-off is a RangeError', () => {
    const { fold } = reader((from) => region.entries.with(2 * SPACING + 50, new Uint8Array(1)).slice(from));
    assert.throws(() => fold.append(compromiseAt(thief, SPACING + 5)), RangeError);
    assert.equal(fold.size, size);
  });
});

describe('TrustFold: history', () => {
  /** A region whose next entry voids, and a fold of it up to there by another reader. */
  function aboutToVoid(history?: (entries: readonly Uint8Array[], from: number) => Iterable<Uint8Array>) {
    const { region, thief } = robbed();
    const cutOff = region.cutOff();
    region.revoke([1]);
    const entries = region.entries.slice();
    const options = history && { history: (from: number) => history(entries, from) };
    const fold = new TrustFold({ region: 'DE', network: 'test', ...options }, trustModules);
    for (const entry of entries) fold.append(entry);
    const compromise = region.entryOf(region.compromise(thief, { trust: cutOff }));
    return { fold, compromise, region };
  }

  it('without it a voiding is HISTORY_NEEDED and changes nothing', () => {
    const { fold, compromise, region } = aboutToVoid();
    const { size, root, state } = fold;
    assert.throws(() => fold.append(compromise), isHistoryNeeded);
    assert.equal(fold.size, size);
    assert.deepEqual(fold.root, root);
    assert.equal(fold.state.revoked(LOG_ID)?.count, 1);
    assert.equal(fold.state.key(region.keys['trust-log'].keyId)?.compromise, undefined);
    assert.equal(state.size, size);
    assert.throws(() => fold.append(compromise), isHistoryNeeded);
    assert.equal(fold.append(region.entryOf(region.revocation([2]))), undefined);
  });

  it('F4: a history that ends early or is another one is a RangeError, and changes nothing', () => {
    for (const wrong of ['short', 'other'] as const) {
      const { fold, compromise } = aboutToVoid((entries, from) => {
        const read = entries.slice(from);
        return wrong === 'short' ? read.slice(0, -1) : [...read.slice(0, -1), new Uint8Array(1)];
      });
      const { root } = fold;
      assert.throws(() => fold.append(compromise), RangeError);
      assert.deepEqual(fold.root, root);
      assert.equal(fold.state.revoked(LOG_ID)?.count, 1);
    }
  });

  it('F4: a wrong history is a RangeError for a cut-off that voids nothing, too', () => {
    const { fold, region } = aboutToVoid((entries, from) => entries.with(2, new Uint8Array(1)).slice(from));
    const trust = { size: 3, root: region.rootAt(3) };
    assert.throws(
      () => fold.append(region.entryOf(region.compromise(region.keys.witness, { trust }))),
      RangeError,
    );
  });

  it('may hold more than was folded', () => {
    const { fold, compromise } = aboutToVoid((entries, from) =>
      [...entries, compromise, new Uint8Array(1)].slice(from),
    );
    assert.equal(fold.append(compromise), undefined);
    assert.equal(fold.state.revoked(LOG_ID), undefined);
  });

  /** Two state statements around the theft; `from` says from which of them, or where, a reader starts. */
  function withBases() {
    const { region, thief, honest } = robbed();
    const bases: { index: number; base: NonNullable<ReturnType<TrustFold['newestBase']>> }[] = [];
    const commit = (key: TestKey) => {
      const index = region.add(region.stateStatement(), [key]);
      bases.push({
        index,
        base: region.fold.newestBase() as NonNullable<ReturnType<TrustFold['newestBase']>>,
      });
    };
    commit(honest);
    region.revoke([1]);
    const cutOff = region.cutOff();
    commit(honest);
    const stolen = region.revoke([2]);
    commit(honest);
    const reader = (place: number, hasHistory = true) => {
      const { index, base } = bases[place] as (typeof bases)[number];
      const history = (from: number) => region.entries.slice(from);
      const stateEntry = region.entryAt(index);
      const fold = TrustFold.fromBase(
        { region: 'DE', network: 'test', ...(hasHistory && { history }), base, stateEntry },
        trustModules,
      );
      for (const entry of region.entries.slice(index + 1)) fold.append(entry);
      return fold;
    };
    return { region, thief, honest, cutOff, stolen, reader };
  }

  it('a base before the cut-off voids as the full fold does', () => {
    const { region, thief, cutOff, reader } = withBases();
    region.add(region.compromise(thief, { trust: cutOff }));
    const fold = reader(0);
    assert.deepEqual([...(fold.state.revoked(LOG_ID) ?? [])], [1]);
    assert.deepEqual(fold.commitmentAt(START_S), region.fold.commitmentAt(START_S));
    assert.deepEqual(findingsOf(fold), findingsOf(region.fold));
  });

  it('a base at or after the cut-off is HISTORY_NEEDED', () => {
    const { region, thief, cutOff, reader } = withBases();
    const [at, after] = [reader(1), reader(2)];
    const compromise = region.entryOf(region.compromise(thief, { trust: cutOff }));
    assert.throws(() => at.append(compromise), isHistoryNeeded);
    assert.throws(() => after.append(compromise), isHistoryNeeded);
    assert.equal(after.state.revoked(LOG_ID)?.count, 2);
  });

  it('a base at the cut-off is enough for a key of another role, one after it is not', () => {
    const { region, cutOff, reader } = withBases();
    const [at, after] = [reader(1, false), reader(2)];
    const compromise = region.entryOf(region.compromise(region.keys.checkpoint, { trust: cutOff }));
    assert.equal(at.append(compromise), undefined);
    assert.throws(() => after.append(compromise), isHistoryNeeded);
  });

  it('a base after the compromise holds nothing of what was voided', () => {
    const { region, thief, honest, cutOff } = withBases();
    region.add(region.compromise(thief, { trust: cutOff }));
    const index = region.add(region.stateStatement(), [honest]);
    const base = region.fold.newestBase();
    assert(base?.index === index);
    const stateEntry = region.entryAt(index);
    const fold = TrustFold.fromBase({ region: 'DE', network: 'test', base, stateEntry }, trustModules);
    assert.deepEqual([...(fold.state.revoked(LOG_ID) ?? [])], [1]);
    assert.equal(fold.append(region.entryOf(region.revocation([9]), [thief]))?.code, UNAUTHORISED);
  });
});
