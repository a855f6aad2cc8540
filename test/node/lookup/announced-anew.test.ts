import assert from 'node:assert/strict';
import {
  announce,
  GATE,
  knowsNumbers,
  newTable,
  outcome,
  PASS,
  START_DAY,
  worldOfNumbers,
} from '../../support/lookup-fixture.ts';
import { sha256 } from '../../support/primitives.ts';

const MISSING = 'undetermined NUMBER_DAY_MISSING';

describe('a day of numbers that is announced anew by another key', function () {
  this.timeout(60_000);

  it('is undetermined until its table is there, and no number that is listed is unknown meanwhile', async () => {
    const { world, seeds } = await worldOfNumbers({ numbers: ['DE-1', 'DE-2'] });
    try {
      const at = (region: string) => outcome(world, region, 'DE-1', GATE);
      assert.equal(await at('FR'), PASS);

      seeds.held.set(START_DAY, sha256(Buffer.from('made anew')));
      await announce(world, 'DE', 'DE-', seeds, 2);
      const before = world.node('DE').lookup.head(START_DAY);
      await knowsNumbers(world, 'FR', 'DE', 2);
      const told = new Set<string>();
      for (const region of ['DE', 'FR', 'DE', 'FR']) told.add(await at(region));
      const head = world.node('DE').lookup.head(START_DAY);
      assert.equal(head, before, 'the table of the key before is the only one');
      assert.deepEqual([...told], [MISSING]);
      await newTable(world, before);
      assert.deepEqual([await at('DE'), await at('FR')], [PASS, PASS]);
    } finally {
      await world.stop();
    }
  });
});
