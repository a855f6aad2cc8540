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
import { sha256 } from '../../support/primitives.ts';
import { START_S } from '../../support/region-fixture.ts';

const GATE = 'gate-1';
const PASS = 'pass IDENTITY_CHECK';
const MISSING = 'undetermined NUMBER_DAY_MISSING';
const QUOTA = { perMinute: 1_000, perDay: 1_000 };

describe('a day of numbers that is announced anew by another key', function () {
  this.timeout(60_000);

  it('is undetermined until its table is there, and no number that is listed is unknown meanwhile', async () => {
    const world = new NodeWorld({
      lookupQuotas: { verifier: QUOTA, region: QUOTA },
      beatMs: 120_000,
      intervalMs: 120_000,
      startS: START_S,
    });
    try {
      const seeds = new MemorySeeds('DE', DAYS);
      await world.found('DE', { seeds });
      await world.found('FR');
      await world.recognise('DE', 'FR');
      await recogniseByAdapter(world, 'FR', 'DE');
      await announce(world, 'DE', 'DE-', seeds);
      await importNumbers(world, 'DE', csvOf(['DE-1', 'DE-2']));
      const at = (region: string) => outcome(world, region, 'DE-1', GATE);
      const head = () => world.node('DE').lookup.head(START_DAY);
      await world.until(() => head() !== undefined, 'a table', 70);
      const knows = (version: number) => () =>
        [...(world.node('FR').trust.regions.get('DE')?.state.adapters() ?? [])].some(
          (adapter) => adapter.version === version,
        );
      await world.until(knows(1), 'FR knows what DE announces');
      assert.equal(await at('FR'), PASS);

      seeds.held.set(START_DAY, sha256(Buffer.from('made anew')));
      await announce(world, 'DE', 'DE-', seeds, 2);
      const before = head();
      await world.until(knows(2), 'FR knows what DE announces anew');
      const told = new Set<string>();
      for (const region of ['DE', 'FR', 'DE', 'FR']) told.add(await at(region));
      assert.equal(head(), before, 'the table of the key before is the only one');
      assert.deepEqual([...told], [MISSING]);
      await world.until(() => head() !== before, 'a table by the new key', 130);
      assert.deepEqual([await at('DE'), await at('FR')], [PASS, PASS]);
    } finally {
      await world.stop();
    }
  });
});
