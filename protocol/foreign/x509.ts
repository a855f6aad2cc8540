/**
 * X.509 certificates, read strictly: the one encoding that DER has, version 3, each extension once, and nothing behind the end. What one says is its own word until
 * a signature by a key that is trusted proves it. Spec: SPEC.md 17.13, RFC 5280 4.1, ICAO Doc 9303-12.
 */
import { equalBytes, hexBytes, hexOf } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { countryOf } from './country.ts';
import { DerReader, malformed, TAG } from './der.ts';
import { X509_BYTES_MAX, X509_ITEMS_MAX, X509_SERIAL_BYTES_MAX } from './foreign-limits.ts';
import {
  type CertificateAlgorithm,
  type EcCurve,
  type EcPublicKey,
  FIELD_BYTES,
  isSound,
  type RsaPublicKey,
} from './signature-check.ts';
import { type Extensions, readExtensions } from './x509-extensions.ts';

/** Byte strings are views of what was parsed. */
export interface Certificate extends Extensions {
  /** Big-endian, 1 to 20 bytes. */
  readonly serial: Uint8Array;
  readonly algorithm: CertificateAlgorithm;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** Seconds since 1970, both included. */
  readonly fromS: number;
  readonly untilS: number;
  readonly publicKey: EcPublicKey | RsaPublicKey;
  /** What the signature covers. */
  readonly signed: Uint8Array;
  /** As it stands: of ECDSA in DER, see `signatureFor`. */
  readonly signature: Uint8Array;
}

export interface DistinguishedName {
  /** Its DER. */
  readonly bytes: Uint8Array;
  /** The one country that it names, by two letters; empty where it names none, or several. */
  readonly country: string;
}

const VERSION_3 = 'a003020102';
const COUNTRY = '2.5.4.6';

/**
 * @throws {ProtocolError} TOO_LARGE above 8,192 bytes; CERTIFICATE_MALFORMED; ALGORITHM_UNKNOWN for a signature algorithm that is not taken, KEY_INVALID for a
 * key of another kind, curve or size; ALGORITHM_MISMATCH if the algorithm that is signed is another than that of the signature.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > X509_BYTES_MAX)
    throw new ProtocolError('TOO_LARGE', `expected a certificate of at most ${X509_BYTES_MAX} bytes`, {
      bytes: der.length,
      bytesMax: X509_BYTES_MAX,
    });
  const outermost = new DerReader(der);
  const outer = outermost.within(TAG.sequence);
  outermost.end();
  const signed = outer.item(TAG.sequence);
  const algorithmBytes = outer.item(TAG.sequence).bytes;
  const signature = outer.wholeBits();
  outer.end();

  const inner = new DerReader(signed.content);
  if (hexOf(inner.item(0xa0).bytes) !== VERSION_3) throw malformed('expected a certificate of version 3');
  const serial = inner.unsigned(X509_SERIAL_BYTES_MAX);
  if (serial[0] === 0) throw malformed('expected a serial number above 0');
  if (!equalBytes(inner.item(TAG.sequence).bytes, algorithmBytes))
    throw new ProtocolError(
      'ALGORITHM_MISMATCH',
      'expected the algorithm that is signed to be that of the signature',
    );
  const issuer = readName(inner);
  const { fromS, untilS } = readValidity(inner);
  const subject = readName(inner);
  const keyBytes = inner.item(TAG.sequence).content;
  const extensions = readExtensions(inner);
  inner.end();
  return {
    ...{ serial, issuer, subject, fromS, untilS, signature },
    algorithm: algorithmOf(algorithmBytes),
    publicKey: publicKeyOf(keyBytes),
    signed: signed.bytes,
    ...extensions,
  };
}

/**
 * The signature of a certificate as checks have it: of ECDSA r and s one behind the other, each as long as the field of the key that is to have made it. Empty,
 * which no back end takes, where it cannot be one of that key.
 */
export function signatureFor(
  { algorithm, signature }: Pick<Certificate, 'algorithm' | 'signature'>,
  key: EcPublicKey | RsaPublicKey,
): Uint8Array {
  if (key.kind === 'rsa' || !algorithm.startsWith('ES')) return signature;
  const size = FIELD_BYTES[key.curve];
  const bytes = new Uint8Array(2 * size);
  try {
    const outer = new DerReader(signature);
    const pair = outer.within(TAG.sequence);
    outer.end();
    const [r, s] = [pair.unsigned(size), pair.unsigned(size)];
    pair.end();
    bytes.set(r, size - r.length);
    bytes.set(s, 2 * size - s.length);
    return bytes;
  } catch (error) {
    if (error instanceof ProtocolError) return new Uint8Array(0);
    throw error;
  }
}

function readName(reader: DerReader): DistinguishedName {
  const { bytes, content } = reader.item(TAG.sequence);
  const parts = new DerReader(content);
  const countries: string[] = [];
  for (let count = 0; !parts.isAtEnd; count++) {
    if (count >= X509_ITEMS_MAX) throw malformed('expected a name of fewer parts');
    for (const { tag, content: attribute } of parts.set(X509_ITEMS_MAX)) {
      if (tag !== TAG.sequence) throw malformed('expected the attribute of a name');
      const pair = new DerReader(attribute);
      const type = pair.oid();
      const value = pair.any();
      pair.end();
      if (type !== COUNTRY) continue;
      const isText = value.tag === TAG.printableString || value.tag === TAG.utf8String;
      countries.push(isText ? String.fromCharCode(...value.content.subarray(0, 4)) : '');
    }
  }
  const [country = ''] = countries;
  return {
    bytes,
    country: countries.length === 1 && /^[A-Za-z]{2,3}$/.test(country) ? countryOf(country) : '',
  };
}

function readValidity(reader: DerReader): { readonly fromS: number; readonly untilS: number } {
  const times = reader.within(TAG.sequence);
  const [fromS, untilS] = [times.time(), times.time()];
  times.end();
  if (fromS > untilS) throw malformed('expected an end that is not before the begin');
  return { fromS, untilS };
}

const SHA2 = { 256: '01', 384: '02', 512: '03' } as const;
const HASH_LENGTHS = { 256: '20', 384: '30', 512: '40' } as const;

/** Every way to write an algorithm that is taken, whole: there is nothing in them to choose but whether a hash has the parameter NULL (RFC 4055 2.1). */
const ALGORITHMS: ReadonlyMap<string, CertificateAlgorithm> = new Map(
  ([256, 384, 512] as const).flatMap((bits) => {
    const [ecdsa, pkcs1] = [
      { 256: '02', 384: '03', 512: '04' }[bits],
      { 256: '0b', 384: '0c', 512: '0d' }[bits],
    ];
    const oid = `06096086480165030402${SHA2[bits]}`;
    const withNull = `300d${oid}0500`;
    const bare = `300b${oid}`;
    return [
      [`300a06082a8648ce3d0403${ecdsa}`, `ES${bits}`],
      [`300d06092a864886f70d0101${pkcs1}0500`, `RS${bits}`],
      [pssOf(withNull, HASH_LENGTHS[bits]), `PS${bits}`],
      [pssOf(bare, HASH_LENGTHS[bits]), `PS${bits}`],
    ] as const;
  }),
);

/** RSASSA-PSS with one hash for all, and a salt as long as that. Spec: RFC 4055 3.1. */
function pssOf(hash: string, salt: string): string {
  const mask = tagged('30', `06092a864886f70d010108${hash}`);
  const parameters = tagged('30', `${tagged('a0', hash)}${tagged('a1', mask)}a2030201${salt}`);
  return tagged('30', `06092a864886f70d01010a${parameters}`);
}

/** Of fewer than 128 bytes. */
function tagged(tag: string, content: string): string {
  return `${tag}${(content.length / 2).toString(16).padStart(2, '0')}${content}`;
}

function algorithmOf(bytes: Uint8Array): CertificateAlgorithm {
  const algorithm = ALGORITHMS.get(hexOf(bytes));
  if (algorithm !== undefined) return algorithm;
  throw new ProtocolError('ALGORITHM_UNKNOWN', 'expected a certificate signed with ECDSA or RSA over SHA-2');
}

/** The algorithms of keys, whole. */
const CURVES: ReadonlyMap<string, EcCurve> = new Map([
  ['301306072a8648ce3d020106082a8648ce3d030107', 'P-256'],
  ['301006072a8648ce3d020106052b81040022', 'P-384'],
  ['301006072a8648ce3d020106052b81040023', 'P-521'],
]);
const RSA = hexBytes('300d06092a864886f70d0101010500');
const UNCOMPRESSED = 4;

function publicKeyOf(content: Uint8Array): EcPublicKey | RsaPublicKey {
  const info = new DerReader(content);
  const algorithm = info.item(TAG.sequence).bytes;
  const bits = info.wholeBits();
  info.end();
  const key = equalBytes(algorithm, RSA) ? rsaKeyOf(bits) : pointOf(CURVES.get(hexOf(algorithm)), bits);
  if (key !== undefined && isSound(key)) return key;
  throw new ProtocolError(
    'KEY_INVALID',
    'expected a key on P-256, P-384 or P-521 by its name, or RSA with 2048 to 4096 bits',
  );
}

function pointOf(curve: EcCurve | undefined, bits: Uint8Array): EcPublicKey | undefined {
  if (curve === undefined || bits[0] !== UNCOMPRESSED) return undefined;
  const size = FIELD_BYTES[curve];
  return { kind: 'ec', curve, x: bits.subarray(1, 1 + size), y: bits.subarray(1 + size) };
}

function rsaKeyOf(bits: Uint8Array): RsaPublicKey {
  const outer = new DerReader(bits);
  const numbers = outer.within(TAG.sequence);
  outer.end();
  const [modulus, exponent] = [numbers.unsigned(bits.length), numbers.unsigned(bits.length)];
  numbers.end();
  return { kind: 'rsa', modulus, exponent };
}
