/**
 * The part of the strict Ed25519 rule that bytes alone decide. Curve libraries disagree exactly here, so every
 * back end runs this first and leaves to its library only what all of them agree on: the equation
 * encode(sB - kA) = R. Spec: SPEC.md 3, RFC 8032 5.1.7.
 */
import { type SignatureCheck } from '../primitives.ts';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** Bytes of a signed message: what OpenSSL takes in one call. Everything signed here is smaller by far. */
export const MESSAGE_BYTES_MAX = 2 ** 31 - 1;

// Little-endian. The y of the four points of order 8 are this one and its negative; each stands for two points.
const ORDER_8_Y = bytesOf('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
const ORDER_8_Y_NEGATIVE = bytesOf('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
/** L, the order of the prime subgroup: 2^252 + 27742317777372353535851937790883648493. */
const GROUP_ORDER = bytesOf('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

/**
 * Tells whether a check is worth the curve arithmetic: no signature that fails here is accepted by the rule, and
 * for one that passes only the equation is left. Total on bytes of any length.
 */
export function passesPrecheck(check: SignatureCheck): boolean {
  return (
    isStrictSignature(check.signature) &&
    isStrictKey(check.publicKey) &&
    check.message.length <= MESSAGE_BYTES_MAX
  );
}

/**
 * 32 bytes whose y is below p and not that of a point of small order. Says nothing about the curve: half of such
 * strings are no point at all, which the equation finds. A caller that admitted the key before may skip this.
 */
export function isStrictKey(publicKey: Uint8Array): boolean {
  return publicKey.length === PUBLIC_KEY_BYTES && isStrictPoint(publicKey);
}

/** 64 bytes, R as strict as a key, S below L: so no signature has a second spelling. */
export function isStrictSignature(signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && isReducedScalar(signature) && isStrictPoint(signature);
}

// The casts below read inside lengths that the exported functions have checked.

/**
 * Looks at the first 32 bytes. The sign of x does not matter: both signs of a small-order y are of small order, and
 * x = 0 with the sign set, which is not canonical, occurs only for y = 1 and y = p - 1, refused with either sign.
 */
function isStrictPoint(bytes: Uint8Array): boolean {
  const low = bytes[0] as number;
  switch ((bytes[31] as number) & 0x7f) {
    case 0x7f: // p = 2^255 - 19 ends in 0xed: refuses p - 1 (order 2) and everything from p on
      return low < 0xec || !isFilled(bytes, 0xff);
    case 0x00: // 0 (order 4) and 1 (the identity)
      return low > 1 || !isFilled(bytes, 0x00);
    case 0x05:
      return !startsWith(bytes, ORDER_8_Y);
    case 0x7a:
      return !startsWith(bytes, ORDER_8_Y_NEGATIVE);
    default:
      return true;
  }
}

/** Bytes 1 .. 30 all have this value. */
function isFilled(bytes: Uint8Array, value: number): boolean {
  for (let i = 1; i < 31; i++) if (bytes[i] !== value) return false;
  return true;
}

/** The first 31 bytes; the last one was the caller's to compare. */
function startsWith(bytes: Uint8Array, point: Uint8Array): boolean {
  for (let i = 0; i < 31; i++) if (bytes[i] !== point[i]) return false;
  return true;
}

/** S, the last 32 bytes of a signature, is below L. */
function isReducedScalar(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const digit = signature[32 + i] as number;
    const bound = GROUP_ORDER[i] as number;
    if (digit !== bound) return digit < bound;
  }
  return false;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
