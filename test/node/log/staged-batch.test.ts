import assert from 'node:assert/strict';
import { LogKeys } from '../../../node/log/log-keys.ts';
import {
  clearingChanges,
  readStagedBatches,
  type StagedBatch,
  stagingChanges,
} from '../../../node/log/staged-batch.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { Machine, ORIGIN } from '../../support/log-fixture.ts';

const keys = new LogKeys(ORIGIN);
const batch = (index: number, drafts: number): StagedBatch => ({
  index,
  atS: 1_700_000_000,
  drafts: Array.from({ length: drafts }, (_, i) => new Uint8Array([i % 256, i >> 8, 7])),
});

describe('a staged batch', () => {
  it('is read as it was staged, and is gone once cleared', async () => {
    const store = await new Machine().openStore();
    for (const staged of [batch(0, 1), batch(250, 600), batch(2 ** 40 - 5, 3), batch(7, 4_127)]) {
      assert.deepEqual(await readStagedBatches(keys, store), []);
      await store.write(stagingChanges(keys, staged));
      assert.deepEqual(await readStagedBatches(keys, store), [staged]);
      await store.write(clearingChanges(keys, staged));
      assert.deepEqual(await store.page('log/', 'log0', { limit: 9 }), []);
    }
    await store.stop();
  });

  it('is one of several, which are read in their order', async () => {
    const store = await new Machine().openStore();
    const batches = [batch(9, 300), batch(309, 2), batch(311, 1)];
    await store.write([...batches].reverse().flatMap((one) => stagingChanges(keys, one)));
    assert.deepEqual(await readStagedBatches(keys, store), batches);
    await store.write(clearingChanges(keys, batches[1] as StagedBatch));
    assert.deepEqual(await readStagedBatches(keys, store), [batches[0], batches[2]]);
    await store.stop();
  });

  it('is LOG_CORRUPT if a part of it is missing or damaged', async () => {
    const store = await new Machine().openStore();
    const changes = stagingChanges(keys, batch(250, 600));
    await store.write(changes);
    for (const part of changes) {
      if (!('put' in part) || part.put === keys.staged(250)) continue;
      await store.write([{ del: part.put }]);
      await assert.rejects(readStagedBatches(keys, store), (error) => isNodeError(error, 'LOG_CORRUPT'));
      await store.write([part]);
    }
    await store.write([{ put: keys.staged(250), value: new Uint8Array([1, 2]) }]);
    await assert.rejects(readStagedBatches(keys, store), (error) => isNodeError(error, 'LOG_CORRUPT'));
    await store.stop();
  });
});
