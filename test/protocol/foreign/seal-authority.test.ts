import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { compareBytes } from '../../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type AdapterDraft, adapterData, readAdapter } from '../../../protocol/foreign/adapter.ts';
import { AnnouncedCodes, keySourceOf } from '../../../protocol/foreign/announced-codes.ts';
import { foreignChecksOf } from '../../../protocol/foreign/foreign-keys.ts';
import { judgeAnnounced } from '../../../protocol/foreign/judge-announced.ts';
import { type Authority, authorityOf, sealSignerName } from '../../../protocol/foreign/seal-authority.ts';
import { parseSeal } from '../../../protocol/foreign/seal.ts';
import { parseCertificate } from '../../../protocol/foreign/x509.ts';
import { announcesSigner, foreignSignerOf } from '../../../protocol/trust/announced-signer.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { sealKeyOf } from '../../../node/foreign/seal-key.ts';
import {
  adapterOf,
  announcedTrust,
  announcedVerdict,
  type AnnouncedWorld,
  HCERT_RULES,
} from '../../support/announced-fixture.ts';
import {
  announcedAuthority,
  CERT_SIGN,
  issueSigner,
  keyUsageOf,
  makeAuthority,
  type SealSignerParts,
  type TestAuthority,
} from '../../support/csca-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { hcertKey } from '../../support/hcert-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { makeSeal } from '../../support/seal-fixture.ts';
import { recognised } from '../../support/stub-trust.ts';
import { CONTEXT, NOW_S } from '../../support/verdict-fixture.ts';
import { extension } from '../../support/x509-fixture.ts';

const AUTHORITY = makeAuthority();
const SIGNER = makeEcSigner();
const DER = issueSigner(AUTHORITY, SIGNER);
const FACTS = {
  'vaccination.day': { var: 'code.msg.ve.0.vd.0.dvc' },
  'vaccination.dose': 2,
  'vaccination.doses': 2,
};

const IS_AUTHORITY = Buffer.from('30030101ff', 'hex');

const dataOf = (hdr: object = {}) => ({
  hdr: { t: 'icao.vacc', v: 1, is: 'AUT', ...hdr },
  msg: { uvci: 'U32870', ve: [{ des: 'XM68M6', vd: [{ dvc: '2026-09-23', seq: 2 }] }] },
});

function sealBy(certificate: Uint8Array, { signer = SIGNER, hdr = {} } = {}): string {
  return makeSeal(signer, { certificate, data: dataOf(hdr) });
}

function sealAdapter(draft: Partial<AdapterDraft> = {}, window = {}): LoggedAdapter {
  const authorities = [announcedAuthority(AUTHORITY)];
  return adapterOf({ facts: FACTS, keys: [], authorities, ...draft }, { id: 'seals', ...window });
}

const announcing = (...adapters: readonly LoggedAdapter[]) => ({ rules: [HCERT_RULES], adapters });

function verdictOn(
  text: string,
  {
    adapter = sealAdapter(),
    nowS = NOW_S,
    ...world
  }: AnnouncedWorld & { adapter?: LoggedAdapter; nowS?: number } = {},
): Promise<Verdict> {
  return announcedVerdict({ text, issuer: announcing(adapter), nowS, ...world });
}

/** What stops a code, with why. */
function stopsOf({ outcome, reasons }: Verdict): readonly string[] {
  const against = reasons.filter((reason) => reason.outcome !== 'note');
  return [
    outcome,
    ...against.map(({ code, details = {} }) =>
      [code, details['why'] ?? details['of'] ?? []].flat().join(' '),
    ),
  ];
}

async function assertStops(verdict: Promise<Verdict>, ...expected: readonly string[]): Promise<void> {
  assert.deepEqual(stopsOf(await verdict), ['stop', ...expected]);
}

describe('A seal by a signer that an announced authority issued', () => {
  it('passes with the colour of the region that announced the authority', async () => {
    const { outcome, colour, foreign } = await verdictOn(sealBy(DER));
    assert.deepEqual(
      [outcome, colour, foreign?.region, foreign?.adapter, foreign?.issuer],
      ['pass', 'green', 'AT', 'seals', 'AUT'],
    );
  });

  const rsa = makeRsaSigner();
  for (const [name, authority, signer] of [
    ['RSA by PKCS #1 v1.5, as the one in circulation is', makeAuthority({ signer: rsa }), SIGNER],
    ['RSA-PSS with SHA-512', makeAuthority({ signer: rsa, algorithm: 'PS512' }), SIGNER],
    ['P-521', makeAuthority({ signer: makeEcSigner('P-521'), algorithm: 'ES512' }), makeEcSigner('P-384')],
  ] as const)
    it(`passes by an authority with ${name}`, async () => {
      const adapter = sealAdapter({ authorities: [announcedAuthority(authority)] });
      assert.equal(
        (await verdictOn(sealBy(issueSigner(authority, signer), { signer }), { adapter })).outcome,
        'pass',
      );
    });

  it('passes without key usage and document types, where the critical extended usage says what it is for', async () => {
    const bare = issueSigner(AUTHORITY, SIGNER, { keyUsage: null, documentTypes: null });
    assert.equal((await verdictOn(sealBy(bare))).outcome, 'pass');
  });

  it('is checked as two signatures in the list, that of the code and that of the certificate', () => {
    const trust = announcedTrust({ issuer: announcing(sealAdapter()) });
    const announced = new AnnouncedCodes(trust);
    const code = parseSeal(sha256, sealBy(DER));
    const { tried } = announced.announcersOf(code);
    const [announcer] = tried;
    assert.ok(announcer);
    const checks = foreignChecksOf(code, announcer.candidates);
    assert.deepEqual(
      checks.map(({ publicKey }) => publicKey),
      [SIGNER.publicKey, AUTHORITY.signer.publicKey],
    );
    const judge = (...results: readonly boolean[]) =>
      stopsOf(
        judgeAnnounced(
          { code, announced, context: CONTEXT, nowS: NOW_S },
          [{ ...announcer, results }],
          false,
        ),
      );
    assert.deepEqual(judge(true, true), ['pass']);
    assert.deepEqual(judge(true, false), ['stop', 'FOREIGN_CERTIFICATE SIGNATURE_INVALID']);
    assert.deepEqual(judge(false, true), ['stop', 'SIGNATURE_INVALID']);
    assert.throws(() => judge(true), RangeError);
  });

  const other = makeAuthority();
  const inItsName: TestAuthority = { ...AUTHORITY, signer: makeEcSigner() };
  const signedBy = (parts: SealSignerParts, authority = AUTHORITY) => issueSigner(authority, SIGNER, parts);
  const bad: readonly (readonly [string, Uint8Array, string])[] = [
    ['an authority that is not announced', signedBy({}, other), 'FOREIGN_KEY_UNKNOWN'],
    ['somebody in its name', signedBy({}, inItsName), 'FOREIGN_CERTIFICATE SIGNATURE_INVALID'],
    ['an authority by another name', signedBy({ issuer: 'Another' }), 'FOREIGN_KEY_UNKNOWN'],
    ['another key of the authority', signedBy({ keyId: new Uint8Array(20) }), 'FOREIGN_KEY_UNKNOWN'],
    ['a key that it does not name', signedBy({ keyId: null }), 'FOREIGN_CERTIFICATE AUTHORITY_UNNAMED'],
    ['itself', AUTHORITY.certificate, 'FOREIGN_CERTIFICATE SELF_SIGNED'],
    [
      'itself, in the name of the authority',
      signedBy({ by: SIGNER }),
      'FOREIGN_CERTIFICATE SIGNATURE_INVALID',
    ],
    ['an authority for another country', signedBy({ country: 'DE' }), 'FOREIGN_CERTIFICATE COUNTRY'],
    ['an authority for no country', signedBy({ country: '' }), 'FOREIGN_CERTIFICATE COUNTRY'],
    ['an authority of another country', signedBy({ issuerCountry: 'DE' }), 'FOREIGN_CERTIFICATE COUNTRY'],
  ];
  for (const [name, certificate, reason] of bad)
    it(`T1 is refused where its certificate is by ${name}`, () =>
      assertStops(verdictOn(sealBy(certificate)), reason));

  const flawed: readonly (readonly [string, SealSignerParts, string])[] = [
    [
      'the flag of an authority',
      { more: [extension('2.5.29.19', IS_AUTHORITY, { isCritical: true })] },
      'AUTHORITY',
    ],
    ['the usage of an authority', { keyUsage: null, more: [keyUsageOf(Buffer.of(2, 0x84))] }, 'AUTHORITY'],
    ['the usage of an authority alone', { keyUsage: CERT_SIGN }, 'AUTHORITY'],
    ['a key usage without signatures', { keyUsage: Buffer.of(5, 0x20) }, 'KEY_USAGE'],
    ['no usage at all', { keyUsage: null, extendedUsage: null }, 'KEY_USAGE'],
    ['no extended usage', { extendedUsage: null }, 'KEY_USAGE'],
    ['the extended usage of another thing', { extendedUsage: ['1.3.6.1.5.5.7.3.2'] }, 'KEY_USAGE'],
    ['an extended usage that may be overlooked', { isUsageCritical: false }, 'KEY_USAGE'],
    ['another type of documents', { documentTypes: ['NT'] }, 'DOCUMENT_TYPE'],
    [
      'an unknown critical extension',
      { more: [extension('1.2.3', Buffer.of(5, 0), { isCritical: true })] },
      'CRITICAL_EXTENSION',
    ],
    ['another algorithm inside than outside', { algorithmSigned: 'ES384' }, 'ALGORITHM_MISMATCH'],
    ['a key that cannot be read', { isKeyUnreadable: true }, 'KEY_INVALID'],
    ['version 1', { change: (items) => items.slice(1) }, 'CERTIFICATE_MALFORMED'],
  ];
  for (const [name, parts, why] of flawed)
    it(`is refused where its certificate has ${name}, though the authority signed it`, () =>
      assertStops(verdictOn(sealBy(issueSigner(AUTHORITY, SIGNER, parts))), `FOREIGN_CERTIFICATE ${why}`));

  it('is refused where the key of its signer is on P-521, which signs no codes', () =>
    assertStops(
      verdictOn(sealBy(issueSigner(AUTHORITY, makeEcSigner('P-521')))),
      'FOREIGN_CERTIFICATE KEY_INVALID',
    ));

  for (const [name, hex] of [
    ['a byte behind its end', (der: string) => `${der}00`],
    ['an indefinite length', (der: string) => `3080${der.slice(8)}0000`],
    ['a length of 4 GB', (der: string) => `3084ffffffff${der.slice(8)}`],
    ['nothing but a length', () => '308401000000'],
    ['one byte', () => '00'],
  ] as const)
    it(`is refused where its certificate has ${name}`, () => {
      const der = new Uint8Array(Buffer.from(hex(Buffer.from(DER).toString('hex')), 'hex'));
      return assertStops(verdictOn(sealBy(der)), 'FOREIGN_CERTIFICATE CERTIFICATE_MALFORMED');
    });

  it('is refused with another country than its certificate, as one of that country or of this', async () => {
    const ofGermany = await verdictOn(sealBy(DER, { hdr: { is: 'D' } }));
    assert.deepEqual(stopsOf(ofGermany), ['stop', 'FOREIGN_KEY_UNKNOWN']);
    const german = makeAuthority({ country: 'DE' });
    const adapter = sealAdapter({ authorities: [announcedAuthority(german)] });
    const text = sealBy(issueSigner(german, SIGNER));
    await assertStops(verdictOn(text, { adapter }), 'FOREIGN_CERTIFICATE COUNTRY');
  });

  it('T5 is refused where a region announces the authority of another country', async () => {
    const german = makeAuthority({ country: 'DE' });
    const adapter = sealAdapter({ authorities: [announcedAuthority(german)] });
    const text = sealBy(issueSigner(german, SIGNER), { hdr: { is: 'D' } });
    assert.ok(stopsOf(await verdictOn(text, { adapter })).includes('FOREIGN_ISSUER'));
  });

  it('is refused where somebody else signed the code, whoever issued the certificate', () =>
    assertStops(verdictOn(sealBy(DER, { signer: makeEcSigner() })), 'SIGNATURE_INVALID'));

  const at = (text: string) => Date.parse(text) / 1_000;
  const seconds = (time: number) => new Date(1_000 * time).toISOString().slice(0, 19);
  it('is held against the windows of signer, authority and adapter, to the second', async () => {
    const signerUntil = (time: number) => issueSigner(AUTHORITY, SIGNER, { until: seconds(time) });
    assert.deepEqual(stopsOf(await verdictOn(sealBy(signerUntil(NOW_S)))), ['pass']);
    await assertStops(verdictOn(sealBy(signerUntil(NOW_S - 1))), 'KEY_NOT_FOR_THIS');
    const notYet = issueSigner(AUTHORITY, SIGNER, { from: seconds(NOW_S + 1) });
    await assertStops(verdictOn(sealBy(notYet)), 'KEY_NOT_FOR_THIS');
    const until = (untilS: number) =>
      sealAdapter({ authorities: [{ ...announcedAuthority(AUTHORITY), untilS }] });
    assert.deepEqual(stopsOf(await verdictOn(sealBy(DER), { adapter: until(NOW_S) })), ['pass']);
    await assertStops(verdictOn(sealBy(DER), { adapter: until(NOW_S - 1) }), 'KEY_NOT_FOR_THIS authority');
    const later = sealAdapter({ authorities: [{ ...announcedAuthority(AUTHORITY), fromS: NOW_S + 1 }] });
    await assertStops(verdictOn(sealBy(DER), { adapter: later }), 'KEY_NOT_FOR_THIS authority');
    const over = sealAdapter({}, { untilS: NOW_S });
    await assertStops(verdictOn(sealBy(DER), { adapter: over }), 'KEY_NOT_FOR_THIS authority');
    assert.ok(NOW_S < at('2033-01-01T00:00:00Z'));
  });

  it('is refused once its signer is refused, also by a certificate that is spelled anew', async () => {
    const adapter = sealAdapter({ refused: [sealSignerName(sha256, SIGNER.publicKey as never)] });
    await assertStops(verdictOn(sealBy(DER), { adapter }), 'FOREIGN_CERTIFICATE SIGNER_REFUSED');
    const again = issueSigner(AUTHORITY, SIGNER);
    await assertStops(verdictOn(sealBy(again), { adapter }), 'FOREIGN_CERTIFICATE SIGNER_REFUSED');
    const signer = makeEcSigner();
    assert.equal(
      (await verdictOn(sealBy(issueSigner(AUTHORITY, signer), { signer }), { adapter })).outcome,
      'pass',
    );
  });

  it('goes by the key itself where the region announces that too', async () => {
    const key = sealKeyOf(DER);
    const adapter = sealAdapter({ keys: [{ ...key, untilS: NOW_S - 1 }] });
    await assertStops(verdictOn(sealBy(DER), { adapter }), 'KEY_NOT_FOR_THIS');
    assert.equal((await verdictOn(sealBy(DER), { adapter: sealAdapter({ keys: [key] }) })).outcome, 'pass');
    // By whatever certificate: the seal does not sign it, and so whoever holds it can have it spelled anew.
    const again = issueSigner(AUTHORITY, SIGNER);
    assert.notDeepEqual(again, DER);
    await assertStops(verdictOn(sealBy(again), { adapter }), 'KEY_NOT_FOR_THIS');
    const refused = [sealSignerName(sha256, SIGNER.publicKey as never)];
    for (const der of [DER, again])
      assert.equal(
        (await verdictOn(sealBy(der), { adapter: sealAdapter({ keys: [key], refused }) })).outcome,
        'pass',
      );
  });

  it('is undetermined, and no stop, while little is known of the region that may have announced another', async () => {
    const issuerKnowledge = { standing: 'forked' } as const;
    const { outcome, reasons } = await verdictOn(sealBy(issueSigner(other, SIGNER)), { issuerKnowledge });
    assert.equal(outcome, 'undetermined');
    assert.ok(reasons.some(({ code }) => code === 'KEY_NOT_YET_KNOWN'));
  });

  it('T5 counts for nobody who does not recognise the region by adapter', async () => {
    const directly = await verdictOn(sealBy(DER), { recognition: recognised('AT') });
    assert.notEqual(directly.outcome, 'pass');
    assert.notEqual((await verdictOn(sealBy(DER), { recognition: undefined })).outcome, 'pass');
    const suspended = await verdictOn(sealBy(DER), {
      recognition: recognised('AT', { way: 'adapter', standing: 'suspended' }),
    });
    assert.notEqual(suspended.outcome, 'pass');
  });

  it('never passes with any bit of its certificate turned', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(8 * DER.length - 1), async (bit) => {
        const der = DER.slice();
        der[bit >> 3] = (der[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.equal((await verdictOn(sealBy(der))).outcome, 'stop', `bit ${bit}`);
      }),
      { numRuns: 300 },
    ));
});

describe('announcesSigner', () => {
  it('finds an authority as it finds a key, for codes that a platform bridged under it', () => {
    const state = { adapters: () => [sealAdapter()].values() } as never;
    const signer = foreignSignerOf(sha256, 'vdsnc', { ...AUTHORITY.signer.publicKey });
    assert.equal(announcesSigner(sha256, state, signer, NOW_S), true);
    const other = foreignSignerOf(sha256, 'vdsnc', { ...SIGNER.publicKey });
    assert.equal(announcesSigner(sha256, state, other, NOW_S), false);
  });
});

describe('keySourceOf', () => {
  it('tries at most eight authorities of one name and key id, and says that there are more', () => {
    const { authority } = authorityOf(sha256, parseCertificate(AUTHORITY.certificate));
    const all = Array.from({ length: 9 }, (_, i) => ({ ...authority, fromS: authority.fromS - i }));
    const state = (count: number) =>
      ({
        region: 'AT',
        adapters: () => [sealAdapter({ authorities: all.slice(0, count) })].values(),
      }) as never;
    const candidates = (count: number) =>
      keySourceOf(sha256, state(count)).candidatesFor(parseSeal(sha256, sealBy(DER)));
    assert.deepEqual([candidates(8).keys.length, candidates(8).isCrowded], [8, false]);
    assert.deepEqual([candidates(9).keys.length, candidates(9).isCrowded], [8, true]);
  });
});

describe('readAdapter on authorities', () => {
  const AUTHORITIES = [
    makeAuthority(),
    makeAuthority({ signer: makeRsaSigner() }),
    makeAuthority({ signer: makeEcSigner('P-521') }),
  ].map(announcedAuthority);
  const refused = [new Uint8Array(8).fill(2), new Uint8Array(8).fill(1)];
  const drafted = (draft: Partial<AdapterDraft> = {}) =>
    adapterData({ rules: 'hcert', facts: {}, keys: [], authorities: AUTHORITIES, ...draft });
  const logged = (data: unknown): LoggedAdapter => ({
    ...{ id: 'seals', version: 1, fromS: 0, untilS: 4e9 },
    data: data as LoggedAdapter['data'],
  });

  it('is the reverse of adapterData, by way of bytes, in whatever order they were given', () => {
    const bytes = encodeCbor(drafted({ refused }));
    assert.deepEqual(
      encodeCbor(drafted({ refused, authorities: [...AUTHORITIES, ...AUTHORITIES].reverse() })),
      bytes,
    );
    const read = readAdapter(logged(decodeCbor(bytes, { bytesMax: 65_535 })));
    const byName = (all: readonly Authority[]) => all.toSorted((a, b) => compareBytes(a.keyId, b.keyId));
    assert.deepEqual(byName(read.authorities), byName(AUTHORITIES));
    assert.deepEqual([read.format, read.keys, read.refused], ['vdsnc', [], refused.toReversed()]);
  });

  const good = drafted({ refused }) as unknown as {
    authorities: Record<string, unknown>[];
    refused: Uint8Array[];
  };
  const withFirst = (change: object) => ({ ...good, authorities: [{ ...good.authorities[0], ...change }] });
  const key = { kind: 'ec', curve: 'P-521', x: new Uint8Array(66), y: new Uint8Array(66) };
  for (const [name, data] of [
    ['neither keys nor authorities', { ...good, authorities: undefined }],
    ['an empty list of authorities', { ...good, authorities: [] }],
    [
      '257 authorities',
      {
        ...good,
        authorities: Array.from({ length: 257 }, (_, from) => ({ ...good.authorities[0], from, until: 300 })),
      },
    ],
    ['authorities out of order', { ...good, authorities: good.authorities.toReversed() }],
    ['an authority twice', { ...good, authorities: [good.authorities[0], good.authorities[0]] }],
    ['authorities for another format', { ...good, format: 'hcert', keys: [hcertOnly()] }],
    [
      'refused signers for another format',
      { ...good, authorities: undefined, format: 'hcert', keys: [hcertOnly()] },
    ],
    ['a refused signer twice', { ...good, refused: [good.refused[0], good.refused[0]] }],
    ['refused signers out of order', { ...good, refused: good.refused.toReversed() }],
    [
      '1,025 refused signers',
      {
        ...good,
        refused: Array.from({ length: 1_025 }, (_, i) => Uint8Array.of(0, 0, 0, 0, 0, 0, i >> 8, i)),
      },
    ],
    ['a refused signer of 7 bytes', { ...good, refused: [new Uint8Array(7)] }],
    ['no refused signer in the list', { ...good, refused: [] }],
    ['a country in small letters', withFirst({ country: 'at' })],
    ['a country of three letters', withFirst({ country: 'AUT' })],
    ['a name of 31 bytes', withFirst({ name: new Uint8Array(31) })],
    ['a key id of no bytes', withFirst({ keyId: new Uint8Array(0) })],
    ['a key id of 65 bytes', withFirst({ keyId: new Uint8Array(65) })],
    ['no key id', withFirst({ keyId: undefined })],
    ['a key of Ed25519', withFirst({ key: { kind: 'ed25519', bytes: new Uint8Array(32).fill(9) } })],
    ['a coordinate of 65 bytes', withFirst({ key: { ...key, x: new Uint8Array(65) } })],
    ['an end before the begin', withFirst({ from: 2, until: 1 })],
    ['no end', withFirst({ until: undefined })],
    ['one more member', withFirst({ more: 1 })],
  ] as const)
    it(`refuses ${name}`, () => {
      const present = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
      assert.throws(
        () => readAdapter(logged(present)),
        (error) => isProtocolError(error, 'STATEMENT_MALFORMED'),
      );
    });

  it('takes P-521 of an authority, and not of a key', () => {
    assert.doesNotThrow(() => readAdapter(logged(withFirst({ key }))));
    const keys = [{ id: 'a', issuer: 'AT', key }];
    assert.throws(() => readAdapter(logged({ ...good, keys })));
  });

  function hcertOnly(): unknown {
    const { keys } = adapterData({ rules: 'hcert', facts: {}, keys: [hcertKey(SIGNER)] }) as unknown as {
      keys: unknown[];
    };
    return keys[0];
  }
});

describe('authorityOf', () => {
  const read = (certificate: Uint8Array) => authorityOf(sha256, parseCertificate(certificate));
  it('gives what an adapter announces, and the check of its own signature', () => {
    const { authority, check } = read(AUTHORITY.certificate);
    assert.deepEqual([authority.country, authority.keyId], ['AT', AUTHORITY.keyId]);
    assert.deepEqual(check.publicKey, AUTHORITY.signer.publicKey);
  });

  const keyId = extension('2.5.29.14', Buffer.from('0401aa', 'hex'));
  for (const [name, parts] of [
    ['no flag of one', { isAuthority: undefined as never }],
    ['no usage of one', { extensions: [keyId] }],
    ['no name of its key', { extensions: [keyUsageOf(CERT_SIGN)] }],
    ['no country', { country: '' }],
    ['another issuer', { issuer: 'Old' }],
    [
      'an unknown critical extension',
      {
        extensions: [keyUsageOf(CERT_SIGN), keyId, extension('1.2.3', Buffer.of(5, 0), { isCritical: true })],
      },
    ],
  ] as const)
    it(`refuses a certificate with ${name}`, () =>
      assert.throws(
        () => read(makeAuthority(parts).certificate),
        (error) => isProtocolError(error, 'KEY_INVALID'),
      ));
});
