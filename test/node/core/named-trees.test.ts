import assert from 'node:assert/strict';
import { type LogShelf } from '../../../node/core/log-shelf.ts';
import { findNamed, leaveLacking } from '../../../node/core/named-trees.ts';
import { type OwnLog } from '../../../node/core/own-log.ts';
import { isSignedBy } from '../../../node/log/own-checkpoint.ts';
import { pruneLog } from '../../../node/log/prune.ts';
import { Replica } from '../../../node/log/replica.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { Machine } from '../../support/log-fixture.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { PublishedLog, words } from '../../support/published-log.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { LOG_ID, RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

const LOG = '2026-11';
const NEXT_LOG_ID = '2026-12';
const ORIGIN = `FR.${NETWORK}/attest/${LOG}`;
const TRUST = `FR.${NETWORK}/trust`;

describe('findNamed', () => {
  it('T9: finds a log that has another tree at its largest cut-off, and tells nothing of what is missing or pruned', async () => {
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
      const own = { origin, tree } as unknown as OwnLog;
      return findNamed({ home: region as unknown as LogShelf['home'] }, [own]);
    };
    const of = (size: number) => ({ finding: 'contradicted', origin, size, isByRoot: true });
    assert.equal(await found(), undefined);
    assert.equal(await found([good, 300]), undefined);
    assert.equal(await found([good, 301]), undefined);
    assert.deepEqual(await found([bad, 300]), of(300));
    assert.equal(await found([bad, 299], [good, 500]), undefined);
    assert.equal(await found([bad, 299], [good, 300]), undefined);
    assert.deepEqual(await found([good, 300], [bad, 300]), of(300));
    await pruneLog(300, { tree, store });
    assert.equal(await found([bad, 256]), undefined);
    assert.deepEqual(await found([bad, 257]), of(257));
    await store.stop();
  });
});

describe('leaveLacking', () => {
  const named = words(9, 'named').map(utf8Bytes);
  const other = words(9, 'other').map(utf8Bytes);

  /** Two own logs, one of another month, of which the first has so many entries, and an order by which the root signs so many of both. */
  function bench(size: number, signed: number) {
    const region = new RegionFixture({ region: 'FR' });
    const reference = new PublishedLog(words(9, 'named'), { origin: `FR.test/attest/${LOG_ID}` });
    const logOf = (log: string, entries: Uint8Array[]) => {
      const state = { isUncertain: false, entries };
      return {
        origin: `FR.test/attest/${log}`,
        get isUncertain() {
          return state.isUncertain;
        },
        suspend: () => (state.isUncertain = true),
        resume: () => (state.isUncertain = false),
        look: () => undefined,
        tree: {
          trouble: undefined as unknown,
          get size() {
            return state.entries.length;
          },
          head: { minimum: 0 },
          reader: { rootAt: (at: number) => Promise.resolve(new ReferenceTree(state.entries).root(at)) },
        },
        take: (more: readonly Uint8Array[]) => state.entries.push(...more),
      };
    };
    const log = logOf(LOG_ID, named.slice(0, size));
    const whole = logOf(NEXT_LOG_ID, named.slice());
    const root = reference.tree.root(signed);
    const cutOff = { size: signed, root };
    const order = region.entryOf(
      region.compromise(region.keys.checkpoint, { [LOG_ID]: cutOff, [NEXT_LOG_ID]: cutOff }),
    );
    const shelf = {
      home: { fold: { stateAfter: () => Promise.resolve(region.state) } },
      ownLogs: [log, whole],
    } as unknown as Parameters<typeof leaveLacking>[0];
    const left: string[] = [];
    const leave = (inHand: (origin: string) => void) =>
      leaveLacking(shelf, [order], {
        leave: (origin) => {
          left.push(origin);
          inHand(origin);
          return Promise.resolve();
        },
      });
    return { log, whole, left, leave };
  }

  it('leaves what lacks entries, and that alone, as long as it lacks them', async () => {
    const { log, whole, left, leave } = bench(2, 5);
    await leave(() => log.take(named.slice(2, 4)));
    assert.deepEqual(left, [log.origin]);
    assert.deepEqual([log.isUncertain, whole.isUncertain], [true, false]);
  });

  it('goes on with a log of which what was in hand makes all that the root has signed', async () => {
    const { log, left, leave } = bench(2, 4);
    await leave(() => log.take(named.slice(2, 5)));
    assert.deepEqual(left, [log.origin]);
    assert.equal(log.isUncertain, false);
  });

  it('refuses where what was in hand makes another tree than the root has signed, and goes on', async () => {
    const { log, leave } = bench(2, 4);
    await rejectsWith(
      leave(() => log.take(other.slice(2, 5))),
      'REFUSED',
      /another tree of 4 entries/,
    );
    assert.equal(log.isUncertain, false);
  });

  it('leaves one too that comes to lack them meanwhile', async () => {
    const { log, whole, left, leave } = bench(2, 4);
    await leave(() => (whole.tree.trouble = new Error('closed')));
    assert.deepEqual(left, [log.origin, whole.origin]);
    assert.deepEqual([log.isUncertain, whole.isUncertain], [true, true]);
  });

  it('goes on with all of them where one cannot be left, but for one that waited before', async () => {
    const { log, whole, leave } = bench(2, 4);
    whole.tree.trouble = new Error('closed');
    whole.suspend();
    await assert.rejects(
      leave(() => {
        throw new Error('the disk failed');
      }),
      /the disk failed/,
    );
    assert.deepEqual([log.isUncertain, whole.isUncertain], [false, true]);
  });
});

describe('a region that is put back to before the cut-off of a key that it gave up, with its second place', () => {
  let world: NodeWorld;
  /** Of a code that the backup lacks. */
  let text: string;
  afterEach(() => world.stop());

  /**
   * FR signs 3 entries, of which the backup has the first, and witnesses see as many as `seen`. Unless they see it renewed, nobody but FR has the last tree signed
   * by the key that came in the place of the one that its root has given up.
   */
  async function goBack({
    seen = 3,
    isRenewed = false,
    mirrors = [] as readonly string[],
    startS = START_S,
  } = {}): Promise<void> {
    world = new NodeWorld({ bootQuorum: () => 0, startS });
    for (const region of ['FR', 'DE', 'BE']) await world.found(region, region === 'BE' ? { mirrors } : {});
    for (const witness of ['DE', 'BE']) await world.befriend('FR', witness);
    await world.befriend('DE', 'BE');
    await world.issue('FR');
    const putBack = await backUp();
    text = (await world.issue('FR', 'p2')).text;
    await world.pass(40);
    await world.issue('FR', 'p3');
    if (seen === 3 && !isRenewed) await world.pass(40);
    world.network.cut('FR', 'BE');
    await giveUp();
    if (seen > 3) await world.issue('FR', 'p4');
    const { size } = world.node('FR').log(TRUST)?.head ?? assert.fail();
    const know = (region: string) => world.node(region).log(TRUST)?.size === size;
    await world.until(() => know('DE') && know('BE'), 'others know what the root has given up');
    if (isRenewed) await world.pass(40);
    const { fixture, instead } = world.machine('FR');
    const last = await world.run(world.node('DE').witness.lastSeen(ORIGIN));
    assert.equal(last?.size, seen);
    const by = isRenewed ? (instead.checkpoint ?? assert.fail()) : fixture.keys.checkpoint;
    assert.ok(isSignedBy(ORIGIN, last.note, by, trustModules), 'by which key witnesses know it');
    await putBack();
    world.network.mend('FR', 'BE');
    world.replace('FR');
  }

  /** Gives how to put the machine back to what it is now, with its second place; its node runs on. */
  async function backUp(): Promise<() => Promise<void>> {
    const { medium, secondPlace } = await world.kill('FR', { inOrder: true });
    const backup = medium.snapshot();
    const marks = new Map(secondPlace.marks);
    world.replace('FR');
    await world.boot('FR');
    return async () => {
      const machine = await world.kill('FR', { inOrder: true });
      medium.restore(backup);
      machine.secondPlace = new MemorySecondPlace();
      for (const [name, mark] of marks) machine.secondPlace.marks.set(name, mark);
    };
  }

  /** How long a log is, or as many of its entries, and with which root. */
  async function cutOff(origin: string, size?: number) {
    const { head, reader } = world.node('FR').log(origin) ?? assert.fail();
    return { size: size ?? head.size, root: await reader.rootAt(size ?? head.size) };
  }

  /** What the root signs to give the checkpoint key up. */
  async function givingUp(ofLog: {
    readonly size: number;
    readonly root: Uint8Array;
  }): Promise<Uint8Array[]> {
    const { fixture } = world.machine('FR');
    fixture.nowS = world.nowS;
    return [
      fixture.keysStatement([{ key: fixture.key('fresh checkpoint'), role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, { [LOG]: ofLog, trust: await cutOff(TRUST) }),
    ].map((statement) => fixture.entryOf(statement));
  }

  async function giveUp(): Promise<void> {
    const { fixture, instead, node } = world.machine('FR');
    const entries = await givingUp(await cutOff(ORIGIN));
    const fresh = (instead.checkpoint = fixture.key('fresh checkpoint'));
    await world.run(node.logEntries(entries));
    assert.ok(isSignedBy(ORIGIN, node.log(ORIGIN)?.head.signed?.note ?? assert.fail(), fresh, trustModules));
  }

  const status = () => world.node('FR').status;

  /** That is signed of it still is what the backup has. */
  function assertUnsigned(): void {
    const { size, signed } = world.node('FR').log(ORIGIN)?.head ?? assert.fail();
    assert.deepEqual([size, signed?.size], [1, 1]);
    const { checkpoint } = world.machine('FR').fixture.keys;
    assert.ok(
      isSignedBy(ORIGIN, signed?.note ?? assert.fail(), checkpoint, trustModules),
      'nor by a new key',
    );
  }

  for (const [known, seen, isRenewed] of [
    ['less', 2, false],
    ['that much, by the key that was given up', 3, false],
    ['that much, by the new key', 3, true],
  ] as const)
    it(`T9: signs nothing of a log while nobody has what its root has signed, and all else; witnesses know ${known}`, async () => {
      await goBack({ seen, isRenewed, startS: Date.UTC(2026, 10, 30, 23, 50) / 1000 });
      await world.boot('FR');
      assert.deepEqual(status().behind, { [ORIGIN]: 3 });
      await assert.rejects(world.issue('FR', 'p4'), (error) => isNodeError(error, 'LOG_BEHIND'));
      await world.outcome('FR', text);
      await world.pass(1);
      assert.deepEqual(status().unlogged, {}, 'a code that is missing here was signed by nobody else');
      const { heldCodes } = world.node('FR');
      assert.equal(await heldCodes.isLogged({ log: LOG, index: 2 }), true, 'it can be revoked');
      assert.equal(await heldCodes.isLogged({ log: LOG, index: 3 }), false);
      world.node('FR').force();
      await world.run(world.node('FR').revoke({ log: LOG, indexes: [0, 2] }));
      await world.pass(35);
      await world.until(() => world.nowS >= Date.UTC(2026, 11, 1) / 1000, 'the next month comes', 600);
      const { log, index } = await world.issue('FR', 'p4');
      assert.deepEqual([log, index], ['2026-12', 0]);
      assert.equal(status().writing, 'writing');
      assertUnsigned();
      assert.deepEqual(status().behind, { [ORIGIN]: 3 });
      const troubles = world.machine('FR').troubles.map((one) => isNodeError(one) && one.code);
      assert.deepEqual(troubles, ['LOG_BEHIND'], 'told once');
      for (const region of ['FR', 'DE', 'BE']) assert.deepEqual(world.node(region).status.forked, []);
    });

  it('T9: signs nothing at all where a witness knows more by a key in force than its root has signed: a newer copy may write', async () => {
    await goBack({ seen: 4, isRenewed: true });
    await world.boot('FR', (node) => node.status.writing === 'behind');
    world.node('FR').force();
    await world.pass(35);
    assert.equal(status().writing, 'behind');
    const revoking = world.run(world.node('FR').revoke({ log: LOG, indexes: [0] }));
    await assert.rejects(revoking, (error) => isNodeError(error, 'LOG_BEHIND'));
    assertUnsigned();
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

  it('T9: fetches it from a mirror that comes while it signs all else, and goes on from there once it is started again', async () => {
    await goBack({ mirrors: ['FR'] });
    world.network.cut('FR', 'BE');
    await world.boot('FR');
    await assert.rejects(world.issue('FR', 'p4'), (error) => isNodeError(error, 'LOG_BEHIND'));
    assertUnsigned();
    world.network.mend('FR', 'BE');
    await world.until(() => world.node('FR').log(ORIGIN)?.size === 3, 'the mirror gives what is missing', 90);
    assert.equal(status().writing, 'writing');
    assert.deepEqual(status().behind, { [ORIGIN]: 3 }, 'it waits for a start');
    await assert.rejects(world.issue('FR', 'p4'), (error) => isNodeError(error, 'LOG_BEHIND'));
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR');
    assert.equal((await world.issue('FR', 'p4')).index, 3);
    const { note } = world.node('FR').log(ORIGIN)?.head.signed ?? assert.fail();
    const fresh = world.machine('FR').instead.checkpoint ?? assert.fail();
    assert.ok(isSignedBy(ORIGIN, note, fresh, trustModules));
    await world.pass(40);
    assert.equal(status().writing, 'writing');
    for (const region of ['FR', 'DE', 'BE']) assert.deepEqual(world.node(region).status.forked, []);
  });

  /** FR, put back to the first of 3 entries, which a mirror has, is about to sign on, and knows of nobody. */
  async function goBackAlone() {
    world = new NodeWorld({ bootQuorum: () => 0 });
    for (const region of ['FR', 'BE']) await world.found(region, region === 'BE' ? { mirrors: ['FR'] } : {});
    await world.befriend('FR', 'BE');
    await world.issue('FR');
    const putBack = await backUp();
    for (const subject of ['p2', 'p3']) await world.issue('FR', subject);
    await world.pass(40);
    const [before, all] = [await cutOff(ORIGIN, 1), await cutOff(ORIGIN)];
    await putBack();
    world.network.cut('FR', 'BE');
    world.replace('FR');
    const node = await world.boot('FR');
    await world.run(node.tend());
    return { before, all };
  }

  it('T9: leaves the log where the root signs more of it while it is signed, and takes what is missing', async () => {
    const { all } = await goBackAlone();
    const { fixture, instead, node } = world.machine('FR');
    const entries = await givingUp(all);
    const fresh = (instead.checkpoint = fixture.key('fresh checkpoint'));
    await world.run(node.logEntries(entries));
    assert.equal(status().writing, 'writing');
    assert.deepEqual(status().behind, { [ORIGIN]: 3 });
    await assert.rejects(world.issue('FR', 'p4'), (error) => isNodeError(error, 'LOG_BEHIND'));
    await world.run(world.node('FR').revoke({ log: LOG, indexes: [2] }));
    assertUnsigned();
    world.network.mend('FR', 'BE');
    await world.until(() => node.log(ORIGIN)?.size === 3, 'the mirror gives what is missing', 90);
    assert.equal(status().writing, 'writing');
    await assert.rejects(world.issue('FR', 'p4'), (error) => isNodeError(error, 'LOG_BEHIND'));
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR');
    assert.equal((await world.issue('FR', 'p4')).index, 3);
    const { note } = world.node('FR').log(ORIGIN)?.head.signed ?? assert.fail();
    assert.ok(isSignedBy(ORIGIN, note, fresh, trustModules));
    await world.pass(40);
    for (const region of ['FR', 'BE']) assert.deepEqual(world.node(region).status.forked, []);
  });

  it('T9: finishes what is in hand of the log then, and signs no more of it', async () => {
    const { all } = await goBackAlone();
    const { node } = world.machine('FR');
    const entries = await givingUp({ ...all, size: 2 });
    const issuing = world.issue('FR', 'p4').then(
      ({ index }) => index,
      () => undefined,
    );
    const [index] = await Promise.all([issuing, world.run(node.logEntries(entries))]);
    const size = node.log(ORIGIN)?.size;
    assert.equal(size, index === undefined ? 1 : 2);
    assert.deepEqual(status().behind, { [ORIGIN]: 2 });
    await assert.rejects(world.issue('FR', 'p5'), (error) => isNodeError(error, 'LOG_BEHIND'));
    assert.equal(node.log(ORIGIN)?.size, size);
  });

  it('T9: refuses to log that the root names another tree than is here, and goes on', async () => {
    const { before, all } = await goBackAlone();
    const { node } = world.machine('FR');
    const { size } = node.log(TRUST)?.head ?? assert.fail();
    const entries = await givingUp({ ...before, root: all.root });
    await assert.rejects(world.run(node.logEntries(entries)), (error) => isNodeError(error, 'REFUSED'));
    assert.equal(node.log(TRUST)?.size, size);
    assert.equal((await world.issue('FR', 'p4')).index, 1);
    await world.run(node.logEntries(await givingUp(before)));
    assert.equal((await world.issue('FR', 'p5')).index, 2);
  });

  it('T9: signs nothing of it where that comes to be known behind the check, and before the first signature', async () => {
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
    assert.equal(status().writing, 'writing');
    assert.deepEqual(status().behind, { [ORIGIN]: 3 });
    await assert.rejects(world.issue('FR', 'p4'), (error) => isNodeError(error, 'LOG_BEHIND'));
    assertUnsigned();
  });
});
