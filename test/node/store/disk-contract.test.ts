import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Change, type Disk } from '../../../node/ports.ts';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { medium, rejectsWith } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const plain = (value: Uint8Array | undefined): Uint8Array | undefined => value && new Uint8Array(value);

/** What the store relies on, of the disk in use and of the one that tests are made with alike. */
function describeDisk(name: string, another: () => () => Disk): void {
  describe(`Disk contract: ${name}`, () => {
    let open: () => Disk;
    let disk: Disk;
    beforeEach(async () => {
      open = another();
      disk = open();
      await disk.open();
    });
    afterEach(() => disk.close());

    it('getMany answers in the order of the keys, undefined where there is nothing', async () => {
      await disk.write([
        { put: 'b', value: bytes(2) },
        { put: 'a', value: bytes() },
      ]);
      assert.deepEqual((await disk.getMany(['b', 'c', 'a', 'b'])).map(plain), [
        bytes(2),
        undefined,
        bytes(),
        bytes(2),
      ]);
      assert.deepEqual(await disk.getMany([]), []);
    });

    it('write makes its changes in order', async () => {
      await disk.write([{ put: 'a', value: bytes(1) }, { del: 'a' }, { put: 'a', value: bytes(3) }]);
      await disk.write([{ put: 'b', value: bytes(1) }, { del: 'b' }]);
      await disk.write([{ del: 'never' }]);
      await disk.write([]);
      assert.deepEqual((await disk.getMany(['a', 'b'])).map(plain), [bytes(3), undefined]);
    });

    it('range holds from <= key < to in byte order, either way, and pages go on after the last key', async () => {
      const keys = ['!', 'A', 'a', 'a!', 'aa', 'b', '~'];
      await disk.write(keys.map((key) => ({ put: key, value: bytes(key.length) })));
      const range = async (from: string, to: string, limit: number, reverse?: boolean): Promise<string[]> =>
        (await disk.range(from, to, { limit, ...(reverse !== undefined && { reverse }) })).map(
          ([key]) => key,
        );
      assert.deepEqual(await range('', '\x7f', 100), keys);
      assert.deepEqual(await range('a', 'b', 100), ['a', 'a!', 'aa']);
      assert.deepEqual(await range('a\0', 'b\0', 100), ['a!', 'aa', 'b']);
      assert.deepEqual(await range('a', 'b', 2, true), ['aa', 'a!']);
      assert.deepEqual(await range('a', 'b', 1), ['a']);
      assert.deepEqual(await range('c', 'd', 10), []);
      assert.deepEqual(await range('d', 'c', 10), []);
    });

    it('a page may end early, and only an empty one ends the range', async () => {
      const value = new Uint8Array(300_000);
      await disk.write(Array.from({ length: 12 }, (_, i) => ({ put: `k${i + 10}`, value })));
      const found: string[] = [];
      for (let from = ''; ;) {
        const page = await disk.range(from, '\x7f', { limit: 100 });
        const last = page.at(-1);
        if (last === undefined) break;
        found.push(...page.map(([key]) => key));
        from = `${last[0]}\0`;
      }
      assert.equal(found.length, 12);
    });

    it('a page of small values ends at its limit or with the range, and not before', async () => {
      const value = new Uint8Array(220);
      await disk.write(Array.from({ length: 297 }, (_, i) => ({ put: `k${i + 100}`, value })));
      const sizeOf = async (limit: number) => (await disk.range('k', 'l', { limit })).length;
      assert.deepEqual([await sizeOf(296), await sizeOf(297), await sizeOf(1_000)], [296, 297, 297]);
    });

    it('keeps what was written over close and open, for another process too', async () => {
      await disk.write([{ put: 'a', value: bytes(1) }]);
      await disk.close();
      await disk.close();
      await disk.open();
      assert.deepEqual((await disk.getMany(['a'])).map(plain), [bytes(1)]);
      await disk.close();
      disk = open();
      await disk.open();
      assert.deepEqual((await disk.getMany(['a'])).map(plain), [bytes(1)]);
    });

    it('B72 is open once', async () => {
      const second = open();
      await rejectsWith(second.open(), 'STORE_LOCKED');
      await disk.write([{ put: 'a', value: bytes(1) }]);
      await disk.close();
      await second.open();
      await rejectsWith(disk.open(), 'STORE_LOCKED');
      await second.close();
    });

    it('closed, it rejects with DISK_CLOSED', async () => {
      await disk.close();
      await rejectsWith(disk.getMany(['a']), 'DISK_CLOSED');
      await rejectsWith(disk.range('a', 'b', { limit: 1 }), 'DISK_CLOSED');
      await rejectsWith(disk.write([]), 'DISK_CLOSED');
      await rejectsWith(
        (async () => {
          for await (const step of disk.check()) void step;
        })(),
        'DISK_CLOSED',
      );
    });

    it('check of a whole disk finds nothing', async () => {
      await disk.write(Array.from({ length: 100 }, (_, i) => ({ put: `k${i}`, value: new Uint8Array(100) })));
      for await (const { damage } of disk.check()) assert.equal(damage, undefined);
    });

    it('takes its reserve and gives it up, open or closed, as often as asked', async () => {
      await disk.fillReserve();
      await disk.fillReserve();
      await disk.freeReserve();
      await disk.freeReserve();
      await disk.close();
      await disk.fillReserve();
      await disk.freeReserve();
    });

    it('is a map under random batches and reopenings', async () => {
      const key = fc.stringMatching(/^[a-c]{1,2}$/);
      const change = fc.oneof(
        fc.record({ put: key, value: fc.uint8Array({ maxLength: 9 }) }),
        fc.record({ del: key }),
      );
      const model = new Map<string, Uint8Array>();
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { maxLength: 6 }),
          fc.boolean(),
          async (changes: Change[], reopen) => {
            await disk.write(changes);
            for (const made of changes) {
              if ('put' in made) model.set(made.put, made.value);
              else model.delete(made.del);
            }
            if (reopen) {
              await disk.close();
              await disk.open();
            }
            const entries = await disk.range('', '\x7f', { limit: 1_000 });
            assert.deepEqual(
              entries.map(([name, value]) => [name, new Uint8Array(value)]),
              [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
            );
          },
        ),
        { numRuns: 40 },
      );
    });
  });
}

describe('Disk', () => {
  const folder = temporaryFolders();

  describeDisk('FaultyMedium', () => {
    const on = medium({ reserveBytes: 1_000 });
    return () => on.disk();
  });

  describeDisk('LevelDisk', () => {
    const directory = folder();
    return () => new LevelDisk({ directory, reserveBytes: 100_000 });
  });
});
