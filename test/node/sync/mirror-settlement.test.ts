import assert from 'node:assert/strict';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { logVerifierKeys } from '../../../node/trust/log-keys.ts';
import { BranchFinder } from '../../../node/sync/branch-finder.ts';
import { Mirror, type MirrorModules } from '../../../node/sync/mirror.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { SyncClient } from '../../../node/sync/sync-client.ts';
import { SyncServer } from '../../../node/sync/sync-server.ts';
import { Machine } from '../../support/log-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { sha256 } from '../../support/primitives.ts';
import { PublishedLog, words } from '../../support/published-log.ts';
import { LOG_ID, RegionFixture, START_S, type TestKey, trustModules } from '../../support/region-fixture.ts';
import { hurriedClock } from '../../support/store-fixture.ts';

const ORIGIN = `FR.test/attest/${LOG_ID}`;
/** Entries that both trees begin with. */
const COMMON = 260;
const CUT_OFF = 300;

const shared = words(COMMON);
const logOf = (rest: string[], key: string) =>
  new PublishedLog([...shared, ...rest], { origin: ORIGIN, key: `FR.test/trust ${key}` });
const good = (count = 400, key = 'fresh checkpoint') => logOf(words(count, 'good'), key);
const bad = (count = 300, key = 'checkpoint') => logOf(words(count, 'bad'), key);

describe('Mirror.turn', () => {
  let region: RegionFixture;
  let machine: Machine;
  let stops: (() => Promise<void>)[];

  beforeEach(() => {
    region = new RegionFixture({ region: 'FR' });
    region.admit([{ key: region.key('fresh checkpoint'), role: 'checkpoint' }]);
    machine = new Machine();
    stops = [];
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function mirrorOn(on: Machine, onFork?: MirrorModules['onFork']): Promise<Mirror> {
    const store = await on.openStore();
    const tree = await on.openTree(store, ORIGIN);
    stops.push(async () => {
      tree.close();
      await store.stop();
    });
    const keys = () => logVerifierKeys(sha256, region.state, ORIGIN);
    return Mirror.open({
      ...trustModules,
      clock: hurriedClock,
      store,
      tree,
      keys,
      state: () => region.state,
      ...(onFork && { onFork }),
    });
  }

  async function holderOf(log: PublishedLog, on = machine): Promise<Mirror> {
    const mirror = await mirrorOn(on);
    await mirror.apply(log.piece(0));
    return mirror;
  }

  function giveUp(key: TestKey = region.keys.checkpoint, log = good(), size = CUT_OFF): void {
    region.add(region.compromise(key, { [LOG_ID]: { size, root: log.tree.root(size) } }));
  }

  const offerOf = (log = good(), from = COMMON, to = log.size) => ({
    piece: log.piece(from, to, log.size),
    cutOff: log.claim(CUT_OFF),
  });

  async function assertHolds(mirror: Mirror, log: PublishedLog): Promise<void> {
    const { tree } = mirror;
    assert.equal(tree.size, log.size);
    assert.deepEqual(await tree.reader.rootAt(log.size), log.tree.root(log.size));
    let index = 0;
    for await (const entry of tree.reader.entries(0, log.size))
      assert.deepEqual(entry, log.tree.entries[index++]);
    assert.equal(index, log.size);
  }

  it('A4, T3: takes the tree that the root has named, keeps what it leaves and the proof, and knows it in the next process', async () => {
    const mirror = await holderOf(bad());
    giveUp();
    assert.deepEqual(
      mirror.cutOffs().map(({ size }) => size),
      [CUT_OFF],
    );
    assert.equal(await mirror.turn(offerOf()), true);
    await assertHolds(mirror, good());
    assert.deepEqual([mirror.forks.length, mirror.standingForks.length], [1, 0]);
    assert.deepEqual(machine.secondPlace.marks.get(ORIGIN)?.root, good().tree.root(good().size));
    for (const stop of stops.splice(0)) await stop();
    const next = await mirrorOn(machine);
    await assertHolds(next, good());
    assert.equal((await next.apply(good(500).piece(good().size))).outcome, 'grown');
    assert.equal(next.forks.length, 1);
    for (const stop of stops.splice(0)) await stop();
    const store = await machine.openStore();
    stops.push(() => store.stop());
    let left = 0;
    for await (const [key] of store.entries(`branch/${ORIGIN}/`, `branch/${ORIGIN}0`))
      if (/\/[0-9]{16}$/.test(key)) left++;
    assert.equal(left, bad().size - COMMON);
  });

  it('T3: a proof by a key that was given up is kept behind those that stand, and told to nobody', async () => {
    const told: ForkEvidence[] = [];
    const mirror = await mirrorOn(machine, (_origin, evidence) => told.push(evidence));
    const sideOf = (log: PublishedLog) => ({ note: log.note(), root: log.tree.root(log.size), path: [] });
    const forkBy = (key: string): ForkEvidence => ({
      size: COMMON + 1,
      sides: [sideOf(good(1, key)), sideOf(bad(1, key))],
    });
    giveUp();
    const [disowned, standing] = [forkBy('checkpoint'), forkBy('fresh checkpoint')];
    for (const proof of [disowned, standing]) await mirror.accuse(proof);
    assert.deepEqual(told, [standing]);
    assert.deepEqual(mirror.standingForks, [standing]);
    assert.deepEqual(mirror.forks, [standing, disowned]);
  });

  it('takes the beginning of a long tree, and the rest as of any copy', async () => {
    const mirror = await holderOf(bad());
    giveUp();
    assert.equal(await mirror.turn(offerOf(good(), COMMON, COMMON + 10)), true);
    assert.equal(mirror.tree.size, COMMON + 10);
    assert.equal((await mirror.apply(good().piece(COMMON + 10))).outcome, 'grown');
    await assertHolds(mirror, good());
    assert.equal(machine.secondPlace.marks.get(ORIGIN)?.size, good().size);
  });

  describe('T3: stays with what it holds', () => {
    const stays = (title: string, offer: () => ReturnType<typeof offerOf>, prepare: () => void = giveUp) =>
      it(title, async () => {
        const mirror = await holderOf(bad());
        prepare();
        const taken = await mirror.turn(offer()).catch((error: unknown) => {
          assert.ok(isProtocolError(error), String(error));
          return false;
        });
        assert.equal(taken, false);
        await assertHolds(mirror, bad());
        assert.equal(machine.secondPlace.marks.get(ORIGIN)?.size, bad().size);
      });

    stays('where nothing is given up', offerOf, () => undefined);
    stays('where the key is given up with a cut-off of another log alone', offerOf, () =>
      region.add(region.compromise(region.keys.checkpoint, { trust: region.cutOff() })),
    );
    stays('where the cut-off is of another tree', offerOf, () =>
      giveUp(region.keys.checkpoint, good(400), CUT_OFF + 1),
    );
    stays('where the cut-off is within what both share', offerOf, () =>
      giveUp(region.keys.checkpoint, good(), COMMON),
    );
    stays('where another key was given up than the one that signed what is held', offerOf, () =>
      giveUp(region.keys.attest),
    );
    stays('where the key that was given up signs the tree', () => offerOf(good(400, 'checkpoint')));
    stays('where nobody knows the key that signs the tree', () => offerOf(good(400, 'stranger')));
    stays('where the tree is that of somebody who has not what the cut-off says', () => {
      const other = logOf(words(400, 'other'), 'fresh checkpoint');
      return { piece: other.piece(COMMON), cutOff: good().claim(CUT_OFF) };
    });
    stays('where cut-off and entries are under two notes', () => ({
      ...offerOf(),
      cutOff: good(401).claim(CUT_OFF),
    }));
    stays('where an entry is another', () => {
      const { piece, cutOff } = offerOf();
      return { piece: { ...piece, entries: [...piece.entries.slice(0, -1), Uint8Array.of(1)] }, cutOff };
    });
    stays('where no entry is given, or what both share', () => offerOf(good(), COMMON, COMMON));
    stays('where they do not part there', () => offerOf(good(), COMMON - 1));
    stays('T11: where the root has named what is held as well', offerOf, () => {
      giveUp();
      const other = region.key('other checkpoint');
      region.admit([{ key: other, role: 'checkpoint' }]);
      giveUp(other, bad());
    });

    it('where a further mark is by a key that is not given up', async () => {
      const mirror = await holderOf(bad());
      giveUp();
      await machine.secondPlace.raise(ORIGIN, {
        size: 700,
        root: new Uint8Array(32),
        note: bad(700 - COMMON, 'fresh checkpoint').note(),
      });
      await mirror.tree.reload();
      assert.equal(await mirror.turn(offerOf()), false);
      await assertHolds(mirror, bad());
    });
  });

  it('a crash or a fault at any write leaves one tree or the other whole, and the next try ends it', async () => {
    for (const what of ['crash', 'DISK_IO'] as const)
      for (const when of ['before', 'after'] as const)
        for (let write = 1, isReached = true; isReached; write++) {
          const on = new Machine();
          region = new RegionFixture({ region: 'FR' });
          region.admit([{ key: region.key('fresh checkpoint'), role: 'checkpoint' }]);
          const mirror = await holderOf(bad(), on);
          giveUp();
          const { writes } = on.medium.counters;
          on.medium.plan({ write: writes + write, when, what });
          on.watch();
          await Promise.race([mirror.turn(offerOf()).catch(() => undefined), on.crashed]);
          isReached = on.medium.counters.writes >= writes + write;
          if (what === 'crash' && isReached) stops.pop();
          else for (const stop of stops.splice(0)) await stop();
          const next = await mirrorOn(on);
          const isGood = next.tree.size === good().size;
          await assertHolds(next, isGood ? good() : bad());
          if (!isGood) assert.equal(await next.turn(offerOf()), true);
          await assertHolds(next, good());
          for (const stop of stops.splice(0)) await stop();
        }
  });

  it('T20: a peer that has what the root named is found, asked for no more than that, and not blamed', async () => {
    const mirror = await holderOf(bad());
    const clock = new ManualClock(START_S * 1000);
    const network = new MemoryNetwork({ random: () => 0.5 }, { clock });
    const book = new PeerBook({ clock });
    const client = new SyncClient({ network: network.join('DE'), clock, book });
    const finder = new BranchFinder({ client });
    const other = await holderOf(good(), new Machine());
    const logs = () => new Map([[ORIGIN, other]]);
    const server = new SyncServer({
      sha256,
      network: network.join('IT'),
      clock,
      book: new PeerBook({ clock }),
      logs,
    });
    server.start();
    network.announce('IT');
    const seek = async () => {
      const sought = finder.seek('IT', mirror, good().size);
      let isOver = false;
      void sought.finally(() => (isOver = true));
      for (let i = 0; i < 500 && !isOver; i++) await clock.advance(10);
      return sought;
    };
    assert.equal(await mirror.heed(good(0).note()), 'known');
    assert.equal(await seek(), false);
    giveUp();
    assert.equal(await mirror.heed(good(20).note()), 'forked');
    assert.equal(await seek(), true);
    await assertHolds(mirror, good());
    assert.equal(book.recordOf('IT').faultsInAll, 0);
  });
});
