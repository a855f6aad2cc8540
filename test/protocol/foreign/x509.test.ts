import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { concatBytes, hexBytes } from '../../../protocol/bytes.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { SIGNS_SEALS } from '../../../protocol/foreign/seal-signer.ts';
import { type ForeignCheck, type ForeignPublicKey } from '../../../protocol/foreign/signature-check.ts';
import { verifyWithWebCrypto } from '../../../protocol/foreign/web-signatures.ts';
import { parseCertificate, signatureFor } from '../../../protocol/foreign/x509.ts';
import { readCertificate } from '../../../node/foreign/certificate.ts';
import { verifyForeignSignature } from '../../../node/crypto/foreign-signatures.ts';
import {
  DIGITAL_SIGNATURE,
  issueSigner,
  keyUsageOf,
  makeAuthority,
  type SealSignerParts,
} from '../../support/csca-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { externalVectors } from '../../support/project.ts';
import { extension, oid, sequence, tlv } from '../../support/x509-fixture.ts';

const AUTHORITY = makeAuthority();
const SIGNER = makeEcSigner();
const GOOD = issueSigner(AUTHORITY, SIGNER);

function checkOf(der: Uint8Array, publicKey: ForeignPublicKey): ForeignCheck {
  assert(publicKey.kind !== 'ed25519');
  const certificate = parseCertificate(der);
  const { algorithm, signed: message } = certificate;
  return { algorithm, publicKey, message, signature: signatureFor(certificate, publicKey) };
}

/** What both back ends say, which has to be the same. */
async function answerOf(check: ForeignCheck): Promise<boolean> {
  const [native, web] = [verifyForeignSignature(check), await verifyWithWebCrypto(check)];
  assert.equal(native, web);
  return native;
}

function assertRefused(der: Uint8Array, fault: FaultCode): void {
  assert.throws(
    () => parseCertificate(der),
    (error) => isProtocolError(error, fault),
  );
}

describe('parseCertificate', () => {
  it('reads what node:crypto reads', () => {
    const read = parseCertificate(GOOD);
    const known = new crypto.X509Certificate(GOOD);
    assert.equal(Buffer.from(read.serial).toString('hex').toUpperCase(), known.serialNumber);
    assert.deepEqual(
      [read.fromS * 1_000, read.untilS * 1_000],
      [Date.parse(known.validFrom), Date.parse(known.validTo)],
    );
    assert.deepEqual(read.publicKey, SIGNER.publicKey);
    assert.deepEqual([read.issuer.country, read.subject.country], ['AT', 'AT']);
    assert.deepEqual(read.keyUsage, ['digitalSignature']);
    assert.deepEqual(read.extendedUsage, { oids: [SIGNS_SEALS], isCritical: true });
    assert.deepEqual(read.documentTypes, ['NV']);
    assert.deepEqual(read.authorityKeyId, AUTHORITY.keyId);
    assert.deepEqual([read.isAuthority, read.hasUnknownCritical], [false, false]);
    const authority = parseCertificate(AUTHORITY.certificate);
    assert.deepEqual(authority.subject.bytes, read.issuer.bytes);
    assert.deepEqual(authority.subjectKeyId, AUTHORITY.keyId);
    assert.deepEqual([authority.isAuthority, authority.keyUsage], [true, ['keyCertSign']]);
  });

  it('reads the certificates of seals in circulation, as node:crypto does', function () {
    const dir = externalVectors();
    if (dir === undefined) {
      console.log('      no vectors of others: skipped');
      this.skip();
    }
    const files = readdirSync(join(dir, 'vdsnc')).filter((name) => name.endsWith('.json'));
    for (const name of files) {
      const json: string = readFileSync(join(dir, 'vdsnc', name), 'utf8');
      for (const [, cer = ''] of json.matchAll(/"cer":\s*"([^"]+)"/g)) {
        const der: Uint8Array = new Uint8Array(Buffer.from(cer, 'base64url'));
        const [read, known] = [parseCertificate(der), readCertificate(der)] as const;
        assert.deepEqual(
          [read.publicKey, read.fromS, read.untilS],
          [known.publicKey, known.fromS, known.untilS],
        );
        assert.deepEqual([read.subject.country, read.isAuthority], [known.country, known.isAuthority]);
      }
    }
  });

  const rsa = makeRsaSigner();
  for (const [algorithm, signer] of [
    ['ES256', makeEcSigner()],
    ['ES384', makeEcSigner('P-384')],
    ['ES512', makeEcSigner('P-521')],
    ['ES256', makeEcSigner('P-521')],
    ['RS256', rsa],
    ['RS384', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['PS384', rsa],
    ['PS512', rsa],
  ] as const) {
    const { publicKey } = signer;
    const kind = publicKey.kind === 'ec' ? publicKey.curve : 'RSA';
    it(`reads a signature by ${algorithm} under ${kind}, which both back ends take, and of no other key`, async () => {
      const authority = makeAuthority({ signer, algorithm });
      const der = issueSigner(authority, SIGNER);
      assert.deepEqual(parseCertificate(authority.certificate).publicKey, publicKey);
      assert.equal(await answerOf(checkOf(der, publicKey)), true);
      for (const other of [makeEcSigner(), makeEcSigner('P-521'), rsa])
        if (other !== signer) assert.equal(await answerOf(checkOf(der, other.publicKey)), false);
    });
  }

  it('any bit turned is refused, by the reader or by the signature', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(8 * GOOD.length - 1), async (bit) => {
        const der = GOOD.slice();
        der[bit >> 3] = (der[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        let check: ForeignCheck;
        try {
          check = checkOf(der, AUTHORITY.signer.publicKey);
        } catch (error) {
          assert.ok(isProtocolError(error), String(error));
          return;
        }
        assert.equal(await answerOf(check), false);
      }),
      { numRuns: 1_500 },
    ));

  it('refuses every beginning of a certificate, and any bytes at all, by a fault alone', () => {
    for (let length = 0; length < GOOD.length; length++)
      assertRefused(GOOD.subarray(0, length), 'CERTIFICATE_MALFORMED');
    fc.assert(
      fc.property(fc.nat(GOOD.length - 1), fc.uint8Array({ minLength: 1, maxLength: 6 }), (at, bytes) => {
        const der = concatBytes(GOOD.subarray(0, at), bytes, GOOD.subarray(at + bytes.length));
        try {
          parseCertificate(der);
        } catch (error) {
          assert.ok(isProtocolError(error), String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  const zero = Uint8Array.of(0);
  const body = GOOD.subarray(4);
  const framed: readonly (readonly [string, Uint8Array])[] = [
    ['a byte behind the end', concatBytes(GOOD, zero)],
    ['an indefinite length', concatBytes(hexBytes('3080'), body, hexBytes('0000'))],
    ['a length in more bytes than it needs', concatBytes(hexBytes('308300'), GOOD.subarray(2))],
    ['a length of 4 GB', concatBytes(hexBytes('3084ffffffff'), body)],
    ['a length of 2^63', concatBytes(hexBytes('30887fffffffffffffff'), body)],
    ['a length in 127 bytes', concatBytes(hexBytes('30ff'), body)],
    ['a tag of two bytes', concatBytes(hexBytes('3f30'), GOOD.subarray(1))],
    ['a fourth item', new Uint8Array(sequence(body, tlv(0x05)))],
    ['a set around it', concatBytes(Uint8Array.of(0x31), GOOD.subarray(1))],
  ];
  for (const [name, der] of framed) it(`refuses ${name}`, () => assertRefused(der, 'CERTIFICATE_MALFORMED'));

  it('refuses one of 8,193 bytes before it reads it', () =>
    assertRefused(new Uint8Array(8_193), 'TOO_LARGE'));

  const withItem = (at: number, item: Uint8Array): SealSignerParts => ({
    change: (items) => items.map((one, i) => (i === at ? item : one)),
  });
  const number = (hex: string) => tlv(0x02, hexBytes(hex));
  const times = (from: Uint8Array, until: Uint8Array) => withItem(4, sequence(from, until));
  const utc = (text: string) => tlv(0x17, Buffer.from(text));
  const general = (text: string) => tlv(0x18, Buffer.from(text));
  const attribute = (type: string, value: string) => sequence(oid(type), tlv(0x13, Buffer.from(value)));
  const [country, common] = [attribute('2.5.4.6', 'AT'), attribute('2.5.4.3', 'Signer')];
  const more = (type: string, value: Uint8Array): SealSignerParts => ({ more: [extension(type, value)] });
  const signed: readonly (readonly [string, SealSignerParts])[] = [
    ['version 1', withItem(0, tlv(0xa0, number('00')))],
    ['no version', { change: (items) => items.slice(1) }],
    ['a serial number of 0', withItem(1, number('00'))],
    ['a negative serial number', withItem(1, number('ff'))],
    ['a padded serial number', withItem(1, number('0001'))],
    ['a serial number of 21 bytes', withItem(1, number('01'.repeat(21)))],
    ['no serial number', withItem(1, tlv(0x02))],
    ['an end before its begin', times(utc('300101000000Z'), utc('290101000000Z'))],
    ['30 February', times(utc('230230000000Z'), utc('290101000000Z'))],
    ['24 hours', times(utc('230101240000Z'), utc('290101000000Z'))],
    ['a time without seconds', times(utc('2301010000Z'), utc('290101000000Z'))],
    ['a time of a zone', times(general('20230101000000+0100'), utc('290101000000Z'))],
    ['a time with fractions', times(general('20230101000000.5Z'), utc('290101000000Z'))],
    ['a time with something behind it', times(general('20230101000000Z '), utc('290101000000Z'))],
    ['three times', withItem(4, sequence(utc('230101000000Z'), utc('290101000000Z'), utc('290101000000Z')))],
    ['a name whose part is out of order', withItem(5, sequence(tlv(0x31, common, country)))],
    ['a name whose part is empty', withItem(5, sequence(tlv(0x31)))],
    ['a name of 33 parts', withItem(5, sequence(...Array.from({ length: 33 }, () => tlv(0x31, common))))],
    [
      'an attribute with something behind it',
      withItem(5, sequence(tlv(0x31, sequence(common.subarray(2), tlv(0x05))))),
    ],
    [
      'an identifier of a unique issuer',
      { change: (items) => [...items.slice(0, 7), tlv(0x81, zero), ...items.slice(7)] },
    ],
    ['something behind the extensions', { change: (items) => [...items, tlv(0x05)] }],
    ['no extensions', { extensions: [] }],
    ['an empty list of extensions', withItem(7, tlv(0xa3, sequence()))],
    ['an extension twice', more('2.5.29.37', sequence(oid(SIGNS_SEALS)))],
    ['an unknown extension twice', { more: [extension('1.2.3', zero), extension('1.2.3', zero)] }],
    [
      'an extension that says that it is not critical',
      { more: [sequence(oid('1.2.3'), tlv(0x01, zero), tlv(0x04, zero))] },
    ],
    ['a truth value of 1', { more: [sequence(oid('1.2.3'), tlv(0x01, Buffer.of(1)), tlv(0x04, zero))] }],
    ['no flag of an authority, written', more('2.5.29.19', sequence(tlv(0x01, zero)))],
    ['something behind an extension', more('2.5.29.14', concatBytes(tlv(0x04, zero), zero))],
    ['33 extensions', { more: Array.from({ length: 33 }, (_, i) => extension(`1.2.3.${i}`, zero)) }],
    ['named bits with a zero at their end', { keyUsage: Buffer.of(6, 0x80) }],
    ['named bits with a bit behind their end', { keyUsage: Buffer.of(7, 0xc0) }],
    ['named bits with 8 unused ones', { keyUsage: Buffer.of(8, 0x80) }],
    ['named bits of no bytes', { keyUsage: Buffer.of() }],
    ['no extended key usage in the list', { extendedUsage: [] }],
    ['a list of document types out of order', { documentTypes: ['NV', 'NT'] }],
    ['a document type of three letters', { documentTypes: ['NVT'] }],
    ['the name of a key of 65 bytes', { keyId: new Uint8Array(65) }],
    ['the name of a key of no bytes', { keyId: new Uint8Array(0) }],
    [
      'an object identifier with a zero septet before it',
      { more: [sequence(tlv(0x06, hexBytes('2a8003')), tlv(0x04, zero))] },
    ],
    ['half an object identifier', { more: [sequence(tlv(0x06, hexBytes('2a83')), tlv(0x04, zero))] }],
    ['no object identifier', { more: [sequence(tlv(0x06), tlv(0x04, zero))] }],
  ];
  for (const [name, parts] of signed)
    it(`refuses ${name}, though an authority signed it`, () =>
      assertRefused(issueSigner(AUTHORITY, SIGNER, parts), 'CERTIFICATE_MALFORMED'));

  const explicit = sequence(oid('1.2.840.10045.2.1'), sequence(number('01')));
  const others: readonly (readonly [string, SealSignerParts, FaultCode])[] = [
    ['another algorithm in what is signed', { algorithmSigned: 'ES384' }, 'ALGORITHM_MISMATCH'],
    ['a curve that nobody knows', { isKeyUnreadable: true }, 'KEY_INVALID'],
    [
      'a curve by its parameters',
      withItem(6, sequence(explicit, tlv(0x03, Buffer.of(0, 4, 1, 1)))),
      'KEY_INVALID',
    ],
    [
      'a point that is squeezed',
      withItem(
        6,
        sequence(
          sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')),
          tlv(0x03, concatBytes(Uint8Array.of(0, 2), new Uint8Array(32))),
        ),
      ),
      'KEY_INVALID',
    ],
  ];
  for (const [name, parts, fault] of others)
    it(`refuses ${name}: ${fault}`, () => assertRefused(issueSigner(AUTHORITY, SIGNER, parts), fault));

  it('refuses RSA of 1024 bits, and a signature over SHA-1', () => {
    assertRefused(issueSigner(AUTHORITY, makeRsaSigner(1_024)), 'KEY_INVALID');
    const sha1 = (der: Uint8Array) =>
      new Uint8Array(
        Buffer.from(
          Buffer.from(der).toString('hex').replaceAll('06082a8648ce3d040302', '06082a8648ce3d040301'),
          'hex',
        ),
      );
    assertRefused(sha1(GOOD), 'ALGORITHM_UNKNOWN');
  });

  it('tells of a critical extension that is not known, and overlooks one that is not critical', () => {
    const isUnknown = (isCritical: boolean) =>
      parseCertificate(issueSigner(AUTHORITY, SIGNER, { more: [extension('1.2.3', zero, { isCritical })] }))
        .hasUnknownCritical;
    assert.deepEqual([isUnknown(true), isUnknown(false)], [true, false]);
  });

  it('names no country where there are two, none, or no text of letters', () => {
    const countryOf = (...parts: readonly Uint8Array[]) =>
      parseCertificate(
        issueSigner(AUTHORITY, SIGNER, withItem(5, sequence(...parts.map((part) => tlv(0x31, part))))),
      ).subject.country;
    assert.equal(countryOf(country, common), 'AT');
    assert.equal(countryOf(attribute('2.5.4.6', 'aut')), 'AT');
    for (const parts of [
      [country, country],
      [common],
      [attribute('2.5.4.6', 'A1')],
      [attribute('2.5.4.6', 'ATXX')],
    ])
      assert.equal(countryOf(...parts), '');
  });

  it('reads key usages by their bits', () => {
    const usageOf = (...bits: readonly number[]) =>
      parseCertificate(
        issueSigner(AUTHORITY, SIGNER, { keyUsage: null, more: [keyUsageOf(Buffer.of(...bits))] }),
      ).keyUsage;
    assert.deepEqual(usageOf(...DIGITAL_SIGNATURE), ['digitalSignature']);
    assert.deepEqual(usageOf(2, 0x84), ['digitalSignature', 'keyCertSign']);
    assert.deepEqual(usageOf(6, 0x40), []);
    assert.deepEqual(usageOf(7, 0x80, 0x80), ['digitalSignature']);
  });
});

describe('signatureFor', () => {
  const key = { kind: 'ec', curve: 'P-256', x: new Uint8Array(32), y: new Uint8Array(32) } as const;
  const pair = (r: string, s: string) => sequence(tlv(0x02, hexBytes(r)), tlv(0x02, hexBytes(s)));
  const ONE = tlv(0x02, Uint8Array.of(1));
  const lengthOf = (der: Uint8Array) => signatureFor({ algorithm: 'ES256', signature: der }, key).length;

  for (const [name, der] of [
    ['a number longer than the field', pair(`01${'00'.repeat(32)}`, '01')],
    ['a negative number', pair('ff', '01')],
    ['a padded number', pair('0001', '01')],
    ['three numbers', sequence(ONE, ONE, ONE)],
    ['something behind it', concatBytes(pair('01', '01'), Uint8Array.of(0))],
    ['no bytes', new Uint8Array(0)],
  ] as const)
    it(`gives none for ${name}`, () => assert.equal(lengthOf(der), 0));

  it('fills short numbers up to the field', () => {
    const signature = signatureFor({ algorithm: 'ES256', signature: pair('0080', '01') }, key);
    assert.deepEqual([signature.length, signature[31], signature[63]], [64, 0x80, 1]);
  });
});
