/** Signers' keys out of X.509 certificates. Whoever put a certificate into a list of keys vouches for it: no chain is followed here. */
import * as crypto from 'node:crypto';
import { ProtocolError } from '../../protocol/fault.ts';
import { countryOf } from '../../protocol/foreign/country.ts';
import { type EcCurve, type ForeignPublicKey, isSound } from '../../protocol/foreign/signature-check.ts';

/** Bytes of a certificate: one of an RSA key of 4096 bits, signed by another, has 2 KB. */
export const CERTIFICATE_BYTES_MAX = 16_384;

export interface SignerCertificate {
  readonly publicKey: ForeignPublicKey;
  /** SHA-256 of the DER. */
  readonly fingerprint: Uint8Array;
  /** The country of its subject by two letters; empty where it names none, or several. */
  readonly country: string;
  /** Object identifiers of its extended key usages; empty where it has none. */
  readonly usages: readonly string[];
  /** It may issue others. */
  readonly isAuthority: boolean;
  readonly fromS: number;
  readonly untilS: number;
}

/** @throws {ProtocolError} KEY_INVALID for what is no certificate, or one whose key is of another kind than codes are signed with. */
export function readCertificate(der: Uint8Array): SignerCertificate {
  const certificate = openCertificate(der);
  // A usage that is there and empty is an empty string to Node.
  const usages = ((certificate.keyUsage as string[] | undefined) ?? []).filter((oid) => oid !== '');
  return {
    publicKey: publicKeyOf(keyObjectOf(certificate)),
    fingerprint: new Uint8Array(crypto.createHash('sha256').update(certificate.raw).digest()),
    country: countryNamed(certificate),
    usages,
    isAuthority: certificate.ca,
    fromS: Date.parse(certificate.validFrom) / 1_000,
    untilS: Date.parse(certificate.validTo) / 1_000,
  };
}

/** @throws {ProtocolError} KEY_INVALID */
export function openCertificate(der: Uint8Array): crypto.X509Certificate {
  if (der.length > CERTIFICATE_BYTES_MAX)
    throw new ProtocolError(
      'KEY_INVALID',
      `expected a certificate of at most ${CERTIFICATE_BYTES_MAX} bytes`,
    );
  try {
    return new crypto.X509Certificate(der);
  } catch (cause) {
    throw new ProtocolError('KEY_INVALID', 'expected an X.509 certificate', {}, { cause });
  }
}

/** The key in a certificate, which OpenSSL reads only now. @throws {ProtocolError} KEY_INVALID for what it can make no key of. */
function keyObjectOf(certificate: crypto.X509Certificate): crypto.KeyObject {
  try {
    return certificate.publicKey;
  } catch (cause) {
    throw new ProtocolError('KEY_INVALID', 'expected a key that can be read', {}, { cause });
  }
}

/** The country of a certificate's subject, as `SignerCertificate` has it. Node writes an attribute a line and escapes line breaks in their values. */
function countryNamed(certificate: crypto.X509Certificate): string {
  // Node has none for one that is empty.
  const subject = (certificate.subject as string | undefined) ?? '';
  const countries = subject.split('\n').filter((attribute) => attribute.startsWith('C='));
  const [, country = ''] = /^C=([A-Za-z]{2,3})$/.exec(countries.join('\n')) ?? [];
  return countryOf(country);
}

/** @throws {ProtocolError} KEY_INVALID for a key on another curve, of another kind, too short or too long. */
export function publicKeyOf(key: crypto.KeyObject): ForeignPublicKey {
  const read = readKey(key);
  if (read !== undefined && isSound(read)) return read;
  throw new ProtocolError('KEY_INVALID', 'expected a key on P-256 or P-384, or RSA with 2048 to 4096 bits');
}

function readKey(key: crypto.KeyObject): ForeignPublicKey | undefined {
  const bytes = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  if (key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss') {
    const { n, e } = plainRsa(key).export({ format: 'jwk' });
    return { kind: 'rsa', modulus: bytes(n), exponent: bytes(e) };
  }
  if (key.asymmetricKeyType !== 'ec') return undefined;
  const curve = CURVES.get(key.asymmetricKeyDetails?.namedCurve ?? '');
  if (curve === undefined) return undefined;
  const { x, y } = key.export({ format: 'jwk' });
  return { kind: 'ec', curve, x: bytes(x), y: bytes(y) };
}

/** By the names of OpenSSL. */
const CURVES: ReadonlyMap<string, EcCurve> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
]);

/** A key that X.509 confines to RSA-PSS as the bare numbers that it holds: Node gives those of no such key as JSON. */
function plainRsa(key: crypto.KeyObject): crypto.KeyObject {
  if (key.asymmetricKeyType === 'rsa') return key;
  // A sequence of the algorithm, a sequence itself, and a bit string that begins with a byte for unused bits.
  const spki = key.export({ format: 'der', type: 'spki' });
  const bits = contentOf(contentOf(spki).subarray(lengthOf(contentOf(spki))));
  return crypto.createPublicKey({ key: bits.subarray(1), format: 'der', type: 'pkcs1' });
}

/** What the first item of OpenSSL's own DER holds; its length takes one byte, or as many more as that says. */
function contentOf(der: Buffer): Buffer {
  return der.subarray(headOf(der), lengthOf(der));
}

function headOf(der: Buffer): number {
  const first = der[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function lengthOf(der: Buffer): number {
  const head = headOf(der);
  return head + (head === 2 ? (der[1] ?? 0) : der.readUIntBE(2, head - 2));
}
