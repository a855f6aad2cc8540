import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOTE_BYTES_MAX } from '../../../protocol/limits.ts';
import { FileSecondPlace } from '../../../node/store/second-place.ts';
import { seeded } from '../../support/seeded.ts';
import { rejectsWith } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const NAME = 'CN-33.example/attest/2026-11';
const root = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const note = Uint8Array.from(Buffer.from('CN-33.example\n7\n\n— signed\n'));

describe('FileSecondPlace', () => {
  const folder = temporaryFolders();
  const placeIn = (directory: string): FileSecondPlace => new FileSecondPlace({ directory });
  const fileIn = (directory: string): string => {
    const [name] = readdirSync(directory).filter((file) => file.endsWith('.mark'));
    assert.ok(name);
    return join(directory, name);
  };

  it('gives back size, root and note to the next process, by name', async () => {
    const directory = join(folder(), 'a', 'b');
    const place = placeIn(directory);
    assert.equal(await place.read(NAME), undefined);
    await place.raise(NAME, { size: 7, root: root(7), note });
    await place.raise('other', { size: 0, root: root(0), note: new Uint8Array(0) });
    await place.raise(NAME, { size: 2 ** 53 - 1, root: root(8), note: new Uint8Array(NOTE_BYTES_MAX) });
    const next = placeIn(directory);
    assert.deepEqual(await next.read(NAME), {
      size: 2 ** 53 - 1,
      root: root(8),
      note: new Uint8Array(NOTE_BYTES_MAX),
    });
    assert.deepEqual(await next.read('other'), { size: 0, root: root(0), note: new Uint8Array(0) });
    assert.equal(await next.read('third'), undefined);
  });

  it('forget lets a log begin anew, in the next process too, and is no fault where there is nothing', async () => {
    const directory = join(folder(), 'new');
    const place = placeIn(directory);
    assert.deepEqual(await place.names(), []);
    await place.forget(NAME);
    for (const name of [NAME, 'other']) await place.raise(name, { size: 7, root: root(7), note });
    await place.forget(NAME);
    for (const one of [place, placeIn(directory)]) {
      assert.equal(await one.read(NAME), undefined);
      assert.equal((await one.read('other'))?.size, 7);
    }
    await place.raise(NAME, { size: 1, root: root(1), note });
    assert.equal((await placeIn(directory).read(NAME))?.size, 1);
  });

  it('F6 raise refuses a smaller size and another root at the same size, also in the next process', async () => {
    const directory = folder();
    const first = placeIn(directory);
    await first.raise(NAME, { size: 7, root: root(7), note });
    for (const place of [first, placeIn(directory)]) {
      await rejectsWith(
        place.raise(NAME, { size: 6, root: root(6), note }),
        'SECOND_PLACE_BEHIND',
        /size 6.*size 7/,
      );
      await rejectsWith(place.raise(NAME, { size: 6, root: root(7), note }), 'SECOND_PLACE_BEHIND');
      await rejectsWith(
        place.raise(NAME, { size: 7, root: root(6), note }),
        'SECOND_PLACE_BEHIND',
        /another root/,
      );
      await place.raise(NAME, { size: 7, root: root(7), note: new Uint8Array(1) });
    }
    assert.deepEqual((await placeIn(directory).read(NAME))?.note, new Uint8Array(1));
  });

  it('calls for one name follow one another: of many at once the furthest stays', async () => {
    const directory = folder();
    const place = placeIn(directory);
    const sizes = [5, 3, 9, 1, 8, 9];
    const outcomes = await Promise.allSettled(
      sizes.map((size) => place.raise(NAME, { size, root: root(size), note })),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    assert.equal((await placeIn(directory).read(NAME))?.size, 9);
  });

  it('a torn temporary file is passed over, and replaced by the next write', async () => {
    const directory = folder();
    await placeIn(directory).raise(NAME, { size: 7, root: root(7), note });
    const file = fileIn(directory);
    writeFileSync(`${file}.new`, readFileSync(file).subarray(0, 50));
    const place = placeIn(directory);
    assert.equal((await place.read(NAME))?.size, 7);
    await place.raise(NAME, { size: 8, root: root(8), note });
    assert.deepEqual(readdirSync(directory).length, 1);
  });

  it('F4 every single flipped bit, every truncation and a longer file are SECOND_PLACE_CORRUPT', async () => {
    const directory = folder();
    await placeIn(directory).raise(NAME, { size: 7, root: root(7), note });
    const file = fileIn(directory);
    const good = readFileSync(file);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(file, bad);
      await rejectsWith(placeIn(directory).read(NAME), 'SECOND_PLACE_CORRUPT');
    }
    const random = seeded(7);
    for (let i = 0; i < 20; i++) {
      writeFileSync(file, good.subarray(0, Math.floor(random() * good.length)));
      await rejectsWith(
        placeIn(directory).raise(NAME, { size: 9, root: root(9), note }),
        'SECOND_PLACE_CORRUPT',
      );
    }
    writeFileSync(file, Buffer.concat([good, Buffer.alloc(1)]));
    await rejectsWith(placeIn(directory).read(NAME), 'SECOND_PLACE_CORRUPT');
    writeFileSync(file, Buffer.alloc(200_000));
    await rejectsWith(placeIn(directory).read(NAME), 'SECOND_PLACE_CORRUPT');
    writeFileSync(file, good);
    assert.equal((await placeIn(directory).read(NAME))?.size, 7);
  });

  it('the file of another name is refused', async () => {
    const directory = folder();
    const place = placeIn(directory);
    await place.raise(NAME, { size: 7, root: root(7), note });
    const file = fileIn(directory);
    await place.raise('other', { size: 1, root: root(1), note });
    copyFileSync(file, join(directory, 'other.mark'));
    await rejectsWith(placeIn(directory).read('other'), 'SECOND_PLACE_CORRUPT');
  });

  it('names stay inside the directory, apart from each other, and within their form', async () => {
    const directory = join(folder(), 'inside');
    const place = placeIn(directory);
    const names = ['../x', '..', '.', 'a/b', 'a%2fb', 'a.b', '/'];
    for (const [size, name] of names.entries()) await place.raise(name, { size, root: root(size), note });
    assert.equal(readdirSync(directory).length, names.length);
    assert.equal(readdirSync(join(directory, '..')).length, 1);
    for (const [size, name] of names.entries())
      assert.equal((await placeIn(directory).read(name))?.size, size);
    assert.deepEqual([...(await placeIn(directory).names())].sort(), [...names].sort());
    for (const name of ['', 'a b', 'é', 'x'.repeat(81)]) {
      assert.throws(() => place.read(name), RangeError, name);
    }
    await place.read('x'.repeat(80));
  });

  it('raise takes sizes, roots and notes within their bounds only', async () => {
    const place = placeIn(folder());
    const bad = [
      { size: -1, root: root(1), note },
      { size: 2 ** 53, root: root(1), note },
      { size: 1.5, root: root(1), note },
      { size: 1, root: new Uint8Array(31), note },
      { size: 1, root: new Uint8Array(33), note },
      { size: 1, root: root(1), note: new Uint8Array(NOTE_BYTES_MAX + 1) },
    ];
    for (const mark of bad) await assert.rejects(place.raise(NAME, mark), RangeError);
  });

  it('a place that cannot be written says so and keeps the mark', async () => {
    const directory = folder();
    const place = placeIn(directory);
    await place.raise(NAME, { size: 7, root: root(7), note });
    mkdirSync(`${fileIn(directory)}.new`);
    await rejectsWith(place.raise(NAME, { size: 8, root: root(8), note }), 'DISK_IO');
    assert.equal((await place.read(NAME))?.size, 7);
  });
});
