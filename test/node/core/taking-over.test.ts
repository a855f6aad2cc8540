import assert from 'node:assert/strict';
import { type LogShelf } from '../../../node/core/log-shelf.ts';
import { takeOver, type TakingOverModules } from '../../../node/core/taking-over.ts';
import { readStagedBatches, stagingChanges } from '../../../node/log/staged-batch.ts';
import { type Registry } from '../../../node/registry/registry.ts';
import { type Pledge } from '../../../node/writer/pledges.ts';
import { type Writership } from '../../../node/writer/writership.ts';
import { Machine, ORIGIN } from '../../support/log-fixture.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

/** An empty log with batches staged from so many indexes on, each of two entries, after a writer that had `size` entries permitted. */
async function succession(staged: readonly number[], size: number) {
  const machine = new Machine();
  const store = await machine.openStore();
  const tree = await machine.openTree(store);
  for (const index of staged)
    await store.write(
      stagingChanges(tree.keys, { index, atS: 1_795_436_400, drafts: [Uint8Array.of(1), Uint8Array.of(2)] }),
    );
  const pledge: Pledge = { origin: ORIGIN, epoch: 1, size, root: new Uint8Array(32) };
  const own = { origin: ORIGIN, tree };
  const modules: TakingOverModules = {
    writership: {
      take: () => Promise.resolve(),
      confirm: () => Promise.resolve(),
      pledges: [pledge],
    } as unknown as Writership,
    shelf: { ownLogs: [own], logs: new Map([[ORIGIN, own]]) } as unknown as LogShelf,
    store,
    registry: () =>
      ({ removal: () => Promise.resolve([]), subjectsIn: () => Promise.resolve([]) }) as unknown as Registry,
    takeBack: () => Promise.resolve(),
  };
  const left = async () => (await readStagedBatches(tree.keys, store)).map(({ index }) => index);
  return { modules, left };
}

describe('takeOver', () => {
  it('T9: keeps a batch that was permitted while entries before it are missing', async () => {
    const { modules, left } = await succession([2], 4);
    await rejectsWith(takeOver('promote', modules), 'LOG_BEHIND');
    assert.deepEqual(await left(), [2]);
  });

  it('gives up what comes after a gap, once all that was permitted is here', async () => {
    const { modules, left } = await succession([0, 2, 6], 4);
    await takeOver('promote', modules);
    assert.deepEqual(await left(), [0, 2]);
  });
});
