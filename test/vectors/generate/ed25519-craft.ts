/** Makes Ed25519 signatures with any part chosen freely, by someone who knows every secret in them. */
import { Point } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { asciiBytes, concatBytes, hexOf } from '../../../protocol/bytes.ts';

export interface Ed25519Vector {
  readonly name: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
  /** The signature holds the strict rule. */
  readonly good: boolean;
  /** The key may be a trust key. */
  readonly admissible: boolean;
}

/** The parts of a signature, each open to replacement. */
export interface Parts {
  readonly name: string;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly r: Uint8Array;
  readonly s: bigint;
}

export const P = 2n ** 255n - 19n;
export const L = Point.CURVE().n;
const TRIES_MAX = 10_000;

/** The eight points of small order: j times one of order 8. */
const TORSION = torsionPoints();

export const SECRET = scalarOf('entente vector key');
export const KEY = Point.BASE.multiply(SECRET);
export const NONCE = scalarOf('entente vector nonce');
export const R = Point.BASE.multiply(NONCE);

/** A signature by the book over `message`. */
export function signed(name: string, message: Uint8Array, secret = SECRET, nonce = NONCE): Parts {
  const key = Point.BASE.multiply(secret).toBytes();
  const r = Point.BASE.multiply(nonce).toBytes();
  return { name, key, message, r, s: (nonce + challenge(r, key, message) * secret) % L };
}

/** S for given bytes of key and R, over the first message for which `accepts` takes the challenge modulo 8. */
export function crafted(
  name: string,
  key: Uint8Array,
  r: Uint8Array,
  accepts: (challengeMod8: number) => boolean,
  secret = SECRET,
  nonce = NONCE,
): Parts {
  const message = search(
    (i) => asciiBytes(`${name} #${i}`),
    (m) => accepts(Number(challenge(r, key, m) % 8n)),
  );
  return { name, key, message, r, s: (nonce + challenge(r, key, message) * secret) % L };
}

export function good(parts: Parts, admissible = true): Ed25519Vector {
  return vectorOf(parts, true, admissible);
}

export function bad(parts: Parts, admissible = true): Ed25519Vector {
  return vectorOf(parts, false, admissible);
}

function vectorOf({ name, key, message, r, s }: Parts, isGood: boolean, admissible: boolean): Ed25519Vector {
  return {
    name,
    publicKey: hexOf(key),
    message: hexOf(message),
    signature: hexOf(concatBytes(r, littleEndian(s))),
    good: isGood,
    admissible,
  };
}

function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  return numberOf(sha512(concatBytes(r, key, message))) % L;
}

function torsionPoints(): Point[] {
  const generator = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  return Array.from({ length: 8 }, (_, j) => generator.multiply(BigInt(j), false));
}

export function torsionAt(j: number): Point {
  return TORSION[j] ?? Point.ZERO;
}

/** A scalar nobody chose. */
export function scalarOf(label: string): bigint {
  return (numberOf(sha512(asciiBytes(label))) % (L - 1n)) + 1n;
}

export function search<T>(make: (attempt: number) => T, accepts: (value: T) => boolean): T {
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const value = make(attempt);
    if (accepts(value)) return value;
  }
  throw new RangeError('no attempt was acceptable');
}

export function encodeY(y: bigint, sign: number): Uint8Array {
  return littleEndian(y + (BigInt(sign) << 255n));
}

export function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${hexOf(bytes.toReversed())}`);
}
