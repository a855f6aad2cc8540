import assert from 'node:assert/strict';
import { hexOf } from '../../../protocol/bytes.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { DAY_S, HOUR_S, RegionFixture, START_S, type TestKey } from '../../support/region-fixture.ts';

const COMMON = 30;

/** Two logs of FR that have that many entries in common so far, those of the region and of a thief. */
function twoLogs(): { readonly good: RegionFixture; readonly bad: RegionFixture } {
  const [good, bad] = [new RegionFixture({ region: 'FR' }), new RegionFixture({ region: 'FR' })];
  while (good.entries.length < COMMON) for (const one of [good, bad]) one.revoke([one.entries.length]);
  return { good, bad };
}

/** A keeper that holds the log of the thief. */
async function keeperThatHolds(bad: RegionFixture, key?: TestKey) {
  const bench = await keeperOf(bad);
  await bench.keeper.apply({ from: 0, entries: bad.entries, note: noteOf(bad, bad.entries.length, key) });
  const settle = (good: RegionFixture, by: TestKey) => {
    const { length } = good.entries;
    return bench.keeper.settle({
      from: COMMON,
      entries: good.entries.slice(COMMON),
      note: noteOf(good, length, by),
    });
  };
  return { ...bench, settle };
}

/** That the root gives up a key of which nothing counts from where the two parted. */
function voidFromCommon(good: RegionFixture, key: TestKey): void {
  good.add(good.compromise(key, { trust: { size: COMMON, root: good.rootAt(COMMON) } }));
}

describe('a branch that was left', () => {
  it('T5: stays healed once the windows of the stolen keys are long over: no fork stands, and nothing that was voided counts again', async () => {
    const { good, bad } = twoLogs();
    for (const log of ['2026-11', '2026-12', '2027-01']) bad.revoke([10_000, 10_001], log);
    const fresh = good.key('fresh checkpoint');
    good.admit([{ key: fresh, role: 'checkpoint' }]);
    const { keeper, store, settle } = await keeperThatHolds(bad);
    good.add({ kind: 'log', log: '2026-12', minimum: 0 });
    good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }));
    voidFromCommon(good, good.keys['trust-log']);
    assert.ok(await settle(good, fresh));
    const standing = () => [keeper.standingForks.length, keeper.left.revokedBeside(keeper.state)];
    assert.equal(keeper.forks.length, 1);
    assert.deepEqual(standing(), [0, undefined]);
    const late: TestKey[] = [];
    for (const day of [25, 50, 64]) {
      good.nowS = START_S + day * DAY_S;
      late.splice(0, 2, good.key(`trust-log ${day}`), good.key(`checkpoint ${day}`));
      const [trustLog, checkpoint] = late as [TestKey, TestKey];
      good.admit([
        { key: trustLog, role: 'trust-log' },
        { key: checkpoint, role: 'checkpoint' },
      ]);
    }
    const [trustLog, checkpoint] = late as [TestKey, TestKey];
    good.add({ kind: 'log', log: '2027-01', minimum: 0 }, [trustLog]);
    good.add(good.stateStatement(), [trustLog]);
    assert.equal(good.state.revoked('2026-11'), undefined, 'the state has forgotten what is over');
    const { size } = keeper.tree;
    const { length } = good.entries;
    const piece = { from: size, entries: good.entries.slice(size), note: noteOf(good, length, checkpoint) };
    assert.equal((await keeper.apply(piece)).outcome, 'grown');
    assert.deepEqual(standing(), [0, undefined]);
    await store.stop();
  });

  it('T3: is left also where it parts right before the statement that names the log, once another one stands behind that', async () => {
    const { good, bad } = twoLogs();
    const fresh = good.key('fresh checkpoint');
    const cutOff = good.cutOff();
    good.admit([{ key: fresh, role: 'checkpoint' }]);
    good.add(good.compromise(good.keys.checkpoint, { trust: cutOff }));
    bad.revoke([10_000]);
    const { keeper, store, settle } = await keeperThatHolds(bad);
    assert.equal(await settle(good, fresh), false);
    good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }, 2));
    assert.equal(await settle(good, fresh), true);
    assert.equal(keeper.standingForks.length, 0);
    await store.stop();
  });

  it('17.9: the codes of others that it revoked stay revoked, in the next process too, until that is over or the root voids it', async () => {
    const { good, bad } = twoLogs();
    const [mine, root, short] = [1, 2, 3].map((byte) => new Uint8Array(16).fill(byte)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const revoked = (hash: Uint8Array, days: number) => ({
      kind: 'foreign-revocation' as const,
      hashes: [hash],
      until: START_S + days * DAY_S,
    });
    bad.add(revoked(mine, 300));
    bad.add(revoked(short, 1));
    bad.add(revoked(root, 300), 'root');
    const fresh = good.key('fresh checkpoint');
    good.admit([{ key: fresh, role: 'checkpoint' }]);
    good.add(good.compromise(good.keys.checkpoint, { trust: good.cutOff() }));
    const { keeper, store, settle, on } = await keeperThatHolds(bad);
    assert.equal(keeper.left.foreignRevokedBeside(keeper.state), undefined);
    assert.ok(await settle(good, fresh));
    await store.stop();
    const next = await keeperOf(good, { on });
    const known = (...hashes: Uint8Array[]) => new Set(hashes.map(hexOf));
    for (const { left, state } of [keeper, next.keeper])
      assert.deepEqual(left.foreignRevokedBeside(state), known(mine, short, root));
    const later = async () => {
      const { size } = next.keeper.tree;
      const note = noteOf(good, good.entries.length, fresh);
      await next.keeper.apply({ from: size, entries: good.entries.slice(size), note });
      return next.keeper.left.foreignRevokedBeside(next.keeper.state);
    };
    good.nowS += 2 * DAY_S;
    good.revoke([5]);
    assert.deepEqual(await later(), known(mine, root));
    voidFromCommon(good, good.keys['trust-log']);
    assert.deepEqual(await later(), known(root));
    await next.store.stop();
  });

  it('T5: what a thief revoked is his, and can be voided, also where he let the state of his branch forget the key', async () => {
    const { good, bad } = twoLogs();
    const hourOf = (day: number) => Math.floor((START_S + day * DAY_S) / HOUR_S) * HOUR_S;
    const window = { from: hourOf(64), until: hourOf(90) };
    for (const one of [good, bad])
      one.admit([
        { key: one.key('trust-log later'), role: 'trust-log', ...window },
        { key: one.key('checkpoint later'), role: 'checkpoint', ...window },
      ]);
    bad.revoke([50_000, 50_001]);
    bad.nowS = START_S + 65 * DAY_S;
    bad.add(bad.stateStatement(), [bad.key('trust-log later')]);
    assert.equal(bad.state.key(bad.keys['trust-log'].keyId), undefined);
    const { keeper, store, settle } = await keeperThatHolds(bad, bad.key('checkpoint later'));
    const fresh = good.key('fresh checkpoint');
    good.admit([{ key: fresh, role: 'checkpoint' }]);
    for (const key of [good.keys.checkpoint, good.key('checkpoint later')])
      good.add(good.compromise(key, { trust: good.cutOff() }));
    assert.ok(await settle(good, fresh));
    assert.equal(keeper.left.revokedBeside(keeper.state)?.get('2026-11')?.count, 2);
    for (const key of [good.keys['trust-log'], good.key('trust-log later')]) voidFromCommon(good, key);
    const { size } = keeper.tree;
    const note = noteOf(good, good.entries.length, fresh);
    await keeper.apply({ from: size, entries: good.entries.slice(size), note });
    assert.equal(keeper.left.revokedBeside(keeper.state), undefined);
    await store.stop();
  });
});
