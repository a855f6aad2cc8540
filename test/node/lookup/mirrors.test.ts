import assert from 'node:assert/strict';
import { LOOKUP_PROTOCOL } from '../../../node/lookup/messages.ts';
import {
  csvOf,
  GATE,
  importNumbers,
  newTable,
  outcome,
  PASS,
  START_DAY,
  worldOfNumbers,
} from '../../support/lookup-fixture.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';

describe('the bucket of a look-up', function () {
  this.timeout(60_000);
  let world: NodeWorld;
  afterEach(() => world.stop());

  /** FR has two peers that do not recognise DE, and IT if `hasMirror`. */
  async function found(hasMirror: boolean): Promise<void> {
    const others = ['FR', 'AT', 'BE', ...(hasMirror ? ['IT'] : [])];
    const gates = hasMirror ? ['FR', 'IT'] : ['FR'];
    ({ world } = await worldOfNumbers({ numbers: ['DE-1', 'DE-2'], others, gates }));
  }

  /** How often DE answered FR's node, of so many look-ups, each in a table of its own. */
  async function answersOfHome(count: number): Promise<number> {
    let answers = 0;
    for (let n = 0; n < count; n++) {
      const before = world.node('DE').lookup.head(START_DAY);
      await importNumbers(world, 'DE', csvOf(['DE-1', `DE-${n + 2}`]));
      await newTable(world, before);
      world.network.tamper = (wire) => {
        if (wire.protocol === LOOKUP_PROTOCOL && wire.from === 'DE' && wire.to === 'FR') answers++;
        return wire.bytes;
      };
      assert.equal(await outcome(world, 'FR', 'DE-1', GATE), PASS);
      world.network.tamper = undefined;
    }
    return answers;
  }

  it('is not asked of the home, which has evaluated the question, while one peer recognises the home and answers', async () => {
    await found(true);
    assert.equal(await answersOfHome(3), 3);
    const before = world.node('DE').lookup.head(START_DAY);
    await importNumbers(world, 'DE', csvOf(['DE-1', 'DE-9']));
    await newTable(world, before);
    world.network.tamper = (wire) =>
      wire.protocol === LOOKUP_PROTOCOL && wire.from !== 'DE' ? undefined : wire.bytes;
    const startMs = world.clock.runMs();
    assert.equal(await outcome(world, 'FR', 'DE-1', GATE), PASS, 'mirrors that hang');
    assert.ok(world.clock.runMs() - startMs <= 1_200);
  });

  it('is asked of the home where nobody else recognises it', async () => {
    await found(false);
    assert.equal(await answersOfHome(1), 2);
  });
});
