/**
 * The strict Ed25519 rule in plain JavaScript, and keys and signing with it. The only file of protocol/ that knows
 * @noble/ed25519: from it come point arithmetic and RFC 8032 signing, never its `verify`, which multiplies by the
 * cofactor and so accepts crafted signatures that the other back ends refuse. Spec: SPEC.md 3.
 */
import { getPublicKey, hashes, Point, sign as signRfc8032 } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, hexOf } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { type SignatureCheck } from '../primitives.ts';
import { RecentMap } from '../recent-map.ts';
import { isStrictKey, passesPrecheck, PUBLIC_KEY_BYTES } from './strict-ed25519.ts';

hashes.sha512 = sha512;

const GROUP_ORDER = Point.CURVE().n;

/** A table costs four checks without one and makes every later check four times as fast. */
const CHECKS_BEFORE_TABLE = 4;
/** Tables kept, about 0.4 MB each: the trust keys that one gate meets. */
const TABLES_MAX = 32;
/** Keys remembered while they wait for a table, 0.5 KB each. Device keys stay here: each is met once or twice. */
const CANDIDATES_MAX = 256;

/** Six bits at a time with signed digits: 43 windows cover the 253 bits of a scalar and the last carry. */
const WINDOW_BITS = 6;
const WINDOWS = 43;
const DIGIT_MAX = 32;

/** A key as the equation uses it, negated; `checks` counts those made without a table. */
interface Candidate {
  readonly negated: Point;
  checks: number;
}

/** `multiples[w * 32 + d - 1]` is d * 64^w times the negated key, for d in 1 .. 32. */
interface Table {
  readonly multiples: readonly Point[];
}

const tables = new RecentMap<Table>(TABLES_MAX);
const candidates = new RecentMap<Candidate>(CANDIDATES_MAX);

/**
 * Answers a check by the strict rule; total on bytes of any length. About 4,000 checks a second under a key met
 * before, 1,000 under a new one. What it remembers of keys changes its speed, never its answer.
 */
export function verifyWithNoble(check: SignatureCheck): boolean {
  if (!passesPrecheck(check)) return false;
  const { publicKey, message, signature } = check;
  const r = signature.subarray(0, 32);
  const s = integerOf(signature.subarray(32));
  const k = integerOf(sha512(concatBytes(r, publicKey, message))) % GROUP_ORDER;
  const point = addKeyMultiple(publicKey, k, Point.BASE.multiply(s, false));
  return point !== undefined && equalBytes(point.toBytes(), r);
}

/** The RFC 8032 public key of a 32-byte secret key. @throws {RangeError} on another length. */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  return getPublicKey(secretKey);
}

/** The RFC 8032 signature, 64 bytes. Deterministic. @throws {RangeError} unless the secret key has 32 bytes. */
export function sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return signRfc8032(message, secretKey);
}

/**
 * Checks a key that a statement wants to admit as a trust key: strict, on the curve and torsion-free, so that no
 * signature under it depends on whether a verifier multiplies by the cofactor. About a millisecond.
 * @throws {ProtocolError} KEY_INVALID
 */
export function admitPublicKey(publicKey: Uint8Array): void {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new ProtocolError('KEY_INVALID', 'a public key has 32 bytes', { length: publicKey.length });
  }
  if (!isStrictKey(publicKey)) {
    throw new ProtocolError('KEY_INVALID', 'the key is not canonical, or its order is small');
  }
  const point = pointOf(publicKey);
  if (point === undefined) throw new ProtocolError('KEY_INVALID', 'the key is no point of the curve');
  if (!point.isTorsionFree()) {
    throw new ProtocolError('KEY_INVALID', 'the key has a component of small order');
  }
}

/** `sum - k * key`, or undefined if the key is no point of the curve. */
function addKeyMultiple(publicKey: Uint8Array, k: bigint, sum: Point): Point | undefined {
  const name = hexOf(publicKey);
  const table = tables.get(name);
  if (table !== undefined) return addTableMultiple(table, k, sum);
  const candidate = candidateOf(publicKey, name);
  if (candidate === undefined) return undefined;
  candidate.checks++;
  if (candidate.checks < CHECKS_BEFORE_TABLE) return sum.add(candidate.negated.multiply(k, false));
  const built = tableOf(candidate.negated);
  candidates.delete(name);
  tables.set(name, built);
  return addTableMultiple(built, k, sum);
}

function candidateOf(publicKey: Uint8Array, name: string): Candidate | undefined {
  const known = candidates.get(name);
  if (known !== undefined) return known;
  const point = pointOf(publicKey);
  if (point === undefined) return undefined;
  const candidate = { negated: point.negate(), checks: 0 };
  candidates.set(name, candidate);
  return candidate;
}

function tableOf(point: Point): Table {
  const multiples: Point[] = [];
  let unit = point;
  for (let window = 0; window < WINDOWS; window++) {
    let multiple = unit;
    multiples.push(multiple);
    for (let digit = 2; digit <= DIGIT_MAX; digit++) {
      multiple = multiple.add(unit);
      multiples.push(multiple);
    }
    unit = multiple.double();
  }
  return { multiples };
}

/** Needs `0 <= scalar < 2^257`, which keeps every digit inside the table. */
function addTableMultiple({ multiples }: Table, scalar: bigint, start: Point): Point {
  let sum = start;
  let rest = scalar;
  for (let first = 0; rest > 0n; first += DIGIT_MAX) {
    let digit = Number(BigInt.asUintN(WINDOW_BITS, rest));
    rest >>= BigInt(WINDOW_BITS);
    if (digit > DIGIT_MAX) {
      digit -= 2 * DIGIT_MAX;
      rest += 1n;
    }
    if (digit > 0) sum = sum.add(multiples[first + digit - 1] as Point);
    else if (digit < 0) sum = sum.subtract(multiples[first - digit - 1] as Point);
  }
  return sum;
}

function pointOf(publicKey: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(publicKey);
  } catch {
    return undefined;
  }
}

/** Little-endian. */
function integerOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${hexOf(bytes.toReversed())}`);
}
