import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createFileAtomically,
  makeDirectory,
  modeOf,
  moveFile,
  namesIn,
  readFileIfPresent,
  writeFileAtomically,
} from '../../../node/region/files.ts';
import { NodeError } from '../../../node/node-error.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('files of a region', () => {
  const folder = temporaryFolders();

  it('writeFileAtomically creates folders, replaces whole files and leaves nothing beside them', async () => {
    const dir = folder();
    const path = join(dir, 'a/b/file');
    await writeFileAtomically(path, 'first');
    await writeFileAtomically(path, 'second', { mode: 0o600 });
    assert.equal(readFileSync(path, 'utf8'), 'second');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(dir, 'a/b')), ['file']);
  });

  it('writeFileAtomically keeps the old file and leaves nothing when it fails', async () => {
    const dir = folder();
    const path = join(dir, 'taken');
    mkdirSync(path);
    await assert.rejects(writeFileAtomically(path, 'x'));
    assert.deepEqual(readdirSync(dir), ['taken']);
    assert.ok(statSync(path).isDirectory());
  });

  it('createFileAtomically leaves what is there, and of several at once lets one make it', async () => {
    const dir = folder();
    const path = join(dir, 'a/file');
    const texts = ['one', 'two', 'three'];
    const made = await Promise.all(
      texts.map((text) => createFileAtomically(path, Buffer.from(text), { mode: 0o600 })),
    );
    assert.equal(made.filter((isMade) => isMade).length, 1);
    assert.equal(readFileSync(path, 'utf8'), texts[made.indexOf(true)]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(await createFileAtomically(path, Buffer.from('later')), false);
    assert.equal(readFileSync(path, 'utf8'), texts[made.indexOf(true)]);
    assert.deepEqual(readdirSync(join(dir, 'a')), ['file']);
  });

  it('namesIn skips what an interrupted write left', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'b'), '');
    writeFileSync(join(dir, 'a'), '');
    writeFileSync(join(dir, 'a.0123456789ab.tmp'), '');
    assert.deepEqual(await namesIn(dir), ['a', 'b']);
    assert.deepEqual(await namesIn(join(dir, 'none')), []);
  });

  it('readFileIfPresent gives undefined without a file and refuses one byte too many', async () => {
    const path = join(folder(), 'file');
    assert.equal(await readFileIfPresent(path, 5), undefined);
    assert.equal(await readFileIfPresent(join(path, 'below'), 5), undefined);
    writeFileSync(path, '12345');
    assert.equal((await readFileIfPresent(path, 5))?.length, 5);
    await assert.rejects(
      readFileIfPresent(path, 4),
      (error) => error instanceof NodeError && error.code === 'DATA_INCONSISTENT',
    );
  });

  it('readFileIfPresent reads what has no size, and no more of it than is expected', async () => {
    const path = join(folder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const write = (bytes: number) => writeFile(path, new Uint8Array(bytes).fill(7)).catch(() => undefined);
    const [read] = await Promise.all([readFileIfPresent(path, 200_000), write(150_000)]);
    assert.deepEqual(read, new Uint8Array(150_000).fill(7));
    const isTooLong = (error: unknown) => error instanceof NodeError && error.code === 'DATA_INCONSISTENT';
    await Promise.all([assert.rejects(readFileIfPresent(path, 149_999), isTooLong), write(150_000)]);
    await assert.rejects(readFileIfPresent('/dev/zero', 100_000), isTooLong);
  });

  it('moveFile creates the folder of the new name', async () => {
    const dir = folder();
    await writeFileAtomically(join(dir, 'staged'), 'x');
    await moveFile(join(dir, 'staged'), join(dir, 'final/name'));
    assert.equal(readFileSync(join(dir, 'final/name'), 'utf8'), 'x');
    assert.deepEqual(readdirSync(dir), ['final']);
  });

  it('modeOf gives the permission bits', async () => {
    const path = join(folder(), 'file');
    assert.equal(await modeOf(path), undefined);
    writeFileSync(path, '');
    chmodSync(path, 0o640);
    assert.equal(await modeOf(path), 0o640);
  });

  it('makeDirectory makes what is missing, takes what is there, and ends where nothing can be made', async () => {
    const path = join(folder(), 'a/b');
    await makeDirectory(path, 0o700);
    await makeDirectory(path, 0o700);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    writeFileSync(join(path, 'file'), '');
    await assert.rejects(makeDirectory(join(path, 'file')), { code: 'EEXIST' });
    await assert.rejects(makeDirectory(join(path, 'file/c')), { code: 'ENOTDIR' });
    if (process.platform === 'linux') await assert.rejects(makeDirectory('/proc/none/c'), { code: 'ENOENT' });
  });
});
