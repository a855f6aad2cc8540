/**
 * Signatures that codes of others and certificates of their signers carry, as data: ECDSA on curves of NIST, RSA, and Ed25519 by the one strict rule. Whoever has a
 * back end answers them; what back ends could disagree on is decided here, before they are asked. Spec: SPEC.md 17.1, 17.13.
 */
import { hexBytes } from '../bytes.ts';
import { isStrictKey, isStrictSignature } from '../signature/strict-ed25519.ts';

/** Curves of keys that sign codes. */
export const CODE_CURVES = ['P-256', 'P-384'] as const;
/** Those of keys that sign certificates too. */
export type EcCurve = (typeof CODE_CURVES)[number] | 'P-521';

/** A point by its coordinates, big-endian, each as long as the curve's field: 32, 48 or 66 bytes. */
export interface EcPublicKey {
  readonly kind: 'ec';
  readonly curve: EcCurve;
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/** Big-endian without leading zeros. */
export interface RsaPublicKey {
  readonly kind: 'rsa';
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

/** Of local codes alone: no other format knows it. */
export interface Ed25519PublicKey {
  readonly kind: 'ed25519';
  /** 32 bytes, canonical and not of small order. */
  readonly bytes: Uint8Array;
}

export type ForeignPublicKey = EcPublicKey | RsaPublicKey | Ed25519PublicKey;

/**
 * By the names of RFC 7518 and RFC 9053. With ES256 and ES384 the hash alone is meant: codes signed with ES256 under a P-384 key
 * are in circulation. PS256 has a salt of 32 bytes.
 */
export const FOREIGN_ALGORITHMS = ['ES256', 'ES384', 'PS256'] as const;
/** What local codes may be signed with: EdDSA is Ed25519 by the rule of SPEC.md 3. */
export const LOCAL_ALGORITHMS = [...FOREIGN_ALGORITHMS, 'EdDSA'] as const;
export type ForeignAlgorithm = (typeof LOCAL_ALGORITHMS)[number];
/** What certificates may be signed with: ECDSA, RSA by PKCS #1 v1.5 (RS), and RSA-PSS with a salt as long as the hash. */
export const CERTIFICATE_ALGORITHMS = [
  ...['ES256', 'ES384', 'ES512'],
  ...['RS256', 'RS384', 'RS512'],
  ...['PS256', 'PS384', 'PS512'],
] as readonly CertificateAlgorithm[];
export type CertificateAlgorithm = `${'ES' | 'RS' | 'PS'}${256 | 384 | 512}`;
export type CheckAlgorithm = ForeignAlgorithm | CertificateAlgorithm;

/** How a back end answers a check by an algorithm. The salt of `pss` is as long as the hash. */
export type Scheme =
  | { readonly kind: 'ec' | 'rsa'; readonly hash: HashName; readonly padding: 'pss' | 'pkcs1' | undefined }
  | { readonly kind: 'ed25519' };
/** By the names of WebCrypto. */
export type HashName = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** One signature to be checked. An ECDSA signature is r and s one behind the other, each as long as the curve's field. */
export interface ForeignCheck {
  readonly algorithm: CheckAlgorithm;
  readonly publicKey: ForeignPublicKey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Answers a check. Total: a key that is no key and a signature of any length are `false`. */
export type VerifyForeign = (check: ForeignCheck) => boolean | Promise<boolean>;

/** Bytes of a coordinate, of r and of s. */
export const FIELD_BYTES: Readonly<Record<EcCurve, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

/** Bits of an RSA modulus: fewer can be factored, more only cost time. */
export const RSA_BITS_MIN = 2_048;
export const RSA_BITS_MAX = 4_096;
/** Bytes of an RSA exponent: 65537 has three. */
const EXPONENT_BYTES_MAX = 4;

/** The order of each curve's group, big-endian. Spec: FIPS 186-5, SP 800-186. */
const GROUP_ORDER: Readonly<Record<EcCurve, Uint8Array>> = {
  'P-256': hexBytes('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  'P-384': hexBytes(
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
  'P-521': hexBytes(`01${'ff'.repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
};

/**
 * Tells whether a check is worth asking a back end: key and algorithm belong together, the key has the size of one, and the signature
 * its length, with r and s in 1 .. n-1. Total on bytes of any length.
 */
export function passesForeignPrecheck({ algorithm, publicKey, signature }: ForeignCheck): boolean {
  if (!fitsAlgorithm(publicKey, algorithm) || !isSound(publicKey)) return false;
  if (publicKey.kind === 'ed25519') return isStrictSignature(signature);
  if (publicKey.kind === 'rsa') return signature.length === publicKey.modulus.length;
  const size = FIELD_BYTES[publicKey.curve];
  const order = GROUP_ORDER[publicKey.curve];
  return (
    signature.length === 2 * size &&
    isScalar(signature.subarray(0, size), order) &&
    isScalar(signature.subarray(size), order)
  );
}

/** The scheme of an algorithm, which its name says. */
export function schemeOf(algorithm: CheckAlgorithm): Scheme {
  if (algorithm === 'EdDSA') return { kind: 'ed25519' };
  const hash = `SHA-${algorithm.slice(2) as '256' | '384' | '512'}` as const;
  if (algorithm.startsWith('ES')) return { kind: 'ec', hash, padding: undefined };
  return { kind: 'rsa', hash, padding: algorithm.startsWith('PS') ? 'pss' : 'pkcs1' };
}

/** Bytes of a hash, and of the salt beside it. */
export const HASH_BYTES: Readonly<Record<HashName, number>> = { 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };

/** Tells whether a signature by this algorithm can be one of this key. */
export function fitsAlgorithm({ kind }: ForeignPublicKey, algorithm: CheckAlgorithm): boolean {
  return kind === schemeOf(algorithm).kind;
}

/** A key of a size that is taken. Whether its point is on the curve only the back end finds. */
export function isSound(key: ForeignPublicKey): boolean {
  if (key.kind === 'ed25519') return isStrictKey(key.bytes);
  if (key.kind === 'ec') {
    const size = FIELD_BYTES[key.curve];
    return key.x.length === size && key.y.length === size;
  }
  const { modulus, exponent } = key;
  const bits = 8 * modulus.length - Math.clz32((modulus[0] ?? 0) << 24);
  const isOdd = ((exponent.at(-1) ?? 0) & (modulus.at(-1) ?? 0) & 1) === 1;
  const isAboveOne = exponent.length > 1 || (exponent[0] ?? 0) > 1;
  return (
    modulus[0] !== 0 &&
    bits >= RSA_BITS_MIN &&
    bits <= RSA_BITS_MAX &&
    isOdd &&
    isAboveOne &&
    exponent[0] !== 0 &&
    exponent.length <= EXPONENT_BYTES_MAX
  );
}

/** 1 .. order-1, both big-endian and of one length. */
function isScalar(bytes: Uint8Array, order: Uint8Array): boolean {
  if (bytes.every((byte) => byte === 0)) return false;
  const first = bytes.findIndex((byte, i) => byte !== order[i]);
  return first >= 0 && (bytes[first] ?? 0) < (order[first] ?? 0);
}
