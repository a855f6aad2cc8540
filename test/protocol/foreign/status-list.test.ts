import assert from 'node:assert/strict';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { encode } from 'cborg';
import * as fc from 'fast-check';
import { nativeForeignPrimitives as primitives } from '../../../node/crypto/foreign-primitives.ts';
import { asciiBytes, concatBytes } from '../../../protocol/bytes.ts';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { encodeBase64Url } from '../../../protocol/encoding/base64-url.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { sign1Message } from '../../../protocol/foreign/cose.ts';
import { foreignChecksOf, type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { judgeForeign } from '../../../protocol/foreign/foreign-verdict.ts';
import {
  inflateStatuses,
  makeStatusList,
  STATUS,
  type StatusBits,
  StatusList,
} from '../../../protocol/foreign/status-list.ts';
import { draftStatusCwt, draftStatusJwt, parseStatusToken } from '../../../protocol/foreign/status-token.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';

const bits = fc.constantFrom<StatusBits[]>(1, 2, 4, 8);
const deflated = (bytes: Uint8Array) => new Uint8Array(deflateSync(bytes));

describe('StatusList', () => {
  it('reads what makeStatusList writes, at every index', () => {
    fc.assert(
      fc.property(bits, fc.array(fc.nat(255), { minLength: 1, maxLength: 100 }), (width, values) => {
        const statuses = values.map((value, index) => [index, value % 2 ** width] as const);
        const list = makeStatusList(width, values.length, statuses);
        for (const [index, status] of statuses) assert.equal(list.at(index), status);
      }),
    );
  });

  it('packs from the least significant bits, as in the examples of the draft', () => {
    const one = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    assert.deepEqual(makeStatusList(1, 16, one.entries()).bytes, Uint8Array.of(0xb9, 0xa3));
    const two = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    assert.deepEqual(makeStatusList(2, 12, two.entries()).bytes, Uint8Array.of(0xc9, 0x44, 0xf9));
  });

  it('an index outside has no status, and none is "valid" by default', () => {
    const list = new StatusList(2, Uint8Array.of(0, 0));
    assert.deepEqual([list.size, list.at(7)], [8, STATUS.valid]);
    for (const index of [8, -1, 0.5, NaN, 2 ** 53])
      assert.throws(
        () => list.at(index),
        (error) => isProtocolError(error, 'STATUS_LIST_MALFORMED'),
      );
  });

  it('a status set again is the later one', () => {
    assert.equal(
      makeStatusList(2, 1, [
        [0, 3],
        [0, STATUS.suspended],
      ]).at(0),
      STATUS.suspended,
    );
  });

  it('makes none beyond its bounds', () => {
    for (const make of [
      () => makeStatusList(1, 8, [[8, 1]]),
      () => makeStatusList(1, 8, [[-1, 1]]),
      () => makeStatusList(1, 8, [[0, 2]]),
      () => makeStatusList(2, 8, [[0, 4]]),
      () => makeStatusList(8, 8 * 1024 * 1024 + 1, []),
      () => makeStatusList(1, -1, []),
    ])
      assert.throws(make, RangeError);
  });

  for (const [name, bytes, fault] of [
    ['bare deflate', new Uint8Array(deflateRawSync(Buffer.alloc(4))), 'COMPRESSION_INVALID'],
    [
      'bytes behind the stream',
      concatBytes(deflated(new Uint8Array(4)), Uint8Array.of(1)),
      'COMPRESSION_INVALID',
    ],
    ['a bomb (B12)', deflated(new Uint8Array(9 * 1024 * 1024)), 'TOO_LARGE'],
  ] as const) {
    it(`inflateStatuses refuses ${name}: ${fault}`, () =>
      assert.rejects(inflateStatuses(primitives, { bits: 1, deflated: bytes }), (error) =>
        isProtocolError(error, fault),
      ));
  }
});

const SIGNER = makeEcSigner();
const ADDRESS = 'https://region.example/statuses/1';
const CLAIMS = { subject: ADDRESS, issuedAtS: 1_700_000_000, expiresAtS: 1_700_086_400, ttlS: 3_600 };
const PACKED = { bits: 2, deflated: deflated(Uint8Array.of(0xc9, 0x44, 0xf9)) } as const;
const KEY_ID = asciiBytes('key-1');

const jwtDraft = draftStatusJwt(CLAIMS, PACKED, 'key-1');
const JWT = jwtDraft.finish(SIGNER.sign('ES256', jwtDraft.message));
const cwtDraft = draftStatusCwt(CLAIMS, PACKED, KEY_ID);
const CWT = cwtDraft.finish(SIGNER.sign('ES256', cwtDraft.message));

function keyFor(keyId: string): ForeignKey {
  return { format: 'status-list', keyId, issuer: '', publicKey: SIGNER.publicKey };
}

function verdictOn(token: string | Uint8Array, address = ADDRESS, nowS = CLAIMS.issuedAtS): string[] {
  const parsed = parseStatusToken(token, address);
  const keys = new ForeignKeys([keyFor('key-1'), keyFor(encodeBase64(KEY_ID))]);
  const candidates = keys.candidatesFor(parsed);
  const results = foreignChecksOf(parsed, candidates).map(primitives.verifyForeign);
  const { outcome, reasons } = judgeForeign(parsed, candidates, results, nowS);
  return [outcome, ...reasons.map(({ code }) => code)];
}

describe('parseStatusToken', () => {
  for (const [name, token] of [
    ['a JWT', JWT],
    ['a CWT', CWT],
  ] as const) {
    it(`reads ${name} that was written here, and judges it as any code`, async () => {
      const { subject, ttlS, times, packed } = parseStatusToken(token, ADDRESS);
      assert.deepEqual([subject, ttlS, times.expiresAtS], [ADDRESS, 3_600, CLAIMS.expiresAtS]);
      const list = await inflateStatuses(primitives, packed);
      assert.deepEqual([list.bits, list.at(3), list.at(4)], [2, 3, 0]);
      assert.deepEqual(verdictOn(token), ['genuine']);
      assert.deepEqual(verdictOn(token, ADDRESS, CLAIMS.expiresAtS), ['refused', 'EXPIRED']);
      assert.deepEqual(verdictOn(token, 'https://region.example/statuses/2'), ['refused', 'CLAIMS_INVALID']);
    });
  }

  it('is never genuine with any byte of a CWT, or letter of a JWT, changed', () => {
    const isGenuine = (token: string | Uint8Array) => {
      try {
        return verdictOn(token)[0] === 'genuine';
      } catch (error) {
        assert.ok(isProtocolError(error));
        return false;
      }
    };
    for (let i = 0; i < CWT.length; i++) {
      const mutant = CWT.slice();
      mutant[i] = (mutant[i] ?? 0) ^ 1;
      assert.ok(!isGenuine(mutant), `byte ${i}`);
    }
    for (let i = 0; i < JWT.length; i++) {
      const letter = JWT[i] === 'A' ? 'B' : 'A';
      assert.ok(!isGenuine(JWT.slice(0, i) + letter + JWT.slice(i + 1)), `letter ${i}`);
    }
  });

  const part = (value: unknown) => encodeBase64Url(new Uint8Array(Buffer.from(JSON.stringify(value))));
  const head = { alg: 'ES256', kid: 'key-1', typ: 'statuslist+jwt' };
  const body = { sub: ADDRESS, iat: 1, status_list: { bits: 2, lst: encodeBase64Url(PACKED.deflated) } };
  const jwt = (header: object, claims: object) => `${part(header)}.${part(claims)}.AAAA`;
  const header = (entries: (readonly [number, unknown])[]) => encode(new Map(entries));
  const cwt = (protectedBytes: Uint8Array, claims: unknown) => {
    const payload = encode(claims);
    const signature = SIGNER.sign('ES256', sign1Message(protectedBytes, payload));
    return concatBytes(Uint8Array.of(0xd2), encode([protectedBytes, new Map(), payload, signature]));
  };
  const cwtHeader = header([
    [1, -7],
    [4, KEY_ID],
    [16, 'application/statuslist+cwt'],
  ]);
  const list = new Map<string, unknown>([
    ['bits', 1],
    ['lst', PACKED.deflated],
  ]);
  const cwtClaims = (...more: (readonly [number, unknown])[]) =>
    new Map<number, unknown>([[2, ADDRESS], [6, 1], [65_533, list], ...more]);

  const bad: readonly (readonly [string, string | Uint8Array, FaultCode])[] = [
    ['another type', jwt({ ...head, typ: 'JWT' }, body), 'STATUS_LIST_MALFORMED'],
    ['no type', jwt({ ...head, typ: undefined }, body), 'STATUS_LIST_MALFORMED'],
    ['alg none', jwt({ ...head, alg: 'none' }, body), 'ALGORITHM_UNKNOWN'],
    ['no key id', jwt({ ...head, kid: undefined }, body), 'KEY_ID_MISSING'],
    [
      'three bits',
      jwt(head, { ...body, status_list: { ...body.status_list, bits: 3 } }),
      'STATUS_LIST_MALFORMED',
    ],
    [
      'bits as text',
      jwt(head, { ...body, status_list: { ...body.status_list, bits: '2' } }),
      'STATUS_LIST_MALFORMED',
    ],
    ['no list', jwt(head, { ...body, status_list: undefined }), 'STATUS_LIST_MALFORMED'],
    [
      'a list with padding',
      jwt(head, { ...body, status_list: { bits: 2, lst: 'AA==' } }),
      'STATUS_LIST_MALFORMED',
    ],
    ['no address', jwt(head, { ...body, sub: undefined }), 'STATUS_LIST_MALFORMED'],
    ['no time of issue', jwt(head, { ...body, iat: undefined }), 'STATUS_LIST_MALFORMED'],
    ['an expiry as text', jwt(head, { ...body, exp: '2' }), 'STATUS_LIST_MALFORMED'],
    ['a ttl below zero', jwt(head, { ...body, ttl: -1 }), 'STATUS_LIST_MALFORMED'],
    ['a payload that is a list', jwt(head, []), 'JSON_MALFORMED'],
    ['a text too long', 'e'.repeat(2 * 1024 * 1024 + 1), 'TOO_LARGE'],
    ['bytes too many', concatBytes(Uint8Array.of(0xd2), new Uint8Array(2 * 1024 * 1024 + 1)), 'TOO_LARGE'],
    [
      'another type of CWT',
      cwt(
        header([
          [1, -7],
          [4, KEY_ID],
          [16, 'x'],
        ]),
        cwtClaims(),
      ),
      'STATUS_LIST_MALFORMED',
    ],
    [
      'no type of CWT',
      cwt(
        header([
          [1, -7],
          [4, KEY_ID],
        ]),
        cwtClaims(),
      ),
      'STATUS_LIST_MALFORMED',
    ],
    ['claims as a list', cwt(cwtHeader, []), 'STATUS_LIST_MALFORMED'],
    ['a CWT without a list', cwt(cwtHeader, new Map([[2, 'x']])), 'STATUS_LIST_MALFORMED'],
    [
      'a list as text',
      cwt(
        cwtHeader,
        cwtClaims([
          65_533,
          new Map<string, unknown>([
            ['bits', 1],
            ['lst', 'x'],
          ]),
        ]),
      ),
      'STATUS_LIST_MALFORMED',
    ],
    ['an expiry of a CWT as text', cwt(cwtHeader, cwtClaims([4, 'x'])), 'STATUS_LIST_MALFORMED'],
  ];
  for (const [name, token, fault] of bad) {
    it(`refuses ${name}: ${fault}`, () => {
      assert.throws(
        () => parseStatusToken(token, ADDRESS),
        (error) => isProtocolError(error, fault),
      );
    });
  }
});
