import assert from 'node:assert/strict';
import { tilePath } from '../../../protocol/log/tile.ts';
import { LogTree } from '../../../node/log/log-tree.ts';
import { LogKeys } from '../../../node/log/log-keys.ts';
import { encodeHead, type LogHead, parseHead } from '../../../node/log/log-head.ts';
import { edgeTiles } from '../../../node/log/tile-edge.ts';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { audit, Machine, ORIGIN } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const reference = ReferenceTree.ofSize(1_300);
const note = new TextEncoder().encode('a note');

const rejectsWith = (promise: Promise<unknown>, code: NodeErrorCode) =>
  assert.rejects(promise, (error) => isNodeError(error, code));

/** Appends entries of the reference up to `size` and calls them signed. */
async function growTo(tree: LogTree, size: number): Promise<void> {
  const growth = tree.grow();
  for (const entry of reference.entries.slice(tree.size, size)) growth.append(entry);
  await tree.write(growth, { signed: { size, root: growth.root(), note } });
}

describe('LogTree', () => {
  it('has the entries, tiles and root of RFC 6962 and C2SP tlog-tiles whatever the batches', async () => {
    for (const steps of [[1], [255, 256, 257], [1, 2, 3, 300, 512], [700, 701, 1_000, 1_300]]) {
      const machine = new Machine();
      const store = await machine.openStore();
      const tree = await machine.openTree(store);
      for (const size of steps) {
        await growTo(tree, size);
        assert.deepEqual(Buffer.from(tree.head.root), Buffer.from(reference.root(size)));
      }
      const again = await machine.openTree(store);
      assert.deepEqual(again.head, tree.head);
      assert.deepEqual(again.grow().root(), tree.head.root);
      for (const one of [tree, again]) one.close();
      const keys = new LogKeys(ORIGIN);
      await store.write([{ put: keys.head, value: encodeHead({ ...tree.head, signed: undefined }) }]);
      await store.stop();
      assert.equal((await audit(machine)).length, steps.at(-1));
    }
  });

  it('has tiles of level 2 beyond 65,536 leaves, and goes on from them', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    const large = ReferenceTree.ofSize(65_836);
    const growth = tree.grow();
    for (const entry of large.entries.slice(0, 65_600)) growth.append(entry);
    await tree.write(growth, {});
    tree.close();
    const again = await machine.openTree(store);
    const more = again.grow();
    for (const entry of large.entries.slice(65_600)) more.append(entry);
    assert.deepEqual(Buffer.from(more.root()), Buffer.from(large.root()));
    await again.write(more, {});
    assert.deepEqual(edgeTiles(again.size).map(tilePath), [
      'tile/0/257.p/44',
      'tile/1/001.p/1',
      'tile/2/000.p/1',
    ]);
    const [leaves, level1, level2] = await again.reader.tiles([
      { level: 0, index: 255, width: 256 },
      { level: 1, index: 0, width: 256 },
      { level: 2, index: 0, width: 1 },
    ]);
    assert.deepEqual(Buffer.from(leaves ?? []).subarray(-32), Buffer.from(large.leaf(65_535)));
    assert.deepEqual(Buffer.from(level1 ?? []).subarray(-32), Buffer.from(large.subtree(8, 255)));
    assert.deepEqual(Buffer.from(level2 ?? []), Buffer.from(large.subtree(16, 0)));
    again.close();
    await store.stop();
  });

  it('changes nothing in memory when the write fails', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    await growTo(tree, 10);
    const { head } = tree;
    machine.medium.plan({ write: machine.medium.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(growTo(tree, 20), 'STORE_WRITE_UNKNOWN');
    assert.deepEqual(tree.head, head);
    await tree.reload();
    assert.deepEqual(tree.head, head);
    await growTo(tree, 30);
    assert.deepEqual(Buffer.from(tree.head.root), Buffer.from(reference.root(30)));
    await store.stop();
  });

  it('learns from the store when the outcome of a write was open', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    machine.medium.plan({ write: machine.medium.counters.writes + 1, when: 'after', what: 'DISK_IO' });
    await rejectsWith(growTo(tree, 20), 'STORE_WRITE_UNKNOWN');
    await tree.reload();
    assert.equal(tree.size, 20);
    await store.stop();
  });

  it('refuses a growth that does not begin where the log ends', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    const growth = tree.grow();
    await growTo(tree, 3);
    await assert.rejects(tree.write(growth, {}), RangeError);
    await store.stop();
  });

  it('names what it lacks against the second place, until it is raised to that', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    await growTo(tree, 3);
    const mark = { size: 5, root: reference.root(5), note };
    await machine.secondPlace.raise(ORIGIN, mark);
    await tree.reload();
    assert.deepEqual(tree.shortfall, mark);
    await growTo(tree, 5);
    await tree.raise();
    assert.equal(tree.shortfall, undefined);
    await store.stop();
  });

  it('F4 fails closed on a value that was changed, and tells its owner what is wrong', async () => {
    for (const part of ['head', 'tile/0/0000000000000000', 'tile/1/0000000000000000']) {
      const machine = new Machine();
      const store = await machine.openStore();
      const tree = await machine.openTree(store);
      await growTo(tree, 600);
      tree.close();
      const key = `log/${ORIGIN}/${part}`;
      const value = (await store.get(key))?.slice() ?? new Uint8Array(0);
      value[12] = (value[12] ?? 0) ^ 1;
      await store.write([{ put: key, value }]);
      // The first tile of level 0 is not needed to go on; an audit finds that.
      if (part.startsWith('tile/0')) await machine.openTree(store);
      else await rejectsWith(machine.openTree(store), 'LOG_CORRUPT');
      await store.write([{ del: key }]);
      await store.stop();
    }
  });

  it('entries reads what was logged together with them, and no damage before that', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    for (const size of [3, 5, 9, 300]) await growTo(tree, size);
    const key = new LogKeys(ORIGIN).run(3);
    machine.medium.flipBit(key);
    const read = async (from: number, to: number): Promise<number> => {
      let index = from;
      for await (const entry of tree.reader.entries(from, to)) {
        assert.deepEqual(Buffer.from(entry), Buffer.from(reference.entries[index++] as Uint8Array));
      }
      return index;
    };
    for (const [from, to] of [
      [0, 3],
      [1, 2],
      [5, 6],
      [7, 300],
      [256, 257],
      [299, 300],
      [8, 8],
    ] as const) {
      assert.equal(await read(from, to), to);
    }
    for (const [from, to] of [
      [3, 4],
      [4, 5],
      [2, 4],
    ] as const) {
      await rejectsWith(read(from, to), 'VALUE_CORRUPT');
    }
    await store.write([{ del: key }]);
    await rejectsWith(read(4, 6), 'LOG_CORRUPT');
    await store.stop();
  });

  it('does not take the store with it when the second place cannot be read', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    await growTo(tree, 3);
    machine.secondPlace.refuseReads(2);
    machine.medium.plan({ write: machine.medium.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(store.write([{ put: 'other', value: note }]), 'STORE_WRITE_UNKNOWN');
    await store.get('other');
    assert.equal(store.condition.state, 'serving');
    assert.throws(
      () => tree.head,
      (error) => isNodeError(error, 'LOG_UNCHECKED') && error.retry,
    );
    await rejectsWith(tree.settled(), 'LOG_UNCHECKED');
    await tree.settled();
    assert.equal(tree.size, 3);
    await store.stop();
  });

  it('knows itself to be behind if the store comes back without what was acknowledged', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    await growTo(tree, 3);
    const old = { put: tree.keys.head, value: encodeHead({ ...tree.head }) };
    await growTo(tree, 5);
    const [entries = []] = [await store.page(`log/${ORIGIN}/tile`, `log/${ORIGIN}/tilf`, { limit: 9 })];
    const tiles = entries.map(([put, value]) => ({ put, value: value.subarray(0, 96) }));
    await store.write([old, ...tiles]);
    machine.medium.plan({ write: machine.medium.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(store.write([old]), 'STORE_WRITE_UNKNOWN');
    await store.get('other');
    assert.equal(tree.size, 3);
    assert.equal(tree.shortfall?.size, 5);
    await store.stop();
  });
});

describe('encodeHead and parseHead', () => {
  const head: LogHead = {
    size: 5,
    root: reference.root(5),
    frontier: [reference.subtree(2, 0), reference.leaf(4)],
    signed: { size: 3, root: reference.root(3), note },
    ahead: { note, path: reference.proof(5, 9) },
    minimum: 0,
    atS: 1_700_000_000,
    sealed: true,
  };

  it('are each other’s reverse', () => {
    for (const one of [head, { ...head, signed: undefined, ahead: undefined, sealed: false }]) {
      assert.deepEqual(parseHead(encodeHead(one), ORIGIN), one);
    }
  });

  it('refuses all that is no head with LOG_CORRUPT', () => {
    const bytes = encodeHead(head);
    const damaged = [
      new Uint8Array(0),
      bytes.subarray(1),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, bytes]),
    ];
    for (const one of [...damaged, encodeHead({ ...head, root: note })]) {
      assert.throws(
        () => parseHead(one, ORIGIN),
        (error) => isNodeError(error, 'LOG_CORRUPT'),
      );
    }
  });

  it('opens nothing from a store of another hash', async () => {
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    await growTo(tree, 3);
    tree.close();
    const other = (data: Uint8Array) => sha256(sha256(data));
    await rejectsWith(
      LogTree.open(ORIGIN, { store, secondPlace: machine.secondPlace, sha256: other }),
      'LOG_CORRUPT',
    );
    await store.stop();
  });
});
