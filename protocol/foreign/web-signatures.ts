/** Signatures of codes of others by WebCrypto: in browsers, and wherever else an engine has it. */
import { concatBytes } from '../bytes.ts';
import { encodeBase64Url } from '../encoding/base64-url.ts';
import { verifyWithNoble } from '../signature/noble.ts';
import {
  type Ed25519PublicKey,
  type ForeignCheck,
  type ForeignPublicKey,
  HASH_BYTES,
  passesForeignPrecheck,
  type Scheme,
  schemeOf,
} from './signature-check.ts';

// The part of WebCrypto that is used here; keys stay opaque.
declare const crypto: { readonly subtle: Subtle };
interface Subtle {
  importKey(
    format: 'raw' | 'jwk',
    key: Uint8Array | object,
    algorithm: object,
    extractable: false,
    usages: readonly ['verify'],
  ): Promise<object>;
  verify(algorithm: object, key: object, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
}

const UNCOMPRESSED = Uint8Array.of(4);

type Hashed = Exclude<Scheme, { readonly kind: 'ed25519' }>;

/** Answers as the native back end does. Total: what WebCrypto refuses to import is no key. */
export async function verifyWithWebCrypto(check: ForeignCheck): Promise<boolean> {
  if (!passesForeignPrecheck(check)) return false;
  const { algorithm, publicKey, message, signature } = check;
  // What browsers themselves take for a good Ed25519 signature differs from one to the next.
  const scheme = schemeOf(algorithm);
  if (publicKey.kind === 'ed25519' || scheme.kind === 'ed25519')
    return (
      publicKey.kind === 'ed25519' && verifyWithNoble({ publicKey: publicKey.bytes, message, signature })
    );
  let key: object;
  try {
    key = await importKey(publicKey, scheme);
  } catch {
    return false;
  }
  return crypto.subtle.verify(parametersOf(scheme), key, signature, message);
}

function parametersOf({ hash, padding }: Hashed): object {
  if (padding === undefined) return { name: 'ECDSA', hash };
  return { name: nameOf(padding), ...(padding === 'pss' && { saltLength: HASH_BYTES[hash] }) };
}

function nameOf(padding: 'pss' | 'pkcs1'): string {
  return padding === 'pss' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5';
}

function importKey(
  key: Exclude<ForeignPublicKey, Ed25519PublicKey>,
  { hash, padding = 'pss' }: Hashed,
): Promise<object> {
  const usages = ['verify'] as const;
  if (key.kind === 'ec') {
    const point = concatBytes(UNCOMPRESSED, key.x, key.y);
    return crypto.subtle.importKey('raw', point, { name: 'ECDSA', namedCurve: key.curve }, false, usages);
  }
  const jwk = { kty: 'RSA', n: encodeBase64Url(key.modulus), e: encodeBase64Url(key.exponent) };
  return crypto.subtle.importKey('jwk', jwk, { name: nameOf(padding), hash }, false, usages);
}
