import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  openSealedKey,
  readSealedKey,
  sealedKeyPath,
  sealKey,
  writeSealedKey,
} from '../../../node/region/sealed-key.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { sha256 } from '../../support/primitives.ts';
import { throwsWith, rejectsWith } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const secretKey = new Uint8Array(32).fill(7);
const passphrase = 'five words that mean nothing';
const { signerOf } = opensslBackEnd;
let drawn = 0;
const modules = { signerOf, sha256, random: (length: number) => new Uint8Array(length).fill(++drawn) };
const owner = { region: 'DE', network: 'demo' };

describe('a sealed root key', () => {
  const folder = temporaryFolders();
  const seal = () => sealKey(secretKey, { ...owner, passphrase }, modules);

  it('signs as the key that was sealed, after it was written and read, by its passphrase alone', async () => {
    const dir = folder();
    const path = await writeSealedKey(dir, seal(), modules);
    const key = await readSealedKey(path);
    const signer = openSealedKey(key, passphrase, modules);
    assert.equal(path, sealedKeyPath(dir, signer.keyId));
    const message = Uint8Array.of(1, 2, 3);
    assert.deepEqual(signer.sign(message), signerOf(secretKey).sign(message));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const text = readFileSync(path, 'utf8');
    for (const secret of [
      Buffer.from(secretKey).toString('hex'),
      Buffer.from(secretKey).toString('base64'),
      passphrase,
    ])
      assert.ok(!text.includes(secret));
    for (const other of ['', `${passphrase} `, passphrase.toUpperCase()])
      throwsWith(() => openSealedKey(key, other, modules), 'PASSPHRASE_WRONG');
  });

  it('opens by the same passphrase typed in another form of Unicode', () => {
    const key = sealKey(secretKey, { ...owner, passphrase: 'Gr\u00fc\u00dfe an alle Tiere' }, modules);
    openSealedKey(key, 'Gru\u0308\u00dfe an alle Tiere', modules);
  });

  it('is not made with a passphrase that somebody could guess by trying', () => {
    for (const short of ['', 'secret', '\u{1F512}'.repeat(11)])
      throwsWith(() => sealKey(secretKey, { ...owner, passphrase: short }, modules), 'PASSPHRASE_WEAK');
  });

  it('F4: is refused if any part of it is another', () => {
    const key = seal();
    const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    const bad = [
      { ...key, region: 'FR' },
      { ...key, network: 'other' },
      { ...key, publicKey: flipped(key.publicKey, 0) },
      { ...key, salt: flipped(key.salt, 15) },
      { ...key, nonce: flipped(key.nonce, 0) },
      { ...key, sealed: flipped(key.sealed, 0) },
      { ...key, sealed: flipped(key.sealed, 47) },
    ];
    for (const one of bad) throwsWith(() => openSealedKey(one, passphrase, modules), 'PASSPHRASE_WRONG');
  });

  it('of which no file or no whole file is there is told in words', async () => {
    const dir = folder();
    await rejectsWith(readSealedKey(join(dir, 'none.json')), 'KEY_FILE_MISSING');
    const path = await writeSealedKey(dir, seal(), modules);
    const text = readFileSync(path, 'utf8');
    const bad = [
      '',
      '{}',
      text.slice(0, -3),
      text.replace('"format": 1', '"format": 2'),
      text.replace('"salt": "', '"salt": "0'),
    ];
    for (const one of bad) {
      writeFileSync(path, one);
      await rejectsWith(readSealedKey(path), 'KEY_FILE_INVALID', /no sealed root key/);
    }
    writeFileSync(path, 'x'.repeat(5_000));
    await rejectsWith(readSealedKey(path), 'DATA_INCONSISTENT');
  });
});
