import assert from 'node:assert/strict';
import { LOOKUP_PROTOCOL } from '../../../node/lookup/messages.ts';
import {
  announce,
  csvOf,
  DAYS,
  importNumbers,
  MemorySeeds,
  outcome,
  recogniseByAdapter,
  START_DAY,
} from '../../support/lookup-fixture.ts';
import { NodeWorld } from '../../support/node-fixture.ts';

describe('the bucket of a look-up', function () {
  this.timeout(60_000);
  let world: NodeWorld;
  afterEach(() => world.stop());

  /** FR has two peers that do not recognise DE, and IT if `hasMirror`. */
  async function found(hasMirror: boolean): Promise<void> {
    world = new NodeWorld({ beatMs: 120_000, intervalMs: 120_000 });
    const seeds = new MemorySeeds('DE', DAYS);
    await world.found('DE', { seeds });
    for (const region of ['FR', 'AT', 'BE']) await world.found(region);
    if (hasMirror) await world.found('IT');
    await world.recognise('DE', 'FR');
    for (const region of hasMirror ? ['FR', 'IT'] : ['FR']) await recogniseByAdapter(world, region, 'DE');
    await announce(world, 'DE', 'DE-', seeds);
    await importNumbers(world, 'DE', csvOf(['DE-1', 'DE-2']));
    await newTable(undefined);
    for (const region of hasMirror ? ['FR', 'IT'] : ['FR'])
      await world.until(
        () => [...(world.node(region).trust.regions.get('DE')?.state.adapters() ?? [])].length === 1,
        `${region} knows what DE announces`,
      );
    await world.until(
      () => world.node('FR').trust.regions.get('DE')?.state.recognition('FR') !== undefined,
      'FR knows DE',
    );
  }

  const newTable = (before: Uint8Array | undefined) =>
    world.until(
      () => {
        const head = world.node('DE').lookup.head(START_DAY);
        return head !== undefined && head !== before;
      },
      'a new table',
      70,
    );

  /** How often DE answered FR's node, of so many look-ups, each in a table of its own. */
  async function answersOfHome(count: number): Promise<number> {
    let answers = 0;
    for (let n = 0; n < count; n++) {
      const before = world.node('DE').lookup.head(START_DAY);
      await importNumbers(world, 'DE', csvOf(['DE-1', `DE-${n + 2}`]));
      await newTable(before);
      world.network.tamper = (wire) => {
        if (wire.protocol === LOOKUP_PROTOCOL && wire.from === 'DE' && wire.to === 'FR') answers++;
        return wire.bytes;
      };
      assert.equal(await outcome(world, 'FR', 'DE-1', 'gate'), 'pass IDENTITY_CHECK');
      world.network.tamper = undefined;
    }
    return answers;
  }

  it('is not asked of the home, which has evaluated the question, while one peer recognises the home and answers', async () => {
    await found(true);
    assert.equal(await answersOfHome(3), 3);
    const before = world.node('DE').lookup.head(START_DAY);
    await importNumbers(world, 'DE', csvOf(['DE-1', 'DE-9']));
    await newTable(before);
    world.network.tamper = (wire) =>
      wire.protocol === LOOKUP_PROTOCOL && wire.from !== 'DE' ? undefined : wire.bytes;
    const startMs = world.clock.runMs();
    assert.equal(await outcome(world, 'FR', 'DE-1', 'gate'), 'pass IDENTITY_CHECK', 'mirrors that hang');
    assert.ok(world.clock.runMs() - startMs <= 1_200);
  });

  it('is asked of the home where nobody else recognises it', async () => {
    await found(false);
    assert.equal(await answersOfHome(1), 2);
  });
});
