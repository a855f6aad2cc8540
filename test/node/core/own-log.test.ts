import assert from 'node:assert/strict';
import { OwnLog } from '../../../node/core/own-log.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Followed } from '../../../node/sync/followed.ts';
import { noteOf } from '../../support/keeper-fixture.ts';
import { RegionFixture, trustModules } from '../../support/region-fixture.ts';

describe('OwnLog.heed', () => {
  it('A15: what keys alone have signed that were given up says nothing of how far the log is', async () => {
    const note = noteOf(new RegionFixture({ region: 'FR' }));
    for (const isGivenUp of [true, false]) {
      const copy = { heed: () => Promise.resolve('behind') } as unknown as Followed;
      const left = { heed: () => Promise.resolve(isGivenUp), report: undefined, named: 0 };
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

describe('OwnLog.enter', () => {
  /** An attestation log of `size` entries, of which the root has signed `named`, whose copy takes what it is offered when it is told to. */
  function logOf({ size, named }: { size: number; named: number }) {
    let land: () => void = () => undefined;
    const tree = { size, head: {} };
    const copy = {
      tree,
      heed: () => Promise.resolve('behind'),
      apply: () => new Promise((resolve) => (land = () => resolve({ outcome: 'grown', size: ++tree.size }))),
    } as unknown as Followed;
    const left = { heed: () => Promise.resolve(false), report: undefined, named };
    const modules = { ...trustModules, copy, left, keys: () => [], onAhead: () => undefined };
    return { own: new OwnLog({ ...modules, isWriting: () => true }), land: () => land() };
  }
  const note = noteOf(new RegionFixture({ region: 'FR' }));
  const piece = { from: 1, entries: [], note };

  it('T9: refuses a log that lacks entries, which goes on to take them, and no other', async () => {
    const short = logOf({ size: 1, named: 2 });
    short.own.look({ isAnew: true });
    assert.equal(short.own.lacking, 2);
    await assert.rejects(short.own.enter(), (error) => isNodeError(error, 'LOG_BEHIND'));
    assert.equal(await short.own.heed(note), 'behind');
    const whole = logOf({ size: 2, named: 2 });
    whole.own.look({ isAnew: true });
    await whole.own.enter();
    assert.deepEqual(await whole.own.apply(piece), { outcome: 'known', size: 2 });
  });

  it('T9: waits for what is on its way, and refuses the log until peers are asked anew: who brought that may have had less than others', async () => {
    const { own, land } = logOf({ size: 1, named: 2 });
    own.look({ isAnew: true });
    const taken = own.apply(piece);
    let isEntered = false;
    const entering = own.enter().finally(() => (isEntered = true));
    await Promise.resolve();
    assert.equal(isEntered, false);
    land();
    assert.equal((await taken).outcome, 'grown');
    const isRefused = (error: unknown) => isNodeError(error, 'LOG_BEHIND');
    await assert.rejects(entering, isRefused);
    assert.equal(own.lacking, undefined);
    own.look({ isAnew: false });
    await assert.rejects(own.enter(), isRefused);
    assert.equal(await own.heed(note), 'behind', 'it takes what it still lacks');
    own.look({ isAnew: true });
    await own.enter();
    assert.deepEqual(await own.apply(piece), { outcome: 'known', size: 2 });
  });
});
