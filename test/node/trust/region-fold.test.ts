import assert from 'node:assert/strict';
import { logError } from '../../../node/log/log-error.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { RegionFold } from '../../../node/trust/region-fold.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { LOG_ID, RegionFixture, type TestKey, trustModules } from '../../support/region-fixture.ts';
import { medium, rejectsWith, startedStore } from '../../support/store-fixture.ts';

const revokedIn = (state: TrustState) => state.revoked(LOG_ID)?.count ?? 0;

/** A region that has revoked three codes behind its cut-off, and one more behind the state that it has committed to since. */
function robbed() {
  const region = new RegionFixture({ region: 'FR' });
  const cutOff = region.cutOff();
  region.revoke([1, 2, 3]);
  const base = region.commit();
  region.revoke([4]);
  const givingUp = (trust = cutOff) => region.entryOf(region.compromise(region.keys['trust-log'], { trust }));
  return { region, base, cutOff, givingUp };
}

/** The fold of a process that found a base in its store. */
async function onBase(region: RegionFixture) {
  const first = await keeperOf(region);
  await first.keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
  await first.store.stop();
  const { keeper } = await keeperOf(region, { on: first.on });
  assert.ok(keeper.fold.baseIndex > 0);
  return keeper;
}

describe('RegionFold on a base, of a compromise whose cut-off lies behind it', () => {
  it('stateAfter and statesAfter void what was signed since, and leave the fold as it is', async () => {
    const { region, base, givingUp } = robbed();
    const { fold } = await onBase(region);
    const { size, state } = fold;
    const keys = region.entryOf(region.keysStatement([{ key: region.key('fresh'), role: 'trust-log' }]));
    for (const cutOff of [region.cutOff(3), region.cutOff(base - 1)]) {
      const after = await fold.stateAfter([keys, givingUp(cutOff)]);
      assert.deepEqual([after.size, revokedIn(after)], [size + 2, 0]);
    }
    // Of the base itself nothing is known but that it is there.
    assert.equal(revokedIn(await fold.stateAfter([givingUp(region.cutOff(base))])), 3);
    const states = await fold.statesAfter(size, [keys, givingUp()]);
    assert.deepEqual(states.map(revokedIn), [4, 0]);
    assert.equal(fold.state, state);
    assert.equal(revokedIn(state), 4);
  });

  it('firstFindingOf tells one that has effect from one that has none, and what stands behind it', async () => {
    const { region, cutOff, givingUp } = robbed();
    const { fold } = await onBase(region);
    const { size } = fold;
    assert.equal(await fold.firstFindingOf([givingUp()]), undefined);
    const wrong = givingUp({ ...cutOff, root: region.rootAt(cutOff.size + 1) });
    assert.equal((await fold.firstFindingOf([wrong]))?.index, size);
    assert.equal((await fold.firstFindingOf([givingUp(), givingUp()]))?.index, size + 1);
    const late = region.entryOf(region.revocation([9]));
    assert.equal(await fold.firstFindingOf([late]), undefined);
    assert.equal((await fold.firstFindingOf([givingUp(), late]))?.index, size + 1);
  });
});

describe('RegionFold of two compromises in one batch', () => {
  /** Two trust-log keys are stolen: the second is given up from further back than the first. */
  function robbedTwice() {
    const region = new RegionFixture({ region: 'FR' });
    const own = region.keys['trust-log'];
    const second = region.key('second trust-log');
    region.admit([{ key: second, role: 'trust-log' }]);
    const early = region.cutOff();
    const signed = (index: number, key: TestKey) => region.add(region.revocation([index]), [key]);
    signed(1, second);
    signed(2, own);
    region.commit();
    const late = region.cutOff();
    signed(3, own);
    signed(4, second);
    const entries = [
      region.entryOf(region.compromise(own, { trust: late })),
      region.entryOf(region.compromise(second, { trust: early })),
    ];
    return { region, entries };
  }

  for (const [where, foldOf] of [
    ['from index 0', async (region: RegionFixture) => (await keeperOf(region)).keeper],
    ['on a base', onBase],
  ] as const)
    it(`${where}: both void, though each needs a past of its own`, async () => {
      const { region, entries } = robbedTwice();
      const keeper = await foldOf(region);
      await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
      assert.equal(revokedIn(keeper.state), 4);
      for (const order of [entries, entries.toReversed()]) {
        const after = await keeper.fold.stateAfter(order);
        assert.deepEqual([after.revoked(LOG_ID)?.has(2), revokedIn(after)], [true, 1]);
      }
      const from = keeper.tree.size;
      for (const entry of entries) assert.equal(region.offer(entry), undefined);
      await keeper.apply({ from, entries, note: noteOf(region) });
      assert.equal(keeper.latest?.state.size, region.fold.size);
      assert.equal(revokedIn(keeper.state), 1);
      assert.deepEqual(keeper.fold.commitmentAt(region.nowS).root, region.stateStatement().root);
    });
});

describe('RegionFold while its log grows', () => {
  /** What a log has of a region; reading it waits for `reading`. */
  class SlowTree {
    readonly origin;
    readonly head = { minimum: 0 };
    readonly #region;
    size: number;
    reading: Promise<void> | undefined;
    /** An entry that is damaged. */
    bad: number | undefined;

    constructor(region: RegionFixture) {
      this.#region = region;
      this.origin = region.origin;
      this.size = region.entries.length;
    }

    get reader() {
      const { entries } = this.#region;
      const held = () => this.reading;
      const isBad = (at: number) => at === this.bad;
      return {
        async *entries(from: number, to: number) {
          await held();
          for (const [i, entry] of entries.slice(from, to).entries()) {
            if (isBad(from + i)) throw logError('LOG_CORRUPT', 'damaged');
            yield entry;
          }
        },
        frontierAt: () => assert.fail('there is no base'),
      };
    }
  }

  async function slowFold(region: RegionFixture) {
    const tree = new SlowTree(region);
    const store = await startedStore(medium());
    let damaged = 0;
    const onDamage = () => void damaged++;
    const modules = { ...trustModules, tree: tree as unknown as LogTree, store, onDamage };
    const fold = await RegionFold.open(region, modules);
    /** Has the log grow by a revocation, once `ask` has begun to read. */
    const growDuring = async <T>(ask: () => Promise<T>): Promise<T> => {
      let read: () => void = assert.fail;
      tree.reading = new Promise((resolve) => (read = resolve));
      const asked = ask();
      tree.reading = undefined;
      region.revoke([100 + tree.size]);
      tree.size++;
      await fold.advance();
      read();
      return asked;
    };
    return { fold, tree, growDuring, damaged: () => damaged };
  }

  it('T16: what a trial alone needs and cannot read is told of, and stops no entry that does not need it', async () => {
    const { region, cutOff, givingUp } = robbed();
    const { fold, tree, damaged } = await slowFold(region);
    const grow = (): Promise<void> => {
      tree.size = region.entries.length;
      return fold.advance();
    };
    const entry = givingUp();
    tree.bad = cutOff.size;
    await rejectsWith(fold.firstFindingOf([entry]), 'LOG_CORRUPT');
    assert.deepEqual([damaged(), fold.damagedAt, fold.damage], [1, cutOff.size, undefined]);
    region.revoke([5]);
    await grow();
    assert.deepEqual([fold.size, fold.damage], [tree.size, undefined]);
    await rejectsWith(fold.readAgain(), 'LOG_CORRUPT');
    assert.ok(fold.unread !== undefined, 'it is still to be mended');
    tree.bad = undefined;
    await fold.readAgain();
    assert.equal(fold.unread, undefined);

    tree.bad = cutOff.size;
    region.offer(entry);
    await rejectsWith(grow(), 'LOG_CORRUPT');
    assert.deepEqual([fold.damage !== undefined, fold.damagedAt], [true, cutOff.size]);
    tree.bad = undefined;
    await grow();
    await fold.readAgain();
    assert.deepEqual([fold.size, fold.damage, fold.unread], [tree.size, undefined, undefined]);
  });

  it('stateAfter and firstFindingOf tell what comes of entries where the fold was when they were asked', async () => {
    const { region, givingUp } = robbed();
    const { fold, growDuring } = await slowFold(region);
    const entries = [givingUp()];
    const { size } = fold;
    const after = await growDuring(() => fold.stateAfter(entries));
    assert.deepEqual([after.size, revokedIn(after)], [size + 1, 0]);
    assert.equal(await growDuring(() => fold.firstFindingOf(entries)), undefined);
    assert.deepEqual([fold.size, revokedIn(fold.state)], [size + 2, 6]);
  });

  it('statesAfter tells of entries at the place that was named, though more is folded meanwhile', async () => {
    const { region, givingUp } = robbed();
    const { fold, growDuring } = await slowFold(region);
    const { size } = fold;
    const limits = region.entryOf({ kind: 'limits', version: 1, revocationsPerHour: 99 });
    const states = await growDuring(() => fold.statesAfter(size, [limits, givingUp()]));
    assert.deepEqual(states.map(({ size: at }) => at), [size + 1, size + 2]); // prettier-ignore
    assert.deepEqual(states.map(revokedIn), [4, 0]);
  });

  it('LOG_PRUNED: what a compromise needs of a log that is not held from there is nobody else to blame for', async () => {
    const { region, givingUp } = robbed();
    const { fold, tree } = await slowFold(region);
    tree.head.minimum = 4;
    await rejectsWith(fold.stateAfter([givingUp()]), 'LOG_PRUNED', /entry \d is needed/);
    assert.equal((await fold.stateAfter([])).size, region.entries.length);
  });
});
