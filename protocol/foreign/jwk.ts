/** Keys as JSON. Spec: SPEC.md 17.4, RFC 7517, RFC 7518 6, RFC 7638. */
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64-url.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { type Sha256 } from '../primitives.ts';
import { type Json } from './foreign-code.ts';
import { memberOf, textOf } from './foreign-json.ts';
import {
  CODE_CURVES,
  type EcPublicKey,
  type ForeignPublicKey,
  isSound,
  type RsaPublicKey,
} from './signature-check.ts';

/** Characters of a number in a key: 4,096 bits in base64url, and some. */
const NUMBER_CHARS_MAX = 700;

/**
 * The public key that a JWK holds.
 * @throws {ProtocolError} KEY_INVALID for another kind or curve, a size that is not taken, and one that holds its secret part.
 */
export function publicKeyOfJwk(jwk: Json | undefined): EcPublicKey | RsaPublicKey {
  if (memberOf(jwk, 'd') !== undefined) throw invalid('expected a public key, got a secret one');
  const key = readKey(jwk);
  if (key === undefined || !isSound(key))
    throw invalid('expected a key on P-256 or P-384, or RSA with 2048 to 4096 bits');
  return key;
}

/** The public key of a local code's signer: Ed25519 too (RFC 8037). @throws {ProtocolError} KEY_INVALID */
export function localKeyOfJwk(jwk: Json | undefined): ForeignPublicKey {
  if (memberOf(jwk, 'kty') !== 'OKP') return publicKeyOfJwk(jwk);
  if (memberOf(jwk, 'd') !== undefined) throw invalid('expected a public key, got a secret one');
  if (memberOf(jwk, 'crv') !== 'Ed25519') throw invalid('expected Ed25519 as the curve of an OKP key');
  const key = { kind: 'ed25519', bytes: numberOf(jwk, 'x') } as const;
  if (!isSound(key)) throw invalid('expected a canonical Ed25519 key that is not of small order');
  return key;
}

/** The thumbprint by which a key is named: base64url of a SHA-256. Spec: RFC 7638 3. */
export function thumbprintOf(sha256: Sha256, key: ForeignPublicKey): string {
  // Its required members in the order of their names, without white space.
  const json = membersOf(key);
  return encodeBase64Url(sha256(utf8Bytes(JSON.stringify(json))));
}

function membersOf(key: ForeignPublicKey): object {
  switch (key.kind) {
    case 'ec':
      return { crv: key.curve, kty: 'EC', x: encodeBase64Url(key.x), y: encodeBase64Url(key.y) };
    case 'rsa':
      return { e: encodeBase64Url(key.exponent), kty: 'RSA', n: encodeBase64Url(key.modulus) };
    case 'ed25519':
      return { crv: 'Ed25519', kty: 'OKP', x: encodeBase64Url(key.bytes) };
  }
}

function readKey(jwk: Json | undefined): EcPublicKey | RsaPublicKey | undefined {
  const kind = memberOf(jwk, 'kty');
  if (kind === 'RSA') return { kind: 'rsa', modulus: numberOf(jwk, 'n'), exponent: numberOf(jwk, 'e') };
  const curve = CODE_CURVES.find((name) => name === memberOf(jwk, 'crv'));
  if (kind !== 'EC' || curve === undefined) return undefined;
  return { kind: 'ec', curve, x: numberOf(jwk, 'x'), y: numberOf(jwk, 'y') };
}

function numberOf(jwk: Json | undefined, name: string): Uint8Array {
  const text = textOf(jwk, name, NUMBER_CHARS_MAX);
  if (text === undefined) throw invalid(`expected ${name} as text`);
  return decodeBase64Url(text, 'KEY_INVALID');
}

function invalid(message: string): ProtocolError {
  return new ProtocolError('KEY_INVALID', message);
}
