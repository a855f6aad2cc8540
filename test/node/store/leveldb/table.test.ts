import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { LevelDisk } from '../../../../node/store/level-disk.ts';
import { readManifest } from '../../../../node/store/leveldb/manifest.ts';
import { damageOfTable } from '../../../../node/store/leveldb/table.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

describe('damageOfTable', () => {
  const folder = temporaryFolders();
  let table: Uint8Array;

  before(async () => {
    const directory = folder();
    const disk = new LevelDisk({ directory, reserveBytes: 0 });
    await disk.open();
    const value = Uint8Array.from({ length: 90 }, (_, i) => i);
    await disk.write(Array.from({ length: 120 }, (_, i) => ({ put: `key/${i}`, value })));
    await disk.close();
    await disk.open(); // turns the log into a table
    await disk.close();
    const name = readdirSync(join(directory, 'level')).find((file) => file.endsWith('.ldb'));
    table = new Uint8Array(readFileSync(join(directory, 'level', name ?? '')));
  });

  it('finds none in a table that LevelDB wrote', () => {
    assert.ok(table.length > 10_000);
    assert.equal(damageOfTable(table), undefined);
  });

  it('F4 finds every single flipped bit, but for the padding of the footer, which may also lengthen its last number', () => {
    const footer = table.length - 48;
    let missed = 0;
    for (let bit = 0; bit < table.length * 8; bit += bit >> 3 > footer - 600 ? 1 : 61) {
      const bad = table.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (damageOfTable(bad) !== undefined) continue;
      missed++;
      assert.ok(bit >> 3 > footer + 4 && bit >> 3 < table.length - 8, `byte ${bit >> 3} of ${table.length}`);
      assert.ok(table[bit >> 3] === 0 || (bit & 7) === 7, `byte ${bit >> 3}`);
    }
    assert.ok(missed > 0 && missed < 40 * 8);
  });

  it('is total on any bytes, cut or long', () => {
    for (let length = 0; length < table.length; length += 101) {
      assert.ok(damageOfTable(table.subarray(0, length)));
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 200 }), (bytes) => {
        const bad = Uint8Array.from([...bytes, ...table.subarray(-8)]);
        assert.ok(damageOfTable(bad));
      }),
    );
  });
});

describe('readManifest', () => {
  it('adds up tables and logs, and gives undefined for an edit that is none', () => {
    const name = [1, ...Buffer.from('k')];
    const edits = [
      Uint8Array.of(1, 3, 0x61, 0x62, 0x63, 2, 5, 9, 0, 3, 7, 4, 0x80, 1),
      Uint8Array.of(7, 0, 10, 0xe8, 7, ...name, ...name, 7, 1, 11, 20, ...name, ...name),
      Uint8Array.of(6, 0, 10, 2, 8, 5, 1, ...name),
    ];
    assert.deepEqual(readManifest(edits.slice(0, 2)), {
      tables: new Map([
        [10, 1_000],
        [11, 20],
      ]),
      logNumber: 5,
    });
    assert.deepEqual(readManifest(edits), { tables: new Map([[11, 20]]), logNumber: 8 });
    assert.equal(readManifest([Uint8Array.of(8, 1)]), undefined);
    assert.equal(readManifest([Uint8Array.of(7, 0, 10)]), undefined);
    assert.equal(readManifest([Uint8Array.of(1, 200, 1)]), undefined);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readManifest([bytes])));
  });
});
