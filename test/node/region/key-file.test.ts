import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import {
  hasKeyFile,
  keyFilePath,
  openKeyFile,
  writeKeyFile,
  type KeyName,
} from '../../../node/region/key-file.ts';
import { NodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const NAME: KeyName = { region: 'CN-33', network: 'demo', role: 'attest', keyId: '0123456789abcdef' };
const SECRET = '9d'.repeat(32);

describe('openKeyFile', () => {
  const folder = temporaryFolders();
  const open = (dir: string, name: KeyName = NAME) => openKeyFile(dir, name, opensslBackEnd);
  const written = async (): Promise<string> => {
    const dir = folder();
    await writeKeyFile(dir, { ...NAME, secretKey: SECRET });
    return dir;
  };
  const refused = async (dir: string, code: NodeErrorCode, name: KeyName = NAME): Promise<NodeError> => {
    let caught: unknown;
    await open(dir, name).catch((error: unknown) => (caught = error));
    assert.ok(caught instanceof NodeError, String(caught));
    assert.equal(caught.code, code);
    assert.ok(!`${caught.message}${caught.hint}`.includes('9d9d'), 'the error holds the secret');
    return caught;
  };

  it('signs with the key that writeKeyFile wrote, mode 0600', async () => {
    const dir = await written();
    assert.equal(statSync(keyFilePath(dir, NAME)).mode & 0o777, 0o600);
    assert.ok(await hasKeyFile(dir, NAME));
    const expected = opensslBackEnd.signerOf(Uint8Array.from(Buffer.from(SECRET, 'hex')));
    assert.deepEqual((await open(dir)).publicKey, expected.publicKey);
  });

  it('B71: refuses an absent file', async () => {
    await refused(folder(), 'KEY_FILE_MISSING');
  });

  for (const mode of [0o644, 0o640, 0o604, 0o610]) {
    it(`B71: refuses mode 0${mode.toString(8)}, naming chmod`, async () => {
      const dir = await written();
      chmodSync(keyFilePath(dir, NAME), mode);
      assert.match((await refused(dir, 'KEY_FILE_MODE')).hint ?? '', /^Run: chmod 600 /);
    });
  }

  it('B71: refuses a truncated or altered file without quoting it', async () => {
    const dir = await written();
    const path = keyFilePath(dir, NAME);
    const text = readFileSync(path, 'utf8');
    for (const altered of [
      '',
      text.slice(0, -10),
      text.replace(SECRET, SECRET.slice(2)),
      text.replace('"format": 1', '"format": 2'),
      text.replace('"role"', '"rule"'),
    ]) {
      writeFileSync(path, altered);
      await refused(dir, 'KEY_FILE_INVALID');
    }
  });

  it("B71: refuses another region's, network's or role's key under this name", async () => {
    for (const other of [{ region: 'DE' }, { network: 'other' }, { role: 'witness' as const }]) {
      const dir = folder();
      await writeKeyFile(dir, { ...NAME, ...other, secretKey: SECRET });
      const path = keyFilePath(dir, { ...NAME, ...other });
      writeFileSync(keyFilePath(dir, NAME), readFileSync(path), { mode: 0o600 });
      await refused(dir, 'KEY_FILE_INVALID');
    }
  });
});
