import assert from 'node:assert/strict';
import { deflateRawSync, deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { concatBytes } from '../../../protocol/bytes.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { type ForeignVerdict } from '../../../protocol/foreign/foreign-verdict.ts';
import { cardRevocationId, readCard } from '../../../protocol/foreign/health-card.ts';
import { jwsOfCardText } from '../../../protocol/foreign/card-text.ts';
import { readForeign, verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives as primitives } from '../../../node/crypto/foreign-primitives.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import {
  cardKey,
  type CardParts,
  cardTexts,
  CREDENTIAL,
  ISSUED_S,
  makeJws,
} from '../../support/card-fixture.ts';

const SIGNER = makeEcSigner();
const JWS = makeJws(SIGNER);
const NOW_S = ISSUED_S + 60;

function verify(
  text: string,
  keys: readonly ForeignKey[] = [cardKey(SIGNER)],
  nowS = NOW_S,
): Promise<ForeignVerdict> {
  return verifyForeign(primitives, text, new ForeignKeys(keys), nowS);
}

async function assertVerdict(
  verdict: Promise<ForeignVerdict>,
  ...expected: readonly string[]
): Promise<void> {
  const { outcome: came, reasons } = await verdict;
  assert.deepEqual([came, ...reasons.map(({ code }) => code)], expected);
}

const deflated = (value: unknown) => new Uint8Array(deflateRawSync(Buffer.from(JSON.stringify(value))));

describe('verifyForeign on health cards', () => {
  for (const [name, text] of [
    ['the bare JWS', JWS],
    ['one QR code', cardTexts(JWS)[0] ?? ''],
    ['three QR codes', cardTexts(JWS, 3).join('\n')],
    ['three QR codes in another order', cardTexts(JWS, 3).reverse().join(' ')],
  ] as const) {
    it(`takes ${name}`, async () => {
      const verdict = await verify(text);
      assert.equal(verdict.outcome, 'genuine');
      assert.deepEqual(verdict.code?.content, CREDENTIAL);
      assert.equal(verdict.code?.times.issuedAtS, ISSUED_S);
    });
  }

  it('is never genuine with any letter of the JWS changed', async () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let i = 0; i < JWS.length; i++) {
      const other = letters[(letters.indexOf(JWS.charAt(i)) + 1 + (i % 62)) % 64] ?? '';
      const mutant = `${JWS.slice(0, i)}${other}${JWS.slice(i + 1)}`;
      if (!mutant.startsWith('eyJ')) continue;
      assert.notEqual((await verify(mutant)).outcome, 'genuine', `letter ${i}`);
    }
  });

  it('throws on no text at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.constantFrom('shc:/', 'eyJ'),
        async (text, start) => {
          assert.notEqual((await verify(start + text)).outcome, 'genuine');
        },
      ),
    );
  });

  it('a card names issuer and key: the key of another issuer is not tried', () =>
    assertVerdict(
      verify(JWS, [cardKey(SIGNER, { issuer: 'https://other.example' })]),
      'undetermined',
      'KEY_UNKNOWN',
    ));
  it('a key by the name of another signs nothing', () => {
    const forged = cardKey(makeEcSigner(), { keyId: cardKey(SIGNER).keyId });
    return assertVerdict(verify(JWS, [forged]), 'refused', 'SIGNATURE_INVALID');
  });
  it('is in force from its time of issue', async () => {
    await assertVerdict(verify(JWS, undefined, ISSUED_S), 'genuine');
    await assertVerdict(verify(JWS, undefined, ISSUED_S - 1), 'refused', 'NOT_YET_ISSUED');
  });
  it('ends where it says so', async () => {
    const text = makeJws(SIGNER, { claims: { exp: NOW_S } });
    await assertVerdict(verify(text, undefined, NOW_S - 1), 'genuine');
    await assertVerdict(verify(text, undefined, NOW_S), 'refused', 'EXPIRED');
  });

  for (const [name, claims] of [
    ['an address of http (B39)', { iss: 'http://169.254.169.254' }],
    ['a slash at the end', { iss: 'https://cards.example/issuer/' }],
    ['no time of issue', { nbf: undefined }],
    ['a time of issue as text (B37)', { nbf: '2023' }],
    ['a time of issue below zero (B37)', { nbf: -1 }],
    ['an expiry as text (B37)', { exp: '2033' }],
    ['an expiry before issue (B37)', { exp: ISSUED_S - 1 }],
    ['a life of ten years (B37)', { exp: ISSUED_S + 10 * 365 * 86_400 }],
    ['no type', { vc: { ...CREDENTIAL, type: undefined } }],
    ['another type', { vc: { ...CREDENTIAL, type: ['VerifiableCredential'] } }],
    ['no bundle', { vc: { ...CREDENTIAL, credentialSubject: {} } }],
    ['a bundle as a list', { vc: { ...CREDENTIAL, credentialSubject: { fhirBundle: [] } } }],
    ['a revocation id of 25 characters', { vc: { ...CREDENTIAL, rid: 'a'.repeat(25) } }],
    ['a revocation id with a dot', { vc: { ...CREDENTIAL, rid: 'a.1' } }],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const issuer = 'iss' in claims ? claims.iss : undefined;
      const key = cardKey(SIGNER, issuer === undefined ? {} : { issuer });
      const { outcome, reasons } = await verify(makeJws(SIGNER, { claims }), [key]);
      assert.equal(outcome, 'refused');
      assert.equal(reasons[0]?.code, 'CLAIMS_INVALID');
    });
  }
});

describe('readCard', () => {
  const read = (text: string) => readCard(primitives, text);
  const [head = '', body = '', tail = ''] = JWS.split('.');
  const withParts = (parts: CardParts) => makeJws(SIGNER, parts);
  const header = (members: object) => withParts({ header: members });
  const rawHeader = (json: string) => `${Buffer.from(json).toString('base64url')}.${body}.${tail}`;
  const parts = cardTexts(JWS, 3);
  const other = cardTexts(makeJws(makeEcSigner()), 3);
  const bad: readonly (readonly [string, string, FaultCode])[] = [
    ['alg none (B39)', header({ alg: 'none' }), 'ALGORITHM_UNKNOWN'],
    ['alg HS256 (B39)', header({ alg: 'HS256' }), 'ALGORITHM_UNKNOWN'],
    ['alg ES384', header({ alg: 'ES384' }), 'ALGORITHM_UNKNOWN'],
    ['no alg', header({ alg: undefined }), 'ALGORITHM_UNKNOWN'],
    ['a critical header (B39)', header({ crit: ['exp'] }), 'JWS_MALFORMED'],
    ['a key of its own (B39)', header({ jwk: {} }), 'JWS_MALFORMED'],
    ['an address of a key', header({ jku: 'https://keys.example' }), 'JWS_MALFORMED'],
    ['an address of a certificate', header({ x5u: 'https://keys.example' }), 'JWS_MALFORMED'],
    ['a path as a key id (B39)', header({ kid: '../../etc/passwd' }), 'KEY_ID_MISSING'],
    ['no key id', header({ kid: undefined }), 'KEY_ID_MISSING'],
    ['a key id as a number', header({ kid: 1 }), 'KEY_ID_MISSING'],
    ['no compression', header({ zip: undefined }), 'COMPRESSION_INVALID'],
    ['another compression', header({ zip: 'GZ' }), 'COMPRESSION_INVALID'],
    ['a header that is no object', rawHeader('[]'), 'JSON_MALFORMED'],
    ['a header that is no JSON', rawHeader('{'), 'JSON_MALFORMED'],
    ['a name twice in the header', rawHeader('{"alg":"none","alg":"ES256"}'), 'JSON_MALFORMED'],
    ['two parts', `${head}.${body}`, 'JWS_MALFORMED'],
    ['four parts', `${JWS}.${tail}`, 'JWS_MALFORMED'],
    ['no signature', `${head}.${body}.`, 'JWS_MALFORMED'],
    ['padding', `${head}=.${body}.${tail}`, 'JWS_MALFORMED'],
    ['a text too long (B9)', `eyJ${'A'.repeat(65_536)}`, 'TOO_LARGE'],
    [
      'zlib in place of bare deflate',
      withParts({ payload: new Uint8Array(deflateSync(Buffer.from('{}'))) }),
      'COMPRESSION_INVALID',
    ],
    [
      'bytes behind the stream (B11)',
      withParts({ payload: concatBytes(deflated({}), Uint8Array.of(0)) }),
      'COMPRESSION_INVALID',
    ],
    ['a stream cut short (B10)', withParts({ payload: deflated({}).subarray(0, -1) }), 'COMPRESSION_INVALID'],
    [
      'a bomb (B12)',
      withParts({ payload: new Uint8Array(deflateRawSync(Buffer.alloc(2_000_000))) }),
      'TOO_LARGE',
    ],
    [
      'what inflates to more than sixteen times its length (B12)',
      withParts({ claims: { more: 'a'.repeat(8_000) } }),
      'TOO_LARGE',
    ],
    [
      'a payload that is not JSON',
      withParts({ payload: new Uint8Array(deflateRawSync(Buffer.from('x'))) }),
      'JSON_MALFORMED',
    ],
    [
      'a payload of 17 levels (B18)',
      withParts({ payload: new Uint8Array(deflateRawSync(Buffer.from('['.repeat(17) + ']'.repeat(17)))) }),
      'JSON_MALFORMED',
    ],
    [
      'bad UTF-8 (B27)',
      withParts({ payload: new Uint8Array(deflateRawSync(Buffer.from([0x22, 0xff, 0x22]))) }),
      'JSON_MALFORMED',
    ],
    ['no issuer (B38)', withParts({ claims: { iss: undefined } }), 'CLAIMS_MALFORMED'],
    ['an issuer too long', withParts({ claims: { iss: `https://${'a'.repeat(250)}` } }), 'CLAIMS_MALFORMED'],
    ['no credential (B38)', withParts({ claims: { vc: undefined } }), 'CLAIMS_MALFORMED'],
    ['no digits (B2)', 'shc:/', 'CODE_MALFORMED'],
    ['an odd digit (B15)', 'shc:/567', 'CODE_MALFORMED'],
    ['a pair above 77 (B15)', 'shc:/5678', 'CODE_MALFORMED'],
    ['a letter among the digits', 'shc:/56a7', 'CODE_MALFORMED'],
    ['digits of another script', 'shc:/٥٦', 'CODE_MALFORMED'],
    ['control characters (B17)', 'shc:/56\u202e76', 'CODE_MALFORMED'],
    ['text before the digits', `x ${cardTexts(JWS)[0]}`, 'JWS_MALFORMED'],
    ['a text of digits too long (B9)', `shc:/${'5'.repeat(200_000)}`, 'TOO_LARGE'],
    ['a part above the number of parts (B16)', 'shc:/4/3/56 shc:/1/3/56 shc:/2/3/56', 'PARTS_MISMATCH'],
    ['part 0 (B16)', 'shc:/0/1/56', 'CODE_MALFORMED'],
    ['a part missing (B16)', parts.slice(1).join(' '), 'PARTS_MISMATCH'],
    ['a part twice (B16)', [parts[0], parts[1], parts[1]].join(' '), 'PARTS_MISMATCH'],
    [
      'parts of cards with other numbers of parts (B16)',
      [parts[0], parts[1], cardTexts(JWS, 2)[1]].join(' '),
      'PARTS_MISMATCH',
    ],
    ['two whole cards', [cardTexts(JWS)[0], cardTexts(JWS)[0]].join(' '), 'PARTS_MISMATCH'],
    ['65 parts (B16)', cardTexts(JWS, 65).join(' '), 'PARTS_MISMATCH'],
  ];
  for (const [name, text, fault] of bad) {
    it(`refuses ${name}: ${fault}`, () =>
      assert.rejects(read(text), (error) => isProtocolError(error, fault)));
  }

  it('parts of two cards of one length never make a third that is genuine (B16)', async () => {
    const { outcome } = await verify([parts[0], parts[1], other[2]].join(' '));
    assert.notEqual(outcome, 'genuine');
  });

  it('takes what inflates to some ten times its length, as health records hardly do', async () => {
    const text = makeJws(SIGNER, { claims: { more: 'a'.repeat(2_000) } });
    assert.equal((await read(text)).keyId, cardKey(SIGNER).keyId);
  });

  it('fetches nothing, whatever a card names (B39)', async () => {
    const { fetch } = globalThis;
    const asked: unknown[] = [];
    globalThis.fetch = (input) => Promise.reject(new Error(String(asked.push(input))));
    try {
      const text = makeJws(SIGNER, { claims: { iss: 'http://169.254.169.254' } });
      assert.equal((await verify(text)).outcome, 'undetermined');
    } finally {
      globalThis.fetch = fetch;
    }
    assert.deepEqual(asked, []);
  });

  it('gives the id by which a card can be revoked', async () => {
    const code = await read(makeJws(SIGNER, { claims: { vc: { ...CREDENTIAL, rid: 'abc-_1' } } }));
    assert.equal(cardRevocationId(code), 'abc-_1');
    assert.equal(cardRevocationId(await read(JWS)), undefined);
  });

  it('a text of no format is a mistake of the caller', () =>
    assert.rejects(readForeign(primitives, 'ENT1:'), RangeError));

  it('an RSA key signs no card', () =>
    assertVerdict(
      verify(JWS, [cardKey(makeRsaSigner(), { keyId: cardKey(SIGNER).keyId })]),
      'refused',
      'SIGNATURE_INVALID',
    ));
});

describe('jwsOfCardText', () => {
  it('is the reverse of writing digits, in any number of parts', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9._-]{64,300}$/),
        fc.integer({ min: 1, max: 16 }),
        (letters, count) => {
          const texts = cardTexts(letters, count).filter((text) => !text.endsWith('/'));
          fc.pre(texts.length === count);
          assert.equal(jwsOfCardText(texts.join('\n')), letters);
        },
      ),
    );
  });
});
