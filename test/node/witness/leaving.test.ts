import assert from 'node:assert/strict';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { Witness } from '../../../node/witness/witness.ts';
import { type Store } from '../../../node/store/store.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { logKey, testKey, verifySignature } from '../../support/keys.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { RunningClock } from '../../support/running-clock.ts';
import { medium, rejectsWith, storeOn } from '../../support/store-fixture.ts';

const ORIGIN = 'CN-33.test/trust';
const log = logKey(ORIGIN, 1);
const left = ReferenceTree.ofSize(40);
const other = new ReferenceTree(left.entries.map((entry, i) => (i < 5 ? entry : Uint8Array.of(i))));

function noteOf(tree: ReferenceTree, size: number): Uint8Array {
  return encodeNote(signCheckpoint({ origin: ORIGIN, size, root: tree.root(size) }, log.key, log.sign));
}

/** A witness, each `open` of which is a process of its own. */
class Machine {
  medium: FaultyMedium = medium();
  readonly secondPlace = new MemorySecondPlace();
  readonly troubles: unknown[] = [];
  #store: Store | undefined;

  async open() {
    await this.#store?.stop();
    const store = (this.#store = storeOn(this.medium));
    await store.start();
    const witness = new Witness(
      { name: 'DE.test/witness' },
      {
        store,
        secondPlace: this.secondPlace,
        clock: new RunningClock(1_795_436_400_000),
        sha256,
        verifySignature,
        key: () => testKey(2),
        keysOf: () => [log.key],
        vet: () => ({ isFolded: true, objection: undefined }),
        onTrouble: (error) => this.troubles.push(error),
      },
    );
    return {
      cosign: async (tree: ReferenceTree, oldSize: number, size: number) => {
        const path = oldSize === 0 ? [] : tree.proof(oldSize, size);
        return (await witness.add({ oldSize, path, note: noteOf(tree, size) })).cosigns;
      },
      leave: () =>
        witness.leave(
          ORIGIN,
          () => Promise.resolve(true),
          (changes) => store.write([...changes, { put: 'left', value: Uint8Array.of(1) }]),
        ),
      isLeft: async () => (await store.get('left')) !== undefined,
      /** Its size, and which tree it is of. */
      seen: async () => {
        const seen = await witness.lastSeen(ORIGIN);
        if (seen === undefined) return 'nothing';
        const tree = Buffer.compare(seen.root, left.root(seen.size)) === 0 ? 'left' : 'other';
        return `${tree} ${seen.size}`;
      },
    };
  }

  async stop(): Promise<void> {
    await this.#store?.stop();
  }
}

describe('Witness.leave', () => {
  let machine: Machine;
  beforeEach(() => {
    machine = new Machine();
  });
  afterEach(() => machine.stop());

  for (const when of ['before', 'after'] as const)
    it(`F2: leaves what it cosigned in one write with all else, or not at all, where that fails ${when} it has landed`, async () => {
      const first = await machine.open();
      assert.ok(await first.cosign(left, 0, 20));
      machine.medium.plan({ write: machine.medium.counters.writes + 1, when, what: 'DISK_IO' });
      await rejectsWith(first.leave(), 'STORE_WRITE_UNKNOWN');
      const expected = when === 'before' ? ['left 20', false] : ['nothing', true];
      assert.deepEqual([await first.seen(), await first.isLeft()], expected);
      const again = await machine.open();
      assert.deepEqual([await again.seen(), await again.isLeft()], expected);
      await again.leave();
      assert.equal(await again.seen(), 'nothing');
      assert.ok(await again.cosign(other, 0, 9));
      assert.equal(await (await machine.open()).seen(), 'other 9');
    });

  it('F1: a store that is lost before anything is cosigned anew binds it to nothing that it left', async () => {
    const first = await machine.open();
    assert.ok(await first.cosign(left, 0, 20));
    await first.leave();
    await machine.stop();
    machine.medium = medium();
    const next = await machine.open();
    assert.equal(await next.seen(), 'nothing');
    assert.ok(await next.cosign(other, 0, 9));
    assert.deepEqual([await (await machine.open()).seen(), machine.troubles], ['other 9', []]);
  });

  it('F1: where it cannot tell the second place, it cosigns nothing, and goes on from what the store has', async () => {
    for (const fault of [1, 2, 3])
      for (const when of ['before', 'after'] as const) {
        const one = (machine = new Machine());
        const { cosign, leave } = await one.open();
        assert.ok(await cosign(left, 0, 20));
        one.secondPlace.plan({ raise: one.secondPlace.raises + 1, when: 'before', what: 'DISK_IO' });
        await leave();
        assert.ok(one.troubles.length === 1 && isNodeError(one.troubles[0], 'DISK_IO'));
        one.secondPlace.plan({ raise: one.secondPlace.raises + fault, when, what: 'DISK_IO' });
        await rejectsWith(cosign(other, 0, 9), 'DISK_IO');
        const next = await one.open();
        assert.equal(await next.seen(), 'other 9', `${when} ${fault}`);
        const backup = one.medium.snapshot();
        assert.ok(await next.cosign(other, 9, 12));
        await one.stop();
        one.medium.restore(backup);
        assert.equal(await (await one.open()).seen(), 'other 12');
        await one.stop();
      }
  });

  it('A14 restored backup: an old second place brings nothing back that was left, before and after it cosigned anew', async () => {
    const { secondPlace } = machine;
    const first = await machine.open();
    assert.ok(await first.cosign(left, 0, 20));
    const backup = new Map(secondPlace.marks);
    const restore = () => {
      secondPlace.marks.clear();
      for (const [name, mark] of backup) secondPlace.marks.set(name, mark);
    };
    await first.leave();
    assert.equal(await (await machine.open()).seen(), 'nothing');
    assert.ok(await (await machine.open()).cosign(other, 0, 9));
    restore();
    const next = await machine.open();
    assert.equal(await next.seen(), 'other 9');
    assert.ok(await next.cosign(other, 9, 12));
    assert.equal(await (await machine.open()).seen(), 'other 12');
    // And what it left a second time.
    const second = await machine.open();
    await second.leave();
    restore();
    assert.equal(await (await machine.open()).seen(), 'nothing');
    assert.ok(await (await machine.open()).cosign(left, 0, 7));
    restore();
    assert.equal(await (await machine.open()).seen(), 'left 7');
  });

  it('goes on from what a version before has stored, also where that died between two of its steps', async () => {
    const noteAt = { root: left.root(20), note: noteOf(left, 20) };
    const before = [1, 20, noteAt.root, noteAt.note, 1_795_436_300];
    const since = [1, 9, other.root(9), noteOf(other, 9), 1_795_436_300, 1];
    const counted = ['witness-left', { size: 1, root: new Uint8Array(32), note: new Uint8Array() }] as const;
    const markOf = (tree: ReferenceTree, size: number) =>
      ['witness', { size, root: tree.root(size), note: noteOf(tree, size) }] as const;
    for (const [row, marks, expected] of [
      [before, [markOf(left, 20)], 'left 20'],
      [before, [counted, markOf(left, 20)], 'left 20'],
      [before, [counted], 'nothing'],
      [undefined, [counted], 'nothing'],
      [since, [counted], 'other 9'],
      [since, [counted, markOf(other, 9)], 'other 9'],
    ] as const) {
      const one = (machine = new Machine());
      for (const [kind, mark] of marks) one.secondPlace.marks.set(`${kind}:${ORIGIN}`, mark);
      const store = storeOn(one.medium);
      await store.start();
      if (row !== undefined) await store.write([{ put: `witness/${ORIGIN}`, value: encodeCbor(row) }]);
      await store.stop();
      const next = await one.open();
      assert.equal(await next.seen(), expected);
      await next.leave();
      assert.ok(await next.cosign(other, 0, 7));
      assert.equal(await (await one.open()).seen(), 'other 7');
      await one.stop();
    }
  });

  it('A14 restored backup: a store from between that it left and that it cosigned anew goes by the second place', async () => {
    const first = await machine.open();
    assert.ok(await first.cosign(left, 0, 20));
    await first.leave();
    const backup = machine.medium.snapshot();
    assert.ok(await first.cosign(other, 0, 9));
    await machine.stop();
    machine.medium.restore(backup);
    assert.equal(await (await machine.open()).seen(), 'other 9');
  });
});
