import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { consistencyProof, inclusionProof, rootOf } from '../../../protocol/log/merkle-proof.ts';
import { verifyConsistency, verifyInclusion } from '../../../protocol/log/merkle.ts';
import {
  hashFromTile,
  newTiles,
  parseTilePath,
  tilePath,
  tileSource,
  tilesReadBy,
  tileWidth,
  type Tile,
} from '../../../protocol/log/tile.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const tree = ReferenceTree.ofSize(700);
const TILE_INVALID = (error: unknown) => isProtocolError(error, 'TILE_INVALID');
const refuses = (path: string) =>
  assert.throws(() => parseTilePath(path), TILE_INVALID, JSON.stringify(path));

/** The bytes of a tile, by the definition: hash i covers leaves [(256 N + i) 256^L, +256^L). */
function tileBytes({ level, index, width }: Tile): Uint8Array {
  return new Uint8Array(
    Array.from({ length: width }, (_, i) => [...tree.subtree(8 * level, 256 * index + i)]).flat(),
  );
}

describe('tilePath and parseTilePath', () => {
  it('write numbers in groups of three, all but the last with x', () => {
    for (const [path, level, index, width] of [
      ['tile/0/000', 0, 0, 256],
      ['tile/0/000.p/1', 0, 0, 1],
      ['tile/63/999.p/255', 63, 999, 255],
      ['tile/1/x001/000', 1, 1000, 256],
      ['tile/0/x001/x234/067', 0, 1234067, 256],
      ['tile/0/x001/x234/067.p/8', 0, 1234067, 8],
      ['tile/entries/x001/x234/067.p/112', 'entries', 1234067, 112],
      ['tile/0/x009/x007/x199/x254/x740/991', 0, Number.MAX_SAFE_INTEGER, 256],
    ] as const) {
      assert.equal(tilePath({ level, index, width }), path);
      assert.deepEqual(parseTilePath(path), { level, index, width });
    }
  });

  it('parseTilePath A30, B61: refuses traversal and every other path', () => {
    for (const path of [
      'tile/0/x001/../../../etc/passwd', 'tile/0/../0/000', 'tile/0/000/..', '/tile/0/000', 'tile//0/000', 'tile/0//000',
      'tile/0/000/', 'tile/0/', 'tile/0', 'tile', '', 'tile/0/000\n', ' tile/0/000', 'tile/0/000\0', 'tile\\0\\000',
      'tile/%30/000', 'tile/0/%2e%2e/000', 'TILE/0/000', 'tile/Entries/000', 'tile/data/000', 'checkpoint', 'tile/0/\u0660\u0660\u0660',
    ]) refuses(path); // prettier-ignore
  });

  it('parseTilePath B61: refuses widths of 0 and above 255, and other spellings of them', () => {
    for (const width of ['0', '256', '257', '999', '1000', '01', '001', '-1', '+1', '1.5', '', '1/', '1e2']) {
      refuses(`tile/0/000.p/${width}`);
    }
    for (const path of [
      'tile/0/000.p',
      'tile/0/000p/1',
      'tile/0/000.p1',
      'tile/0/000.p/1.p/1',
      'tile/0/x001.p/1/000',
    ])
      refuses(path);
  });

  it('parseTilePath B61: refuses an index of 2^53 and more groups than any index has', () => {
    refuses('tile/0/x009/x007/x199/x254/x740/992');
    refuses('tile/0/x010/x007/x199/x254/x740/991');
    refuses('tile/0/x001/x000/x000/x000/x000/x000/000');
    refuses(`tile/0/${'x000/'.repeat(100_000)}000`);
  });

  it('parseTilePath A30: refuses wrong x prefixes and leading zero groups', () => {
    for (const number of [
      'x000',
      'x000/001',
      '001/000',
      'x001/x000',
      'x01/000',
      'x0001/000',
      '0',
      '00',
      '0000',
      'X001/000',
      'xx01/000',
    ]) {
      refuses(`tile/0/${number}`);
    }
  });

  it('parseTilePath A30: refuses levels above 63 and other spellings of a level', () => {
    for (const level of ['64', '99', '100', '00', '01', '-1', '+1', '1.0', 'x0', 'e', ''])
      refuses(`tile/${level}/000`);
  });

  it('tilePath refuses what has no path: a mistake of the caller', () => {
    for (const [level, index, width] of [[-1, 0, 1], [64, 0, 1], [0.5, 0, 1], [0, -1, 1], [0, 2 ** 53, 1], [0, 0, 0], [0, 0, 257], [0, 0, 1.5]] as const) {
      assert.throws(() => tilePath({ level, index, width }), RangeError);
    } // prettier-ignore
  });

  it('property: every tile has one path', () => {
    const level = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const));
    fc.assert(
      fc.property(
        level,
        fc.oneof(fc.maxSafeNat(), fc.nat(5000)),
        fc.integer({ min: 1, max: 256 }),
        (l, index, width) => {
          assert.deepEqual(parseTilePath(tilePath({ level: l, index, width })), { level: l, index, width });
        },
      ),
    );
    const character = fc.constantFrom(...'tile/entries01239x.p/', '../', 'tile/', 'x001/', '067', '.p/');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 8 }), (path) => {
        try {
          assert.equal(tilePath(parseTilePath(path)), path);
        } catch (error) {
          assert.ok(TILE_INVALID(error));
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('tileWidth and newTiles', () => {
  it('give the example of tlog-tiles: size 70,000', () => {
    assert.equal(tileWidth(70_000, 0, 272), 256);
    assert.equal(tileWidth(70_000, 0, 273), 112);
    assert.equal(tileWidth(70_000, 0, 274), 0);
    assert.equal(tileWidth(70_000, 1, 0), 256);
    assert.equal(tileWidth(70_000, 1, 1), 17);
    assert.equal(tileWidth(70_000, 2, 0), 1);
    assert.equal(tileWidth(70_000, 3, 0), 0);
    const tiles = [...newTiles(0, 70_000)];
    assert.equal(tiles.length, 274 + 2 + 1);
    assert.deepEqual(tiles.filter(({ width }) => width < 256).map(tilePath), [
      'tile/0/273.p/112',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
    ]);
  });

  it('newTiles has no empty tile and nothing that the older tree had', () => {
    assert.deepEqual([...newTiles(0, 0)], []);
    assert.deepEqual([...newTiles(300, 300)], []);
    assert.deepEqual([...newTiles(255, 256)].map(tilePath), ['tile/0/000', 'tile/1/000.p/1']);
    assert.deepEqual([...newTiles(256, 257)].map(tilePath), ['tile/0/001.p/1']);
  });

  it('property: newTiles are the tiles of the new tree that are wider than in the old one', () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(3000), (oldSize, more) => {
        const expected: string[] = [];
        for (let level = 0; level < 4; level++) {
          const tiles = Math.ceil((oldSize + more) / 256 ** (level + 1)) + 1;
          for (let index = 0; index < tiles; index++) {
            const width = tileWidth(oldSize + more, level, index);
            if (width > tileWidth(oldSize, level, index)) expected.push(tilePath({ level, index, width }));
          }
        }
        assert.deepEqual([...newTiles(oldSize, oldSize + more)].map(tilePath), expected);
      }),
    );
  });
});

describe('hashFromTile', () => {
  const tile = tileBytes({ level: 0, index: 1, width: 200 });

  it('gives every perfect subtree of a tile', () => {
    for (let depth = 0; depth <= 7; depth++) {
      for (let place = 0; (place + 1) * 2 ** depth <= 200; place++) {
        assert.deepEqual(
          hashFromTile(sha256, tile, depth, place),
          tree.subtree(depth, (256 >> depth) + place),
        );
      }
    }
    assert.deepEqual(
      hashFromTile(sha256, tileBytes({ level: 0, index: 1, width: 256 }), 8, 0),
      tree.subtree(8, 1),
    );
  });

  it('B61: refuses a tile of 8,191 bytes and every other that is not 1 to 256 whole hashes', () => {
    for (const length of [0, 1, 31, 33, 8191, 8193, 8224]) {
      assert.throws(() => hashFromTile(sha256, new Uint8Array(length), 0, 0), TILE_INVALID, String(length));
    }
  });

  it('never hashes a partial tile upward', () => {
    for (const [depth, place] of [[0, 200], [7, 1], [8, 0], [3, 25], [-1, 0], [0, -1], [0, 0.5]] as const) {
      assert.throws(() => hashFromTile(sha256, tile, depth, place), RangeError);
    } // prettier-ignore
  });
});

describe('hashFromTile as a value', () => {
  it('gives a copy, also of a Buffer', () => {
    const data = Buffer.from(tileBytes({ level: 0, index: 0, width: 2 }));
    const hash = hashFromTile(sha256, data, 0, 1);
    data.fill(0);
    assert.deepEqual(hash, tree.leaf(1));
  });
});

describe('tileSource', () => {
  const reading = (size: number) => tileSource(sha256, size, tileBytes);

  it('serves roots and proofs of every size around the borders of tiles', () => {
    for (const size of [1, 2, 3, 100, 255, 256, 257, 300, 511, 512, 513, 700]) {
      assert.deepEqual(rootOf(sha256, size, reading(size)), tree.root(size));
      for (const index of [0, 1, 99, 254, 255, 256, 511, 512, size - 1].filter((i) => i < size)) {
        const path = inclusionProof(sha256, { index, size }, reading(size));
        verifyInclusion(sha256, { index, size, leafHash: tree.leaf(index), root: tree.root(size), path });
      }
      for (const oldSize of [1, 128, 255, 256, 257, 512, size].filter((s) => s <= size)) {
        const path = consistencyProof(sha256, { oldSize, newSize: size }, reading(size));
        const [oldRoot, newRoot] = [tree.root(oldSize), tree.root(size)];
        verifyConsistency(sha256, { oldSize, newSize: size, oldRoot, newRoot, path });
      }
    }
  });

  it('B61: refuses a tile that is shorter or longer than its width', () => {
    for (const change of [-32, -1, 1, 32]) {
      const source = tileSource(sha256, 300, (tile) => {
        const bytes = new Uint8Array(tile.width * 32 + change);
        bytes.set(tileBytes(tile).subarray(0, bytes.length));
        return bytes;
      });
      assert.throws(() => source(0, 299), TILE_INVALID);
    }
  });

  it('A5, A7: a flipped bit in any tile that a proof reads makes another proof', () => {
    const size = 700;
    const build = (source: Parameters<Parameters<typeof tilesReadBy>[1]>[0]) =>
      inclusionProof(sha256, { index: 300, size }, source);
    const read = tilesReadBy(size, build);
    assert.deepEqual(read.map(tilePath).sort(), ['tile/0/001', 'tile/0/002.p/188', 'tile/1/000.p/2']);
    for (const flipped of read) {
      const source = tileSource(sha256, size, (tile) => {
        const bytes = new Uint8Array(tileBytes(tile));
        // The first hash of each is part of the path: leaf 300 is under none of them.
        if (tilePath(tile) === tilePath(flipped)) bytes[0] = (bytes[0] ?? 0) ^ 1;
        return bytes;
      });
      const claim = { index: 300, size, leafHash: tree.leaf(300), root: tree.root(size) };
      assert.throws(
        () => verifyInclusion(sha256, { ...claim, path: build(source) }),
        (error) => isProtocolError(error, 'PROOF_INVALID'),
      );
    }
  });

  it('refuses subtrees that are not within the tree', () => {
    for (const [level, index] of [[0, 300], [1, 150], [2, 75], [8, 1], [9, 0], [16, 0]] as const) {
      assert.throws(() => reading(300)(level, index), RangeError, `${level}/${index}`);
    } // prettier-ignore
  });
});

describe('tilesReadBy', () => {
  it('names the tiles that a proof reads, each once, and no other', () => {
    const seen = new Set<string>();
    const source = tileSource(sha256, 700, (tile) => {
      seen.add(tilePath(tile));
      return tileBytes(tile);
    });
    const build = (from: typeof source) => inclusionProof(sha256, { index: 300, size: 700 }, from);
    build(source);
    assert.deepEqual(tilesReadBy(700, build).map(tilePath).sort(), [...seen].sort());
    assert.ok(seen.size >= 2);
  });
});

describe('Frontier and tiles', () => {
  it('visits exactly the hashes that tiles hold', () => {
    const frontier = Frontier.empty(sha256);
    const held = new Map<string, Uint8Array>();
    for (let i = 0; i < 700; i++) {
      frontier.append(tree.leaf(i), (level, index, hash) => {
        if (level % 8 === 0) held.set(`${level / 8}/${index}`, hash);
      });
    }
    for (const tile of newTiles(0, 700)) {
      const hashes = Array.from({ length: tile.width }, (_, i) =>
        held.get(`${tile.level}/${tile.index * 256 + i}`),
      );
      assert.deepEqual(new Uint8Array(Buffer.concat(hashes as Uint8Array[])), tileBytes(tile));
    }
  });
});
