/**
 * The strict Ed25519 rule once more, written from SPEC.md 3 and RFC 8032 5.1 alone, slowly and without a curve
 * library, so that back ends which agree with each other can still be found wrong. For public data only: the time it
 * takes depends on what it reads. A few milliseconds a check.
 */
import { createHash } from 'node:crypto';
import { type SignatureCheck } from '../../protocol/primitives.ts';

/** The clauses of SPEC.md 3, in the order in which they are looked at. */
export type Clause = 'LENGTH' | 'SCALAR' | 'ENCODING' | 'SMALL_ORDER' | 'EQUATION';

/** A point (X : Y : Z) with x = X/Z and y = Y/Z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const NEUTRAL: Point = { x: 0n, y: 1n, z: 1n };
const BASE = baseOf(mod(4n * power(5n, P - 2n)));

/** The first clause that the check breaks, or undefined if the signature is good. */
export function brokenClause({ publicKey, message, signature }: SignatureCheck): Clause | undefined {
  if (publicKey.length !== 32 || signature.length !== 64) return 'LENGTH';
  const s = integerOf(signature.subarray(32));
  if (s >= L) return 'SCALAR';
  const key = decode(publicKey);
  const r = decode(signature.subarray(0, 32));
  if (key === undefined || r === undefined) return 'ENCODING';
  if (isSmallOrder(key) || isSmallOrder(r)) return 'SMALL_ORDER';
  const k = integerOf(sha512(signature.subarray(0, 32), publicKey, message)) % L;
  const negatedKey = { ...key, x: mod(-key.x) };
  return isSame(add(multiply(BASE, s), multiply(negatedKey, k)), r) ? undefined : 'EQUATION';
}

/** The rule for keys that a statement admits: one that decodes, not of small order, and torsion-free. */
export function isAdmissibleByRule(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false;
  const key = decode(publicKey);
  return key !== undefined && !isSmallOrder(key) && isSame(multiply(key, L), NEUTRAL);
}

/** The point of a canonical encoding. Canonical points have one encoding, so comparing points compares bytes. */
function decode(bytes: Uint8Array): Point | undefined {
  const encoded = integerOf(bytes);
  const y = BigInt.asUintN(255, encoded);
  const isOdd = encoded >> 255n === 1n;
  if (y >= P) return undefined;
  const x = rootOfX(y);
  if (x === undefined || (x === 0n && isOdd)) return undefined;
  return { x: (x % 2n === 1n) === isOdd ? x : P - x, y, z: 1n };
}

/** Some x with x^2 = (y^2 - 1) / (d y^2 + 1), or undefined if there is none. */
function rootOfX(y: bigint): bigint | undefined {
  const square = mod((y * y - 1n) * power(mod(D * y * y + 1n), P - 2n));
  const candidate = power(square, (P + 3n) / 8n);
  return [candidate, mod(candidate * ROOT_OF_MINUS_ONE)].find((x) => mod(x * x) === square);
}

function baseOf(y: bigint): Point {
  const x = rootOfX(y);
  if (x === undefined) throw new TypeError('4/5 is the y of a point');
  return { x: x % 2n === 0n ? x : P - x, y, z: 1n };
}

/** [8]point is the neutral element. */
function isSmallOrder(point: Point): boolean {
  return isSame(multiply(point, 8n), NEUTRAL);
}

/** The addition law of a twisted Edwards curve with a = -1; it holds for all pairs of points, equal ones too. */
function add(p: Point, q: Point): Point {
  const zz = mod(p.z * q.z);
  const z4 = mod(zz * zz);
  const xx = mod(p.x * q.x);
  const yy = mod(p.y * q.y);
  const dxy = mod(D * xx * yy);
  const less = mod(z4 - dxy);
  const more = mod(z4 + dxy);
  return {
    x: mod(zz * less * (p.x * q.y + p.y * q.x)),
    y: mod(zz * more * (yy + xx)),
    z: mod(less * more),
  };
}

function multiply(point: Point, scalar: bigint): Point {
  let sum = NEUTRAL;
  for (const bit of scalar.toString(2)) {
    sum = add(sum, sum);
    if (bit === '1') sum = add(sum, point);
  }
  return sum;
}

function isSame(p: Point, q: Point): boolean {
  return mod(p.x * q.z - q.x * p.z) === 0n && mod(p.y * q.z - q.y * p.z) === 0n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = mod(result * result);
    if (bit === '1') result = mod(result * base);
  }
  return result;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

/** Little-endian. */
function integerOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
}

function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
