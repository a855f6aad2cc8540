import assert from 'node:assert/strict';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { encode } from 'cborg';
import * as fc from 'fast-check';
import { concatBytes, hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { encodeBase45 } from '../../../protocol/encoding/base45.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { type ForeignVerdict } from '../../../protocol/foreign/foreign-verdict.ts';
import { parseHcert, readHcert, unwrapHcert } from '../../../protocol/foreign/hcert.ts';
import { verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives as primitives } from '../../../node/crypto/foreign-primitives.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import {
  claimsOf,
  EXPIRES_S,
  hcertKey,
  type HcertParts,
  hcertText,
  ISSUED_S,
  KEY_ID,
  makeCose,
  makeHcert,
  VACCINATION,
} from '../../support/hcert-fixture.ts';

const SIGNER = makeEcSigner();
const NOW_S = ISSUED_S + 3_600;
const GOOD = makeHcert(SIGNER);

function verify(
  text: string,
  keys: readonly ForeignKey[] = [hcertKey(SIGNER)],
  nowS = NOW_S,
): Promise<ForeignVerdict> {
  return verifyForeign(primitives, text, new ForeignKeys(keys), nowS);
}

/** The claim is at fault, whatever it makes of the expiry besides. */
async function withoutExpiry(verdict: Promise<ForeignVerdict>): Promise<ForeignVerdict> {
  const { reasons, ...rest } = await verdict;
  return { ...rest, reasons: reasons.filter(({ code }) => code !== 'EXPIRED') };
}

async function assertVerdict(
  verdict: Promise<ForeignVerdict>,
  ...expected: readonly string[]
): Promise<void> {
  const { outcome: came, reasons } = await verdict;
  assert.deepEqual([came, ...reasons.map(({ code }) => code)], expected);
}

const deflated = (bytes: Uint8Array) => new Uint8Array(deflateSync(bytes));
const textOf = (bytes: Uint8Array) => `HC1:${encodeBase45(bytes)}`;

describe('verifyForeign on health certificates', () => {
  for (const [name, signer, algorithm] of [
    ['ES256 under P-256', SIGNER, 'ES256'],
    ['ES256 under P-384', makeEcSigner('P-384'), 'ES256'],
    ['ES384 under P-384', makeEcSigner('P-384'), 'ES384'],
    ['PS256 under RSA', makeRsaSigner(), 'PS256'],
  ] as const) {
    it(`takes ${name} and says what it says`, async () => {
      const verdict = await verify(makeHcert(signer, { algorithm }), [hcertKey(signer)]);
      assert.equal(verdict.outcome, 'genuine');
      assert.deepEqual(verdict.code?.content, VACCINATION);
      assert.deepEqual(verdict.code?.times, { issuedAtS: ISSUED_S, expiresAtS: EXPIRES_S });
      assert.deepEqual(verdict.code?.usages, ['vaccination']);
      assert.equal(verdict.key?.issuer, 'AT');
    });
  }

  it('is never genuine with one character changed', async () => {
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
    const { length } = GOOD;
    for (let i = 0; i < length; i++) {
      const at = alphabet.indexOf(GOOD.charAt(i));
      const other = alphabet[(at + 1 + (i % 44)) % 45] ?? '';
      const mutant = `${GOOD.slice(0, i)}${other}${GOOD.slice(i + 1)}`;
      if (i < 4) continue;
      assert.notEqual((await verify(mutant)).outcome, 'genuine', `character ${i}`);
    }
  });

  it('is never genuine with any byte of the signed object changed, compressed anew', async () => {
    const cose = makeCose(SIGNER);
    for (let i = 0; i < cose.length; i++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const mutant = cose.slice();
        mutant[i] = (mutant[i] ?? 0) ^ flip;
        const { outcome, reasons } = await verify(hcertText(mutant));
        assert.notEqual(outcome, 'genuine', `byte ${i}`);
        assert.ok(reasons.length > 0);
      }
    }
  });

  it('throws on no text at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (text) => {
        assert.notEqual((await verify(`HC1:${text}`)).outcome, 'genuine');
      }),
      { numRuns: 500 },
    );
  });

  describe('times', () => {
    for (const [name, nowS, ...expected] of [
      ['at the second of issue', ISSUED_S, 'genuine'],
      ['a second before issue', ISSUED_S - 1, 'refused', 'NOT_YET_ISSUED'],
      ['in the last second', EXPIRES_S - 1, 'genuine'],
      ['at expiry', EXPIRES_S, 'refused', 'EXPIRED'],
    ] as const) {
      it(`${name}: ${expected.join(' ')}`, () => assertVerdict(verify(GOOD, undefined, nowS), ...expected));
    }

    for (const [name, parts] of [
      ['expiry as text (B37)', { expiresAt: '2030-01-01' }],
      ['expiry as a fraction (B37)', { expiresAt: EXPIRES_S + 0.5 }],
      ['expiry below zero (B37)', { expiresAt: -1 }],
      ['expiry before issue (B37)', { expiresAt: ISSUED_S - 1 }],
      ['expiry at issue (B37)', { expiresAt: ISSUED_S }],
      ['a life of ten years (B37)', { expiresAt: ISSUED_S + 10 * 365 * 86_400 }],
      ['no entry', { certificate: { ver: '1.3.0', v: [] } }],
      ['no lists', { certificate: { ver: '1.3.0' } }],
    ] as const) {
      it(`${name} is no claim`, () =>
        assertVerdict(withoutExpiry(verify(makeHcert(SIGNER, parts))), 'refused', 'CLAIMS_INVALID'));
    }

    for (const claim of [4, 6]) {
      it(`claim ${claim} may not be missing (B38)`, () => {
        const claims = new Map([...claimsOf()].filter(([name]) => name !== claim));
        return assertVerdict(verify(makeHcert(SIGNER, { claims })), 'refused', 'CLAIMS_INVALID');
      });
    }

    it('a whole number of seconds may come as a float', async () => {
      const claims = encode(new Map<number, unknown>(claimsOf()));
      const asFloat = hexOf(claims).replace(`061a${ISSUED_S.toString(16)}`, '06fb' + floatHex(ISSUED_S));
      assert.notEqual(asFloat, hexOf(claims));
      await assertVerdict(verify(makeHcert(SIGNER, { claims: hexBytes(asFloat) })), 'genuine');
    });
  });

  describe('keys', () => {
    const other = makeEcSigner();

    it('a key under another name is not tried', () =>
      assertVerdict(
        verify(GOOD, [hcertKey(SIGNER, { keyId: 'AAAAAAAAAAA=' })]),
        'undetermined',
        'KEY_UNKNOWN',
      ));
    it('another key under the name signs nothing', () =>
      assertVerdict(verify(GOOD, [hcertKey(other)]), 'refused', 'SIGNATURE_INVALID'));
    it('a key of another kind signs nothing (B33)', () =>
      assertVerdict(verify(GOOD, [hcertKey(makeRsaSigner())]), 'refused', 'SIGNATURE_INVALID'));
    it('all keys that share a name are tried, eight of them (B34)', async () => {
      const others = Array.from({ length: 7 }, () => hcertKey(makeEcSigner()));
      await assertVerdict(verify(GOOD, [...others, hcertKey(SIGNER)]), 'genuine');
      await assertVerdict(
        verify(GOOD, [...others, hcertKey(other), hcertKey(SIGNER)]),
        'undetermined',
        'KEYS_CROWDED',
      );
    });
    it('of two entries for one key the one counts by which less speaks against the code', async () => {
      const confined = hcertKey(SIGNER, { usages: ['test'] });
      await assertVerdict(verify(GOOD, [confined, hcertKey(SIGNER)]), 'genuine');
      await assertVerdict(
        verify(GOOD, [confined, hcertKey(SIGNER, { issuer: 'DE' })]),
        'genuine',
        'ISSUER_DIFFERS',
      );
    });
    it('a key for other kinds of certificates is refused', () =>
      assertVerdict(
        verify(GOOD, [hcertKey(SIGNER, { usages: ['test', 'recovery'] })]),
        'refused',
        'KEY_USAGE',
      ));
    it('a key is judged at the time of issue', async () => {
      await assertVerdict(verify(GOOD, [hcertKey(SIGNER, { fromS: ISSUED_S, untilS: ISSUED_S })]), 'genuine');
      for (const window of [{ fromS: ISSUED_S + 1 }, { untilS: ISSUED_S - 1 }])
        await assertVerdict(verify(GOOD, [hcertKey(SIGNER, window)]), 'refused', 'KEY_NOT_FOR_THIS');
    });
    it('another issuer than that of the key is told', () =>
      assertVerdict(verify(GOOD, [hcertKey(SIGNER, { issuer: 'DE' })]), 'genuine', 'ISSUER_DIFFERS'));

    it('notes that no list says whose key it is', () =>
      assertVerdict(verify(GOOD, [hcertKey(SIGNER, { issuer: '' })]), 'genuine', 'ISSUER_UNPROVEN'));

    it('takes a country by two letters for the same by three', () =>
      assertVerdict(verify(GOOD, [hcertKey(SIGNER, { issuer: 'AUT' })]), 'genuine'));

    const algorithm = [1, -7] as const;
    const header = (...entries: (readonly [number, unknown])[]) => new Map<number, unknown>(entries);
    const wrongId = Uint8Array.of(9);
    for (const [name, parts, ...expected] of [
      [
        'the key id may stand in the other header',
        { protectedHeader: header(algorithm), unprotected: header([4, KEY_ID]) },
        'genuine',
      ],
      ['the protected key id goes first, right', { unprotected: header([4, wrongId]) }, 'genuine'],
      [
        'the protected key id goes first, wrong',
        { protectedHeader: header(algorithm, [4, wrongId]), unprotected: header([4, KEY_ID]) },
        'undetermined',
        'KEY_UNKNOWN',
      ],
    ] as const) {
      it(`${name} (B34)`, () => assertVerdict(verify(makeHcert(SIGNER, parts)), ...expected));
    }
  });
});

describe('readHcert', () => {
  const cose = makeCose(SIGNER);
  const body = cose.subarray(1);
  const header = (...entries: (readonly [number, unknown])[]) => new Map<number, unknown>(entries);
  const withParts = (parts: HcertParts) => makeHcert(SIGNER, parts);
  const wrapped = (parts: readonly unknown[]) => hcertText(concatBytes(Uint8Array.of(0xd2), encode(parts)));
  const [prot, payload, signature] = [
    encode(header([1, -7], [4, KEY_ID])),
    encode(claimsOf()),
    new Uint8Array(64),
  ];

  const bad: readonly (readonly [string, string, FaultCode])[] = [
    ['no text (B1)', '', 'CODE_EMPTY'],
    ['nothing behind the prefix (B2)', 'HC1:', 'CODE_EMPTY'],
    ['a prefix in small letters (B3)', `hc1:${GOOD.slice(4)}`, 'CODE_UNKNOWN'],
    ['another version (B4)', `HC9:${GOOD.slice(4)}`, 'CODE_VERSION_UNKNOWN'],
    ['a lone character (B5)', 'HC1:A', 'BASE45_MALFORMED'],
    ['three characters beyond 65,535 (B6)', 'HC1::::', 'BASE45_MALFORMED'],
    ['two characters beyond 255 (B6)', 'HC1:::', 'BASE45_MALFORMED'],
    ['a character outside the alphabet (B7)', 'HC1:!é', 'BASE45_MALFORMED'],
    ['an end of line (B8)', `${GOOD}\r\n`, 'BASE45_MALFORMED'],
    ['5 MB of text (B9)', `HC1:${'A'.repeat(5_000_000)}`, 'TOO_LARGE'],
    ['a zlib header alone (B10)', textOf(hexBytes('789c')), 'COMPRESSION_INVALID'],
    [
      'bytes behind the stream (B11)',
      textOf(concatBytes(deflated(cose), hexBytes('6a756e6b'))),
      'COMPRESSION_INVALID',
    ],
    [
      'one byte behind the stream (B11)',
      textOf(concatBytes(deflated(cose), hexBytes('00'))),
      'COMPRESSION_INVALID',
    ],
    ['a stream cut short (B10)', textOf(deflated(cose).subarray(0, -1)), 'COMPRESSION_INVALID'],
    ['a bomb (B12)', textOf(deflated(new Uint8Array(2_000_000))), 'TOO_LARGE'],
    [
      'what inflates to more than sixteen times its length (B12)',
      textOf(deflated(new Uint8Array(8_000))),
      'TOO_LARGE',
    ],
    [
      'a dictionary (B13)',
      textOf(concatBytes(hexBytes('78bb'), deflated(cose).subarray(2))),
      'COMPRESSION_INVALID',
    ],
    ['bytes that are not compressed (B14)', textOf(cose), 'COMPRESSION_INVALID'],
    ['deflate without zlib', textOf(new Uint8Array(deflateRawSync(cose))), 'COMPRESSION_INVALID'],
    ['control characters (B17)', `HC1:\u001b]\u202e`, 'BASE45_MALFORMED'],
    ['no tag (B30)', hcertText(body), 'COSE_MALFORMED'],
    ['the tag of a MAC (B30)', hcertText(concatBytes(hexBytes('d1'), body)), 'COSE_MALFORMED'],
    ['ten tags (B30)', hcertText(concatBytes(hexBytes('d83d'.repeat(10)), cose)), 'COSE_MALFORMED'],
    [
      'the tags the other way round (B30)',
      hcertText(concatBytes(hexBytes('d2d83d'), body)),
      'CBOR_MALFORMED',
    ],
    ['an array of three (B31)', wrapped([prot, new Map(), payload]), 'COSE_MALFORMED'],
    ['an array of five (B31)', wrapped([prot, new Map(), payload, signature, 0]), 'COSE_MALFORMED'],
    ['a map in place of the array', hcertText(hexBytes('d2a0')), 'COSE_MALFORMED'],
    [
      'a protected header as a map (B32)',
      wrapped([header([1, -7]), new Map(), payload, signature]),
      'COSE_MALFORMED',
    ],
    [
      'an empty protected header (B32)',
      withParts({ protectedHeader: new Uint8Array(0) }),
      'ALGORITHM_UNKNOWN',
    ],
    ['a protected header with an array', withParts({ protectedHeader: encode([]) }), 'COSE_MALFORMED'],
    ['an other header as an array', wrapped([prot, [], payload, signature]), 'COSE_MALFORMED'],
    ['a payload left out', wrapped([prot, new Map(), null, signature]), 'COSE_MALFORMED'],
    [
      'the algorithm in the other header alone (B33)',
      withParts({ protectedHeader: header([4, KEY_ID]), unprotected: header([1, -7]) }),
      'ALGORITHM_UNKNOWN',
    ],
    ['EdDSA (B33)', withParts({ protectedHeader: header([1, -8], [4, KEY_ID]) }), 'ALGORITHM_UNKNOWN'],
    ['algorithm 0 (B33)', withParts({ protectedHeader: header([1, 0], [4, KEY_ID]) }), 'ALGORITHM_UNKNOWN'],
    [
      'a critical header (B38)',
      withParts({ protectedHeader: header([1, -7], [2, [4]], [4, KEY_ID]) }),
      'COSE_MALFORMED',
    ],
    ['no key id', withParts({ protectedHeader: header([1, -7]) }), 'KEY_ID_MISSING'],
    [
      'an empty key id (B34)',
      withParts({ protectedHeader: header([1, -7], [4, new Uint8Array(0)]) }),
      'KEY_ID_MISSING',
    ],
    [
      'a key id of 33 bytes',
      withParts({ protectedHeader: header([1, -7], [4, new Uint8Array(33)]) }),
      'KEY_ID_MISSING',
    ],
    ['a key id as text', withParts({ protectedHeader: header([1, -7], [4, 'key']) }), 'KEY_ID_MISSING'],
    ['claims as an array', withParts({ claims: encode([]) }), 'CLAIMS_MALFORMED'],
    [
      'no certificate (B38)',
      withParts({ claims: header([1, 'AT'], [4, EXPIRES_S], [6, ISSUED_S]) }),
      'CLAIMS_MALFORMED',
    ],
    ['a certificate as text', withParts({ certificate: 'none' }), 'CLAIMS_MALFORMED'],
    ['a certificate with bytes', withParts({ certificate: { x: new Uint8Array(1) } }), 'CLAIMS_MALFORMED'],
    [
      'a certificate with a number as a name',
      withParts({ certificate: new Map([[1, 'x']]) }),
      'CLAIMS_MALFORMED',
    ],
    ['a list that is none', withParts({ certificate: { v: 'x' } }), 'CLAIMS_MALFORMED'],
    ['a list of texts', withParts({ certificate: { v: ['x'] } }), 'CLAIMS_MALFORMED'],
    [
      '17 entries',
      withParts({ certificate: { v: Array.from({ length: 17 }, () => ({})) } }),
      'CLAIMS_MALFORMED',
    ],
    ['a time that is no number (B26)', withParts({ claims: hexBytes('a104f97e00') }), 'CBOR_MALFORMED'],
    ['a claim twice (B22)', withParts({ claims: hexBytes('a204000400') }), 'CBOR_MALFORMED'],
  ];
  for (const [name, text, fault] of bad) {
    it(`refuses ${name}: ${fault}`, () =>
      assert.rejects(readHcert(primitives.inflate, text), (error) => isProtocolError(error, fault)));
  }

  it('takes the tag of a CWT outside', async () => {
    const text = hcertText(concatBytes(hexBytes('d83d'), cose));
    assert.deepEqual((await readHcert(primitives.inflate, text)).content, VACCINATION);
    await assertVerdict(verify(text), 'genuine');
  });

  it('takes lists that are null, and keeps a name such as __proto__ a mere name (B28)', () => {
    const certificate = new Map<string, unknown>([
      ['v', VACCINATION.v],
      ['t', null],
      ['__proto__', { x: 1 }],
    ]);
    const { content, usages } = parseHcert(makeCose(SIGNER, { certificate }));
    assert.deepEqual(usages, ['vaccination']);
    assert.deepEqual(new Set(Object.keys(content)), new Set(['v', 't', '__proto__']));
    assert.equal(Object.getPrototypeOf(content), Object.prototype);
  });

  it('trims nothing: a space is a character (B8)', () => {
    assert.throws(
      () => unwrapHcert(`${GOOD} `),
      (error) => isProtocolError(error),
    );
    assert.throws(
      () => unwrapHcert(` ${GOOD}`),
      (error) => isProtocolError(error, 'CODE_UNKNOWN'),
    );
  });
});

function floatHex(value: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return hexOf(bytes);
}
