import assert from 'node:assert/strict';
import { Scrub, type ScrubModules } from '../../../node/store/scrub.ts';
import { type Store } from '../../../node/store/store.ts';
import { storeError } from '../../../node/store/store-error.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { medium, put, startedStore, textAt } from '../../support/store-fixture.ts';

interface Scene {
  readonly on: FaultyMedium;
  readonly store: Store;
  readonly clock: ManualClock;
  readonly scrub: Scrub;
  readonly damages: string[];
}

/** 1,000 values of about 100 bytes, read at 10,000 bytes a second, paused for 1 s. */
async function scene(heal: (store: Store, key: string) => Promise<void>): Promise<Scene> {
  const on = medium();
  const store = await startedStore(on);
  await store.write(Array.from({ length: 1_000 }, (_, i) => put(`k${i}`, `value ${i}`.padEnd(84, '.'))));
  const clock = new ManualClock();
  const damages: string[] = [];
  const modules: ScrubModules = {
    store,
    clock,
    heal: (key) => heal(store, key),
    damaged: (damage) => void damages.push(damage),
  };
  return { on, store, clock, damages, scrub: new Scrub({ bytesPerSecond: 10_000, pauseMs: 1_000 }, modules) };
}

describe('Scrub', () => {
  it('reads everything at its rate, again after each pause, until it is stopped', async () => {
    const { clock, scrub, on } = await scene(() => Promise.reject(new Error('nothing to heal')));
    scrub.start();
    scrub.start();
    await clock.advance(5_000);
    const half = scrub.counters;
    assert.equal(half.passes, 0);
    assert.ok(half.bytes > 40_000 && half.bytes < 80_000, String(half.bytes));
    await clock.advance(6_000);
    assert.equal(scrub.counters.passes, 1);
    assert.equal(scrub.counters.values, on.size);
    await clock.advance(12_000);
    assert.equal(scrub.counters.passes, 2);
    assert.equal(scrub.counters.corrupt, 0);
    await scrub.stop();
    await scrub.stop();
    assert.equal(clock.waiting, 0);
  });

  it('F4 has every flipped value healed, by name, and finds it whole on the next pass', async () => {
    const healed: string[] = [];
    const { on, store, clock, scrub, damages } = await scene(async (healing, key) => {
      healed.push(key);
      await healing.write([put(key, 'from a peer')]);
    });
    const flipped = new Set<string | undefined>();
    for (let i = 0; i < 10; i++) flipped.add(on.flipBit('k'));
    scrub.start();
    await clock.advance(10_500);
    assert.deepEqual(new Set(healed), flipped);
    assert.equal(scrub.counters.healed, flipped.size);
    assert.equal(damages.length, 1);
    for (const key of healed) assert.equal(await textAt(store, key), 'from a peer');
    const { corrupt } = scrub.counters;
    await clock.advance(20_000);
    assert.equal(scrub.counters.corrupt, corrupt);
    await scrub.stop();
  });

  it('goes on past a value that cannot be healed', async () => {
    const { on, clock, scrub } = await scene(() => Promise.reject(storeError('STORE_FULL', 'not now')));
    on.flipBit('k1');
    on.flipBit('k9');
    scrub.start();
    await clock.advance(10_500);
    assert.deepEqual([scrub.counters.corrupt, scrub.counters.healed, scrub.counters.passes], [2, 0, 1]);
    await scrub.stop();
  });

  it('begins anew after a pause when the store is reopened under it', async () => {
    const { on, store, clock, scrub } = await scene(() => Promise.resolve());
    scrub.start();
    await clock.advance(1_000);
    on.refuse('read', 1);
    await clock.advance(2_000);
    assert.equal(scrub.counters.passes, 0);
    await clock.advance(20_000);
    assert.ok(scrub.counters.passes >= 1);
    await store.stop();
    await clock.advance(5_000);
    await settled();
    await scrub.stop();
  });
});
