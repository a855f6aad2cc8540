import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { INCOMPLETE_KEY } from '../../../node/store/bring-up.ts';
import { sealValue } from '../../../node/store/sealed.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { threeRegions } from '../../support/http-fixture.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';

const TRUST = 'DE.test/trust';
const ATTEST = 'DE.test/attest/2026-11';
const RUNS = `log/${TRUST}/entries/`;

/** A world with a revoked code of DE. */
async function revoked(): Promise<{ readonly world: NodeWorld; readonly text: string }> {
  const world = await threeRegions();
  const { log, index, text } = await world.issue('DE');
  await world.run(world.node('DE').revoke({ log, indexes: [index] }));
  await world.pass(15);
  return { world, text };
}

/** Stops a node, and lets one run of the trust log of DE be damaged or gone in its store. */
async function harm(
  world: NodeWorld,
  region: string,
  { nth, isGone }: { readonly nth: number; readonly isGone: boolean },
): Promise<void> {
  const { medium } = await world.kill(region, { inOrder: true });
  const { entries, commits } = medium.snapshot();
  const key = entries
    .map(([name]) => name)
    .filter((name) => name.startsWith(RUNS))
    .at(nth);
  assert.ok(key);
  medium.restore({ entries: entries.filter(([name]) => !isGone || name !== key), commits });
  if (isGone) return;
  assert.equal(medium.flipBit(key), key);
  // As whoever wrote the file anew would leave it: nothing below the values tells.
  medium.compact();
}

describe('LogMender T16, F4', function () {
  this.timeout(30_000);

  for (const [what, nth, isGone] of [
    ['its root', 0, false],
    ['an entry in the middle', 2, false],
    ['its newest entry', -1, false],
    ['the run of its root', 0, true],
    ['a run in the middle', 2, true],
    ['its newest run', -1, true],
  ] as const) {
    const how = isGone ? 'gone' : 'damaged';
    it(`a node starts with ${what} ${how}, is undetermined and signs nothing, and is whole once peers are there`, async () => {
      const { world, text } = await revoked();
      const before = await entriesOf(world, 'FR');
      await harm(world, 'DE', { nth, isGone });
      world.network.isolate('DE');
      const node = world.replace('DE');
      await world.boot('DE', ({ status }) => status.writing === 'failed');
      await assert.rejects(world.run(node.whenWriting()), (error) => {
        return isNodeError(error, isGone ? 'LOG_CORRUPT' : 'VALUE_CORRUPT') && error.hint !== undefined;
      });
      assert.match(
        node.status.closed[TRUST] ?? '',
        isGone ? /is not in the store/ : /is not what was written/,
      );
      assert.match(await world.outcome('DE', text), /^undetermined/);
      assert.equal(node.keeper('DE')?.latest, undefined);

      for (const peer of ['FR', 'IT']) world.network.mend('DE', peer);
      await world.until(() => node.status.writing === 'writing', 'it signs again');
      assert.deepEqual(node.status.closed, {});
      await world.pass(15);
      assert.match(await world.outcome('DE', text), /^stop.*REVOKED/);
      assert.deepEqual((await entriesOf(world, 'DE')).slice(0, before.length), before);
      await world.stop();
    });
  }

  it('a copy that is damaged is mended, while the node signs for its own region', async () => {
    const { world, text } = await revoked();
    await harm(world, 'FR', { nth: 1, isGone: true });
    const node = world.replace('FR');
    await world.boot('FR');
    await world.until(() => node.keeper('DE')?.damage === undefined, 'the copy is whole');
    await world.pass(15);
    assert.match(await world.outcome('FR', text), /^stop.*REVOKED/);
    assert.deepEqual(await entriesOf(world, 'FR'), await entriesOf(world, 'DE'));
    await world.stop();
  });

  for (const isGone of [false, true])
    it(`what a compromise reaches back to, before the state that a copy began with, is mended where it is ${isGone ? 'gone' : 'damaged'}`, async () => {
      const { world } = await revoked();
      await world.run(world.node('DE').commitState());
      const log = () => world.node('DE').log(TRUST) ?? assert.fail();
      const isSame = () => world.node('FR').log(TRUST)?.size === log().size;
      await world.until(isSame, 'FR has the state');
      await harm(world, 'FR', { nth: 1, isGone });
      const node = world.replace('FR');
      await world.boot('FR');
      const keeper = node.keeper('DE') ?? assert.fail();
      assert.ok(keeper.fold.baseIndex > 0);
      assert.equal(keeper.damage, undefined, 'nobody has needed it');

      const { fixture, instead } = world.machine('DE');
      fixture.nowS = world.nowS;
      const fresh = (instead.checkpoint = fixture.key('fresh checkpoint'));
      const cutOff = { size: 1, root: await log().reader.rootAt(1) };
      const entries = [
        fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
        fixture.compromise(fixture.keys.checkpoint, { trust: cutOff }),
      ].map((statement) => fixture.entryOf(statement));
      await world.run(world.node('DE').logEntries(entries));
      await world.until(() => isSame() && keeper.damage === undefined, 'FR has it');
      assert.deepEqual(await entriesOf(world, 'FR'), await entriesOf(world, 'DE'));
      assert.ok(keeper.state.key(fixture.keys.checkpoint.keyId)?.compromise);
      await world.stop();
    });

  it('a trust log that was closed for a tile is open again long before the next scrub', async () => {
    const { world, text } = await revoked();
    const keeper = world.node('FR').keeper('DE');
    assert.ok(keeper);
    const { medium } = world.machine('FR');
    assert.ok(medium.flipBit(`log/${TRUST}/tile/0/0000000000000000`));
    await assert.rejects(keeper.tree.reload(), (error) => isNodeError(error, 'VALUE_CORRUPT'));
    await assert.rejects(keeper.advance(), (error) => isNodeError(error, 'VALUE_CORRUPT'));
    assert.ok(keeper.damage);
    await world.until(() => keeper.damage === undefined, 'the copy is whole');
    assert.equal(keeper.tree.trouble, undefined);
    await world.pass(15);
    assert.match(await world.outcome('FR', text), /^stop.*REVOKED/);
    await world.stop();
  });

  /** FR copies the attestation log of DE, in which there are some runs of entries. */
  async function mirrored(): Promise<NodeWorld> {
    const world = await threeRegions();
    await world.kill('FR', { inOrder: true });
    world.replace('FR', { mirrors: ['DE'] });
    await world.boot('FR');
    for (let size = 1; size <= 5; size++) {
      await world.issue('DE');
      await world.until(() => world.node('FR').log(ATTEST)?.size === size, 'it is copied');
    }
    return world;
  }

  for (const [whose, region, options, late] of [
    ['a copy of an attestation log', 'FR', { mirrors: ['DE'] }, undefined],
    ['a copy of an attestation log whose owner is away', 'FR', { mirrors: ['DE'] }, 'DE'],
    ['an own attestation log that a peer copies', 'DE', {}, undefined],
  ] as const) {
    it(`${whose} that a salvage has left with gaps is whole again, and so is the store, once its owner or a copy is there`, async () => {
      const world = await mirrored();
      const before = await entriesOf(world, region, ATTEST);
      assert.equal(before.length, 5);
      const { medium } = await world.kill(region, { inOrder: true });
      const { entries, commits } = medium.snapshot();
      const runs = entries.map(([key]) => key).filter((key) => key.startsWith(`log/${ATTEST}/entries/`));
      assert.ok(runs.length > 3);
      const gone = new Set([runs[1], runs.at(-1)]);
      const incomplete = [INCOMPLETE_KEY, sealValue(INCOMPLETE_KEY, Buffer.from('salvaged'))] as const;
      medium.restore({
        entries: [...entries.filter(([key]) => !gone.has(key)), incomplete],
        commits,
      });
      const node = world.replace(region, { ...options, tendMs: 5_000 });
      if (late !== undefined) world.network.isolate(late);
      await world.boot(region);
      if (late !== undefined) {
        assert.ok(keysIn(medium).includes(INCOMPLETE_KEY));
        world.network.rejoin(late);
      }
      await world.until(() => !keysIn(medium).includes(INCOMPLETE_KEY), 'the salvage is over');
      assert.deepEqual(await entriesOf(world, region, ATTEST), before);
      assert.equal(node.status.writing, 'writing');
      await world.stop();
    });
  }

  it('a trust log that a salvage has left with a gap before the state that its fold began with is whole again', async () => {
    const { world } = await revoked();
    await world.run(world.node('DE').commitState());
    await world.until(
      () => world.node('FR').log(TRUST)?.size === world.node('DE').log(TRUST)?.size,
      'FR has it',
    );
    await harm(world, 'FR', { nth: 1, isGone: true });
    const { medium } = world.machine('FR');
    const { entries, commits } = medium.snapshot();
    const incomplete = [INCOMPLETE_KEY, sealValue(INCOMPLETE_KEY, Buffer.from('salvaged'))] as const;
    medium.restore({ entries: [...entries, incomplete], commits });
    const node = world.replace('FR', { tendMs: 5_000 });
    await world.boot('FR');
    assert.ok((node.keeper('DE')?.fold.baseIndex ?? 0) > 0);
    await world.until(() => !keysIn(medium).includes(INCOMPLETE_KEY), 'the salvage is over');
    assert.deepEqual(await entriesOf(world, 'FR'), await entriesOf(world, 'DE'));
    await world.stop();
  });

  function keysIn(medium: FaultyMedium): string[] {
    return medium.snapshot().entries.map(([key]) => key);
  }
});

async function entriesOf(world: NodeWorld, region: string, origin = TRUST): Promise<Uint8Array[]> {
  const tree = world.node(region).log(origin);
  assert.ok(tree);
  const entries: Uint8Array[] = [];
  for await (const entry of tree.reader.entries(0, tree.size)) entries.push(entry.slice());
  return entries;
}
