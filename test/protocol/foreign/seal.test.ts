import assert from 'node:assert/strict';
import { openCertificate } from '../../../node/foreign/certificate.ts';
import { ForeignTrust } from '../../../node/foreign/foreign-trust.ts';
import { readKeyList } from '../../../node/foreign/key-list.ts';
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
import { type CertificateParts, makeCertificate } from '../../support/x509-fixture.ts';

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
    ['one that it signed itself', [root], CERTIFICATE],
    [
      'one that another key signed in its name',
      [root],
      makeCertificate(SIGNER, { ...names, by: other, usages: [SIGNS_SEALS] }),
    ],
    [
      'one that an authority of another country issued',
      [root],
      makeCertificate(SIGNER, {
        ...names,
        by: authority,
        usages: [SIGNS_SEALS],
        country: 'US',
        issuerCountry: 'AT',
      }),
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

describe('ForeignTrust on seals', () => {
  const authority = makeEcSigner();
  const root = makeCertificate(authority, { isAuthority: true, subject: 'Authority' });
  const trust = new ForeignTrust([readKeyList(root)]);
  const signerOf = (parts: CertificateParts) =>
    makeCertificate(SIGNER, { subject: 'Signer', issuer: 'Authority', by: authority, ...parts });
  const judge = (certificate: Uint8Array, signer = SIGNER) =>
    trust.judge(makeSeal(signer, { certificate }), NOW_S);

  it('takes one whose signer a pinned authority issued', () =>
    assertVerdict(judge(signerOf({ usages: [SIGNS_SEALS] })), 'genuine'));

  it('refuses one that names another country than the authority', () =>
    assertVerdict(
      trust.judge(
        makeSeal(SIGNER, {
          certificate: signerOf({ usages: [SIGNS_SEALS] }),
          data: { ...SEAL_DATA, hdr: { ...SEAL_DATA.hdr, is: 'USA' } },
        }),
        NOW_S,
      ),
      'refused',
      'SIGNER_OF_OTHER_COUNTRY',
    ));

  for (const [name, certificate, signer] of [
    ['without the usage of seals', signerOf({}), SIGNER],
    ['for another use', signerOf({ usages: ['1.3.6.1.5.5.7.3.2'] }), SIGNER],
    ['that is an authority', signerOf({ usages: [SIGNS_SEALS], isAuthority: true }), SIGNER],
    ['that is the pinned authority', root, authority],
    ['whose key cannot be read', signerOf({ usages: [SIGNS_SEALS], isKeyUnreadable: true }), SIGNER],
    ['whose subject is empty', signerOf({ usages: [SIGNS_SEALS], country: '', subject: '' }), SIGNER],
    ['that is no certificate', Uint8Array.of(1, 2, 3), SIGNER],
  ] as const) {
    it(`refuses one by a signer ${name}`, async () => {
      const { outcome, reasons } = await judge(certificate, signer);
      assert.deepEqual([outcome, reasons[0]?.code], ['refused', 'MALFORMED']);
      assert.equal(reasons[0]?.details?.['fault'], 'KEY_INVALID');
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
