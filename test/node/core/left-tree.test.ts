import assert from 'node:assert/strict';
import { LeftTree } from '../../../node/core/left-tree.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { Replica } from '../../../node/log/replica.ts';
import { type Store } from '../../../node/store/store.ts';
import { readNote } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { Machine } from '../../support/log-fixture.ts';
import { PublishedLog, words } from '../../support/published-log.ts';
import { LOG_ID, RegionFixture, trustModules } from '../../support/region-fixture.ts';

const ORIGIN = `FR.test/attest/${LOG_ID}`;
const logOf = (count: number, word: string, key: string, origin = ORIGIN) =>
  new PublishedLog([...words(4), ...words(count - 4, word)], { origin, key: `FR.test/trust ${key}` });
const good = (count: number, key = 'fresh checkpoint') => logOf(count, 'good', key);
const bad = (count: number, key = 'checkpoint') => logOf(count, 'bad', key);

describe('LeftTree', () => {
  let region: RegionFixture;
  let machine: Machine;
  let store: Store;
  let tree: LogTree;
  let left: LeftTree;

  beforeEach(async () => {
    region = new RegionFixture({ region: 'FR' });
    region.admit([{ key: region.key('fresh checkpoint'), role: 'checkpoint' }]);
    machine = new Machine();
    store = await machine.openStore();
    tree = await machine.openTree(store, ORIGIN);
    await grow(20);
    left = await open();
  });
  afterEach(() => store.stop());

  const giveUp = () =>
    region.add(
      region.compromise(region.keys.checkpoint, { [LOG_ID]: { size: 8, root: good(8).tree.root() } }),
    );
  const open = (state = () => region.state) => LeftTree.open({ ...trustModules, store, tree, state });

  async function grow(count: number): Promise<void> {
    const { outcome } = await new Replica({ ...trustModules, tree }).apply(
      good(count).piece(tree.size),
      good(count).keys,
    );
    assert.equal(outcome, 'grown');
  }

  /** Whether a note of a log is one of a key that was given up. */
  const shows = (note: Uint8Array) => left.heed(note, readNote(note));
  const reported = (size: number, isLarger: boolean) => {
    return { origin: ORIGIN, size, keyIds: [region.keys.checkpoint.keyId], isLarger };
  };

  it('A15: keeps the first tree that is larger than the log, over a start too, and tells it as another once the log is as long', async () => {
    giveUp();
    for (const size of [30, 35, 25]) assert.equal(await shows(bad(size).note()), true);
    assert.deepEqual(left.report, reported(30, true));
    left = await open();
    assert.deepEqual(left.report, reported(30, true));
    await grow(30);
    assert.equal(left.report, undefined, 'nobody has looked yet');
    assert.equal(await shows(good(30).note()), false);
    assert.deepEqual(left.report, reported(30, false));
    left = await open();
    assert.deepEqual(left.report, reported(30, false));
  });

  it('A14: tells of none that the log turns out to have', async () => {
    giveUp();
    assert.equal(await shows(good(12, 'checkpoint').note()), true);
    assert.equal(left.report, undefined);
    assert.equal(await shows(good(24, 'checkpoint').note()), true);
    assert.deepEqual(left.report, reported(24, true));
    await grow(25);
    left = await open();
    assert.equal(left.report, undefined);
    assert.deepEqual(await store.page('own-left/', 'own-left0', { limit: 1 }), []);
  });

  it('A15: keeps one beside the log that is no larger', async () => {
    giveUp();
    assert.equal(await shows(bad(9).note()), true);
    assert.deepEqual(left.report, reported(9, false));
  });

  it('T9: leaves one on the very tree of a cut-off to be fetched while that is missing, and keeps none that may lead there', async () => {
    const root = good(30).tree.root();
    region.add(region.compromise(region.keys.checkpoint, { [LOG_ID]: { size: 30, root } }));
    assert.equal(await shows(good(30, 'checkpoint').note()), false);
    for (const note of [bad(30).note(), bad(25).note(), good(25, 'checkpoint').note()])
      assert.equal(await shows(note), true);
    assert.equal(left.report, undefined);
    assert.equal(await shows(bad(31).note()), true);
    assert.deepEqual(left.report, reported(31, true));
    await grow(30);
    assert.equal(await shows(good(30, 'checkpoint').note()), true);
  });

  it('A14: keeps nothing that a key in force has signed too, that nobody has who was given up, or of another log', async () => {
    assert.equal(await shows(bad(30).note()), false, 'before it is given up');
    giveUp();
    const { text, signatures } = parseNote(bad(30).note());
    const [inForce] = parseNote(bad(30, 'fresh checkpoint').note()).signatures;
    const both = encodeNote({ text, signatures: [...signatures, inForce ?? assert.fail()] });
    const forged = encodeNote({ text: parseNote(bad(31).note()).text, signatures });
    for (const note of [
      bad(30, 'fresh checkpoint').note(),
      bad(30, 'stranger').note(),
      logOf(30, 'bad', 'checkpoint', 'FR.test/attest/2026-10').note(),
      both,
      forged,
    ])
      assert.equal(await shows(note), false);
    assert.equal(left.report, undefined);
  });

  it('takes a row that is damaged for none, and is told again', async () => {
    giveUp();
    await shows(bad(30).note());
    assert.notEqual(machine.medium.flipBit('own-left/'), undefined);
    left = await open();
    assert.equal(left.report, undefined);
    await shows(bad(31).note());
    left = await open();
    assert.deepEqual(left.report, reported(31, true));
  });
});
