/**
 * Golomb codes with a divisor that follows from the mean: within 1.7 % of the entropy of independent gaps at every density
 * below a third, and nothing to choose, to transmit or to check. Spec: SPEC.md 7.3.
 */
import { type BitReader, type BitWriter, revocationMalformed } from './bits.ts';

/** One Golomb code: `divisor` is 2^k or 3*2^(k-1); `width` its k; remainders below `shortCount` take k bits, others one more. */
export interface GolombCode {
  readonly divisor: number;
  readonly width: number;
  readonly shortCount: number;
}

/**
 * The code for `count` (> 0) integers whose sum is `sum`: its divisor is the least of 1, 2, 3, 4, 6, 8, 12, 16, ... for which
 * 3 sum + count <= 5 count divisor, so close to the best one for a geometric distribution of that mean.
 */
export function golombCode(count: number, sum: number): GolombCode {
  const isEnough = (divisor: number) => 3 * sum + count <= 5 * count * divisor;
  let power = 1;
  let width = 0;
  while (!isEnough(power)) {
    power *= 2;
    width++;
  }
  const between = 0.75 * power;
  if (power < 4 || !isEnough(between)) return { divisor: power, width, shortCount: power };
  return { divisor: between, width: width - 1, shortCount: power - between };
}

/** Bits of `value`: a quotient in unary and a remainder in truncated binary. */
export function golombBits(code: GolombCode, value: number): number {
  // The addend makes the quotient one larger exactly where the remainder takes one bit more.
  return code.width + 1 + Math.floor((value + code.divisor - code.shortCount) / code.divisor);
}

export function writeGolomb(out: BitWriter, code: GolombCode, value: number): void {
  const quotient = Math.floor(value / code.divisor);
  const remainder = value - quotient * code.divisor;
  out.unary(quotient);
  if (remainder < code.shortCount) out.bits(remainder, code.width);
  else out.bits(remainder + code.shortCount, code.width + 1);
}

/** @throws {ProtocolError} REVOCATION_MALFORMED if the integer is above `max`. */
export function readGolomb(input: BitReader, code: GolombCode, max: number): number {
  const quotient = input.unary(Math.floor(max / code.divisor));
  let remainder = input.bits(code.width);
  if (remainder >= code.shortCount) remainder = 2 * remainder + input.bits(1) - code.shortCount;
  const value = quotient * code.divisor + remainder;
  if (value > max)
    throw revocationMalformed(input.offset, `expected an integer of at most ${max}, got ${value}`);
  return value;
}
