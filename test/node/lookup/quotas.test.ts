import assert from 'node:assert/strict';
import { Quotas } from '../../../node/lookup/quotas.ts';
import { DAY_S } from '../../../protocol/lookup/opaque-adapter.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { START_S } from '../../support/region-fixture.ts';

const QUOTA = { perMinute: 1_000_000, perDay: 2_000 };

describe('Quotas', () => {
  const rows = new Map<string, Uint8Array>();
  let clock: ManualClock;
  let isFull = false;
  const store = {
    get: (key: string) => Promise.resolve(rows.get(key)),
    write: (changes: readonly ({ put: string; value: Uint8Array } | { del: string })[]) => {
      if (isFull) return Promise.reject(new Error('full'));
      for (const change of changes) if ('put' in change) rows.set(change.put, change.value);
      return Promise.resolve();
    },
  };
  const open = () => new Quotas({ store, clock });

  async function takenOf(quotas: Quotas, who: string, times: number, quota = QUOTA): Promise<number> {
    let taken = 0;
    for (let n = 0; n < times; n++) if ((await quotas.take(who, quota)).isTaken) taken++;
    return taken;
  }

  beforeEach(() => {
    rows.clear();
    isFull = false;
    clock = new ManualClock(START_S * 1_000);
  });

  it('T24 a million questions of one verifier are cut at the quota of its day', async () => {
    assert.equal(await takenOf(open(), 'a', 1_000_000), 2_000);
  }).timeout(60_000);

  it('of questions that come at once no more are taken', async () => {
    const quotas = open();
    const all = await Promise.all(Array.from({ length: 3_000 }, () => quotas.take('a', QUOTA)));
    assert.equal(all.filter(({ isTaken }) => isTaken).length, 2_000);
  });

  it('a restart gives nothing back, and costs 32 at most; another day is another count', async () => {
    assert.equal(await takenOf(open(), 'a', 1_990), 1_990);
    const left = await takenOf(open(), 'a', 100);
    assert.ok(left <= 10, `${left} of 10`);
    assert.equal(await takenOf(open(), 'a', 100), 0);
    assert.equal(await takenOf(open(), 'b', 5), 5);
    const again = await takenOf(open(), 'b', 3_000);
    assert.ok(again <= 1_995 && again >= 2_000 - 5 - 32, `${again}`);
    await clock.advance(1_000 * DAY_S);
    assert.equal(await takenOf(open(), 'a', 3_000), 2_000);
  });

  it('a minute has its own bound, and says when there is more', async () => {
    const quotas = open();
    const quota = { perMinute: 3, perDay: 5 };
    assert.equal(await takenOf(quotas, 'a', 10, quota), 3);
    await clock.advance(20_000);
    assert.deepEqual(await quotas.take('a', quota), { isTaken: false, againInS: 40 });
    await clock.advance(40_000);
    assert.equal(await takenOf(quotas, 'a', 10, quota), 2);
    assert.deepEqual(await quotas.take('a', quota), { isTaken: false, againInS: DAY_S - 8 * 3_600 - 60 });
  });

  it('a clock that is set back gives no second day', async () => {
    const quotas = open();
    assert.equal(await takenOf(quotas, 'a', 3_000), 2_000);
    clock = new ManualClock((START_S - DAY_S) * 1_000);
    assert.equal(await takenOf(open(), 'a', 10), 0);
  });

  it('nothing is taken that could not be counted', async () => {
    isFull = true;
    const quotas = open();
    await assert.rejects(quotas.take('a', QUOTA), /full/);
    isFull = false;
    assert.equal(await takenOf(quotas, 'a', 3_000), 2_000);
  });
});
