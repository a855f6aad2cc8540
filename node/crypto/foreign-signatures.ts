/** Signatures of codes of others by node:crypto. Spec: SPEC.md 17.1. */
import * as crypto from 'node:crypto';
import {
  type EcPublicKey,
  type ForeignCheck,
  type ForeignPublicKey,
  HASH_BYTES,
  type HashName,
  passesForeignPrecheck,
  schemeOf,
} from '../../protocol/foreign/signature-check.ts';
import { opensslBackEnd } from './openssl.ts';

/** Reading a key takes as long as half a check, and a trust list keeps its keys: each is read once for as long as it lives. */
const keyObjects = new WeakMap<ForeignPublicKey, crypto.KeyObject | undefined>();

/** Answers a check. Total: a point off the curve is no key, and nothing is good under it. */
export function verifyForeignSignature(check: ForeignCheck): boolean {
  if (!passesForeignPrecheck(check)) return false;
  const { algorithm, publicKey, message, signature } = check;
  if (publicKey.kind === 'ed25519')
    return opensslBackEnd.verifySignature({ publicKey: publicKey.bytes, message, signature });
  const key = keyObjectOf(publicKey);
  const scheme = schemeOf(algorithm);
  if (key === undefined || scheme.kind === 'ed25519') return false;
  const hash = HASHES[scheme.hash];
  switch (scheme.padding) {
    case undefined:
      return crypto.verify(hash, message, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'pkcs1':
      return crypto.verify(hash, message, { key, padding: crypto.constants.RSA_PKCS1_PADDING }, signature);
    case 'pss': {
      const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
      return crypto.verify(hash, message, { key, padding, saltLength: HASH_BYTES[scheme.hash] }, signature);
    }
  }
}

const HASHES: Readonly<Record<HashName, string>> = {
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** As `verifyForeignSignature`, for an ECDSA signature in DER, which X.509 uses: OpenSSL takes only what it would write itself. */
export function verifyDerSignature(check: ForeignCheck & { readonly publicKey: EcPublicKey }): boolean {
  const key = keyObjectOf(check.publicKey);
  const hash = check.algorithm === 'ES384' ? 'sha384' : 'sha256';
  return key !== undefined && crypto.verify(hash, check.message, key, check.signature);
}

/** Tells whether a key is one that OpenSSL takes: a point that is on its curve. */
export function isForeignKey(key: ForeignPublicKey): boolean {
  return keyObjectOf(key) !== undefined;
}

/** The key as OpenSSL takes it; undefined for a point that is not on its curve. */
function keyObjectOf(key: ForeignPublicKey): crypto.KeyObject | undefined {
  if (!keyObjects.has(key)) keyObjects.set(key, readKey(key));
  return keyObjects.get(key);
}

function readKey(key: ForeignPublicKey): crypto.KeyObject | undefined {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  try {
    return crypto.createPublicKey({ key: jwkOf(key, text), format: 'jwk' });
  } catch {
    return undefined;
  }
}

function jwkOf(key: ForeignPublicKey, text: (bytes: Uint8Array) => string): crypto.JsonWebKey {
  switch (key.kind) {
    case 'ec':
      return { kty: 'EC', crv: key.curve, x: text(key.x), y: text(key.y) };
    case 'rsa':
      return { kty: 'RSA', n: text(key.modulus), e: text(key.exponent) };
    case 'ed25519':
      return { kty: 'OKP', crv: 'Ed25519', x: text(key.bytes) };
  }
}
