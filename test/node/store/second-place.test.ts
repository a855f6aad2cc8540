import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOTE_BYTES_MAX } from '../../../protocol/limits.ts';
import { encodeHighWater } from '../../../node/store/high-water.ts';
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
    assert.deepEqual(await place.names(''), []);
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
    assert.deepEqual([...(await placeIn(directory).names(''))].sort(), [...names].sort());
    for (const name of ['', 'a b', 'é', 'x'.repeat(121)]) {
      assert.throws(() => place.read(name), RangeError, name);
    }
    await place.read('x'.repeat(120));
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

  describe('of names with a colon', () => {
    const nameOf = (i: number) => `witness:DE-${i}.example/trust`;
    const mark = (size: number) => ({ size, root: root(size), note });

    it('gives back hundreds to the next process, out of sixteen files', async () => {
      const directory = folder();
      const place = placeIn(directory);
      await Promise.all(Array.from({ length: 300 }, (_, i) => place.raise(nameOf(i), mark(i % 200))));
      await place.raise(NAME, mark(7));
      assert.ok(readdirSync(directory).length <= 17);
      const next = placeIn(directory);
      for (let i = 0; i < 300; i++) assert.deepEqual(await next.read(nameOf(i)), mark(i % 200));
      assert.equal(await next.read(nameOf(300)), undefined);
      const names = [...Array.from({ length: 300 }, (_, i) => nameOf(i)), NAME];
      assert.deepEqual([...(await next.names(''))].sort(), names.sort());
    });

    it('loses none, whatever is read while others are written', async () => {
      const directory = folder();
      const place = placeIn(directory);
      for (let round = 1; round <= 5; round++) {
        const calls = Array.from({ length: 120 }, (_, i) => [
          place.raise(nameOf(i), mark(round)),
          place.read(nameOf(i + 1)),
          place.names(''),
        ]);
        await Promise.all(calls.flat());
      }
      for (const one of [place, placeIn(directory)])
        for (let i = 0; i < 120; i++) assert.equal((await one.read(nameOf(i)))?.size, 5);
    });

    it('F6 refuses a smaller size and another root, and forgets one without the others', async () => {
      const directory = folder();
      const place = placeIn(directory);
      for (let i = 0; i < 40; i++) await place.raise(nameOf(i), mark(7));
      for (const one of [place, placeIn(directory)]) {
        await rejectsWith(one.raise(nameOf(3), mark(6)), 'SECOND_PLACE_BEHIND', /size 6.*size 7/);
        await rejectsWith(one.raise(nameOf(3), { ...mark(7), root: root(6) }), 'SECOND_PLACE_BEHIND');
      }
      await place.forget(nameOf(3));
      const next = placeIn(directory);
      assert.equal(await next.read(nameOf(3)), undefined);
      for (let i = 4; i < 40; i++) assert.equal((await next.read(nameOf(i)))?.size, 7);
      await next.raise(nameOf(3), mark(1));
    });

    it('goes on from a file of its own, which a name had before, and forgets that too', async () => {
      const directory = folder();
      const place = placeIn(directory);
      await place.raise(NAME, mark(7));
      const legacy = join(
        directory,
        `${nameOf(1).replace(/[^A-Za-z0-9_-]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}.mark`,
      );
      const before = encodeHighWater(nameOf(1), mark(7));
      writeFileSync(legacy, before);
      await rejectsWith(placeIn(directory).raise(nameOf(1), mark(6)), 'SECOND_PLACE_BEHIND');
      const next = placeIn(directory);
      assert.equal((await next.read(nameOf(1)))?.size, 7);
      assert.ok((await next.names('')).includes(nameOf(1)));
      await next.raise(nameOf(1), mark(9));
      assert.equal((await placeIn(directory).read(nameOf(1)))?.size, 9);
      await next.forget(nameOf(1));
      assert.equal(await placeIn(directory).read(nameOf(1)), undefined);
    });

    it('F4 every flipped bit, truncation and longer file are SECOND_PLACE_CORRUPT, for its names alone', async () => {
      const directory = folder();
      const place = placeIn(directory);
      await place.raise(nameOf(1), mark(7));
      await place.raise(NAME, mark(7));
      const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.marks'));
      const file = join(directory, name);
      const good = readFileSync(file);
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bad = Buffer.from(good);
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(file, bad);
        await rejectsWith(placeIn(directory).read(nameOf(1)), 'SECOND_PLACE_CORRUPT');
      }
      for (const bad of [
        good.subarray(0, -1),
        good.subarray(0, 70),
        Buffer.alloc(0),
        Buffer.concat([good, good]),
      ]) {
        writeFileSync(file, bad);
        await rejectsWith(placeIn(directory).raise(nameOf(1), mark(9)), 'SECOND_PLACE_CORRUPT');
        await rejectsWith(placeIn(directory).names(''), 'SECOND_PLACE_CORRUPT');
      }
      assert.equal((await placeIn(directory).read(NAME))?.size, 7);
      writeFileSync(file, good);
      assert.equal((await placeIn(directory).read(nameOf(1)))?.size, 7);
    });

    it('a place that cannot be written says so to all that wait, keeps the marks, and goes on later', async () => {
      const directory = folder();
      const place = placeIn(directory);
      await place.raise(nameOf(1), mark(7));
      const [name = ''] = readdirSync(directory);
      mkdirSync(join(directory, `${name}.new`));
      const outcomes = await Promise.allSettled([8, 9].map((size) => place.raise(nameOf(1), mark(size))));
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['rejected', 'rejected'],
      );
      assert.equal((await place.read(nameOf(1)))?.size, 7);
      rmdirSync(join(directory, `${name}.new`));
      await place.raise(nameOf(1), mark(8));
      assert.equal((await placeIn(directory).read(nameOf(1)))?.size, 8);
    });
  });
});
