import assert from 'node:assert/strict';
import { hexOf } from '../../../protocol/bytes.ts';
import { openLookupHead } from '../../../protocol/lookup/head.ts';
import { WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { testKey, verifySignature } from '../../support/keys.ts';
import {
  announce,
  csvOf,
  DAYS,
  importNumbers,
  MemorySeeds,
  START_DAY,
} from '../../support/lookup-fixture.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

const SPARE = 'DE#2';
const MACHINES = ['DE', SPARE];

describe('tables of numbers when the writer of their region changes', function () {
  this.timeout(60_000);
  let world: NodeWorld;
  let machine: Parameters<NodeWorld['replace']>[1];

  /** Two machines of DE with the same seeds and list, of which FR and IT let one write. */
  beforeEach(async () => {
    world = new NodeWorld();
    const seeds = new MemorySeeds('DE', DAYS);
    const regions = ['DE', 'FR', 'IT'];
    for (const region of regions) await world.found(region);
    for (const [i, one] of regions.entries())
      for (const other of regions.slice(i + 1)) await world.befriend(one, other);
    await announce(world, 'DE', 'DE-', seeds);
    await world.pass(15);
    await world.kill('DE', { inOrder: true });
    machine = { seeds, fenced: { identity: testKey(101).publicKey } };
    world.replace('DE', machine);
    await world.boot('DE');
    world.addMachine(SPARE, { seeds, fenced: { identity: testKey(102).publicKey, isStandby: true } });
    await world.boot(SPARE, (node) => node.status.writing === 'standby');
    for (const name of MACHINES) await importNumbers(world, name, csvOf(['DE-1', 'DE-2']));
    await world.until(() => headOf('DE') !== undefined, 'the writer has a table', 240);
  });
  afterEach(() => world.stop());

  const headOf = (name: string) => {
    const bytes = world.node(name).lookup.head(START_DAY);
    return bytes && openLookupHead(bytes, { verifySignature }).head;
  };

  type Found = Map<number, Set<string>>;

  function look(found: Found): void {
    for (const head of MACHINES.map(headOf)) {
      if (head === undefined) continue;
      const minute = Math.floor(head.at / 60);
      found.set(minute, (found.get(minute) ?? new Set()).add(hexOf(head.root)));
    }
  }

  /** Lets time pass; of each minute the tables that were signed for it. */
  async function tables(seconds: number, found: Found = new Map()): Promise<Found> {
    for (let s = 0; s < seconds; s++) {
      await world.clock.advance(1_000);
      look(found);
    }
    return found;
  }

  const worst = (found: Found) => Math.max(...[...found.values()].map(({ size }) => size));

  it('no minute has two where the old writer is cut off and does not hear of the new one', async () => {
    assert.equal(headOf(SPARE), undefined);
    for (const other of [SPARE, 'FR', 'IT']) world.network.cut('DE', other);
    await world.run(world.node(SPARE).promote());
    assert.equal(worst(await tables(60)), 1);
    assert.equal(world.node('DE').status.writing, 'writing', 'it does not know');
    assert.equal(headOf('DE'), undefined, 'and is silent, for nobody says that it may write');
    assert.equal(worst(await tables(180)), 1);
    assert.ok(headOf(SPARE) !== undefined, 'the new one answers');
    for (const other of [SPARE, 'FR', 'IT']) world.network.mend('DE', other);
    assert.equal(worst(await tables(90)), 1);
    assert.deepEqual([headOf('DE'), world.node('FR').status.accusations], [undefined, []]);
  });

  it('a writer that was stopped in order answers with the next minute, and waits where it may not be the only one', async () => {
    const begunAgain = async (how: { inOrder: boolean }) => {
      await world.kill('DE', how);
      world.replace('DE', machine);
      const beganMs = world.clock.nowMs();
      await world.boot('DE');
      await world.until(() => headOf('DE') !== undefined, 'the writer has a table', 240);
      return (world.clock.nowMs() - beganMs) / 1_000;
    };
    const ended = await begunAgain({ inOrder: true });
    assert.ok(ended < 90, `after ${ended} s`);
    const died = await begunAgain({ inOrder: false });
    assert.ok(died > 120, `after ${died} s, for it may have been another machine that died`);
    assert.equal(worst(await tables(90)), 1);
    assert.deepEqual(world.node('FR').status.accusations, []);
  });

  it('T9: no minute has two where one that too few let write was stopped in order, and is let write when it starts again', async () => {
    await world.found('ES');
    for (const other of ['DE', 'FR', 'IT']) await world.recognise('ES', other);
    await world.pass(15);
    for (const other of ['DE', 'FR', 'IT']) await world.recognise(other, 'ES');
    await world.pass(15);
    await world.run(world.node(SPARE).promote());
    await world.until(() => headOf(SPARE) !== undefined, 'the new writer has a table', 240);
    // All tell it who writes, and FR alone hears that it claims to.
    let answers = 0;
    world.network.tamper = ({ to, protocol, bytes }) => {
      if (to !== 'DE' || protocol !== WRITER_PROTOCOL || ++answers !== 3) return bytes;
      for (const other of ['IT', 'ES']) world.network.cut('DE', other);
      return bytes;
    };
    await rejectsWith(world.run(world.node('DE').promote()), 'PEER_UNREACHABLE');
    world.network.tamper = undefined;
    for (const other of ['IT', 'ES']) world.network.mend('DE', other);
    await world.pass(15);
    await world.kill('DE', { inOrder: true });
    world.replace('DE', machine);
    const before = headOf(SPARE)?.at ?? assert.fail('it writes on');
    await world.until(() => headOf(SPARE)?.at !== before, 'it signs for another minute', 90);
    const found: Found = new Map();
    await world.boot('DE', ({ status }) => {
      look(found);
      return status.writing === 'writing';
    });
    assert.equal(world.node('DE').status.writer?.epoch, 4, 'one above its own claim');
    assert.equal(worst(await tables(240, found)), 1);
    assert.ok(headOf('DE') !== undefined);
  });

  it('no minute has two where the new writer begins in one for which the old one has just signed', async () => {
    const before = headOf('DE')?.at;
    await world.until(() => headOf('DE')?.at !== before, 'the old writer signs', 90);
    await world.run(world.node(SPARE).promote());
    assert.equal(worst(await tables(240)), 1);
    assert.ok(headOf(SPARE) !== undefined);
  });
});
