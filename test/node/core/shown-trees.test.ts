import assert from 'node:assert/strict';
import { type LogShelf } from '../../../node/core/log-shelf.ts';
import { requireUnshown } from '../../../node/core/named-trees.ts';
import { type OwnLog } from '../../../node/core/own-log.ts';
import { ShownTrees } from '../../../node/core/shown-trees.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { pruneLog } from '../../../node/log/prune.ts';
import { Replica } from '../../../node/log/replica.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Store } from '../../../node/store/store.ts';
import { equalBytes } from '../../../protocol/bytes.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { type VerifierKey } from '../../../protocol/log/verifier-key.ts';
import { Machine } from '../../support/log-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { PublishedLog, words } from '../../support/published-log.ts';
import { LOG_ID, START_S, trustModules } from '../../support/region-fixture.ts';

const ORIGIN = `FR.test/attest/${LOG_ID}`;
const logOf = (count: number, word: string, key: string) =>
  new PublishedLog([...words(4), ...words(count - 4, word)], { origin: ORIGIN, key });
const good = (count: number, key = 'first') => logOf(count, 'good', key);
const bad = (count: number, key = 'first') => logOf(count, 'bad', key);

describe('ShownTrees', () => {
  const clock = new ManualClock(START_S * 1000);
  let machine: Machine;
  let store: Store;
  let tree: LogTree;
  /** Of the keys that go on. */
  let keys: readonly VerifierKey[];
  let named = 0;

  beforeEach(async () => {
    machine = new Machine();
    store = await machine.openStore();
    tree = await machine.openTree(store, ORIGIN);
    keys = [...good(4).keys, ...good(4, 'second').keys];
    named = 0;
    await grow(20);
  });
  afterEach(() => store.stop());

  const open = (isFenced = false) => new ShownTrees({ isFenced: () => isFenced }, { store, clock });
  const log = () =>
    ({
      origin: ORIGIN,
      tree,
      keys,
      named,
      signersOf: (note: Uint8Array, givenUp: readonly Uint8Array[] = []) =>
        openCheckpoint(note, keys, trustModules.verifySignature)
          .signers.map(({ publicKey }) => publicKey)
          .filter((key) => !givenUp.some((one) => equalBytes(one, key))),
    }) as unknown as OwnLog;
  const sizes = async (shown = open()) =>
    (await shown.of(log())).map(({ note }) => openCheckpoint(note, keys, trustModules.verifySignature).size);
  const rows = async () => (await store.page('own-shown/', 'own-shown0', { limit: 9 })).length;

  async function grow(count: number): Promise<void> {
    const piece = good(count).piece(tree.size);
    const { outcome } = await new Replica({ ...trustModules, tree }).apply(piece, good(count).keys);
    assert.equal(outcome, 'grown');
  }

  it('T3: keeps the largest of each key, with who showed it when, over a start too', async () => {
    const shown = open();
    for (const size of [30, 40, 35]) await shown.keep(log(), bad(size).note(), 'DE');
    await shown.keep(log(), good(25, 'second').note());
    assert.deepEqual(await sizes(), [40, 25]);
    const [first, second] = await open().of(log());
    assert.deepEqual([first?.by, first?.atS], ['DE', START_S]);
    assert.deepEqual([second?.by, second?.atS], [undefined, START_S]);
    await shown.keep(log(), good(25, 'second').note(), 'BE');
    assert.equal((await open().of(log()))[1]?.by, 'BE', 'of the same the one with a name');
  });

  it('T9: what a stolen key has signed hides nothing that another has, once it is given up', async () => {
    await open().keep(log(), good(30, 'second').note(), 'DE');
    await open().keep(log(), bad(90).note(), 'DE');
    keys = good(4, 'second').keys;
    assert.deepEqual(await sizes(), [30]);
  });

  it('forgets what the log has by now, or has pruned, and keeps another tree of no more entries', async () => {
    const shown = open();
    await shown.keep(log(), good(30).note());
    await shown.keep(log(), bad(25, 'second').note());
    await grow(30);
    assert.deepEqual(await sizes(), [25]);
    assert.equal(await rows(), 1);
    await grow(300);
    await pruneLog(300, { tree, store });
    assert.deepEqual(await sizes(), []);
    assert.equal(await rows(), 0);
  });

  it('keeps nothing by other keys, that is not good, that the root has signed, or where witnesses fence the writer', async () => {
    const { text } = parseNote(bad(31).note());
    const forged = encodeNote({ text, signatures: parseNote(bad(30).note()).signatures });
    for (const note of [bad(30, 'stranger').note(), forged]) await open().keep(log(), note);
    await open(true).keep(log(), bad(30).note());
    named = 30;
    await open().keep(log(), bad(30).note());
    assert.equal(await rows(), 0);
    await open().keep(log(), bad(31).note());
    assert.deepEqual(await sizes(open(true)), [31], 'of what was kept before it was fenced');
  });

  it('T9: nothing is signed over what a peer shows after it was asked, but by keys that are given up', async () => {
    const shown = open();
    let settled = 0;
    const own = { ...log(), settled: () => Promise.resolve(void settled++) };
    const shelf = { ownLogs: [own], logs: new Map([[ORIGIN, own]]) } as unknown as LogShelf;
    await requireUnshown({ shelf, shown });
    await shown.keep(log(), bad(30).note(), 'DE');
    await assert.rejects(requireUnshown({ shelf, shown }), (error) => {
      assert.ok(isNodeError(error, 'LOG_BEHIND'), String(error));
      return /has 20 entries here, and DE has seen 30 with our signature/.test(error.message);
    });
    assert.equal(settled, 2, 'what was on its way has landed');
    await requireUnshown(
      { shelf, shown },
      good(4).keys.map(({ publicKey }) => publicKey),
    );
    await shown.keep(log(), bad(15, 'second').note());
    await assert.rejects(
      requireUnshown(
        { shelf, shown },
        good(4).keys.map(({ publicKey }) => publicKey),
      ),
      (error) => isNodeError(error, 'LOG_CONTRADICTED'),
    );
    named = 30;
    const atLeast = { ...own, named };
    await requireUnshown({ shelf: { ...shelf, ownLogs: [atLeast] } as unknown as LogShelf, shown });
  });

  it('takes a row that is damaged for none, and is told again', async () => {
    await open().keep(log(), bad(30).note());
    assert.notEqual(machine.medium.flipBit('own-shown/'), undefined);
    assert.deepEqual(await sizes(), []);
    await open().keep(log(), bad(31).note());
    assert.deepEqual(await sizes(), [31]);
  });
});
