import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  encodeVerifierKey,
  isKeyName,
  makeVerifierKey,
  parseVerifierKey,
} from '../../../protocol/log/verifier-key.ts';
import { logKey, testKey, witnessKey } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';

// The key of golang.org/x/mod's note tests.
const GOLANG = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

const refuses = (text: string) =>
  assert.throws(
    () => parseVerifierKey(sha256, text),
    (e) => isProtocolError(e, 'KEY_INVALID'),
    JSON.stringify(text),
  );

/** The text of a key with whatever stands in it, and the id that belongs to that. */
function textOf(name: string, bytes: readonly number[]): string {
  const digest = sha256(Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.from(bytes)]));
  return `${name}+${Buffer.from(digest).subarray(0, 4).toString('hex')}+${Buffer.from(bytes).toString('base64')}`;
}

describe('parseVerifierKey', () => {
  it("takes the key of golang's note tests", () => {
    const key = parseVerifierKey(sha256, GOLANG);
    assert.deepEqual(
      [key.name, key.keyId, key.algorithm, key.publicKey.length],
      ['PeterNeumann', 0xc74f20a3, 1, 32],
    );
    assert.equal(encodeVerifierKey(key), GOLANG);
  });

  it('refuses another key id, name or key than the id belongs to', () => {
    refuses(GOLANG.replace('c74f20a3', 'c74f20a4'));
    refuses(GOLANG.replace('Peter', 'peter'));
    refuses(GOLANG.replace('ARpc', 'ARpd'));
    refuses(GOLANG.replace('c74f20a3', 'C74F20A3'));
    refuses(GOLANG.replace('c74f20a3', '0c74f20a3'));
    refuses(GOLANG.replace('+c74f20a3', ''));
    refuses(GOLANG.replace('+c74f20a3+', '+'));
  });

  it('refuses other algorithms and lengths, even with the id that belongs to them', () => {
    const { publicKey } = testKey(1);
    assert.equal(parseVerifierKey(sha256, textOf('a', [1, ...publicKey])).algorithm, 1);
    assert.equal(parseVerifierKey(sha256, textOf('a', [4, ...publicKey])).algorithm, 4);
    for (const algorithm of [0, 2, 3, 5, 6, 0xff]) refuses(textOf('a', [algorithm, ...publicKey]));
    refuses(textOf('a', [1, ...publicKey.subarray(1)]));
    refuses(textOf('a', [1, ...publicKey, 0]));
    refuses(textOf('a', []));
  });

  it('A19: refuses names with white space of any script, none, and base64 that is not canonical', () => {
    const key = [1, ...testKey(1).publicKey];
    for (const name of ['', ' ', 'a b', 'a\t', '\u00a0a', 'a\u2003b', 'a\u0085', 'a\u3000'])
      refuses(textOf(name, key));
    refuses(`${GOLANG}\n`);
    refuses(` ${GOLANG}`);
    refuses(GOLANG.replaceAll('/', '_'));
    refuses(`${GOLANG}=`);
    refuses('\ud800+00000000+AAAA');
    for (const text of ['', '+', '++', 'a', 'a+', 'a++', '+00000000+', 'a+00000000+']) refuses(text);
  });

  it('takes 320 characters and refuses 321', () => {
    const key = [1, ...testKey(1).publicKey];
    const name = (length: number) => 'n'.repeat(length - textOf('', key).length);
    assert.equal(textOf(name(320), key).length, 320);
    assert.equal(parseVerifierKey(sha256, textOf(name(320), key)).name, name(320));
    assert.throws(
      () => parseVerifierKey(sha256, textOf(name(321), key)),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
  });

  it('property: round trip, and any other character is refused', () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.boolean(),
        fc.nat(),
        fc.constantFrom(...'aZ09+/=- '),
        (seed, isLog, at, character) => {
          const { key } = (isLog ? logKey : witnessKey)('CN-33.demo/trust', seed);
          const text = encodeVerifierKey(key);
          assert.deepEqual(parseVerifierKey(sha256, text), key);
          const place = at % text.length;
          const changed = text.slice(0, place) + character + text.slice(place + 1);
          if (changed !== text) refuses(changed);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('makeVerifierKey', () => {
  it('A22: gives one public key different ids as a log and as a witness, and under different names', () => {
    const ids = [logKey('a', 1), witnessKey('a', 1), logKey('b', 1)].map(({ key }) => key.keyId);
    assert.equal(new Set(ids).size, 3);
  });

  it('refuses what no key can be: a mistake of the caller', () => {
    const good = { name: 'a', algorithm: 1, publicKey: testKey(1).publicKey } as const;
    for (const name of ['', 'a b', 'a+b'])
      assert.throws(() => makeVerifierKey(sha256, { ...good, name }), RangeError);
    for (const length of [0, 31, 33]) {
      assert.throws(
        () => makeVerifierKey(sha256, { ...good, publicKey: new Uint8Array(length) }),
        RangeError,
      );
    }
  });
});

describe('isKeyName', () => {
  it('takes every origin, and no white space or plus sign', () => {
    for (const name of ['a', 'CN-33.demo/attest/2026-11', 'example.com/log42', 'é'])
      assert.ok(isKeyName(name), name);
    for (const name of ['', '+', 'a+', ' ', 'a\n', 'a\u00a0', 'a\u2028'])
      assert.ok(!isKeyName(name), JSON.stringify(name));
  });
});
