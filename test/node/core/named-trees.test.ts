import assert from 'node:assert/strict';
import { type LogShelf } from '../../../node/core/log-shelf.ts';
import { findNamed } from '../../../node/core/named-trees.ts';
import { isSignedBy } from '../../../node/log/own-checkpoint.ts';
import { pruneLog } from '../../../node/log/prune.ts';
import { Replica } from '../../../node/log/replica.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { Machine } from '../../support/log-fixture.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { PublishedLog, words } from '../../support/published-log.ts';
import { LOG_ID, RegionFixture, trustModules } from '../../support/region-fixture.ts';

const LOG = '2026-11';
const ORIGIN = `FR.${NETWORK}/attest/${LOG}`;
const TRUST = `FR.${NETWORK}/trust`;

describe('findNamed', () => {
  it('T9: finds a log that is shorter than its largest cut-off, or another tree there, and tells nothing of what is pruned', async () => {
    const origin = `FR.test/attest/${LOG_ID}`;
    const [good, bad] = ['good', 'bad'].map((word) => new PublishedLog(words(600, word), { origin }));
    assert.ok(good && bad);
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store, origin);
    await new Replica({ ...trustModules, tree }).apply(good.piece(0, 300), good.keys);
    const found = (...cutOffs: readonly (readonly [log: PublishedLog, size: number])[]) => {
      const region = new RegionFixture({ region: 'FR' });
      for (const [i, [log, size]] of cutOffs.entries()) {
        const key = region.key(`checkpoint ${i}`);
        region.admit([{ key, role: 'checkpoint' }]);
        region.add(region.compromise(key, { [LOG_ID]: { size, root: log.tree.root(size) } }));
      }
      return findNamed({ home: region, ownLogs: [{ origin, tree }] } as unknown as LogShelf);
    };
    const of = (finding: string, size: number) => ({ finding, origin, size, isByRoot: true });
    assert.equal(await found(), undefined);
    assert.equal(await found([good, 300]), undefined);
    assert.deepEqual(await found([good, 301]), of('behind', 301));
    assert.deepEqual(await found([bad, 300]), of('contradicted', 300));
    assert.deepEqual(await found([bad, 299], [good, 500]), of('behind', 500));
    assert.equal(await found([bad, 299], [good, 300]), undefined);
    assert.deepEqual(await found([good, 300], [bad, 300]), of('contradicted', 300));
    await pruneLog(300, { tree, store });
    assert.equal(await found([bad, 256]), undefined);
    assert.deepEqual(await found([bad, 257]), of('contradicted', 257));
    await store.stop();
  });
});

describe('a region that is put back to before the cut-off of a key that it gave up, with its second place', () => {
  let world: NodeWorld;
  afterEach(() => world.stop());

  /**
   * FR signs 3 entries, of which the backup has the first, and witnesses see as many as `seen`. Nobody but FR has the last tree signed by the key that came in
   * the place of the one that its root has given up.
   */
  async function goBack({ seen = 3, mirrors = [] as readonly string[] } = {}): Promise<void> {
    world = new NodeWorld({ bootQuorum: () => 0 });
    for (const region of ['FR', 'DE', 'BE']) await world.found(region, region === 'BE' ? { mirrors } : {});
    for (const witness of ['DE', 'BE']) await world.befriend('FR', witness);
    await world.befriend('DE', 'BE');
    await world.issue('FR');
    const { medium, secondPlace } = await world.kill('FR', { inOrder: true });
    const backup = medium.snapshot();
    const marks = new Map(secondPlace.marks);
    world.replace('FR');
    await world.boot('FR');
    await world.issue('FR', 'p2');
    await world.pass(40);
    await world.issue('FR', 'p3');
    if (seen === 3) await world.pass(40);
    world.network.cut('FR', 'BE');
    await giveUp();
    const { size } = world.node('FR').log(TRUST)?.head ?? assert.fail();
    const know = (region: string) => world.node(region).log(TRUST)?.size === size;
    await world.until(() => know('DE') && know('BE'), 'others know what the root has given up');
    const { checkpoint } = world.machine('FR').fixture.keys;
    const last = await world.run(world.node('DE').witness.lastSeen(ORIGIN));
    assert.equal(last?.size, seen);
    assert.ok(isSignedBy(ORIGIN, last.note, checkpoint, trustModules), 'by the key that was given up');
    const machine = await world.kill('FR', { inOrder: true });
    medium.restore(backup);
    machine.secondPlace = new MemorySecondPlace();
    for (const [name, mark] of marks) machine.secondPlace.marks.set(name, mark);
    world.network.mend('FR', 'BE');
    world.replace('FR');
  }

  async function giveUp(): Promise<void> {
    const { fixture, instead, node } = world.machine('FR');
    const fresh = (instead.checkpoint = fixture.key('fresh checkpoint'));
    fixture.nowS = world.nowS;
    const cutOff = (origin: string) => {
      const { size, root } = node.log(origin)?.head ?? assert.fail();
      return { size, root };
    };
    const statements = [
      fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, { [LOG]: cutOff(ORIGIN), trust: cutOff(TRUST) }),
    ];
    await world.run(node.logEntries(statements.map((statement) => fixture.entryOf(statement))));
    assert.ok(isSignedBy(ORIGIN, node.log(ORIGIN)?.head.signed?.note ?? assert.fail(), fresh, trustModules));
  }

  const status = () => world.node('FR').status;

  it('T9: signs nothing while nobody has what its root has signed, whatever its operator says', async () => {
    await goBack({ seen: 2 });
    await world.boot('FR', ({ status: { writing } }) => writing === 'behind' || writing === 'writing');
    await world.pass(35);
    assert.equal(status().writing, 'behind');
    assert.match(status().reason ?? '', /has 1 entries here, and the root of this region has signed 3/);
    world.node('FR').force();
    await world.pass(35);
    assert.equal(status().writing, 'behind');
    assert.deepEqual(world.machine('FR').troubles, [], 'it does not begin to sign');
    await assert.rejects(world.issue('FR', 'p4'), (error) => isNodeError(error, 'LOG_BEHIND'));
  });

  it('T9: fetches it from a mirror that has it under a note by the key that was given up, and goes on from there', async () => {
    await goBack({ mirrors: ['FR'] });
    const { fixture, instead } = world.machine('FR');
    const { checkpoint } = fixture.keys;
    const mirrored = world.node('BE').log(ORIGIN)?.head.signed ?? assert.fail();
    assert.equal(mirrored.size, 3);
    assert.ok(isSignedBy(ORIGIN, mirrored.note, checkpoint, trustModules));
    await world.boot('FR');
    assert.equal((await world.issue('FR', 'p4')).index, 3);
    const { note } = world.node('FR').log(ORIGIN)?.head.signed ?? assert.fail();
    assert.ok(isSignedBy(ORIGIN, note, instead.checkpoint ?? assert.fail(), trustModules));
    assert.deepEqual(status().left, []);
    await world.pass(40);
    for (const region of ['FR', 'DE', 'BE']) assert.deepEqual(world.node(region).status.forked, []);
  });

  it('T9: signs nothing where that comes to be known behind the check, and before the first signature', async () => {
    await goBack();
    let isChecked = false;
    // The check hears of nothing; while it is asked whether anybody fences the writer, others are heard.
    world.network.tamper = ({ to, protocol, bytes }) => {
      if (to !== 'FR') return bytes;
      isChecked ||= protocol === WRITER_PROTOCOL;
      return isChecked && protocol !== WRITER_PROTOCOL ? bytes : undefined;
    };
    await world.boot('FR', () => isChecked);
    assert.equal(status().writing, 'clear');
    world.network.announce('FR');
    await world.until(() => status().writing !== 'clear', 'it has decided');
    assert.equal(status().writing, 'behind');
  });
});
