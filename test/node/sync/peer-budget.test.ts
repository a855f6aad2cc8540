import assert from 'node:assert/strict';
import { type Share } from '../../../node/peer-places.ts';
import { PeerBudget } from '../../../node/sync/peer-budget.ts';
import { ANSWERS_GIVEN, ENTRIES_GIVEN, PEERS_MAX } from '../../../node/sync/sync-limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const RATES = {
  ofRegion: { perS: 200, burst: 1_000 },
  ofInvited: { perS: 250, burst: 1_500 },
  ofAll: { perS: 500, burst: 3_000 },
};

describe('PeerBudget', () => {
  const of = (region: string): Share => ({ region, isInvited: false });
  const lesser = (region: string): Share => ({ region, isInvited: true });

  function bench() {
    const clock = new ManualClock(0);
    return { clock, budget: new PeerBudget(RATES, { clock }) };
  }

  /** All take whatever they get, in turns; what each had. */
  async function taken(shares: readonly Share[], forS: number, { clock, budget } = bench()) {
    const had = shares.map(() => 0);
    for (let tenths = 0; tenths < 10 * forS; tenths++) {
      for (const [i, share] of shares.entries()) {
        while (budget.waitMs(share) === 0) {
          budget.spend(share, 10);
          had[i] = (had[i] ?? 0) + 10;
        }
      }
      await clock.advance(100);
    }
    return { had, clock, budget };
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

  it('T17: lets a region go into debt once, and is full again after a rest, and no fuller', async () => {
    const { clock, budget } = bench();
    for (let n = 0; n < 2; n++) {
      budget.spend(of('FR'), 1_000);
      assert.equal(budget.waitMs(of('FR')), 0);
      budget.spend(of('FR'), 100);
      assert.equal(budget.waitMs(of('FR')), 500);
      await clock.advance(250);
      assert.equal(budget.waitMs(of('FR')), 250);
      await clock.advance(3_600_000);
    }
  });

  it('T17: however many regions take all they get, they have equal parts, and one that had little waits for none', async () => {
    const shares = Array.from({ length: 20 }, (_, i) => of(`region ${i}`));
    const { had, budget } = await taken(shares, 60);
    // By then what each had at once is long spent.
    assert.ok(Math.min(...had) > 60 * (500 / 20) && Math.max(...had) <= 60 * (500 / 20) + 1_000 + 10);
    assert.equal(budget.waitMs(of('FR')), 0);
    budget.spend(of('FR'), 100);
    assert.equal(budget.waitMs(of('FR')), 0);
    budget.spend(lesser('IT'), 50);
    assert.equal(budget.waitMs(lesser('IT')), 0);
  });

  it('T17: all together have no more a second than there is for all', async () => {
    const shares = Array.from({ length: 20 }, (_, i) => of(`region ${i}`));
    const { had, clock, budget } = await taken(shares, 20);
    const { had: later } = await taken(shares, 20, { clock, budget });
    assert.ok(sum(had) > sum(later));
    assert.ok(sum(later) <= 20 * 500 + 20 * 10 && sum(later) > 20 * 450);
  });

  it('T17: invited regions leave recognised ones their part, however many they are', async () => {
    const bench_ = bench();
    const shares = [of('DE'), of('FR'), ...Array.from({ length: 30 }, (_, i) => lesser(`region ${i}`))];
    await taken(shares, 60, bench_);
    const { had } = await taken(shares, 60, bench_);
    const [de = 0, fr = 0, ...others] = had;
    for (const one of [de, fr]) assert.ok(one > 60 * 115 && one <= 60 * 125 + 20);
    assert.ok(sum(others) <= 60 * 250 + 30 * 10);
  });

  it('forgets the oldest of more regions than can be', () => {
    const { budget } = bench();
    for (let n = 0; n <= PEERS_MAX; n++) budget.spend(of(`region ${n}`), 2_000);
    assert.equal(budget.waitMs(of('region 0')), 0);
    assert.ok(budget.waitMs(of('region 1')) > 0);
  });

  it('T17: no region has more than half of what is given, and invited ones leave half', () => {
    for (const { ofRegion, ofInvited, ofAll } of [ANSWERS_GIVEN, ENTRIES_GIVEN]) {
      for (const of of ['perS', 'burst'] as const)
        assert.ok(2 * ofRegion[of] <= ofAll[of] && 2 * ofInvited[of] <= ofAll[of]);
    }
  });
});
