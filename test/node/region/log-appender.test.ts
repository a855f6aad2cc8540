import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogAppender, removeOutgrownTiles, type TreeHead } from '../../../node/region/log-appender.ts';
import { LogFiles } from '../../../node/region/log-files.ts';
import { NodeError } from '../../../node/node-error.ts';
import { asciiBytes } from '../../../protocol/bytes.ts';
import { verifyEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { emptyRoot, leafHash, verifyConsistency, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { consistencyProof, inclusionProof, rootOf } from '../../../protocol/log/merkle-proof.ts';
import { newTiles, tilePath } from '../../../protocol/log/tile.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const entry = (index: number): Uint8Array => asciiBytes(`entry ${index}`);
const EMPTY: TreeHead = { size: 0, root: emptyRoot(sha256) };

function expectedRoot(size: number): Uint8Array {
  const frontier = Frontier.empty(sha256);
  for (let i = 0; i < size; i++) frontier.append(leafHash(sha256, entry(i)));
  return frontier.root();
}

async function grow(files: LogFiles, head: TreeHead, size: number): Promise<TreeHead> {
  const appender = await LogAppender.open(files, head, sha256);
  for (let i = head.size; i < size; i++) assert.equal(await appender.append(entry(i)), i);
  return appender.finish();
}

const isDamage = (error: unknown): boolean =>
  error instanceof NodeError && error.code === 'DATA_INCONSISTENT' && error.fatal;

describe('LogAppender and LogFiles', () => {
  const folder = temporaryFolders();

  it('write the tiles and bundles of C2SP tlog-tiles, whatever the borders of batches', async () => {
    const files = new LogFiles(folder());
    let head = EMPTY;
    for (const size of [0, 1, 2, 255, 256, 257, 300, 512, 1_000]) {
      head = await grow(files, head, size);
      assert.equal(head.size, size);
      assert.deepEqual(head.root, expectedRoot(size));
      for (const tile of newTiles(0, size)) {
        const data = readFileSync(join(files.path, tilePath(tile)));
        assert.equal(data.length, 32 * tile.width);
        if (tile.level === 0) {
          const bundle = readFileSync(join(files.path, tilePath({ ...tile, level: 'entries' })));
          assert.equal(verifyEntryBundle(sha256, bundle, data).length, tile.width);
        }
      }
    }
  });

  it('write tiles of level 1 and 2 when one batch crosses them', async () => {
    const files = new LogFiles(folder());
    const size = 65_536 + 300;
    const frontier = Frontier.empty(sha256);
    const appender = await LogAppender.open(files, EMPTY, sha256);
    for (let i = 0; i < size; i++) {
      await appender.append(entry(i));
      frontier.append(leafHash(sha256, entry(i)));
    }
    assert.deepEqual((await appender.finish()).root, frontier.root());
    assert.ok(existsSync(join(files.path, 'tile/2/000.p/1')));
    assert.ok(existsSync(join(files.path, 'tile/1/000')));
    const again = await LogAppender.open(files, { size, root: frontier.root() }, sha256);
    assert.equal(again.size, size);
  }).timeout(120_000);

  it('build proofs that verify', async () => {
    const files = new LogFiles(folder());
    const small = await grow(files, EMPTY, 300);
    const large = await grow(files, small, 700);
    const path = await files.withHashes(sha256, 700, (source) =>
      inclusionProof(sha256, { index: 299, size: 700 }, source),
    );
    verifyInclusion(sha256, {
      index: 299,
      size: 700,
      leafHash: leafHash(sha256, entry(299)),
      root: large.root,
      path,
    });
    const sizes = { oldSize: 300, newSize: 700 };
    const consistency = await files.withHashes(sha256, 700, (source) =>
      consistencyProof(sha256, sizes, source),
    );
    verifyConsistency(sha256, { ...sizes, oldRoot: small.root, newRoot: large.root, path: consistency });
    assert.deepEqual(
      await files.withHashes(sha256, 300, (source) => rootOf(sha256, 300, source)),
      small.root,
    );
  });

  it('read entries from any index to any size, also where a partial bundle has gone', async () => {
    const files = new LogFiles(folder());
    const head = await grow(files, await grow(files, EMPTY, 300), 600);
    assert.ok(existsSync(join(files.path, 'tile/entries/001.p/44')));
    await removeOutgrownTiles(files.path, 300, 600);
    assert.ok(!existsSync(join(files.path, 'tile/entries/001.p')));
    assert.ok(!existsSync(join(files.path, 'tile/0/001.p')));
    assert.ok(existsSync(join(files.path, 'tile/1/000.p/1')), 'a partial tile without its full one stays');
    for (const [from, size] of [
      [0, 600],
      [10, 300],
      [256, 512],
      [299, 300],
      [300, 300],
    ] as const) {
      const entries: Uint8Array[] = [];
      for await (const read of files.entries(from, size)) entries.push(read);
      assert.deepEqual(
        entries,
        Array.from({ length: size - from }, (_, i) => entry(from + i)),
      );
    }
    assert.deepEqual(head.root, expectedRoot(600));
    assert.deepEqual(
      await files.withHashes(sha256, 300, (source) => rootOf(sha256, 300, source)),
      expectedRoot(300),
    );
  });

  it('give the hashes of an earlier size out of the tiles of a later one', async () => {
    const files = new LogFiles(folder());
    await grow(files, EMPTY, 310);
    const rootAt = (size: number, treeSize?: number) =>
      files.withHashes(sha256, size, (source) => rootOf(sha256, size, source), treeSize);
    for (const size of [1, 255, 256, 257, 309]) assert.deepEqual(await rootAt(size, 310), expectedRoot(size));
    assert.deepEqual(await files.entry(300, 310), entry(300));
    await assert.rejects(rootAt(309), isDamage);
    await assert.rejects(rootAt(310, 309), isDamage);
    await assert.rejects(files.entry(300, 301), isDamage);
  });

  it('write the same bytes again when a batch broke off before its checkpoint', async () => {
    const files = new LogFiles(folder());
    const head = await grow(files, EMPTY, 250);
    const broken = await LogAppender.open(files, head, sha256);
    for (let i = 250; i < 400; i++) await broken.append(entry(i));
    assert.ok(existsSync(join(files.path, 'tile/entries/000')));
    const whole = await grow(files, head, 700);
    assert.deepEqual(whole.root, expectedRoot(700));
    const other = new LogFiles(folder());
    await grow(other, EMPTY, 700);
    for (const tile of newTiles(0, 700)) {
      assert.deepEqual(
        readFileSync(join(files.path, tilePath(tile))),
        readFileSync(join(other.path, tilePath(tile))),
      );
    }
  });

  it('leave nothing of an interrupted write beside the tiles', async () => {
    const files = new LogFiles(folder());
    await grow(files, EMPTY, 300);
    const names = readdirSync(files.path, { recursive: true }) as string[];
    assert.deepEqual(
      names.filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('F4: refuse to append where a tile of the right edge is altered, cut or gone', async () => {
    const alter: readonly [string, (path: string) => void][] = [
      [
        'altered',
        (path) => {
          const data = readFileSync(path);
          data[40] = (data[40] ?? 0) ^ 1;
          writeFileSync(path, data);
        },
      ],
      ['cut', (path) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
      ['gone', (path) => rmSync(path)],
    ];
    for (const [, change] of alter) {
      const files = new LogFiles(folder());
      const head = await grow(files, EMPTY, 300);
      change(join(files.path, 'tile/0/001.p/44'));
      await assert.rejects(LogAppender.open(files, head, sha256), isDamage);
    }
    const files = new LogFiles(folder());
    await grow(files, EMPTY, 300);
    await assert.rejects(LogAppender.open(files, { size: 300, root: new Uint8Array(32) }, sha256), isDamage);
  });
});
