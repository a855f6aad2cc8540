import assert from 'node:assert/strict';
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js';
import { scrypt, scryptInPool } from '../../../node/crypto/scrypt.ts';
import { asciiBytes } from '../../../protocol/bytes.ts';
import { documentHash, documentPassword, DOCUMENT_SCRYPT } from '../../../protocol/code/document.ts';
import { isProtocolError } from '../../../protocol/fault.ts';

const SALT = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('document hash', () => {
  it('documentPassword is that of SPEC.md 5.4, however the number was written', () => {
    const expected = asciiBytes('entente/document/v1\nCN\nE1234567X');
    for (const number of [
      'E1234567X',
      'e1234567x',
      ' E 123 4567-X\n',
      'E.1234/567<X<<',
      '\u202eE1234567X',
      'éE1234567X',
    ]) {
      assert.deepEqual(documentPassword({ country: 'CN', number }), expected, number);
    }
  });

  it('documentPassword folds ASCII only: other letters and digits drop out', () => {
    const password = (number: string) => documentPassword({ country: 'DE', number });
    assert.deepEqual(password('A\u0131B\u017fC\u00dfD\uff11'), password('ABCD'));
  });

  it('documentPassword takes 4 to 32 letters and digits of a country in two capital letters', () => {
    for (const number of ['A'.repeat(4), 'A'.repeat(32), '-'.repeat(224) + 'A'.repeat(32)]) {
      documentPassword({ country: 'DE', number });
    }
    for (const [country, number] of [
      ['DE', ''],
      ['DE', 'A'.repeat(3)],
      ['DE', 'A-B-C'],
      ['DE', 'A'.repeat(33)],
      ['DE', '-'.repeat(225) + 'A'.repeat(32)],
      ['DE', '\u0410\u0411\u0412\u0413'],
      ['de', 'ABCD'],
      ['D', 'ABCD'],
      ['DEU', 'ABCD'],
      ['D\n', 'ABCD'],
      ['', 'ABCD'],
    ] as const) {
      assert.throws(
        () => documentPassword({ country, number }),
        (error) =>
          isProtocolError(error, 'SCHEMA_INVALID') && (number === '' || !error.message.includes(number)),
      );
    }
  });

  it('documentHash is the same by OpenSSL, in the pool and by noble, and another for each part', async () => {
    const document = { country: 'CN', number: 'E1234567X' };
    const hash = documentHash(scrypt, document, SALT);
    assert.equal(hash.length, 32);
    assert.deepEqual(await documentHash(scryptInPool, document, SALT), hash);
    const byNoble = documentHash(
      (password, salt, { cost, blockSize, parallelization, length }) =>
        nobleScrypt(password, salt, { N: cost, r: blockSize, p: parallelization, dkLen: length }),
      document,
      SALT,
    );
    assert.deepEqual(byNoble, hash);
    const others = [
      documentHash(scrypt, { ...document, country: 'DE' }, SALT),
      documentHash(scrypt, { ...document, number: 'E1234567Y' }, SALT),
      documentHash(scrypt, document, SALT.with(0, 1)),
    ];
    for (const other of others) assert.notDeepEqual(other, hash);
  });

  it('documentHash passes on the parameters of SPEC.md 5.4 and takes no other salt than the field has', () => {
    assert.deepEqual(DOCUMENT_SCRYPT, { cost: 32_768, blockSize: 8, parallelization: 1, length: 32 });
    for (const length of [0, 15, 17]) {
      assert.throws(
        () => documentHash(() => SALT, { country: 'CN', number: 'E1234567X' }, new Uint8Array(length)),
        TypeError,
      );
    }
  });
});
