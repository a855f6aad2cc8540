/** X.509 certificates made at run time, with as much of DER as that takes. */
import * as crypto from 'node:crypto';
import { type CertificateAlgorithm } from '../../protocol/foreign/signature-check.ts';
import { type ForeignSigner } from './foreign-keys.ts';

export interface CertificateParts {
  /** Empty for a name without one. */
  readonly country?: string;
  /** That of the issuer's name; by default the same. */
  readonly issuerCountry?: string;
  /** Object identifiers of extended key usages; an empty list makes an empty extension. */
  readonly usages?: readonly string[];
  readonly from?: string;
  readonly until?: string;
  /** Who signs it, by default itself. */
  readonly by?: Pick<ForeignSigner, 'privateKey'>;
  /** Makes it the certificate of an authority. */
  readonly isAuthority?: true;
  /** Empty for a name without one. */
  readonly subject?: string;
  readonly issuer?: string;
  /** Names an algorithm of keys that nobody knows. */
  readonly isKeyUnreadable?: true;
  /** By default that of the key with SHA-256: ECDSA, or RSA by PKCS #1 v1.5. */
  readonly algorithm?: CertificateAlgorithm;
  /** That which is signed; by default the same. */
  readonly algorithmSigned?: CertificateAlgorithm;
  /** Further ones, see `extension`. */
  readonly extensions?: readonly Uint8Array[];
  /** Changes what is signed. */
  readonly change?: (items: readonly Uint8Array[]) => readonly Uint8Array[];
}

export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

export const sequence = (...items: readonly Uint8Array[]) => tlv(0x30, ...items);

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const septets = [40 * first + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return tlv(0x06, Buffer.from(septets));
}

function name(country: string, commonName: string): Buffer {
  const attribute = (type: string, value: string) =>
    tlv(0x31, sequence(oid(type), tlv(0x13, Buffer.from(value))));
  const countries = country === '' ? [] : [attribute('2.5.4.6', country)];
  const names = commonName === '' ? [] : [attribute('2.5.4.3', commonName)];
  return sequence(...countries, ...names);
}

/** An extension of a certificate; `value` is its DER. */
export function extension(type: string, value: Uint8Array, { isCritical = false } = {}): Buffer {
  return sequence(oid(type), ...(isCritical ? [tlv(0x01, Buffer.of(0xff))] : []), tlv(0x04, value));
}

/** As certificates name it. */
export function algorithmBytes(algorithm: CertificateAlgorithm): Buffer {
  const at = (['256', '384', '512'] as const).indexOf(algorithm.slice(2) as '256' | '384' | '512');
  if (algorithm.startsWith('ES')) return sequence(oid(`1.2.840.10045.4.3.${2 + at}`));
  if (algorithm.startsWith('RS')) return sequence(oid(`1.2.840.113549.1.1.${11 + at}`), tlv(0x05));
  const hash = sequence(oid(`2.16.840.1.101.3.4.2.${1 + at}`), tlv(0x05));
  const mask = sequence(oid('1.2.840.113549.1.1.8'), hash);
  const salt = tlv(0x02, Buffer.of(32 + 16 * at));
  return sequence(oid('1.2.840.113549.1.1.10'), sequence(tlv(0xa0, hash), tlv(0xa1, mask), tlv(0xa2, salt)));
}

function signed(algorithm: CertificateAlgorithm, key: crypto.KeyObject, body: Uint8Array): Uint8Array {
  const padding =
    crypto.constants[algorithm.startsWith('PS') ? 'RSA_PKCS1_PSS_PADDING' : 'RSA_PKCS1_PADDING'];
  const options = algorithm.startsWith('ES')
    ? { key }
    : { key, padding, saltLength: Number(algorithm.slice(2)) / 8 };
  return crypto.sign(`sha${algorithm.slice(2)}`, body, options);
}

const EC_KEY = oid('1.2.840.10045.2.1');

const time = (text: string) => tlv(0x18, Buffer.from(text.replaceAll(/[-:T]/g, '').replace(/Z?$/, 'Z')));

/** DER. */
export function makeCertificate(
  signer: Pick<ForeignSigner, 'privateKey'>,
  parts: CertificateParts = {},
): Uint8Array {
  const { country = 'AT', usages, from = '2023-01-01T00:00:00Z', until = '2033-01-01T00:00:00Z' } = parts;
  const { by = signer, isAuthority, subject = 'Signer', issuer = subject, issuerCountry = country } = parts;
  const key = crypto.createPublicKey(signer.privateKey).export({ format: 'der', type: 'spki' });
  if (parts.isKeyUnreadable === true) key[key.indexOf(EC_KEY) + EC_KEY.length - 1] = 9;
  const isRsa = by.privateKey.asymmetricKeyType === 'rsa';
  const {
    algorithm = isRsa ? 'RS256' : 'ES256',
    algorithmSigned = algorithm,
    change = (items) => items,
  } = parts;
  const extensions = [
    ...(usages === undefined ? [] : [extension('2.5.29.37', sequence(...usages.map(oid)))]),
    ...(isAuthority === true
      ? [extension('2.5.29.19', sequence(tlv(0x01, Buffer.of(0xff))), { isCritical: true })]
      : []),
    ...(parts.extensions ?? []),
  ];
  const items = [
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.of(0x01, ...crypto.randomBytes(8))),
    algorithmBytes(algorithmSigned),
    name(issuerCountry, issuer),
    sequence(time(from), time(until)),
    name(country, subject),
    key,
    ...(extensions.length === 0 ? [] : [tlv(0xa3, sequence(...extensions))]),
  ];
  const body = sequence(...change(items));
  const signature = signed(algorithm, by.privateKey, body);
  return new Uint8Array(sequence(body, algorithmBytes(algorithm), tlv(0x03, Buffer.of(0), signature)));
}
