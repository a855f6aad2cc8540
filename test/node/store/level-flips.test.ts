import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isNodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { salvageDirectory } from '../../../node/store/salvage-directory.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { Store } from '../../../node/store/store.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { seeded } from '../../support/seeded.ts';
import { medium, OWNER } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const SESSIONS = 6;
/** Kinds of file by name, and flips in each. The text logs and the lock hold nothing that is ever read. */
const KINDS = {
  CURRENT: { pattern: /^level\/CURRENT$/, flips: 40 },
  manifest: { pattern: /^level\/MANIFEST/, flips: 120 },
  log: { pattern: /^level\/[0-9]+\.log$/, flips: 120 },
  table: { pattern: /^level\/[0-9]+\.ldb$/, flips: 120 },
  'text log': { pattern: /^level\/LOG/, flips: 10 },
  mark: { pattern: /^commits$/, flips: 40 },
} as const;

type Written = Map<string, Uint8Array>;

function storeIn(directory: string): Store {
  return storeInDirectory(
    { directory, owner: OWNER, reserveBytes: 0, openDelaysMs: [0] },
    { clock: systemClock },
  );
}

/** Small directory with every kind of file: tables from earlier sessions, a log of more than one block from the last. */
async function fill(
  directory: string,
  random: () => number,
): Promise<{ written: Written; ever: Map<string, string[]> }> {
  const written: Written = new Map();
  const ever = new Map<string, string[]>();
  for (let session = 0; session < SESSIONS; session++) {
    const store = storeIn(directory);
    await store.start();
    for (let batch = 0; batch < 40; batch++) {
      const changes: Change[] = [];
      for (let i = 0; i < 8; i++) {
        const key = `key/${String(Math.floor(random() * 400)).padStart(4, '0')}`;
        if (random() < 0.15) {
          changes.push({ del: key });
          written.delete(key);
        } else {
          const value = Uint8Array.from({ length: Math.floor(random() * 300) }, () => random() * 256);
          changes.push({ put: key, value });
          written.set(key, value);
          ever.set(key, [...(ever.get(key) ?? []), Buffer.from(value).toString('hex')]);
        }
      }
      await store.write(changes);
    }
    await store.stop();
  }
  return { written, ever };
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

/** Reads everything, key by key and in order. Returns what is wrong. */
async function wrongAnswers(store: Store, written: Written): Promise<string[]> {
  const wrong: string[] = [];
  const keys = Array.from({ length: 400 }, (_, i) => `key/${String(i).padStart(4, '0')}`);
  const values = await store.getMany(keys);
  for (const [i, key] of keys.entries()) {
    const [found, expected] = [values[i], written.get(key)];
    if (
      (found && Buffer.from(found).toString('hex')) !== (expected && Buffer.from(expected).toString('hex'))
    ) {
      wrong.push(key);
    }
  }
  let inOrder = 0;
  for await (const [key] of store.entries('key/', 'key0')) inOrder += written.has(key) ? 1 : 1_000_000;
  if (inOrder !== written.size) wrong.push(`${inOrder} keys in order instead of ${written.size}`);
  return wrong;
}

describe('Store on LevelDB F4: damage at rest', () => {
  const folder = temporaryFolders();
  const random = seeded(20_261_123);
  let whole: string;
  let directory: string;
  let written: Written;
  let ever: Map<string, string[]>;

  before(async () => {
    whole = join(folder(), 'whole');
    ({ written, ever } = await fill(whole, random));
    directory = join(folder(), 'damaged');
    cpSync(whole, directory, { recursive: true });
    const files = filesOf(whole);
    for (const [kind, { pattern }] of Object.entries(KINDS))
      assert.ok(
        files.some((file) => pattern.test(file)),
        kind,
      );
    const log = files.find((file) => KINDS.log.pattern.test(file)) ?? '';
    assert.ok(readFileSync(join(whole, log)).length > 32_768, 'the log has more than one block');
  });

  /** Opens the damaged directory, and puts the whole one back. */
  async function outcome(): Promise<'harmless' | 'detected'> {
    const store = storeIn(directory);
    try {
      await store.start();
    } catch (error) {
      assert.ok(isNodeError(error) && error.hint !== undefined, String(error));
      assert.ok(['STORE_CORRUPT', 'VALUE_CORRUPT'].includes(error.code), `${error.code} ${error.message}`);
      return 'detected';
    }
    assert.deepEqual(await wrongAnswers(store, written), []);
    await store.stop();
    return 'harmless';
  }

  function restore(): void {
    rmSync(directory, { recursive: true });
    cpSync(whole, directory, { recursive: true });
  }

  for (const [kind, { pattern, flips }] of Object.entries(KINDS)) {
    it(`${flips} flipped bits in files of the kind ${kind}: harmless or detected, no wrong answer`, async () => {
      const count = { harmless: 0, detected: 0 };
      const files = filesOf(whole).filter((file) => pattern.test(file));
      for (let flip = 0; flip < flips; flip++) {
        const file = join(directory, files[Math.floor(random() * files.length)] ?? '');
        const bytes = readFileSync(file);
        const bit = Math.floor(random() * bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(file, bytes);
        const found = await outcome().catch((error: unknown) => {
          throw new Error(`${file}, bit ${bit}: ${String(error)}`, { cause: error });
        });
        count[found]++;
        restore();
      }
      if (flips === 120) assert.ok(count.detected > 100, JSON.stringify(count));
      if (kind === 'text log') assert.equal(count.harmless, flips);
    });
  }

  it('the same in tables and logs, not looked for: LevelDB itself gives wrong answers', async () => {
    let wrong = 0;
    const files = filesOf(whole).filter(
      (file) => KINDS.table.pattern.test(file) || KINDS.log.pattern.test(file),
    );
    for (let flip = 0; flip < 40; flip++) {
      const file = join(directory, files[flip % files.length] ?? '');
      const bytes = readFileSync(file);
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      writeFileSync(file, bytes);
      const disk = new LevelDisk({ directory, reserveBytes: 0, checked: false });
      const store = new Store({ owner: OWNER }, { disk, mark: medium().mark(), clock: systemClock });
      const opened = await store.start().then(
        () => true,
        () => false,
      );
      if (opened) {
        const found = await store.page('key/', 'key0', { limit: 1_000 }).catch(() => undefined);
        const values = new Map(found?.map(([key, value]) => [key, new Uint8Array(value)]));
        if (found !== undefined && !isDeepStrictEqual(values, written)) wrong++;
      }
      await store.stop();
      restore();
    }
    assert.ok(wrong > 0, 'if LevelDB finds all of this by itself, the check can go');
  });

  it('files cut short, emptied, zeroed from some point on or deleted: harmless or detected', async () => {
    const count = { harmless: 0, detected: 0 };
    const damages: ((bytes: Buffer, at: number) => Buffer | undefined)[] = [
      (bytes, at) => bytes.subarray(0, at),
      () => Buffer.alloc(0),
      (bytes, at) => bytes.fill(0, at),
      () => undefined,
    ];
    for (const file of filesOf(whole).filter((name) => !/LOCK$/.test(name))) {
      for (const damage of damages) {
        for (let round = 0; round < 3; round++) {
          const path = join(directory, file);
          const bytes = readFileSync(path);
          const damaged = damage(bytes, Math.floor(random() * bytes.length));
          if (damaged === undefined) rmSync(path);
          else writeFileSync(path, damaged);
          count[
            await outcome().catch((error: unknown) => {
              throw new Error(`${file}, ${damage.toString()}: ${String(error)}`, { cause: error });
            })
          ]++;
          restore();
        }
      }
    }
    assert.ok(count.detected > 50 && count.harmless > 5, JSON.stringify(count));
  });

  it('a salvage brings every damaged directory back to serve, says that it is incomplete, and invents nothing', async () => {
    const damaged = filesOf(whole).filter((file) => /CURRENT|MANIFEST|\.log$|\.ldb$|commits/.test(file));
    for (const file of [...damaged, ...damaged]) {
      const path = join(directory, file);
      const bytes = readFileSync(path);
      const at = Math.floor(random() * bytes.length);
      bytes.fill(0xff, at, Math.min(at + 40, bytes.length));
      writeFileSync(path, bytes);
      const { kept } = await salvageDirectory({ owner: OWNER, directory });
      assert.ok(kept > written.size / 2, `${file}: ${kept} kept`);
      const store = storeIn(directory);
      await store.start();
      assert.equal(store.incomplete, true);
      for await (const [key, value] of store.entries('key/', 'key0')) {
        assert.ok(ever.get(key)?.includes(Buffer.from(value).toString('hex')), `${file}: ${key}`);
      }
      await store.write([{ put: 'healed', value: new Uint8Array(1) }]);
      await store.declareComplete();
      await store.stop();
      const again = storeIn(directory);
      await again.start();
      assert.equal(again.incomplete, false);
      await again.stop();
      restore();
    }
  });

  it('while it is open, check finds a flipped bit in a table, and passes over what was not damaged', async () => {
    const store = storeIn(directory);
    await store.start();
    const damages = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { damage } of store.checkDisk()) if (damage !== undefined) found.push(damage);
      return found;
    };
    assert.deepEqual(await damages(), []);
    const table = filesOf(directory).find((file) => KINDS.table.pattern.test(file)) ?? '';
    const bytes = readFileSync(join(directory, table));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(join(directory, table), bytes);
    assert.match((await damages())[0] ?? '', /the table [0-9]+: the block at byte 0/);
    await store.stop();
    restore();
  });
});
