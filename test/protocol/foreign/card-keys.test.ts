import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { cardKeysOf, isCardRevoked, parseCardRevocations } from '../../../protocol/foreign/card-keys.ts';
import { type Json } from '../../../protocol/foreign/foreign-code.ts';
import { publicKeyOfJwk, thumbprintOf } from '../../../protocol/foreign/jwk.ts';
import { cardKey, ISSUER, jwkOf } from '../../support/card-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { sha256 } from '../../support/primitives.ts';

const SIGNER = makeEcSigner();
const KEY_ID = cardKey(SIGNER).keyId;

describe('cardKeysOf', () => {
  const read = (...keys: unknown[]) => cardKeysOf(sha256, ISSUER, { keys: keys as Json[] });

  it('takes the keys of a set under their thumbprints', () => {
    const other = makeEcSigner();
    const { keys, leftOut } = read(jwkOf(SIGNER), jwkOf(other));
    assert.deepEqual(keys, [cardKey(SIGNER), cardKey(other)]);
    assert.deepEqual(leftOut, []);
  });

  for (const [name, jwk] of [
    ['a name that is not the thumbprint', jwkOf(SIGNER, { kid: KEY_ID.replace(/^./, '_') })],
    ['a secret key', jwkOf(SIGNER, { d: 'AAAA' })],
    ['another curve', jwkOf(makeEcSigner('P-384'))],
    ['a curve that is not known', jwkOf(SIGNER, { crv: 'P-521' })],
    ['a curve by the name of a prototype', jwkOf(SIGNER, { crv: 'constructor' })],
    ['another kind', jwkOf(SIGNER, { kty: 'oct' })],
    ['a coordinate left out', jwkOf(SIGNER, { x: undefined })],
    ['a coordinate of 31 bytes', jwkOf(SIGNER, { x: 'A'.repeat(42) })],
    ['a coordinate with padding', jwkOf(SIGNER, { x: `${'A'.repeat(43)}=` })],
    ['an RSA key', { kty: 'RSA', kid: 'x', n: Buffer.alloc(256, 0xff).toString('base64url'), e: 'AQAB' }],
    ['text', 'key'],
    ['null', null],
  ] as const) {
    it(`leaves out ${name} and says why`, () => {
      const { keys, leftOut } = read(jwk, jwkOf(SIGNER));
      assert.equal(keys.length, 1);
      assert.match(leftOut[0] ?? '', /^key 0: (KEY_INVALID|BASE64)/);
    });
  }

  for (const [name, issuer, set] of [
    ['a set without keys', ISSUER, {}],
    ['a list', ISSUER, []],
    ['nothing', ISSUER, undefined],
    ['keys as an object', ISSUER, { keys: {} }],
    ['an issuer that is no address', 'cards', { keys: [] }],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => cardKeysOf(sha256, issuer, set),
        (error) => isProtocolError(error, 'CLAIMS_MALFORMED'),
      );
    });
  }

  it('refuses 10^6 keys', () => {
    assert.throws(
      () => cardKeysOf(sha256, ISSUER, { keys: new Array<Json>(1_000_000).fill(0) }),
      (error) => isProtocolError(error, 'TOO_LARGE'),
    );
  });
});

describe('thumbprintOf', () => {
  it('gives the thumbprint of the example in RFC 7638', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const key = publicKeyOfJwk({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' });
    assert.equal(thumbprintOf(sha256, key), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    assert.ok(makeRsaSigner().publicKey.kind === 'rsa');
  });
});

describe('parseCardRevocations', () => {
  const good = { kid: KEY_ID, method: 'rid', ctr: 3, rids: ['all', 'older.1700000000'] };
  const read = (list: unknown, counterMin = 1) => parseCardRevocations(list as Json, KEY_ID, counterMin);

  it('revokes all cards of an id, or those issued before a time', () => {
    const list = read(good, 3);
    assert.ok(isCardRevoked(list, 'all', 0) && isCardRevoked(list, 'all', 2e9));
    assert.ok(isCardRevoked(list, 'older', 1_699_999_999.9) && !isCardRevoked(list, 'older', 1_700_000_000));
    assert.ok(!isCardRevoked(list, 'other', 0));
  });

  for (const [name, list] of [
    ['an id twice', { ...good, rids: ['a', 'a'] }],
    ['an id twice, once with a time', { ...good, rids: ['a', 'a.5'] }],
    ['another method', { ...good, method: 'status' }],
    ['an id of 25 characters', { ...good, rids: ['a'.repeat(25)] }],
    ['an id outside base64url', { ...good, rids: ['a+b'] }],
    ['an id as a number', { ...good, rids: [1] }],
    ['an empty id', { ...good, rids: [''] }],
    ['a time that is none', { ...good, rids: ['a.x'] }],
    ['an older version', { ...good, ctr: 0 }],
    ['a version as text', { ...good, ctr: '3' }],
    ['another key', { ...good, kid: 'x' }],
    ['no ids', { ...good, rids: undefined }],
    ['a list', []],
    ['nothing', undefined],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => read(list),
        (error) => isProtocolError(error, 'CLAIMS_MALFORMED'),
      );
    });
  }
});
