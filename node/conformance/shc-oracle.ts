/**
 * What a SMART Health Card is worth, once more and apart from the reader: Node's own base64, zlib, JSON and signatures, asked in a few lines. It
 * knows the signature and the issuer: a reader that refuses more than that fails the case, so that somebody looks at it.
 */
import * as crypto from 'node:crypto';
import { inflateRawSync } from 'node:zlib';

export interface TrustedSet {
  readonly issuer: string;
  readonly jwks: readonly crypto.JsonWebKey[];
}

/** Tells whether some key of the set made the signature by ES256, and the payload names the set's issuer. */
export function isSignedByIssuer(jws: string, { issuer, jwks }: TrustedSet): boolean {
  const [head = '', body = '', tail = '', ...more] = jws.split('.');
  try {
    const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as Record<
      string,
      unknown
    >;
    const payload = inflateRawSync(Buffer.from(body, 'base64url'), { maxOutputLength: 1_000_000 });
    const { iss } = JSON.parse(payload.toString('utf8')) as Record<string, unknown>;
    const keys = jwks.filter((jwk) => jwk['kid'] === kid);
    return (
      more.length === 0 &&
      alg === 'ES256' &&
      iss === issuer &&
      keys.some((jwk) => isGood(jwk, head, body, tail))
    );
  } catch {
    return false;
  }
}

/** Tells whether Node takes a key and its name is the SHA-256 of its members. */
export function isNamedKey(jwk: crypto.JsonWebKey): boolean {
  try {
    const { crv, kty, x, y } = crypto.createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' });
    const digest = crypto.createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
    return crv === 'P-256' && digest === jwk['kid'] && jwk.d === undefined;
  } catch {
    return false;
  }
}

function isGood(jwk: crypto.JsonWebKey, head: string, body: string, tail: string): boolean {
  const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
  const signature = Buffer.from(tail, 'base64url');
  return crypto.verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    { key, dsaEncoding: 'ieee-p1363' },
    signature,
  );
}
