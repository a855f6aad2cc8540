import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { getListFromStatusListJWT, StatusList } from '@sd-jwt/jwt-status-list';
import { decode, encode } from 'cborg';
import * as fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import { RevocationSet } from '../../../protocol/revocation/revocation-set.ts';
import { openStatusSigner, statusCwt, statusJwt } from '../../../node/foreign/status-export.ts';
import { inflateStatuses } from '../../../protocol/foreign/status-list.ts';
import { parseStatusToken } from '../../../protocol/foreign/status-token.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';

const ADDRESS = 'https://lists.example/2026-11';
const CLAIMS = { subject: ADDRESS, issuedAtS: 1_700_000_000, expiresAtS: 1_700_086_400, ttlS: 43_200 };

function pemOf(namedCurve: string): string {
  const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

const PEM = pemOf('P-256');
const SIGNER = openStatusSigner(PEM);

/** A CWT by the letter of RFC 9052 and 8392, by what others read and check: its claims, if it is in order. */
function claimsOfCwt(bytes: Uint8Array): Map<number, unknown> {
  const asMaps = { useMaps: true, strict: true, rejectDuplicateMapKeys: true };
  const tags = { 18: (content: () => unknown) => content() };
  const parts = decode(bytes, { ...asMaps, tags }) as [Uint8Array, object, Uint8Array, Uint8Array];
  const [header, unprotected, payload, signature] = parts;
  assert.deepEqual(unprotected, new Map());
  assert.deepEqual(
    decode(header, asMaps),
    new Map<number, unknown>([
      [1, -7],
      [4, new Uint8Array(Buffer.from(SIGNER.keyId, 'base64url'))],
      [16, 'application/statuslist+cwt'],
    ]),
  );
  const signed = encode(['Signature1', header, new Uint8Array(0), payload]);
  const key = { key: crypto.createPublicKey(PEM), dsaEncoding: 'ieee-p1363' } as const;
  assert.ok(crypto.verify('sha256', signed, key, signature));
  return decode(payload, asMaps) as Map<number, unknown>;
}

describe('statusJwt and statusCwt', () => {
  it('a reader of others finds every status in the JWT', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(4_999), { maxLength: 200 }), (indexes) => {
        const revoked = RevocationSet.of(indexes);
        const list = getListFromStatusListJWT(statusJwt({ size: 5_000, revoked }, CLAIMS, SIGNER));
        for (let index = 0; index < 5_000; index++)
          assert.equal(list.getStatus(index), revoked.has(index) ? 1 : 0);
      }),
      { numRuns: 20 },
    );
  });

  it('readers of others find every status and every claim in the CWT', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(4_999), { maxLength: 200 }), (indexes) => {
        const revoked = RevocationSet.of(indexes);
        const claims = claimsOfCwt(statusCwt({ size: 5_000, revoked }, CLAIMS, SIGNER));
        const { subject, issuedAtS, expiresAtS, ttlS } = CLAIMS;
        assert.deepEqual(
          [2, 6, 4, 65_534].map((claim) => claims.get(claim)),
          [subject, issuedAtS, expiresAtS, ttlS],
        );
        const packed = claims.get(65_533) as Map<string, unknown>;
        assert.deepEqual([claims.size, packed.size, packed.get('bits')], [5, 2, 1]);
        const lst = Buffer.from(packed.get('lst') as Uint8Array).toString('base64url');
        const list = StatusList.decompressStatusList(lst, 1);
        for (let index = 0; index < 5_000; index++)
          assert.equal(list.getStatus(index), revoked.has(index) ? 1 : 0);
      }),
      { numRuns: 20 },
    );
  });

  it('the own reader finds them in both forms, under the key that the token names', async () => {
    const revoked = RevocationSet.of([0, 7, 8, 70_000]);
    const statuses = { size: 100_000, revoked };
    for (const token of [statusJwt(statuses, CLAIMS, SIGNER), statusCwt(statuses, CLAIMS, SIGNER)]) {
      const parsed = parseStatusToken(token, ADDRESS);
      const { algorithm, message, signature } = parsed;
      const check = { algorithm, message, signature, publicKey: SIGNER.publicKey };
      assert.ok(nativeForeignPrimitives.verifyForeign(check));
      assert.equal(parsed.flaw, undefined);
      const list = await inflateStatuses(nativeForeignPrimitives, parsed.packed);
      assert.equal(list.size, 100_000);
      for (const index of [0, 1, 7, 8, 9, 69_999, 70_000, 99_999])
        assert.equal(list.at(index), revoked.has(index) ? 1 : 0, String(index));
    }
  });

  it('a revocation of a leaf that is still to come is in the list', async () => {
    const { packed } = parseStatusToken(statusJwt({ size: 3, revoked: [20] }, CLAIMS, SIGNER), ADDRESS);
    assert.equal((await inflateStatuses(nativeForeignPrimitives, packed)).at(20), 1);
  });

  it('makes no list of more than 8 MiB', () => {
    assert.throws(() => statusJwt({ size: 2 ** 26 + 1, revoked: [] }, CLAIMS, SIGNER), RangeError);
  });
});

describe('openStatusSigner', () => {
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  for (const [name, pem] of [
    ['no PEM', 'a key'],
    ['another curve', pemOf('P-384')],
    ['an RSA key', rsa.export({ format: 'pem', type: 'pkcs8' }).toString()],
    ['a public key', crypto.createPublicKey(rsa).export({ format: 'pem', type: 'spki' }).toString()],
    [
      'a key under a passphrase',
      rsa.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    ],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => openStatusSigner(pem),
        (error) => isProtocolError(error, 'KEY_INVALID'),
      );
    });
  }
});
