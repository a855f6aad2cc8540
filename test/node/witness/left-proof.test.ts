import assert from 'node:assert/strict';
import { type ForkEvidence, verifyForkEvidence } from '../../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { LogTree } from '../../../node/log/log-tree.ts';
import { Replica } from '../../../node/log/replica.ts';
import { type Store } from '../../../node/store/store.ts';
import { encodeLeft, leftKey, readLeft } from '../../../node/witness/left-mark.ts';
import { type TreeBefore } from '../../../node/witness/left-proof.ts';
import { type Witnessed } from '../../../node/witness/witness.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { logKey, verifySignature } from '../../support/keys.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { type ReferenceTree } from '../../support/reference-tree.ts';
import { medium, rejectsWith, startedStore } from '../../support/store-fixture.ts';
import { other, tree, witnessOn } from '../../support/witness-fixture.ts';

const ORIGIN = 'CN-33.test/attest/2026-11';
const log = logKey(ORIGIN, 1);

function noteOf(of: ReferenceTree, size: number): Uint8Array {
  return encodeNote(signCheckpoint({ origin: ORIGIN, size, root: of.root(size) }, log.key, log.sign));
}

function before(of: ReferenceTree, size: number, newSize: number): TreeBefore {
  return { size, root: of.root(size), path: of.proof(size, newSize) };
}

describe('Witness.add of a log that is as long as what the witness has left of it', () => {
  let on: FaultyMedium;
  let store: Store;
  let forks: ForkEvidence[];
  let add: (oldSize: number, size: number, there?: TreeBefore) => Promise<Witnessed>;
  const copies = new Map<string, LogTree>();
  const leave = (of: ReferenceTree, size = 20) => {
    const left = { size, root: of.root(size), note: noteOf(of, size) };
    return store.write([{ put: leftKey(ORIGIN), value: encodeLeft(left) }]);
  };
  const left = async () => (await readLeft(ORIGIN, store))?.size;
  const refusal = (answer: Witnessed) => (answer.cosigns ? 'cosigns' : answer.refusal);

  beforeEach(async () => {
    forks = [];
    on = medium();
    const bench = await witnessOn(on, new MemorySecondPlace(), {
      keysOf: () => [log.key],
      copyOf: (origin) => copies.get(origin),
      keepFork: (_origin, evidence) => Promise.resolve(void forks.push(evidence)),
    });
    ({ store } = bench);
    const { witness } = bench;
    add = (oldSize, size, there) => {
      const path = oldSize === 0 ? [] : tree.proof(oldSize, size);
      return witness.add({ oldSize, path, note: noteOf(tree, size) }, there);
    };
    await add(0, 10);
  });
  afterEach(async () => {
    copies.clear();
    await store.stop();
  });

  const assertProven = () => {
    const [evidence = assert.fail(), ...more] = forks;
    assert.deepEqual([evidence.size, more.length], [20, 0]);
    verifyForkEvidence(evidence, [log.key], { sha256, verifySignature });
  };

  it('A15: cosigns what is shorter, and nothing as long before it was shown what that has there', async () => {
    await leave(other);
    assert.equal(refusal(await add(10, 19)), 'cosigns');
    for (const there of [undefined, before(tree, 19, 30)])
      assert.equal(refusal(await add(19, 30, there)), 'unfolded');
    const strange = { ...before(tree, 20, 30), root: other.root(20) };
    assert.equal(refusal(await add(19, 30, strange)), 'unproven');
    assert.deepEqual([await left(), forks], [20, []]);
    assert.equal(refusal(await add(19, 30, before(tree, 20, 30))), 'cosigns');
    assert.equal(await left(), undefined);
    assertProven();
    assert.equal(refusal(await add(30, 40)), 'cosigns');
  });

  it('A15: a checkpoint of that very size shows it itself', async () => {
    await leave(other);
    assert.equal(refusal(await add(10, 20)), 'cosigns');
    assertProven();
  });

  it('A14: accuses nobody where that is the same tree', async () => {
    await leave(tree);
    assert.equal(refusal(await add(10, 30, before(tree, 20, 30))), 'cosigns');
    assert.deepEqual([await left(), forks], [undefined, []]);
  });

  it('A15: goes by the copy that it holds, if that is of the same tree', async () => {
    await leave(other);
    for (const [of, size, expected] of [
      [tree, 25, 'unfolded'],
      [other, 40, 'unfolded'],
      [tree, 40, 'cosigns'],
    ] as const) {
      const apart = await startedStore(medium());
      const copy = await LogTree.open(ORIGIN, { store: apart, secondPlace: new MemorySecondPlace(), sha256 });
      const replica = new Replica({ tree: copy, sha256, verifySignature });
      await replica.apply({ from: 0, entries: of.entries.slice(0, size), note: noteOf(of, size) }, [log.key]);
      copies.set(ORIGIN, copy);
      assert.equal(refusal(await add(10, 30)), expected);
      copy.close();
      await apart.stop();
    }
    assertProven();
  });

  it('F2: forgets what it left in one write with what it cosigned instead', async () => {
    await leave(other);
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(add(10, 20), 'STORE_WRITE_UNKNOWN');
    assert.equal(await left(), 20);
    assert.equal(refusal(await add(10, 20)), 'cosigns');
    assert.equal(await left(), undefined);
  });

  it('F4: what is damaged of it keeps no log from being cosigned', async () => {
    await store.write([{ put: leftKey(ORIGIN), value: Uint8Array.of(0xff) }]);
    assert.equal(refusal(await add(10, 30)), 'cosigns');
  });
});
