import assert from 'node:assert/strict';
import {
  announce,
  DAYS,
  GATE,
  knowsNumbers,
  MemorySeeds,
  outcome,
  PASS,
  recogniseByAdapter,
  worldOfNumbers,
} from '../../support/lookup-fixture.ts';

/** By their ids the last one is the fifth that a gate of FR would ask. */
const OTHERS = ['AT', 'BE', 'IT', 'NL'] as const;

describe('a number that more regions announce than are asked', function () {
  this.timeout(60_000);

  it('T5 has its own verdict at home, and passes at no third region', async () => {
    const { world } = await worldOfNumbers({ numbers: ['DE-1'] });
    try {
      for (const region of OTHERS) {
        await world.found(region);
        for (const gate of ['DE', 'FR']) await recogniseByAdapter(world, gate, region);
        await announce(world, region, 'DE-', new MemorySeeds(region, DAYS));
      }
      for (const gate of ['DE', 'FR']) for (const region of OTHERS) await knowsNumbers(world, gate, region);
      assert.equal(await outcome(world, 'DE', 'DE-1', GATE), PASS);
      assert.match(await outcome(world, 'FR', 'DE-1', GATE), /^undetermined .*NUMBER_CROWDED$/);
    } finally {
      await world.stop();
    }
  });
});
