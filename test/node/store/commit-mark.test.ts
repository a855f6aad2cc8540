import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileCommitMark } from '../../../node/store/commit-mark.ts';
import { rejectsWith } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('FileCommitMark', () => {
  const folder = temporaryFolders();

  async function noted(path: string, ...counts: number[]): Promise<void> {
    const mark = new FileCommitMark(path);
    await mark.read();
    for (const count of counts) await mark.note(count);
    await mark.close();
  }

  async function readAt(path: string): Promise<number> {
    const mark = new FileCommitMark(path);
    try {
      return await mark.read();
    } finally {
      await mark.close();
    }
  }

  it('is 0 at first, then the highest count noted, in this process and the next', async () => {
    const path = join(folder(), 'commits');
    assert.equal(await readAt(path), 0);
    await noted(path, 1, 2, 3);
    assert.equal(await readAt(path), 3);
    await noted(path, 4);
    assert.equal(await readAt(path), 4);
    await noted(path, 2 ** 53 - 1);
    assert.equal(await readAt(path), 2 ** 53 - 1);
    assert.equal(readFileSync(path).length, 66);
  });

  it('F4 any one flipped bit leaves this count or the one before it', async () => {
    const path = join(folder(), 'commits');
    await noted(path, 6, 7);
    const good = readFileSync(path);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, bad);
      const count = await readAt(path);
      assert.ok(count === 6 || count === 7, `bit ${bit}: ${count}`);
    }
  });

  it('a note after damage goes where the damage is', async () => {
    const path = join(folder(), 'commits');
    await noted(path, 6, 7);
    const bytes = readFileSync(path);
    const newest = bytes.indexOf('7');
    bytes[newest] = 0x78;
    writeFileSync(path, bytes);
    await noted(path, 8);
    assert.equal(await readAt(path), 8);
    assert.match(readFileSync(path, 'latin1'), /0{15}6/);
  });

  it('without a whole slot it is STORE_CORRUPT, until it is noted anew', async () => {
    const path = join(folder(), 'commits');
    for (const content of ['', 'x'.repeat(66), '0'.repeat(66)]) {
      writeFileSync(path, content);
      await rejectsWith(readAt(path), 'STORE_CORRUPT');
    }
    const mark = new FileCommitMark(path);
    await mark.note(5);
    assert.equal(await mark.read(), 5);
    await mark.close();
    await mark.close();
  });

  it('a path that cannot be opened says so', async () => {
    await rejectsWith(new FileCommitMark(folder()).read(), 'DISK_IO');
  });
});
