import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { parseTilePath } from '../../../protocol/log/tile.ts';
import { type LogTree } from '../../../node/log/log-tree.ts';
import { LogView } from '../../../node/log/log-view.ts';
import { pruneLog } from '../../../node/log/prune.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Store } from '../../../node/store/store.ts';
import { entriesOf, Machine } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const reference = ReferenceTree.ofSize(1_100);
const note = new TextEncoder().encode('a note');

async function logOf(
  size: number,
): Promise<{ view: LogView; tree: LogTree; store: Store; machine: Machine }> {
  const machine = new Machine();
  const store = await machine.openStore();
  const tree = await machine.openTree(store);
  const growth = tree.grow();
  for (const entry of reference.entries.slice(0, size)) growth.append(entry);
  await tree.write(growth, { signed: { size, root: growth.root(), note } });
  return { view: new LogView(tree, { sha256 }), tree, store, machine };
}

const text = (entry: Uint8Array): string => Buffer.from(entry).toString();

async function all(entries: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

async function assertInclusion(view: LogView, index: number, size: number): Promise<void> {
  const path = await view.inclusionProof({ index, size });
  const leaf = leafHash(sha256, reference.entries[index] as Uint8Array);
  verifyInclusion(sha256, { index, size, leafHash: leaf, root: reference.root(size), path });
}

async function assertConsistency(view: LogView, oldSize: number, newSize: number): Promise<void> {
  const path = await view.consistencyProof({ oldSize, newSize });
  const [oldRoot, newRoot] = [reference.root(oldSize), reference.root(newSize)];
  verifyConsistency(sha256, { oldSize, newSize, oldRoot, newRoot, path });
}

const isSizeInvalid = (error: unknown) => isProtocolError(error, 'SIZE_INVALID');

describe('LogView', () => {
  it('proves every leaf in every size, and every size in every other', async () => {
    const { view, store } = await logOf(40);
    for (let size = 1; size <= 40; size++) {
      for (let index = 0; index < size; index++) await assertInclusion(view, index, size);
      for (let oldSize = 1; oldSize <= size; oldSize++) await assertConsistency(view, oldSize, size);
    }
    await store.stop();
  });

  it('proves on both sides of the borders of tiles', async () => {
    const { view, store } = await logOf(1_100);
    const sizes = [255, 256, 257, 511, 512, 513, 768, 1_023, 1_024, 1_025, 1_100];
    for (const size of sizes) {
      for (const index of [0, 1, 254, 255, 256, 511, 512, 1_023, size - 1]) {
        if (index < size) await assertInclusion(view, index, size);
      }
      for (const oldSize of [1, ...sizes]) if (oldSize <= size) await assertConsistency(view, oldSize, size);
    }
    await store.stop();
  });

  it('refuses places beyond the log, out of order or no numbers with SIZE_INVALID', async () => {
    const { view, store } = await logOf(10);
    for (const place of [
      { index: 0, size: 11 },
      { index: 10, size: 10 },
      { index: -1, size: 10 },
      { index: 0.5, size: 10 },
      { index: 0, size: NaN },
      { index: 0, size: 0 },
    ]) {
      assert.throws(() => view.inclusionProof(place), isSizeInvalid, JSON.stringify(place));
    }
    for (const [oldSize, newSize] of [
      [0, 5],
      [6, 5],
      [5, 11],
      [2 ** 53, 5],
    ] as const) {
      assert.throws(() => view.consistencyProof({ oldSize, newSize }), isSizeInvalid);
    }
    for (const [from, to] of [
      [0, 11],
      [3, 2],
      [-1, 2],
    ] as const) {
      assert.throws(() => view.entries(from, to), isSizeInvalid);
    }
    await store.stop();
  });

  it('reads any range of entries', async () => {
    const { view, store } = await logOf(600);
    for (const [from, to] of [
      [0, 600],
      [0, 0],
      [600, 600],
      [255, 257],
      [256, 512],
      [599, 600],
      [300, 301],
    ] as const) {
      assert.deepEqual(
        (await all(view.entries(from, to))).map(text),
        reference.entries.slice(from, to).map(text),
      );
    }
    await store.stop();
  });

  it('gives tiles and bundles by the paths of C2SP tlog-tiles, of every width that the log has', async () => {
    const { view, store } = await logOf(1_100);
    const at = async (path: string) => {
      const bytes = await view.resource(parseTilePath(path));
      return bytes && Buffer.from(bytes);
    };
    const leaves = (from: number, to: number) =>
      Buffer.concat(Array.from({ length: to - from }, (_, i) => reference.leaf(from + i)));
    assert.deepEqual(await at('tile/0/000'), leaves(0, 256));
    assert.deepEqual(await at('tile/0/003.p/17'), leaves(768, 785));
    assert.deepEqual(await at('tile/0/004.p/76'), leaves(1_024, 1_100));
    assert.deepEqual(await at('tile/0/004.p/1'), leaves(1_024, 1_025));
    assert.deepEqual(
      await at('tile/1/000.p/4'),
      Buffer.concat([0, 1, 2, 3].map((place) => reference.subtree(8, place))),
    );
    for (const [path, from, to] of [
      ['tile/entries/001', 256, 512],
      ['tile/entries/004.p/76', 1_024, 1_100],
      ['tile/entries/004.p/3', 1_024, 1_027],
    ] as const) {
      assert.deepEqual(
        entriesOf((await at(path)) ?? Buffer.alloc(0)).map(text),
        reference.entries.slice(from, to).map(text),
      );
    }
    for (const path of [
      'tile/0/004.p/77',
      'tile/0/004',
      'tile/0/005.p/1',
      'tile/1/000.p/5',
      'tile/2/000.p/1',
    ]) {
      assert.equal(await at(path), undefined, path);
    }
    for (const path of ['tile/entries/004.p/77', 'tile/entries/x001/000'])
      assert.equal(await at(path), undefined);
    await store.stop();
  });
});

describe('pruneLog', () => {
  it('drops what ends at or below the minimum index, rounded down to a bundle, and keeps root and proofs', async () => {
    const { view, tree, store, machine } = await logOf(1_100);
    await pruneLog(767, { tree, store });
    assert.equal(tree.head.minimum, 512);
    const isPruned = (error: unknown) => isNodeError(error, 'LOG_PRUNED');
    for (const path of ['tile/0/000', 'tile/0/001', 'tile/entries/001']) {
      await assert.rejects(view.resource(parseTilePath(path)), isPruned);
    }
    assert.throws(() => view.entries(511, 600), isPruned);
    assert.throws(() => view.inclusionProof({ index: 511, size: 1_100 }), isPruned);
    assert.throws(() => view.consistencyProof({ oldSize: 512, newSize: 1_100 }), isPruned);
    for (const path of ['tile/0/002', 'tile/entries/002', 'tile/1/000.p/4']) {
      assert.ok(await view.resource(parseTilePath(path)));
    }
    assert.equal((await all(view.entries(512, 1_100))).length, 588);
    for (const index of [512, 513, 767, 1_099]) await assertInclusion(view, index, 1_100);
    for (const oldSize of [513, 768, 1_024, 1_099]) await assertConsistency(view, oldSize, 1_100);
    const keys = (await store.inspect(`log/${tree.origin}/entries/`, 1_000)).map(({ key }) => key);
    assert.ok(
      keys.every((key) => !/entries\/0{13}[0-4]/.test(key)),
      'the entries are gone from the store',
    );
    // It goes on growing, in later processes too.
    tree.close();
    const again = await machine.openTree(store);
    const growth = again.grow();
    growth.append(reference.entries[0] as Uint8Array);
    await again.write(growth, {});
    await assert.rejects(pruneLog(1_400, { tree: again, store }), RangeError);
    await store.stop();
  });

  it('goes on after an interruption at any write', async () => {
    for (let write = 1; write <= 3; write++) {
      const { tree, store, machine } = await logOf(1_100);
      machine.medium.plan({ write: machine.medium.counters.writes + write, when: 'before', what: 'DISK_IO' });
      await assert.rejects(pruneLog(1_024, { tree, store }));
      await tree.reload();
      await pruneLog(1_024, { tree, store });
      const prefix = `log/${tree.origin}/`;
      const keys = (await store.inspect(prefix, 1_000)).map(({ key }) => key.slice(prefix.length));
      assert.deepEqual(
        keys.filter((key) => /^(entries|tile)/.test(key)),
        ['entries/0000000000001024', 'tile/0/0000000000000004', 'tile/1/0000000000000000'],
      );
      await store.stop();
    }
  });
});
