/** What the three ways to write down a set between its first and its last index have in common. Spec: SPEC.md 7.4. */
import { type BitReader, type BitWriter, revocationMalformed } from './bits.ts';

/** What the header says: `count` members (>= 2) from `first` on, and `holes` (> 0) indexes before the last that are none. */
export interface Frame {
  readonly count: number;
  readonly first: number;
  readonly holes: number;
}

/** `members` are ascending, `frame.count` of them; the first is `frame.first` and the last `lastOf(frame)`. */
export interface BodyCode {
  /** How many bits `write` takes. */
  bits(members: Float64Array, frame: Frame): number;
  write(out: BitWriter, members: Float64Array, frame: Frame): void;
  /**
   * Makes room for `frame.count` members once the bits left are enough for the least body of that frame.
   * @throws {ProtocolError} REVOCATION_MALFORMED if the bits are no body of that frame. Bits after it are not looked at,
   * and it may have read past the end.
   */
  read(input: BitReader, frame: Frame): Float64Array;
}

export function lastOf(frame: Frame): number {
  return frame.first + frame.count - 1 + frame.holes;
}

/** An element that is known to be there. */
export function memberAt(members: Float64Array, place: number): number {
  return members[place] ?? 0;
}

export function requireBits(input: BitReader, least: number): void {
  if (input.left < least) {
    throw revocationMalformed(input.offset, `expected at least ${least} bits, got ${input.left}`);
  }
}
