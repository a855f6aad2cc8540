import assert from 'node:assert/strict';
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

/** By their ids the last one is the fifth that a gate of FR would ask. */
const OTHERS = ['AT', 'BE', 'IT', 'NL'] as const;

describe('a number that more regions announce than are asked', function () {
  this.timeout(60_000);
  const world = new NodeWorld({ beatMs: 120_000, intervalMs: 120_000 });
  after(() => world.stop());

  it('T5 has its own verdict at home, and passes at no third region', async () => {
    const seeds = new MemorySeeds('DE', DAYS);
    await world.found('DE', { seeds });
    await world.found('FR');
    await world.recognise('DE', 'FR');
    await recogniseByAdapter(world, 'FR', 'DE');
    await announce(world, 'DE', 'DE-', seeds);
    await importNumbers(world, 'DE', csvOf(['DE-1']));
    const adaptersAt = (at: string, of: string) => [
      ...(world.node(at).trust.regions.get(of)?.state.adapters() ?? []),
    ];
    for (const region of OTHERS) {
      await world.found(region);
      for (const gate of ['DE', 'FR']) await recogniseByAdapter(world, gate, region);
      await announce(world, region, 'DE-', new MemorySeeds(region, DAYS));
    }
    const known = [
      ...OTHERS.map((region) => ['DE', region] as const),
      ...['DE', ...OTHERS].map((region) => ['FR', region] as const),
    ];
    await world.until(() => known.every(([at, of]) => adaptersAt(at, of).length === 1), 'all is known');
    await world.until(() => world.node('DE').lookup.head(START_DAY) !== undefined, 'there is a table');
    assert.equal(await outcome(world, 'DE', 'DE-1', 'gate'), 'pass IDENTITY_CHECK');
    assert.match(await outcome(world, 'FR', 'DE-1', 'gate'), /^undetermined .*NUMBER_CROWDED$/);
  });
});
