import assert from 'node:assert/strict';
import { ForeignTrust } from '../../../node/foreign/foreign-trust.ts';
import { readKeyList } from '../../../node/foreign/key-list.ts';
import { sealKeyOf } from '../../../node/foreign/seal-key.ts';
import { nativeForeignPrimitives as primitives } from '../../../node/crypto/foreign-primitives.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { canonicalJson } from '../../../protocol/foreign/canonical-json.ts';
import { type Json } from '../../../protocol/foreign/foreign-code.ts';
import { type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { type ForeignVerdict } from '../../../protocol/foreign/foreign-verdict.ts';
import { parseSeal } from '../../../protocol/foreign/seal.ts';
import { verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import {
  CERT_SIGN,
  issueSigner,
  makeAuthority,
  type SealSignerParts,
  type TestAuthority,
} from '../../support/csca-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { makeSeal, SEAL_DATA } from '../../support/seal-fixture.ts';
import { extension, makeCertificate } from '../../support/x509-fixture.ts';

const SIGNS_SEALS = '2.23.136.1.1.14.2';
const SIGNER = makeEcSigner();
const CERTIFICATE = makeCertificate(SIGNER, { usages: [SIGNS_SEALS] });
const GOOD = makeSeal(SIGNER, { certificate: CERTIFICATE });
const IS_AUTHORITY = Buffer.from('30030101ff', 'hex');
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
    const reordered = { sig, data: { msg: data.msg, hdr: { v: 1, t: 'icao.vacc', is: 'AUT' } } };
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

  it('is malformed with a number too great for a double in place of a signed null', async () => {
    const data = { hdr: SEAL_DATA.hdr, msg: { ...SEAL_DATA.msg, dose: null, ve: [{ lots: [null] }] } };
    const signed = makeSeal(SIGNER, { data, certificate: CERTIFICATE });
    await assertVerdict(verify(signed), 'genuine');
    for (const number of ['1e400', '-1e400', `1${'0'.repeat(309)}`])
      for (const at of ['"dose":null', '[null]']) {
        const { outcome, reasons } = await verify(signed.replace(at, at.replace('null', number)));
        assert.deepEqual(
          [outcome, reasons[0]?.code, reasons[0]?.details?.['fault']],
          ['refused', 'MALFORMED', 'JSON_MALFORMED'],
        );
      }
    const greatest = signed.replace('"dose":null', '"dose":1.7976931348623157e308');
    await assertVerdict(verify(greatest), 'refused', 'SIGNATURE_INVALID');
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
    ['no type', { v: 1, is: 'AUT' }],
    ['no issuer', { v: 1, t: 'icao.test' }],
    ['an issuer in small letters', { ...SEAL_DATA.hdr, is: 'aut' }],
  ] as const) {
    it(`refuses ${name}`, () => {
      const text = makeSeal(SIGNER, { certificate: CERTIFICATE, data: { ...SEAL_DATA, hdr } });
      return assertVerdict(verify(text), 'refused', 'CLAIMS_INVALID');
    });
  }
});

describe('verifyForeign on the country of a seal', () => {
  const sealOf = (is: string, certificate: Uint8Array) =>
    makeSeal(SIGNER, { certificate, data: { ...SEAL_DATA, hdr: { ...SEAL_DATA.hdr, is } } });

  for (const [country, is] of [
    ['AT', 'AUT'],
    ['at', 'AUT'],
    ['DE', 'D'],
    ['DE', 'DEU'],
    ['EU', 'EUE'],
    ['XO', 'XO'],
  ] as const) {
    it(`takes one of ${is} by a signer of ${country}`, () => {
      const der = makeCertificate(SIGNER, { country, usages: [SIGNS_SEALS] });
      return assertVerdict(verify(sealOf(is, der), [sealKeyOf(der)]), 'genuine');
    });
  }

  for (const is of ['USA', 'AUS', 'A', 'XOM', 'D'])
    it(`refuses one of ${is} by a signer of AT`, () =>
      assertVerdict(verify(sealOf(is, CERTIFICATE)), 'refused', 'SIGNER_OF_OTHER_COUNTRY'));

  it('refuses one by a key of no country', () =>
    assertVerdict(
      verify(GOOD, [{ ...sealKeyOf(CERTIFICATE), issuer: '' }]),
      'refused',
      'SIGNER_OF_OTHER_COUNTRY',
    ));
});

describe('sealKeyOf', () => {
  const usages = [SIGNS_SEALS];
  for (const [name, parts] of [
    ['no usage', {}],
    ['another usage', { usages: ['1.3.6.1.5.5.7.3.2'] }],
    ['the flag of an authority', { usages, isAuthority: true }],
    ['no country', { usages, country: '' }],
    ['an empty subject', { usages, country: '', subject: '' }],
    ['a country that is no code', { usages, country: 'A1' }],
    ['a key that cannot be read', { usages, by: makeRsaSigner(), isKeyUnreadable: true }],
  ] as const) {
    it(`refuses a certificate with ${name}`, () => {
      assert.throws(
        () => sealKeyOf(makeCertificate(SIGNER, parts)),
        (error) => isProtocolError(error, 'KEY_INVALID'),
      );
    });
  }

  it('goes by the country of a list before that of the certificate', () =>
    assert.equal(sealKeyOf(CERTIFICATE, 'DE').issuer, 'DE'));
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

describe('ForeignTrust on seals', () => {
  const authority = makeAuthority();
  const issued = issueSigner(authority, SIGNER);
  const rsa = makeAuthority({ signer: makeRsaSigner() });
  const inItsName = { ...authority, signer: makeEcSigner() };
  const trusting = (...ders: readonly Uint8Array[]) => new ForeignTrust(ders.map((der) => readKeyList(der)));
  const trust = trusting(authority.certificate);
  const judge = (certificate: Uint8Array, { by = trust, nowS = NOW_S, signer = SIGNER, hdr = {} } = {}) => {
    const data = { ...SEAL_DATA, hdr: { ...SEAL_DATA.hdr, ...hdr } };
    return by.judge(makeSeal(signer, { certificate, data }), nowS);
  };
  const seconds = (timeS: number) => new Date(1_000 * timeS).toISOString().slice(0, 19);

  for (const [name, der, by] of [
    ['of a pinned authority', issued, trust],
    [
      'of a pinned authority with RSA, without key usage and document types, as those in circulation are',
      issueSigner(rsa, SIGNER, { keyUsage: null, documentTypes: null }),
      trusting(rsa.certificate),
    ],
    [
      'that a list has itself, whatever its certificate lacks',
      CERTIFICATE,
      trusting(authority.certificate, CERTIFICATE),
    ],
  ] as const)
    it(`takes one by a signer ${name}`, () => assertVerdict(judge(der, { by }), 'genuine'));

  const signedBy = (parts: SealSignerParts, by: TestAuthority = authority) => issueSigner(by, SIGNER, parts);
  const isCritical = true;
  const none = Uint8Array.of(1, 2, 3);
  for (const [name, certificate, why] of [
    ['that somebody issued in the name of the authority', signedBy({}, inItsName), 'SIGNATURE_INVALID'],
    ['that signed itself', authority.certificate, 'SELF_SIGNED'],
    ['that may issue others', signedBy({ keyUsage: CERT_SIGN }), 'AUTHORITY'],
    [
      'with the flag of an authority',
      signedBy({ more: [extension('2.5.29.19', IS_AUTHORITY, { isCritical })] }),
      'AUTHORITY',
    ],
    [
      'with an unknown critical extension',
      signedBy({ more: [extension('1.2.3', Buffer.of(5, 0), { isCritical })] }),
      'CRITICAL_EXTENSION',
    ],
    ['without the usage of seals', signedBy({ extendedUsage: null }), 'KEY_USAGE'],
    ['for another use', signedBy({ extendedUsage: ['1.3.6.1.5.5.7.3.2'] }), 'KEY_USAGE'],
    ['whose usage may be overlooked', signedBy({ isUsageCritical: false }), 'KEY_USAGE'],
    ['of another type of documents', signedBy({ documentTypes: ['NT'] }), 'DOCUMENT_TYPE'],
    ['of another country than the authority', signedBy({ country: 'DE' }), 'COUNTRY'],
    ['of no country', signedBy({ country: '', subject: '' }), 'COUNTRY'],
    ['whose key cannot be read', signedBy({ isKeyUnreadable: true }), 'KEY_INVALID'],
    ['that does not say which key issued it', signedBy({ keyId: null }), 'AUTHORITY_UNNAMED'],
    ['that is no certificate', none, 'CERTIFICATE_MALFORMED'],
  ] as const)
    it(`T1 refuses one by a signer ${name}: ${why}`, async () => {
      const { outcome, reasons } = await judge(certificate);
      assert.deepEqual(
        [outcome, ...reasons],
        ['refused', { code: 'CERTIFICATE', outcome: 'refused', details: { why } }],
      );
    });

  for (const [name, certificate] of [
    ['an authority that is not pinned', signedBy({}, makeAuthority())],
    ['another key of the authority', signedBy({ keyId: new Uint8Array(20) })],
    ['an authority by another name', signedBy({ issuer: 'Another' })],
  ] as const)
    it(`T1 knows no key of a signer issued by ${name}`, () =>
      assertVerdict(judge(certificate), 'undetermined', 'KEY_UNKNOWN'));

  it('T1 knows no key without any authority, whatever the certificate says', async () => {
    const by = trusting(CERTIFICATE);
    for (const der of [issued, none, authority.certificate])
      await assertVerdict(judge(der, { by }), 'undetermined', 'KEY_UNKNOWN');
  });

  it('refuses one that somebody else signed, and one that names another country than the authority', async () => {
    await assertVerdict(judge(issued, { signer: makeEcSigner() }), 'refused', 'SIGNATURE_INVALID');
    await assertVerdict(judge(issued, { hdr: { is: 'USA' } }), 'refused', 'CERTIFICATE');
  });

  it('holds signer and authority against now, to the second', async () => {
    const until = (untilS: number) => makeAuthority({ until: seconds(untilS) });
    for (const [authorityUntilS, signerUntilS, ...expected] of [
      [NOW_S, NOW_S, 'genuine'],
      [NOW_S - 1, NOW_S, 'refused', 'KEY_NOT_FOR_THIS'],
      [NOW_S, NOW_S - 1, 'refused', 'KEY_NOT_FOR_THIS'],
    ] as const) {
      const ended = until(authorityUntilS);
      const der = issueSigner(ended, SIGNER, { until: seconds(signerUntilS) });
      await assertVerdict(judge(der, { by: trusting(ended.certificate) }), ...expected);
    }
  });
});

describe('canonicalJson', () => {
  it('writes members in the order of their names, without spaces, and texts as JSON prints them', () => {
    const value = JSON.parse(
      '{"b": [1, 2.50, {"z": null, "é": "\\u00e9\\n"}], "a": {"10": true, "9": false}}',
    ) as Json;
    assert.equal(canonicalJson(value), '{"a":{"10":true,"9":false},"b":[1,2.5,{"z":null,"é":"é\\n"}]}');
  });
});
