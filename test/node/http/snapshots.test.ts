import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Snapshots } from '../../../node/http/snapshots.ts';
import { threeRegions } from '../../support/http-fixture.ts';
import { sha256 } from '../../support/primitives.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('Snapshots', () => {
  it('hold nobody who asks for one that is made', async () => {
    const world = await threeRegions();
    const { trust } = world.node('DE');
    const keeper = (region: string) => world.node('DE').keeper(region);
    const snapshots = new Snapshots({ trust: () => trust, keeper, clock: world.clock, sha256 });
    const first = await snapshots.since(undefined, () => true);
    const ask = async () => {
      const asker = { isWaiting: () => true };
      assert.equal(await snapshots.since(undefined, () => asker.isWaiting()), first);
      return new WeakRef(asker);
    };
    const asker = await ask();
    await setImmediate();
    collect();
    assert.equal(asker.deref(), undefined);
    await world.stop();
  });
});
