import assert from 'node:assert/strict';
import { OwnLog } from '../../../node/core/own-log.ts';
import { type Followed } from '../../../node/sync/followed.ts';
import { noteOf } from '../../support/keeper-fixture.ts';
import { RegionFixture, trustModules } from '../../support/region-fixture.ts';

describe('OwnLog.heed', () => {
  it('A15: what keys alone have signed that were given up says nothing of how far the log is', async () => {
    const note = noteOf(new RegionFixture({ region: 'FR' }));
    for (const isGivenUp of [true, false]) {
      const copy = { heed: () => Promise.resolve('behind') } as unknown as Followed;
      const left = { heed: () => Promise.resolve(isGivenUp), report: undefined };
      const modules = { ...trustModules, copy, left, keys: () => [], onAhead: () => undefined };
      const own = new OwnLog({ ...modules, isWriting: () => false });
      assert.equal(await own.heed(note), isGivenUp ? 'known' : 'behind');
    }
  });
});

describe('OwnLog.settle', () => {
  const region = new RegionFixture({ region: 'FR' });
  const branch = { from: 1, entries: region.entries.slice(1), note: noteOf(region) };

  /** Settles when it is told to. */
  function logOf(isWriting: () => boolean) {
    let settle: (isTaken: boolean) => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    let calls = 0;
    const copy = {
      settle: () => {
        calls++;
        return new Promise<boolean>((resolve, reject) => ([settle, fail] = [resolve, reject]));
      },
    } as unknown as Followed;
    const own = new OwnLog({ ...trustModules, copy, keys: () => [], isWriting, onAhead: () => undefined });
    return {
      own,
      calls: () => calls,
      settle: (isTaken: boolean) => settle(isTaken),
      fail: () => fail(new Error('disk')),
    };
  }

  it('takes nothing while the log is written', async () => {
    const { own, calls } = logOf(() => true);
    assert.equal(await own.settle(branch), false);
    assert.equal(calls(), 0);
    await own.settled();
  });

  it('lets whoever is about to write wait for what was begun before, whatever becomes of that', async () => {
    for (const outcome of ['taken', 'failed'] as const) {
      let isWriting = false;
      const { own, settle, fail } = logOf(() => isWriting);
      const settling = own.settle(branch).catch(() => 'failed');
      isWriting = true;
      let isSettled = false;
      const waiting = own.settled().then(() => (isSettled = true));
      assert.equal(await own.settle(branch), false);
      assert.equal(isSettled, false);
      if (outcome === 'taken') settle(true);
      else fail();
      await waiting;
      assert.equal(await settling, outcome === 'taken' ? true : 'failed');
    }
  });
});
