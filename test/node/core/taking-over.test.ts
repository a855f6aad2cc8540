import assert from 'node:assert/strict';
import { type LogShelf } from '../../../node/core/log-shelf.ts';
import { dropOutrun, giveWay } from '../../../node/core/outrun.ts';
import { takeOver, type TakingOverModules } from '../../../node/core/taking-over.ts';
import { type Handover } from '../../../node/issuing/handovers.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { readStagedBatches, stagingChanges } from '../../../node/log/staged-batch.ts';
import { type Change } from '../../../node/ports.ts';
import { type Registry } from '../../../node/registry/registry.ts';
import { type Pledge } from '../../../node/writer/pledges.ts';
import { type Writership } from '../../../node/writer/writership.ts';
import { Machine, ORIGIN } from '../../support/log-fixture.ts';
import { put, rejectsWith, textAt } from '../../support/store-fixture.ts';

/** With room for the signature. */
const draft = (byte: number) => new Uint8Array(65).fill(byte);
const DRAFTS = [draft(1), draft(2)];
const SIGNED = DRAFTS.map((one) => one.map((byte, i) => (i < 1 ? byte : 255)));
const ATS = 1_795_436_400;

/** An empty log with batches staged from so many indexes on, each of two entries, after a writer that had `size` entries permitted. */
async function succession(staged: readonly number[], size: number) {
  const machine = new Machine();
  const store = await machine.openStore();
  const tree = await machine.openTree(store);
  for (const index of staged)
    await store.write(stagingChanges(tree.keys, { index, atS: ATS, drafts: DRAFTS }));
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
        removal: async ({ index, count }: Handover) => {
          const dels: Change[] = [];
          const pages = [index, Math.min(index + count, 9)].map((at) => `registry/page/of/${at}`);
          const [from = '', to = ''] = pages;
          for await (const [del] of store.entries(from, to)) dels.push({ del });
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
  return { machine, modules, left, keysLeft, tree, takenBack };
}

/** What came of a batch from an index on before its writer died, without its end. */
async function leavePart(
  { modules: { store }, tree }: Awaited<ReturnType<typeof succession>>,
  index: number,
): Promise<void> {
  const [drafts] = stagingChanges(tree.keys, { index, atS: ATS, drafts: [draft(9)] });
  if (drafts === undefined) assert.fail();
  await store.write([drafts, put(`registry/page/of/${index}`, 'page')]);
}

/** Keeps a batch of two entries that the machine which writes gives for an index, with a page of the registry. */
async function takeGiven(
  { modules, tree, takenBack }: Awaited<ReturnType<typeof succession>>,
  index: number,
): Promise<void> {
  const given = [
    put(`registry/page/of/${index}`, 'page'),
    ...stagingChanges(tree.keys, { index, atS: ATS, drafts: DRAFTS }),
  ];
  await giveWay(tree, index, modules, (gone) => modules.store.write([...gone, ...given]));
  // Nothing was there.
  takenBack.pop();
}

/** The log once it has caught up with these entries of the machine that writes. */
function grownTo({ keys, origin }: LogTree, entries: readonly Uint8Array[]): LogTree {
  const reader = {
    async *entries(from: number, to: number) {
      yield* await Promise.resolve(entries.slice(from, to));
    },
  };
  return { keys, origin, size: entries.length, reader } as unknown as LogTree;
}

const othersOf = (count: number) => Array.from({ length: count }, () => draft(7));

describe('dropOutrun', () => {
  for (const index of [2, 4])
    it(`T9: gives up what another writer has outrun, and not what that one gave for entry ${index} since`, async () => {
      const world = await succession([0], 0);
      await takeGiven(world, index);
      const { modules, tree, left, takenBack } = world;
      assert.deepEqual(await left(), [0, index], 'what lies below may have been permitted');
      await dropOutrun(grownTo(tree, othersOf(index)), modules, false);
      assert.deepEqual(await left(), [index]);
      assert.deepEqual(takenBack, [{ log: '2026-11', index: 0, count: 2 }]);
      assert.equal(await textAt(modules.store, `registry/page/of/${index}`), 'page');
    });

  it('gives up what this machine staged upon it behind the end of the log, and keeps all that it was given, wherever it breaks off', async () => {
    const world = await succession([0, 2], 0);
    await takeGiven(world, 4);
    await takeGiven(world, 6);
    const grown = grownTo(world.tree, othersOf(2));
    let calls = 0;
    const takeBack: TakingOverModules['takeBack'] = (...call) =>
      ++calls === 2 ? Promise.reject(new Error('it died')) : world.modules.takeBack(...call);
    await assert.rejects(dropOutrun(grown, { ...world.modules, takeBack }, false), /it died/);
    await dropOutrun(grown, world.modules, false);
    assert.deepEqual(await world.left(), [4, 6]);
    assert.deepEqual(
      world.takenBack.map(({ index }) => index),
      [2, 0],
    );
  });

  it('T9: gives up nothing whose mark cannot be read', async () => {
    const world = await succession([0], 0);
    await takeGiven(world, 2);
    const { machine, modules, tree, left } = world;
    assert.equal(machine.medium.flipBit(tree.keys.given(2)), tree.keys.given(2));
    await dropOutrun(grownTo(tree, othersOf(2)), modules, false);
    assert.deepEqual(await left(), [2]);
  });

  it('T9: takes nothing back of what is logged, although something below it was outrun', async () => {
    const { modules, tree, left, takenBack } = await succession([0, 2], 0);
    await dropOutrun(grownTo(tree, [...othersOf(2), ...SIGNED]), modules, false);
    assert.deepEqual(await left(), []);
    assert.deepEqual(
      takenBack.map(({ index }) => index),
      [0],
    );
  });
});

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

  it('T9: keeps what was permitted upon another batch than the one that lies here, until that comes', async () => {
    const world = await succession([0], 4);
    await takeGiven(world, 2);
    await takeOver('promote', world.modules);
    assert.deepEqual(await world.left(), [0, 2], 'whether they are the ones the witnesses tell');
    await dropOutrun(grownTo(world.tree, othersOf(2)), world.modules, false);
    assert.deepEqual(await world.left(), [2]);
    await dropOutrun(grownTo(world.tree, [...othersOf(2), ...SIGNED]), world.modules, false);
    assert.deepEqual(await world.keysLeft(), ['registry/page/of/2']);
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
    assert.equal((await world.keysLeft()).length, 3, 'its drafts, its head, and the mark of what comes');
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
