import assert from 'node:assert/strict';
import { openCertificate } from '../../../node/foreign/certificate.ts';
import { sealKeyOf, sealKeyUnder } from '../../../node/foreign/seal-key.ts';
import { nativeForeignPrimitives as primitives } from '../../../node/crypto/foreign-primitives.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { canonicalJson } from '../../../protocol/foreign/canonical-json.ts';
import { type Json } from '../../../protocol/foreign/foreign-code.ts';
import { type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { type ForeignVerdict } from '../../../protocol/foreign/foreign-verdict.ts';
import { parseSeal } from '../../../protocol/foreign/seal.ts';
import { verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { makeSeal, SEAL_DATA } from '../../support/seal-fixture.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const SIGNS_SEALS = '2.23.136.1.1.14.2';
const SIGNER = makeEcSigner();
const CERTIFICATE = makeCertificate(SIGNER, { usages: [SIGNS_SEALS] });
const GOOD = makeSeal(SIGNER, { certificate: CERTIFICATE });
const NOW_S = Date.UTC(2026, 0, 1) / 1_000;

function verify(
  text: string,
  keys: readonly ForeignKey[] = [sealKeyOf(CERTIFICATE)],
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

describe('verifyForeign on seals', () => {
  it('takes one by a pinned signer, whatever the spacing and order of its members', async () => {
    const verdict = await verify(GOOD);
    assert.equal(verdict.outcome, 'genuine');
    assert.deepEqual(verdict.code?.content, SEAL_DATA);
    const { data, sig } = JSON.parse(GOOD) as { data: typeof SEAL_DATA; sig: object };
    const reordered = { sig, data: { msg: data.msg, hdr: { v: 1, t: 'icao.vacc', is: 'UTO' } } };
    await assertVerdict(verify(JSON.stringify(reordered, undefined, 2)), 'genuine');
  });

  it('takes padding as issuers write it, and none', async () => {
    const padded = GOOD.replace(/"sigvl":"([^"]+)"/, (_, text: string) => `"sigvl":"${text}=="`);
    await assertVerdict(verify(padded), 'genuine');
  });

  it('never takes the key that a seal brings along', () =>
    assertVerdict(verify(makeSeal(makeEcSigner())), 'undetermined', 'KEY_UNKNOWN'));

  it('is never genuine with any text of its data changed', async () => {
    const at = GOOD.indexOf('"data"');
    const end = GOOD.indexOf('"sig"');
    for (let i = at; i < end; i++) {
      if (!/[A-Za-z0-9é]/.test(GOOD.charAt(i))) continue;
      const mutant = `${GOOD.slice(0, i)}${GOOD[i] === '7' ? '8' : '7'}${GOOD.slice(i + 1)}`;
      assert.notEqual((await verify(mutant)).outcome, 'genuine', `character ${i}`);
    }
  });

  it('is never genuine with a member added or left out', async () => {
    const { data, sig } = JSON.parse(GOOD) as {
      data: { hdr: object; msg: Record<string, unknown> };
      sig: object;
    };
    for (const changed of [
      { ...data, more: 1 },
      { ...data, msg: { ...data.msg, uvci: undefined } },
      { ...data, msg: { ...data.msg, __proto: 1 } },
    ])
      await assertVerdict(verify(JSON.stringify({ data: changed, sig })), 'refused', 'SIGNATURE_INVALID');
  });

  it('holds the key against now, since a seal has no time of issue', () =>
    assertVerdict(verify(GOOD, undefined, Date.UTC(2034, 0, 1) / 1_000), 'refused', 'KEY_NOT_FOR_THIS'));

  for (const [name, hdr] of [
    ['a type that is not known', { ...SEAL_DATA.hdr, t: 'icao.other' }],
    ['no type', { v: 1, is: 'UTO' }],
    ['no issuer', { v: 1, t: 'icao.test' }],
    ['an issuer in small letters', { ...SEAL_DATA.hdr, is: 'uto' }],
  ] as const) {
    it(`refuses ${name}`, () => {
      const text = makeSeal(SIGNER, { certificate: CERTIFICATE, data: { ...SEAL_DATA, hdr } });
      return assertVerdict(verify(text), 'refused', 'CLAIMS_INVALID');
    });
  }
});

describe('parseSeal', () => {
  const withSig = (sig: object) => makeSeal(SIGNER, { sig });
  const withData = (data: Json) => makeSeal(SIGNER, { data });
  const bad: readonly (readonly [string, string, FaultCode])[] = [
    ['what is not JSON', '{', 'JSON_MALFORMED'],
    ['a name twice', GOOD.replace('"data":', '"data":{},"data":'), 'JSON_MALFORMED'],
    ['17 levels', `{"data":${'['.repeat(17)}${']'.repeat(17)}}`, 'JSON_MALFORMED'],
    ['a text too long', `{${' '.repeat(8_192)}}`, 'TOO_LARGE'],
    ['an empty object', '{}', 'SEAL_MALFORMED'],
    ['data as a list', withData([]), 'SEAL_MALFORMED'],
    ['no header', withData({ msg: {} }), 'SEAL_MALFORMED'],
    ['no message', withData({ hdr: SEAL_DATA.hdr }), 'SEAL_MALFORMED'],
    ['no signature', JSON.stringify({ data: SEAL_DATA }), 'SEAL_MALFORMED'],
    ['another version', withData({ ...SEAL_DATA, hdr: { ...SEAL_DATA.hdr, v: 2 } }), 'CODE_VERSION_UNKNOWN'],
    ['a version as text', withData({ ...SEAL_DATA, hdr: { ...SEAL_DATA.hdr, v: '1' } }), 'SEAL_MALFORMED'],
    ['no version', withData({ ...SEAL_DATA, hdr: { t: 'icao.vacc' } }), 'SEAL_MALFORMED'],
    ['alg none', withSig({ alg: 'none' }), 'ALGORITHM_UNKNOWN'],
    ['no alg', withSig({ alg: undefined }), 'ALGORITHM_UNKNOWN'],
    ['no certificate', withSig({ cer: undefined }), 'KEY_ID_MISSING'],
    ['a certificate that is not base64url', withSig({ cer: 'a+b/' }), 'SEAL_MALFORMED'],
    ['a signature with set bits behind its end', withSig({ sigvl: 'AB' }), 'SEAL_MALFORMED'],
    ['a signature with too much padding', withSig({ sigvl: 'AAA===' }), 'SEAL_MALFORMED'],
  ];
  for (const [name, text, fault] of bad) {
    it(`refuses ${name}: ${fault}`, () => {
      assert.throws(
        () => parseSeal(sha256, text),
        (error) => isProtocolError(error, fault),
      );
    });
  }
});

describe('sealKeyUnder', () => {
  const authority = makeRsaSigner();
  const names = { subject: 'Signer', issuer: 'Authority' };
  const root = openCertificate(makeCertificate(authority, { isAuthority: true, subject: 'Authority' }));
  const sealWith = (certificate: Uint8Array) => parseSeal(sha256, makeSeal(SIGNER, { certificate }));
  const issued = makeCertificate(SIGNER, { ...names, by: authority, usages: [SIGNS_SEALS] });

  it('gives the key of a signer that a pinned authority issued', async () => {
    const key = sealKeyUnder([root], sealWith(issued), NOW_S);
    assert.ok(key);
    await assertVerdict(verify(makeSeal(SIGNER, { certificate: issued }), [key]), 'genuine');
  });

  const other = makeRsaSigner();
  for (const [name, authorities, certificate] of [
    ['no authority', [], issued],
    ['a certificate that is no certificate', [root], Uint8Array.of(1, 2, 3)],
    ['one that it signed itself', [root], CERTIFICATE],
    ['one that another key signed in its name', [root], makeCertificate(SIGNER, { ...names, by: other })],
    [
      'one for another use',
      [root],
      makeCertificate(SIGNER, { ...names, by: authority, usages: ['1.3.6.1.5.5.7.3.2'] }),
    ],
    [
      'an authority that is none',
      [openCertificate(makeCertificate(authority, { subject: 'Authority' }))],
      issued,
    ],
    [
      'an authority that has ended',
      [
        openCertificate(
          makeCertificate(authority, {
            isAuthority: true,
            subject: 'Authority',
            until: '2025-01-01T00:00:00Z',
          }),
        ),
      ],
      issued,
    ],
  ] as const) {
    it(`gives none for ${name}`, () => {
      assert.equal(sealKeyUnder(authorities, sealWith(certificate), NOW_S), undefined);
    });
  }
});

describe('canonicalJson', () => {
  it('writes members in the order of their names, without spaces, and texts as JSON prints them', () => {
    const value = JSON.parse(
      '{"b": [1, 2.50, {"z": null, "é": "\\u00e9\\n"}], "a": {"10": true, "9": false}}',
    ) as Json;
    assert.equal(canonicalJson(value), '{"a":{"10":true,"9":false},"b":[1,2.5,{"z":null,"é":"é\\n"}]}');
  });
});
