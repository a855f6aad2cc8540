import assert from 'node:assert/strict';
import { scrypt, scryptInPool } from '../../../node/crypto/scrypt.ts';
import { asciiBytes, hexOf } from '../../../protocol/bytes.ts';

/** RFC 7914 12. */
const CASES = [
  {
    password: '',
    salt: '',
    params: { cost: 16, blockSize: 1, parallelization: 1, length: 64 },
    key: '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906',
  },
  {
    password: 'password',
    salt: 'NaCl',
    params: { cost: 1024, blockSize: 8, parallelization: 16, length: 64 },
    key: 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
  },
  {
    password: 'pleaseletmein',
    salt: 'SodiumChloride',
    params: { cost: 16_384, blockSize: 8, parallelization: 1, length: 64 },
    key: '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
  },
];

describe('scrypt', () => {
  it('scrypt and scryptInPool give the keys of RFC 7914', async () => {
    for (const { password, salt, params, key } of CASES) {
      assert.equal(hexOf(scrypt(asciiBytes(password), asciiBytes(salt), params)), key);
      assert.equal(hexOf(await scryptInPool(asciiBytes(password), asciiBytes(salt), params)), key);
    }
  });

  it('scrypt and scryptInPool refuse parameters that are none', async () => {
    const params = { cost: 15, blockSize: 8, parallelization: 1, length: 32 };
    const [password, salt] = [asciiBytes('p'), asciiBytes('s')];
    assert.throws(() => scrypt(password, salt, params), RangeError);
    await assert.rejects(scryptInPool(password, salt, params), RangeError);
  });
});
