import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bears, openSecret, SecretFile } from '../../../node/http/admin-secret.ts';
import { openLog } from '../../../node/logging/log.ts';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { systemRandom as openRandom } from '../../../node/system-random.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const systemRandom = openRandom();

function isError(code: NodeErrorCode) {
  return (error: unknown) => isNodeError(error, code);
}

describe('openSecret', () => {
  const folder = temporaryFolders();

  it('makes a secret of 32 random bytes once, for the owner alone', async () => {
    const path = join(folder(), 'admin.secret');
    const secret = await openSecret(path, systemRandom);
    assert.match(secret, /^[\w-]{43}$/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(await openSecret(path, systemRandom), secret);
  });

  it('B71: refuses one that others may read, and one that is none', async () => {
    const path = join(folder(), 'admin.secret');
    await openSecret(path, systemRandom);
    for (const mode of [0o644, 0o640, 0o604]) {
      chmodSync(path, mode);
      await assert.rejects(openSecret(path, systemRandom), isError('KEY_FILE_MODE'));
    }
    chmodSync(path, 0o600);
    for (const text of ['', 'short', `${'x'.repeat(40)} y`, 'x'.repeat(513)]) {
      writeFileSync(path, text);
      await assert.rejects(openSecret(path, systemRandom), isError('KEY_FILE_INVALID'));
    }
  });
});

describe('SecretFile', () => {
  const folder = temporaryFolders();
  const [first, second] = ['a'.repeat(40), 'b'.repeat(40)];

  async function opened() {
    const path = join(folder(), 'admin.secret');
    const write = (text: string, mode = 0o600) => {
      writeFileSync(path, text);
      chmodSync(path, mode);
    };
    write(first);
    const lines: string[] = [];
    const log = openLog({ level: 'info', format: 'json' }, (line) => lines.push(line));
    const file = await SecretFile.open(path, { random: systemRandom, log });
    const counts = (secret: string) => file.bears(`Bearer ${secret}`);
    return { path, write, lines, file, counts };
  }

  it('counts until it is read again, and then the other one alone', async () => {
    const { write, lines, file, counts } = await opened();
    write(`${second}\n`);
    assert.ok(counts(first) && !counts(second));
    await file.reload();
    assert.ok(!counts(first) && counts(second));
    await file.reload();
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /a new secret is in use/);
    for (const secret of [first, second]) assert.ok(!lines.join('').includes(secret));
  });

  it('B71: counts on where the new one can be read by others, or is none, and that is logged', async () => {
    const { write, lines, file, counts } = await opened();
    for (const [text, mode, code] of [
      [second, 0o640, 'KEY_FILE_MODE'],
      ['short', 0o600, 'KEY_FILE_INVALID'],
      ['', 0o600, 'KEY_FILE_INVALID'],
    ] as const) {
      write(text, mode);
      await file.reload();
      assert.ok(counts(first) && !counts(second));
      assert.match(lines.at(-1) ?? '', /the new secret cannot be used/);
      assert.ok(lines.at(-1)?.includes(code), lines.at(-1));
    }
    write(second);
    await file.reload();
    assert.ok(!counts(first) && counts(second));
    assert.ok(!lines.join('').includes(second));
  });

  it('is made anew where it was removed, once however often it is told', async () => {
    const { path, file, counts } = await opened();
    rmSync(path);
    await Promise.all([file.reload(), file.reload()]);
    assert.ok(!counts(first) && counts(readFileSync(path, 'utf8').trim()));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});

describe('bears', () => {
  it('takes the secret as a bearer token and nothing else', () => {
    const secret = 'x'.repeat(32);
    assert.ok(bears(`Bearer ${secret}`, secret) && bears(`bearer ${secret}`, secret));
    for (const header of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      secret,
      `Bearer ${secret}y`,
      `Bearer ${secret} `,
    ]) {
      assert.ok(!bears(header, secret), String(header));
    }
  });
});
