/** How many witnesses make a quorum, and who they are among many. Spec: SPEC.md 9. */
import { asciiBytes } from '../bytes.ts';
import { type Sha256 } from '../primitives.ts';

/**
 * Cosignatures by distinct operators that a checkpoint needs when `witnesses` operators other than its issuer's
 * witness the log. Below four a quorum detects a second history; from four on it prevents one.
 * @throws {RangeError} unless `witnesses` is a count.
 */
export function neededCosignatures(witnesses: number): number {
  if (!Number.isSafeInteger(witnesses) || witnesses < 0) throw new RangeError('witnesses are counted from 0');
  if (witnesses < 3) return Math.min(witnesses, 1);
  return witnesses === 3 ? 2 : Math.floor((2 * witnesses) / 3) + 1;
}

/** The place of a region among those that may witness a log: 32 bytes, the lowest first. */
export function witnessRank(sha256: Sha256, origin: string, region: string): Uint8Array {
  return sha256(asciiBytes(`${origin}\n${region}`));
}
