/** How many witnesses make a quorum. Spec: SPEC.md 9. */

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
