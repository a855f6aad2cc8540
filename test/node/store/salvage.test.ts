import assert from 'node:assert/strict';
import { type CommitMark } from '../../../node/ports.ts';
import { salvage, type Salvaged } from '../../../node/store/salvage.ts';
import { Store } from '../../../node/store/store.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import {
  hurriedClock,
  medium,
  OWNER,
  put,
  rejectsWith,
  startedStore,
  storeOn,
  textAt,
} from '../../support/store-fixture.ts';
import { storeError } from '../../../node/store/store-error.ts';

async function salvaged(
  from: FaultyMedium,
  to: FaultyMedium,
  mark: CommitMark,
  owner = OWNER,
): Promise<Salvaged> {
  const damaged = from.disk({ checked: false });
  const fresh = to.disk();
  await damaged.open();
  await fresh.open();
  try {
    return await salvage({ owner }, { from: damaged, to: fresh, mark });
  } finally {
    await fresh.close();
    await damaged.close();
  }
}

describe('salvage', () => {
  async function filled(): Promise<FaultyMedium> {
    const on = medium();
    const store = await startedStore(on);
    await store.write(Array.from({ length: 3_000 }, (_, i) => put(`k${i}`, `v${i}`)));
    await store.stop();
    return on;
  }

  it('copies what is whole, names what is not, and the copy starts as incomplete until declared otherwise', async () => {
    const on = await filled();
    const lost = new Set([on.flipBit('k'), on.flipBit('k'), on.flipBit('k')]);
    await rejectsWith(storeOn(on).start(), 'STORE_CORRUPT');
    const to = medium();
    const report = await salvaged(on, to, on.mark());
    assert.deepEqual(new Set(report.lostKeys), lost);
    assert.deepEqual([report.kept, report.lost], [3_000 - lost.size, lost.size]);

    const open = async (): Promise<Store> => {
      const store = new Store({ owner: OWNER }, { disk: to.disk(), mark: on.mark(), clock: hurriedClock });
      await store.start();
      return store;
    };
    let store = await open();
    assert.equal(store.incomplete, true);
    for (const key of lost) assert.equal(await textAt(store, key ?? ''), undefined);
    await store.write([put('k1', 'healed')]);
    await store.stop();
    store = await open();
    assert.equal(store.incomplete, true);
    await store.declareComplete();
    await store.stop();
    store = await open();
    assert.equal(store.incomplete, false);
    assert.equal(await textAt(store, 'k1'), 'healed');
  });

  it('makes a mark good that cannot be read, from the count in the store', async () => {
    const on = await filled();
    let noted: number | undefined;
    const mark: CommitMark = {
      read: () =>
        noted === undefined ? Promise.reject(storeError('STORE_CORRUPT', 'no slot')) : Promise.resolve(noted),
      note: (commits) => Promise.resolve(void (noted = commits)),
      close: () => Promise.resolve(),
    };
    await salvaged(on, medium(), mark);
    assert.equal(noted, 1);
  });

  it('refuses the store of another owner', async () => {
    await rejectsWith(salvaged(await filled(), medium(), medium().mark(), 'DE.example'), 'STORE_FOREIGN');
  });
});
