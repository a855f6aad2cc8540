import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { isGivenUp } from '../../../protocol/trust/branch.ts';
import { rootsPlace } from '../../../node/trust/known-roots.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { RegionFixture, type TestKey } from '../../support/region-fixture.ts';
import { medium } from '../../support/store-fixture.ts';

const fr = () => new RegionFixture({ region: 'FR' });

/** FR as a thief told it, to `bad` entries, and as FR healed it with a cut-off at its entry `cutOff`. */
function story({ bad: badSize = 6, cutOff: cutOffSize = 8 } = {}) {
  const [good, bad] = [fr(), fr()];
  for (let i = bad.entries.length; i < badSize; i++) bad.revoke([100 + i]);
  for (let i = good.entries.length; i < cutOffSize; i++) good.revoke([200 + i]);
  const fresh = good.key('fresh checkpoint');
  good.admit([{ key: fresh, role: 'checkpoint' }]);
  good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff(cutOffSize) }));
  return { good, bad, fresh };
}

/** The second place of a node that held a log, and whose store is gone. */
async function afterStoreLoss(region: RegionFixture, note = noteOf(region)): Promise<MemorySecondPlace> {
  const secondPlace = new MemorySecondPlace();
  const { keeper, store } = await keeperOf(region, { secondPlace });
  const { origin, keys } = region;
  await keeper.apply({
    from: 0,
    entries: region.entries.slice(0, 3),
    note: noteOf(region, 3, keys.checkpoint),
  });
  await keeper.apply({ from: 3, entries: region.entries.slice(3), note });
  assert.equal(secondPlace.marks.get(origin)?.size, region.entries.length);
  await store.stop();
  return secondPlace;
}

const wholeOf = (region: RegionFixture, key: TestKey, size = region.entries.length) => ({
  from: 0,
  entries: region.entries.slice(0, size),
  note: noteOf(region, size, key),
});

describe('TrustKeeper.settle with a mark of a branch whose entries are gone', () => {
  it('T3: takes the log whose root gave up the key of the mark beyond it, and the mark is of that log then', async () => {
    const { good, bad, fresh } = story();
    const secondPlace = await afterStoreLoss(bad);
    const on = medium();
    const { keeper, store } = await keeperOf(good, { secondPlace, on });
    assert.equal((await keeper.apply(wholeOf(good, fresh))).outcome, 'forked');
    assert.equal(keeper.tree.size, 0);
    assert.equal(await keeper.settle(wholeOf(good, fresh)), true);
    assert.equal(keeper.latest?.checkpoint.size, good.entries.length);
    assert.equal(keeper.tree.shortfall, undefined);
    assert.deepEqual(secondPlace.marks.get(good.origin)?.root, good.fold.root);
    await store.stop();
    const next = await keeperOf(good, { secondPlace, on });
    assert.equal(next.keeper.tree.size, good.entries.length);
    await next.store.stop();
  });

  it('goes on from what is held of both, and not from anywhere else', async () => {
    const { good, bad, fresh } = story();
    const secondPlace = await afterStoreLoss(bad);
    const { keeper, store } = await keeperOf(good, { secondPlace });
    const { length } = good.entries;
    const [first, rest] = [good.entries.slice(0, 3), good.entries.slice(3)];
    const { checkpoint } = good.keys;
    await keeper.apply({ from: 0, entries: first, note: noteOf(good, 3, checkpoint) });
    assert.equal(
      await keeper.settle({ from: 2, entries: good.entries.slice(2), note: noteOf(good, length, fresh) }),
      false,
    );
    assert.equal(await keeper.settle({ from: 3, entries: rest, note: noteOf(good, length, fresh) }), true);
    assert.equal(keeper.tree.size, length);
    await store.stop();
  });

  it('T3: a crash or a fault at any write leaves a mark of one of the two, and the next try ends it', async () => {
    const { good, bad, fresh } = story();
    for (const what of ['crash', 'DISK_IO'] as const)
      for (const when of ['before', 'after'] as const)
        for (let raise = 1, isReached = true; isReached; raise++) {
          const secondPlace = await afterStoreLoss(bad);
          const on = medium();
          const { keeper, store } = await keeperOf(good, { secondPlace, on });
          const { raises } = secondPlace;
          let crashed: () => void = () => undefined;
          const crash = new Promise<void>((resolve) => (crashed = resolve));
          secondPlace.onCrash(crashed);
          secondPlace.plan({ raise: raises + raise, when, what });
          await Promise.race([keeper.settle(wholeOf(good, fresh)).catch(() => undefined), crash]);
          isReached = secondPlace.raises >= raises + raise;
          const mark = secondPlace.marks.get(good.origin);
          assert.ok(mark !== undefined && [bad, good].some(({ fold }) => mark.size === fold.size));
          if (what === 'crash' && isReached) on.crash();
          else await store.stop();
          const next = await keeperOf(good, { secondPlace, on });
          if (next.keeper.tree.size === 0) {
            const { outcome } = await next.keeper.apply(wholeOf(good, fresh));
            if (outcome === 'forked') assert.equal(await next.keeper.settle(wholeOf(good, fresh)), true);
          }
          assert.equal(next.keeper.latest?.checkpoint.size, good.entries.length);
          await next.store.stop();
        }
  });

  describe('T9: stays with the mark', () => {
    async function assertStays(
      marked: RegionFixture,
      offered: ReturnType<typeof wholeOf>,
      {
        note,
        pinned = marked,
        spoil,
      }: Partial<{
        note: Uint8Array;
        pinned: RegionFixture;
        spoil: (place: MemorySecondPlace) => void;
      }> = {},
    ): Promise<void> {
      const secondPlace = await afterStoreLoss(marked, note);
      spoil?.(secondPlace);
      const before = secondPlace.marks.get(marked.origin);
      const { keeper, store } = await keeperOf(pinned, { secondPlace });
      const isTaken = await keeper.settle(offered).catch((error: unknown) => {
        if (!isProtocolError(error)) throw error;
        return false;
      });
      assert.equal(isTaken, false);
      assert.equal(keeper.tree.size, 0);
      assert.deepEqual(secondPlace.marks.get(marked.origin), before);
      await store.stop();
    }

    it('where the log gives nothing up, or is signed by the key that it gives up', async () => {
      const { good, bad, fresh } = story();
      const { checkpoint } = good.keys;
      await assertStays(bad, wholeOf(good, checkpoint, 8));
      await assertStays(bad, wholeOf(good, fresh, 9));
      await assertStays(bad, wholeOf(good, checkpoint));
    });

    it('where the mark is beyond the cut-off, since nothing says where it parts; a later cut-off mends that', async () => {
      const { good, bad, fresh } = story({ bad: 9, cutOff: 8 });
      await assertStays(bad, wholeOf(good, fresh));
      const { checkpoint } = good.keys;
      good.add(good.compromise(checkpoint, { trust: good.cutOff(9) }, 2));
      const secondPlace = await afterStoreLoss(bad);
      const { keeper, store } = await keeperOf(good, { secondPlace });
      assert.equal(await keeper.settle(wholeOf(good, fresh)), true);
      await store.stop();
    });

    it('where the mark is on the very log that gives up its key: a shorter part of that takes nothing away', async () => {
      const { good, fresh } = story();
      const { length } = good.entries;
      good.revoke([900]);
      await assertStays(good, wholeOf(good, fresh, length));
    });

    it('where another key signed the mark too, or the cut-off is of another key', async () => {
      const [good, bad] = [fr(), fr()];
      const second = good.key('second checkpoint');
      for (const one of [good, bad]) one.admit([{ key: second, role: 'checkpoint' }]);
      bad.revoke([1]);
      for (let i = 0; i < 4; i++) good.revoke([2 + i]);
      const fresh = good.key('fresh checkpoint');
      good.admit([{ key: fresh, role: 'checkpoint' }]);
      good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff(8) }));
      await assertStays(bad, wholeOf(good, fresh), { note: noteOf(bad, bad.entries.length, second) });
    });

    it('T3: where a thief with the checkpoint key that is in force puts the statements of an earlier theft on a branch of his', async () => {
      // The mark is genuine: FR signed it with its first key, before it gave that up with a cut-off at entry 5.
      const [good, thief] = [fr(), fr()];
      for (const one of [good, thief]) for (const index of [1, 2]) one.revoke([index]);
      const cutOff = { size: 5, root: good.rootAt(5) };
      good.revoke([3]);
      thief.revoke([4]);
      const marked = fr();
      for (const entry of good.entries.slice(3)) marked.offer(entry);
      const fresh = good.key('fresh checkpoint');
      for (const one of [good, thief]) {
        one.admit([{ key: fresh, role: 'checkpoint' }]);
        one.add(one.compromise(one.keys.checkpoint, { trust: cutOff }));
      }
      await assertStays(marked, wholeOf(thief, fresh));
    });

    it('T3: where whoever holds a root that was replaced since gives up the key of the mark', async () => {
      const [genuine, thief] = [fr(), fr()];
      const next = [genuine.key('next root')];
      genuine.add(genuine.rootStatement({ version: 2, keys: next }), [...genuine.rootKeys, ...next]);
      for (let i = 0; i < 5; i++) thief.revoke([i]);
      const own = thief.key('of the thief');
      thief.admit([{ key: own, role: 'checkpoint' }]);
      thief.add(thief.compromise(thief.keys.checkpoint, { trust: thief.cutOff() }));
      await assertStays(genuine, wholeOf(thief, own));
    });

    it('where no root is known besides the mark', async () => {
      const { good, bad, fresh } = story();
      const spoil = (place: MemorySecondPlace) => place.marks.delete(rootsPlace(bad.origin));
      await assertStays(bad, wholeOf(good, fresh), { spoil });
    });

    it('T19: where somebody else began a log of this name', async () => {
      const { bad } = story();
      const stranger = new RegionFixture({
        region: 'FR',
        begins: 'empty',
        keyOf: (name) => fr().key(`${name} of a stranger`),
      });
      stranger.add(stranger.rootStatement());
      const own = stranger.key('own');
      stranger.admit([{ key: bad.keys.checkpoint, role: 'checkpoint' }]);
      stranger.admit([{ key: own, role: 'checkpoint' }]);
      for (let i = stranger.entries.length; i < 8; i++)
        stranger.add({ kind: 'limits', version: i, revocationsPerHour: i }, 'root');
      stranger.add(stranger.compromise(bad.keys.checkpoint, { trust: stranger.cutOff() }));
      await assertStays(bad, wholeOf(stranger, own));
    });

    it('where entries are missing or changed', async () => {
      const { good, bad, fresh } = story();
      const whole = wholeOf(good, fresh);
      for (const entries of [
        whole.entries.slice(0, -1),
        [...whole.entries.slice(0, -1), bad.entries[4] as Uint8Array],
      ])
        await assertStays(bad, { ...whole, entries });
    });
  });
});

describe('TrustKeeper.hasGivenUp', () => {
  it('T3: a checkpoint on another tree, up to the cut-off, and by nobody else', async () => {
    const { good, bad, fresh } = story({ bad: 12, cutOff: 8 });
    const { keeper, store } = await keeperOf(good);
    await keeper.apply(wholeOf(good, fresh));
    const seenAt = (of: RegionFixture, size: number, key = of.keys.checkpoint) =>
      keeper.hasGivenUp({ size, root: of.rootAt(size), note: noteOf(of, size, key) });
    assert.deepEqual(
      [await seenAt(bad, 4), await seenAt(bad, 8), await seenAt(bad, 9), await seenAt(bad, 12)],
      [true, true, false, false],
    );
    assert.equal(await seenAt(bad, 3), false, 'both have that');
    assert.equal(await seenAt(good, 8), false);
    assert.equal(await seenAt(bad, 8, fresh), false);
    assert.equal(await seenAt(bad, 8, bad.key('nobody knows')), false);
    await store.stop();
  });
});

describe('isGivenUp', () => {
  it('needs a signer, another root at that size, and every signer given up', () => {
    const { good, bad, fresh } = story();
    const [signer] = [good.keys.checkpoint.keyId];
    const at = { size: 6, root: bad.rootAt(6), signers: [signer] };
    assert.equal(isGivenUp(good.state, at, good.rootAt(6), 1), true);
    for (const [known, there] of [
      [at, undefined],
      [at, at.root],
      [{ ...at, signers: [] }, good.rootAt(6)],
      [{ ...at, signers: [signer, fresh.keyId] }, good.rootAt(6)],
      [{ ...at, signers: ['0123456789abcdef'] }, good.rootAt(6)],
      [{ ...at, size: 9 }, good.rootAt(9)],
    ] as const)
      assert.equal(isGivenUp(good.state, known, there, 1), false);
  });

  it('T3: needs the root in force, or a later one: what stands before that may be by who held an earlier one', () => {
    const { good, bad } = story();
    const at = { size: 6, root: bad.rootAt(6), signers: [good.keys.checkpoint.keyId] };
    const next = [good.key('next root')];
    good.add(good.rootStatement({ version: 2, keys: next }), [...good.rootKeys, ...next]);
    assert.equal(isGivenUp(good.state, at, good.rootAt(6), 1), true);
    assert.equal(isGivenUp(good.state, at, good.rootAt(6), 2), false);
    good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }, 2), next);
    assert.equal(isGivenUp(good.state, at, good.rootAt(6), 2), true);
  });
});
