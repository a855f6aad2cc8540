import assert from 'node:assert/strict';
import { type LogShelf } from '../../../node/core/log-shelf.ts';
import { giveWay, takeOver, type TakingOverModules } from '../../../node/core/taking-over.ts';
import { type Handover } from '../../../node/issuing/handovers.ts';
import { readStagedBatches, stagingChanges } from '../../../node/log/staged-batch.ts';
import { type Change } from '../../../node/ports.ts';
import { type Registry } from '../../../node/registry/registry.ts';
import { type Pledge } from '../../../node/writer/pledges.ts';
import { type Writership } from '../../../node/writer/writership.ts';
import { Machine, ORIGIN } from '../../support/log-fixture.ts';
import { put, rejectsWith, textAt } from '../../support/store-fixture.ts';

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
  const takenBack: Handover[] = [];
  const modules: TakingOverModules = {
    writership: {
      take: () => Promise.resolve(),
      confirm: () => Promise.resolve(),
      pledges: [pledge],
    } as unknown as Writership,
    shelf: { ownLogs: [own], logs: new Map([[ORIGIN, own]]) } as unknown as LogShelf,
    store,
    registry: () =>
      ({
        removal: async ({ index }: Handover) => {
          const dels: Change[] = [];
          for await (const [del] of store.entries(`registry/page/of/${index}`, 'registry/page/of/9'))
            dels.push({ del });
          return dels;
        },
        subjectsIn: () => Promise.resolve(['p1']),
      }) as unknown as Registry,
    takeBack: async (codes, _subjects, write) => {
      takenBack.push(codes);
      await write?.([put('life/p1', `without ${codes.index}`)]);
    },
  };
  const left = async () => (await readStagedBatches(tree.keys, store)).map(({ index }) => index);
  const keysLeft = async () => {
    const keys: string[] = [];
    for await (const [key] of store.entries('log/', 'registry0'))
      if (key !== tree.keys.head)
        keys.push(key.slice(key.startsWith('log/') ? tree.keys.head.length - 4 : 0));
    return keys;
  };
  return { modules, left, keysLeft, tree, takenBack };
}

/** What came of a batch from an index on before its writer died, without its end. */
async function leavePart(
  { modules: { store }, tree }: Awaited<ReturnType<typeof succession>>,
  index: number,
): Promise<void> {
  const [drafts] = stagingChanges(tree.keys, { index, atS: 1_795_436_400, drafts: [Uint8Array.of(9)] });
  if (drafts === undefined) assert.fail();
  await store.write([drafts, put(`registry/page/of/${index}`, 'page')]);
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

  it('T9: gives up what came of a batch that never came to its end', async () => {
    const world = await succession([0, 2], 4);
    await leavePart(world, 4);
    await takeOver('promote', world.modules);
    assert.deepEqual(
      (await world.keysLeft()).map((key) => key.replace(/0+(?=.$)/, '')),
      ['drafts/0', 'drafts/2', 'staged/0', 'staged/2'],
    );
    assert.deepEqual(
      world.takenBack.map(({ index }) => index),
      [4],
    );
  });
});

describe('giveWay', () => {
  it('T9: tells in one what gives up a batch, what is noted of its codes, all behind it, and what came of one without an end', async () => {
    const world = await succession([0, 2, 4], 4);
    await leavePart(world, 6);
    const before = await world.keysLeft();
    const { store } = world.modules;
    // Once for a machine that is to write itself by then, and keeps all.
    for (const isKept of [true, false]) {
      let told = 0;
      await giveWay(world.tree, 3, world.modules, async (changes) => {
        told++;
        if (!isKept) await store.write(changes);
      });
      assert.equal(told, 1);
      if (isKept) assert.deepEqual(await world.keysLeft(), before);
      assert.equal(await textAt(store, 'life/p1'), isKept ? undefined : 'without 2');
    }
    assert.deepEqual(await world.left(), [0]);
    assert.equal((await world.keysLeft()).length, 2, 'its drafts and its head');
    assert.deepEqual(
      world.takenBack.map(({ index }) => index),
      [2, 2],
    );
  });

  it('T25 leaves what is logged, whatever index is named', async () => {
    const { modules, tree, takenBack, keysLeft } = await succession([], 0);
    await modules.store.write([put('registry/page/of/0', 'page'), put('registry/page/of/3', 'page')]);
    const { keys, origin } = tree;
    const grown = { keys, origin, size: 2 } as unknown as typeof tree;
    await giveWay(grown, 0, modules, (changes) => modules.store.write(changes));
    assert.deepEqual(
      takenBack.map(({ index }) => index),
      [2],
    );
    assert.deepEqual(await keysLeft(), ['registry/page/of/0']);
  });
});
