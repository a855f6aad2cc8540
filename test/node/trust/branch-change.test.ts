import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { RegionFixture, type TestKey } from '../../support/region-fixture.ts';
import { medium } from '../../support/store-fixture.ts';

/** Entries that both branches begin with. */
const COMMON = 300;
const LOG = '2026-11';

/** What a region logged, and what somebody with its keys logged instead from `COMMON` on. */
interface Story {
  readonly good: RegionFixture;
  readonly bad: RegionFixture;
  /** By which the good one goes on. */
  readonly fresh: TestKey;
}

function branches(): { readonly good: RegionFixture; readonly bad: RegionFixture } {
  const [good, bad] = [new RegionFixture({ region: 'FR' }), new RegionFixture({ region: 'FR' })];
  while (good.entries.length < COMMON) {
    const index = good.entries.length;
    for (const one of [good, bad]) one.revoke([index]);
  }
  return { good, bad };
}

function story({ badEntries = 500, byRoot = false } = {}): Story {
  const { good, bad } = branches();
  for (let i = 0; i < badEntries; i++) bad.revoke([10_000 + i]);
  if (byRoot) bad.add(bad.revocation([77_777]), 'root');
  good.revoke([20_000]);
  const fresh = good.key('fresh checkpoint');
  good.admit([{ key: fresh, role: 'checkpoint' }]);
  good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }));
  return { good, bad, fresh };
}

/** The branch as a peer gives it that was asked for it from an index on. */
const branchOf = ({ good, fresh }: Pick<Story, 'good' | 'fresh'>, from = COMMON, key = fresh) => ({
  from,
  entries: good.entries.slice(from),
  note: noteOf(good, good.entries.length, key),
});

async function assertHolds(keeper: TrustKeeper, region: RegionFixture): Promise<void> {
  assert.equal(keeper.tree.size, region.entries.length);
  assert.deepEqual(keeper.tree.head.root, region.fold.root);
  assert.deepEqual(await keeper.tree.reader.rootAt(keeper.tree.size), region.fold.root);
  let index = 0;
  for await (const entry of keeper.tree.reader.entries(0, keeper.tree.size))
    assert.deepEqual(entry, region.entries[index++]);
  assert.equal(keeper.state.size, region.entries.length);
  assert.equal(keeper.state.revoked(LOG)?.count, region.state.revoked(LOG)?.count);
  assert.equal(keeper.latest?.checkpoint.size, region.entries.length);
}

async function holderOf(bad: RegionFixture, options: Parameters<typeof keeperOf>[1] = {}) {
  const bench = await keeperOf(bad, options);
  await bench.keeper.apply({ from: 0, entries: bad.entries, note: noteOf(bad) });
  return bench;
}

describe('TrustKeeper.settle', () => {
  it('T3: leaves the branch of a thief for the one that the root has named, and knows it in the next process', async () => {
    const told = story();
    const { keeper, store, on } = await holderOf(told.bad);
    assert.equal(await keeper.settle(branchOf(told)), true);
    await assertHolds(keeper, told.good);
    assert.equal(keeper.published?.checkpoint.size, told.good.entries.length);
    assert.equal(keeper.forks.length, 1);
    assert.equal(keeper.standingForks.length, 0);
    told.good.revoke([30_000]);
    const { length } = told.good.entries;
    const grown = {
      from: length - 1,
      entries: told.good.entries.slice(-1),
      note: noteOf(told.good, length, told.fresh),
    };
    assert.equal((await keeper.apply(grown)).outcome, 'grown');
    await store.stop();
    const next = await keeperOf(told.good, { on });
    await assertHolds(next.keeper, told.good);
    assert.equal(next.keeper.forks.length, 1);
    await next.store.stop();
  });

  it('T14: what the branch that is left revoked counts on, in the next process too', async () => {
    const told = story({ byRoot: true });
    const { keeper, store, on } = await holderOf(told.bad);
    assert.equal(keeper.left.revokedBeside(keeper.state), undefined);
    await keeper.settle(branchOf(told));
    await store.stop();
    const next = await keeperOf(told.good, { on });
    for (const { left, state } of [keeper, next.keeper]) {
      const beside = left.revokedBeside(state)?.get(LOG);
      assert.equal(beside?.count, 501);
      assert.ok(beside.has(10_499) && beside.has(77_777) && !beside.has(20_000));
    }
    await next.store.stop();
  });

  it('T3: what a thief revoked who had the trust-log key does not, once the root says so; what the root did stays', async () => {
    const told = story({ byRoot: true });
    const { keeper, store } = await holderOf(told.bad);
    await keeper.settle(branchOf(told));
    const { good, fresh } = told;
    const from = good.entries.length;
    good.add(good.compromise(good.keys['trust-log'], { trust: { size: COMMON, root: good.rootAt(COMMON) } }));
    await keeper.apply({ from, entries: good.entries.slice(from), note: noteOf(good, from + 1, fresh) });
    const beside = keeper.left.revokedBeside(keeper.state)?.get(LOG);
    assert.deepEqual([beside?.count, beside?.has(77_777)], [1, true]);
    await store.stop();
  });

  it('finds out itself where the two part, and takes nothing where one goes on from the other', async () => {
    const told = story();
    const { keeper, store } = await holderOf(told.bad);
    assert.equal(await keeper.settle(branchOf(told, COMMON - 37)), true);
    await assertHolds(keeper, told.good);
    assert.equal(await keeper.settle(branchOf(told)), false);
    await store.stop();
  });

  for (const common of [255, 256, 257, 511, 512])
    it(`cuts entries and tiles right where both begin with ${common} entries`, async () => {
      const [good, bad] = [new RegionFixture({ region: 'FR' }), new RegionFixture({ region: 'FR' })];
      while (good.entries.length < common) for (const one of [good, bad]) one.revoke([one.entries.length]);
      for (let i = 0; i < 300; i++) bad.revoke([10_000 + i]);
      const fresh = good.key('fresh checkpoint');
      good.admit([{ key: fresh, role: 'checkpoint' }]);
      good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }));
      const { keeper, store, on } = await holderOf(bad);
      assert.equal(await keeper.settle(branchOf({ good, fresh }, common)), true);
      for (let i = 0; i < 300; i++) good.revoke([20_000 + i]);
      const from = keeper.tree.size;
      const { length } = good.entries;
      await keeper.apply({ from, entries: good.entries.slice(from), note: noteOf(good, length, fresh) });
      await assertHolds(keeper, good);
      await store.stop();
      const next = await keeperOf(good, { on });
      await assertHolds(next.keeper, good);
      await next.store.stop();
    });

  describe('T3: stays with what it holds', () => {
    let told: Story;
    let keeper: TrustKeeper;
    let stop: () => Promise<void>;

    beforeEach(async () => {
      told = story({ badEntries: 5 });
      const bench = await holderOf(told.bad);
      keeper = bench.keeper;
      stop = () => bench.store.stop();
    });
    afterEach(async () => {
      await assertHolds(keeper, told.bad);
      await stop();
    });
    const isFault = (code: string) => (error: unknown) => isProtocolError(error) && error.fault.code === code;

    it('where the branch is signed by the key that its root gave up', async () => {
      const branch = branchOf(told, COMMON, told.good.keys.checkpoint);
      await assert.rejects(keeper.settle(branch), isFault('NOTE_UNSIGNED'));
    });

    it('where the branch ends before the statement that names it, and keeps the proof', async () => {
      const { good } = told;
      const size = COMMON + 1;
      const branch = { from: COMMON, entries: good.entries.slice(COMMON, size), note: noteOf(good, size) };
      assert.equal(await keeper.settle(branch), false);
      assert.equal(keeper.standingForks.length, 1);
    });

    it('where entries are missing, changed or of another size than the note', async () => {
      const branch = branchOf(told);
      for (const entries of [
        branch.entries.slice(0, -1),
        [...branch.entries, branch.entries[0] as Uint8Array],
      ])
        await assert.rejects(keeper.settle({ ...branch, entries }), isProtocolError);
    });

    it('where a note of another log stands under it', async () => {
      const stranger = new RegionFixture({ region: 'BE' });
      const branch = { ...branchOf(told), note: noteOf(stranger) };
      await assert.rejects(keeper.settle(branch), isProtocolError);
    });

    it('where the branch begins with another root, and accuses nobody for it', async () => {
      const stranger = new RegionFixture({ region: 'FR', rootKeys: 2 });
      const entries = stranger.entries;
      await assert.rejects(
        keeper.settle({ from: 0, entries, note: noteOf(stranger) }),
        isFault('PIN_MISMATCH'),
      );
      assert.equal(keeper.forks.length, 0);
    });

    it('where a root that was replaced signs for a key and for a branch: neither named nor a proof', async () => {
      const { good, bad } = branches();
      const next = [bad.key('next root')];
      bad.add(bad.rootStatement({ version: 2, keys: next }), [...bad.rootKeys, ...next]);
      const bench = await holderOf(bad);
      const own = good.key('of the thief');
      good.admit([{ key: own, role: 'checkpoint' }]);
      good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }));
      assert.equal(await bench.keeper.settle(branchOf({ good, fresh: own })), false);
      assert.equal(bench.keeper.forks.length, 0);
      await assertHolds(bench.keeper, bad);
      await bench.store.stop();
    });
  });

  it('T11: a root that names both moves nobody, and is noted for good', async () => {
    const told = story({ badEntries: 5 });
    const { bad } = told;
    const other = bad.key('other checkpoint');
    bad.admit([{ key: other, role: 'checkpoint' }]);
    bad.add(bad.compromise(bad.keys.checkpoint, { trust: bad.cutOff() }));
    const { good, fresh } = told;
    good.admit([{ key: other, role: 'checkpoint' }]);
    good.add(good.compromise(other, { trust: good.cutOff() }));
    const bench = await keeperOf(bad);
    await bench.keeper.apply({ from: 0, entries: bad.entries, note: noteOf(bad, bad.entries.length, other) });
    assert.equal(await bench.keeper.settle(branchOf({ good, fresh })), false);
    await assertHolds(bench.keeper, bad);
    await bench.store.stop();
    const next = await keeperOf(bad, { on: bench.on });
    for (const { left } of [bench.keeper, next.keeper]) assert.equal(left.isContradicted, true);
    await next.store.stop();
  });

  it('T5: proofs that the root has disowned, however many, leave room for one that stands', async () => {
    const { good, bad, fresh } = story({ badEntries: 12 });
    const { keeper, store } = await holderOf(bad);
    const forkAt = (size: number, one: RegionFixture, other: RegionFixture, key: TestKey) => ({
      size,
      sides: [one, other].map((of) => ({
        note: noteOf(of, size, key),
        root: of.rootAt(size),
        path: [],
      })) as never,
    });
    const { checkpoint } = good.keys;
    const twin = branches().good;
    for (let i = 0; i < 12; i++) twin.revoke([30_000 + i]);
    for (let i = 1; i <= 10; i++) await keeper.accuse(forkAt(COMMON + i, bad, twin, checkpoint));
    assert.equal(keeper.forks.length, 8);
    await keeper.settle(branchOf({ good, fresh }));
    assert.equal(keeper.standingForks.length, 0);
    const size = good.entries.length;
    await keeper.accuse(forkAt(size, good, twin, fresh));
    assert.equal(keeper.standingForks.length, 1);
    assert.deepEqual(keeper.forks[0], keeper.standingForks[0]);
    await store.stop();
  });

  it('a crash or a fault at any write leaves one branch or the other whole, and the next try ends it', async () => {
    const told = story({ badEntries: 40 });
    let isReached = true;
    for (let write = 1; isReached; write++) {
      for (const [when, what] of [
        ['before', 'crash'],
        ['after', 'crash'],
        ['before', 'DISK_IO'],
        ['after', 'DISK_IO'],
      ] as const) {
        const on = medium();
        const first = await holderOf(told.bad, { on });
        const { writes } = on.counters;
        let crashed: () => void = () => undefined;
        const crash = new Promise<void>((resolve) => (crashed = resolve));
        on.onCrash(crashed);
        on.plan({ write: writes + write, when, what });
        const tried = first.keeper.settle(branchOf(told)).catch(() => undefined);
        await Promise.race([tried, crash]);
        isReached = on.counters.writes >= writes + write;
        if (what === 'DISK_IO') {
          await first.keeper.settle(branchOf(told));
          await assertHolds(first.keeper, told.good);
          await first.store.stop();
        } else if (isReached) on.crash();
        else await first.store.stop();
        const next = await keeperOf(told.good, { on });
        const isGood = next.keeper.tree.size === told.good.entries.length;
        await assertHolds(next.keeper, isGood ? told.good : told.bad);
        if (!isGood) assert.equal(await next.keeper.settle(branchOf(told)), true);
        await assertHolds(next.keeper, told.good);
        assert.equal(next.keeper.left.revokedBeside(next.keeper.state)?.get(LOG)?.count, 40);
        await next.store.stop();
      }
    }
  });
});
