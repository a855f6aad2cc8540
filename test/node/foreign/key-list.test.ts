import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { encodeBase64Url } from '../../../protocol/encoding/base64-url.ts';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { type KeyList, readKeyList } from '../../../node/foreign/key-list.ts';
import { sealKeyOf } from '../../../node/foreign/seal-key.ts';
import { cardKey, ISSUER, jwkOf } from '../../support/card-fixture.ts';
import {
  announcedAuthority,
  type AuthorityParts,
  CERT_SIGN,
  keyUsageOf,
  makeAuthority,
} from '../../support/csca-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER, { usages: ['1.3.6.1.4.1.1847.2021.1.2'] });
const SEALS = makeCertificate(SIGNER, { usages: ['2.23.136.1.1.14.2'] });
const AUTHORITY = makeAuthority({ signer: makeRsaSigner() }).certificate;
const [RSA, isKeyUnreadable] = [makeRsaSigner(), true] as const;
const UNREADABLE = makeCertificate(SIGNER, { by: RSA, isKeyUnreadable });
const authorityWith = (parts: AuthorityParts) => makeAuthority({ signer: SIGNER, ...parts }).certificate;
const OTHER = makeCertificate(makeRsaSigner());
const NAMELESS = makeCertificate(SIGNER, { country: '', subject: '' });
const text = (bytes: Uint8Array) => encodeBase64(bytes);
const pem = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${text(der).replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
const bytesOf = (content: unknown) =>
  new Uint8Array(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)));

const did = (name: string, jwk: object) => ({
  id: `did:web:tng.example:v2:trustlist:DCC:AUT:${name}`,
  type: 'JsonWebKey2020',
  publicKeyJwk: jwk,
});

describe('readKeyList', () => {
  const hcert = hcertKeyOf(DER);
  const { kid, ...unnamed } = jwkOf(SIGNER);
  assert.ok(kid);
  for (const [name, content, keys] of [
    ['a certificate as DER', DER, [hcert]],
    ['certificates as PEM', `about them\n${pem(DER)}${pem(OTHER)}`, [hcert, hcertKeyOf(OTHER)]],
    ['a signer of seals', SEALS, [sealKeyOf(SEALS)]],
    ['a certificate whose subject is empty', NAMELESS, [hcertKeyOf(NAMELESS)]],
    ["a gateway's list", [{ kid: 'x', country: 'DE', rawData: text(DER) }], [hcertKeyOf(DER, 'DE')]],
    [
      "a gateway's list in small letters, and with what is no country",
      [
        { country: 'de', rawData: text(DER) },
        { country: '', rawData: text(DER) },
        { country: '12', rawData: text(DER) },
      ],
      [hcertKeyOf(DER, 'DE'), hcert, hcert],
    ],
    ['a list behind a byte order mark', `\ufeff${JSON.stringify([{ rawData: text(DER) }])}`, [hcert]],
    ['a list under a heading', { certificates: [{ certificate: text(DER) }] }, [hcert]],
    ['a list with chains', [{ x5c: [text(DER), text(AUTHORITY)] }], [hcert]],
    [
      'a did document with certificates',
      {
        verificationMethod: [
          did('DSC#x', { ...unnamed, x5c: [text(DER)] }),
          did('SCA#y', unnamed),
          'did:web:other',
        ],
      },
      [hcert],
    ],
    [
      'a did document with bare keys, by the name of the key or that of the method',
      {
        verificationMethod: [
          did('DSC#AQIDBAUGBwg=', { ...unnamed, kid: 'CAcGBQQDAgE=' }),
          did('DSC#AQIDBAUGBwg=', unnamed),
        ],
      },
      ['CAcGBQQDAgE=', 'AQIDBAUGBwg='].map((keyId) => ({
        format: 'hcert',
        keyId,
        issuer: 'AT',
        publicKey: SIGNER.publicKey,
      })),
    ],
  ] as const) {
    it(`reads ${name}`, () => {
      const list = readKeyList(content instanceof Uint8Array ? content : bytesOf(content));
      assert.deepEqual(list, { keys, authorities: [], leftOut: [] });
    });
  }

  it('reads a directory of issuers of cards, and says that it is one', () => {
    const directory = { issuerInfo: [{ issuer: { iss: ISSUER, name: 'x' }, keys: [jwkOf(SIGNER)] }] };
    const list = readKeyList(bytesOf(directory));
    assert.deepEqual(list, { keys: [cardKey(SIGNER)], authorities: [], leftOut: [], isDirectory: true });
  });

  it('reads the key set of an issuer of cards, whose address has to be told', () => {
    const set = bytesOf({ keys: [jwkOf(SIGNER)] });
    assert.deepEqual(readKeyList(set, { issuer: ISSUER }).keys, [cardKey(SIGNER)]);
    assertRefused(set, 'CLAIMS_MALFORMED');
  });

  it("takes of a gateway's whole list what signs codes and what issues that, by the type that it gives", () => {
    const entry = (certificateType: unknown, der: Uint8Array) => ({
      kid: 'x',
      country: 'DE',
      certificateType,
      rawData: text(der),
    });
    const plain = makeCertificate(makeEcSigner());
    const all = [
      entry('AUTHENTICATION', plain),
      entry('UPLOAD', plain),
      entry('CSCA', AUTHORITY),
      entry('DSC', DER),
    ];
    const { keys, authorities, leftOut } = readKeyList(bytesOf(all));
    assert.deepEqual(keys, [hcertKeyOf(DER, 'DE')]);
    assert.equal(authorities.length, 1);
    assert.deepEqual(
      leftOut.map((why) => why.replace(/^entry (\d): .*, got /, '$1 ')),
      ['0 AUTHENTICATION', '1 UPLOAD'],
    );
    for (const [type, der] of [
      ['dsc', DER],
      ['', DER],
      [7, DER],
      ['DSC', AUTHORITY],
      ['CSCA', plain],
    ] as const) {
      const read = readKeyList(bytesOf([entry(type, der)]));
      assert.deepEqual([read.keys, read.authorities, read.leftOut.length], [[], [], 1]);
    }
  });

  it('keeps authorities apart: they sign no codes', () => {
    const { keys, authorities } = readKeyList(bytesOf(pem(AUTHORITY)));
    assert.deepEqual([keys, authorities], [[], [announcedAuthority({ certificate: AUTHORITY })]]);
  });

  for (const [name, content, reason] of [
    ['a certificate that is none', [{ rawData: 'AAAA' }, { rawData: text(DER) }], /^entry 0: KEY_INVALID/],
    [
      'a certificate whose key cannot be read',
      [{ rawData: text(UNREADABLE) }, { rawData: text(DER) }],
      /^entry 0: KEY_INVALID: .*key that can be read/,
    ],
    [
      'an authority whose key cannot be read',
      [{ rawData: text(authorityWith({ by: RSA, isKeyUnreadable })) }, { rawData: text(DER) }],
      /^entry 0: KEY_INVALID: .*key on P-256/,
    ],
    [
      'an authority of no country',
      [{ rawData: text(authorityWith({ country: '' })) }, { rawData: text(DER) }],
      /^entry 0: KEY_INVALID: .*country/,
    ],
    [
      'an authority that does not name its key',
      [{ rawData: text(authorityWith({ extensions: [keyUsageOf(CERT_SIGN)] })) }, { rawData: text(DER) }],
      /^entry 0: KEY_INVALID: .*names its key/,
    ],
    [
      'an authority that another one issued',
      [{ rawData: text(authorityWith({ issuer: 'Old', by: RSA })) }, { rawData: text(DER) }],
      /^entry 0: KEY_INVALID: .*signed itself/,
    ],
    [
      'an authority whose own signature is not good',
      [{ rawData: text(authorityWith({ by: makeEcSigner() })) }, { rawData: text(DER) }],
      /^entry 0: SIGNATURE_INVALID/,
    ],
    ['an entry without one', [{}, { rawData: text(DER) }], /^entry 0: KEY_INVALID/],
    ['a certificate too long', [{ rawData: 'A'.repeat(40_000) }, { rawData: text(DER) }], /^entry 0/],
    [
      'a key on another curve',
      {
        verificationMethod: [
          did('DSC#AQIDBAUGBwg=', { ...unnamed, crv: 'P-521' }),
          did('DSC#AQIDBAUGBwg=', unnamed),
        ],
      },
      /KEY_INVALID/,
    ],
    [
      'a point off the curve',
      {
        verificationMethod: [
          did('DSC#AQIDBAUGBwg=', { ...unnamed, x: encodeBase64Url(new Uint8Array(32)) }),
          did('DSC#AQIDBAUGBwg=', unnamed),
        ],
      },
      /point/,
    ],
    [
      'a key id that is none',
      { verificationMethod: [did('DSC#key', unnamed), did('DSC#AQIDBAUGBwg=', unnamed)] },
      /key id/,
    ],
    [
      'an issuer that is no address',
      {
        issuerInfo: [
          { issuer: { iss: 'x' }, keys: [] },
          { issuer: { iss: ISSUER }, keys: [jwkOf(SIGNER)] },
        ],
      },
      /^issuer 0/,
    ],
    [
      'a card key by another name',
      { issuerInfo: [{ issuer: { iss: ISSUER }, keys: [jwkOf(SIGNER, { kid: 'x' }), jwkOf(SIGNER)] }] },
      /^issuer 0, key 0/,
    ],
  ] as const) {
    it(`leaves out ${name}, says why and takes the rest`, () => {
      const { keys, leftOut } = readKeyList(bytesOf(content));
      assert.deepEqual([keys.length, leftOut.length], [1, 1]);
      assert.match(leftOut[0] ?? '', reason);
    });
  }

  it('is not stopped by any single byte of a certificate changed', () => {
    for (let i = 0; i < DER.length; i++) {
      const mutant = DER.slice();
      mutant[i] = (mutant[i] ?? 0) ^ 0x81;
      const { keys, authorities, leftOut } = readKeyList(
        bytesOf([{ rawData: text(mutant) }, { rawData: text(DER) }]),
      );
      assert.equal(keys.length + authorities.length + leftOut.length, 2, `byte ${i}`);
      assert.deepEqual(keys.at(-1), hcert, `byte ${i}`);
    }
  });

  it('reads whose key it is from the id of a method, and takes no other part of it for a country', () => {
    const start = 'did:web:tng.example:v2:trustlist';
    for (const [id, issuer] of [
      [`${start}:DCC:DEU:DSC#AQIDBAUGBwg=`, 'DE'],
      [`${start}:-:FRA:DSC#AQIDBAUGBwg=`, 'FR'],
      [`${start}:RACSEL-DDVC:XXA:DSC`, 'XXA'],
      [`${start}:DCC:DSC#AQIDBAUGBwg=`, ''],
      [`${start}:DSC#AQIDBAUGBwg=`, ''],
      [`${start}:DCC:deu:DSC#AQIDBAUGBwg=`, ''],
    ] as const) {
      const document = { verificationMethod: [{ id, publicKeyJwk: { ...unnamed, kid: 'AQIDBAUGBwg=' } }] };
      assert.equal(readKeyList(bytesOf(document)).keys[0]?.issuer, issuer, id);
    }
  });

  it('gives a certificate in a did document the country of the id', () => {
    const method = did('DSC#x', { ...unnamed, x5c: [text(DER)] });
    const german = { ...method, id: method.id.replace('AUT', 'DEU') };
    assert.equal(readKeyList(bytesOf({ verificationMethod: [german] })).keys[0]?.issuer, 'DE');
  });

  function assertRefused(content: Uint8Array, code: Parameters<typeof isProtocolError>[1]): void {
    assert.throws(
      () => readKeyList(content),
      (error) => isProtocolError(error, code),
    );
  }

  it('refuses what is no list', () => {
    assertRefused(new Uint8Array(0), 'JSON_MALFORMED');
    assertRefused(bytesOf('{'), 'JSON_MALFORMED');
    assertRefused(Uint8Array.of(0xff), 'UTF8_MALFORMED');
    for (const json of ['1', 'null', '{}', '[]', '{"verificationMethod":[]}'])
      assertRefused(bytesOf(json), 'CLAIMS_MALFORMED');
  });

  it('refuses 10^6 keys before it reads one', () => {
    assertRefused(bytesOf(`[${'0,'.repeat(999_999)}0]`), 'TOO_LARGE');
  });

  it('takes a bare certificate that cannot be read as no key', () => {
    const { keys, leftOut }: KeyList = readKeyList(DER.subarray(0, -1));
    assert.deepEqual([keys.length, leftOut.length], [0, 1]);
  });
});
