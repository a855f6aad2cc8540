/** Base45 without any leniency: one text for each byte string, and a fault for every other. Spec: SPEC.md 2.2, RFC 9285. */
import { ProtocolError } from '../fault.ts';
import { decodeUtf8 } from './utf8.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const UNITS = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
/** A bit that no digit has, so that one test finds it in a whole group. */
const NOT_A_DIGIT = 0x80;
const DIGITS = new Uint8Array(128).fill(NOT_A_DIGIT);
UNITS.forEach((unit, digit) => (DIGITS[unit] = digit));

/** Three characters for every two bytes, two for a last odd one. */
export function encodeBase45(bytes: Uint8Array): string {
  const units = new Uint8Array(Math.ceil(bytes.length * 1.5));
  let at = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const value = ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
    // Below 2^16, so that integers of 32 bits do, which are several times as fast.
    const rest = value % 2025;
    units[at++] = UNITS[rest % 45] ?? 0;
    units[at++] = UNITS[(rest / 45) | 0] ?? 0;
    units[at++] = UNITS[(value / 2025) | 0] ?? 0;
  }
  if (bytes.length % 2 === 1) {
    const value = bytes[bytes.length - 1] ?? 0;
    units[at++] = UNITS[value % 45] ?? 0;
    units[at++] = UNITS[(value / 45) | 0] ?? 0;
  }
  // ASCII is UTF-8, and the decoder of that is the fastest way from bytes to text.
  return decodeUtf8(units);
}

/**
 * The bytes whose only base45 form is `text` from `start` on: `encodeBase45(decodeBase45(t))` equals `t`. Nothing is trimmed
 * or folded to upper case; the empty text is the empty byte string. Lengths and offsets count from `start`.
 * @throws {ProtocolError} TOO_LARGE above `charsMax` characters; BASE45_MALFORMED with the `offset` in characters of the
 * first one outside the alphabet, of the group that says more than 65,535 (255 for two characters), or of a lone last one.
 */
export function decodeBase45(text: string, charsMax: number, start = 0): Uint8Array {
  const length = text.length - start;
  if (length > charsMax) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${charsMax} characters, got ${length}`, {
      chars: length,
      charsMax,
    });
  }
  const left = length % 3;
  const whole = length - left;
  const bytes = new Uint8Array((whole / 3) * 2 + (left >> 1));
  let at = 0;
  for (let i = 0; i < whole; i += 3) {
    const low = digitAt(text, start + i);
    const middle = digitAt(text, start + i + 1);
    const high = digitAt(text, start + i + 2);
    if ((low | middle | high) & NOT_A_DIGIT) throw outsideAlphabet(text, start, i);
    const value = low + 45 * middle + 2025 * high;
    if (value > 0xffff) throw malformed(i, 'expected three characters that say at most 65535');
    bytes[at++] = value >> 8;
    bytes[at++] = value;
  }
  if (left === 2) {
    const low = digitAt(text, start + whole);
    const high = digitAt(text, start + whole + 1);
    if ((low | high) & NOT_A_DIGIT) throw outsideAlphabet(text, start, whole);
    const value = low + 45 * high;
    if (value > 0xff) throw malformed(whole, 'expected two characters that say at most 255');
    bytes[at] = value;
  } else if (left === 1) {
    throw malformed(whole, 'expected groups of three characters and a last one of two or three');
  }
  return bytes;
}

/** 0 .. 44, or `NOT_A_DIGIT`. */
function digitAt(text: string, offset: number): number {
  return DIGITS[text.charCodeAt(offset)] ?? NOT_A_DIGIT;
}

function outsideAlphabet(text: string, start: number, groupOffset: number): ProtocolError {
  let offset = groupOffset;
  while (digitAt(text, start + offset) !== NOT_A_DIGIT) offset++;
  return malformed(offset, 'expected a character of the base45 alphabet');
}

function malformed(offset: number, message: string): ProtocolError {
  return new ProtocolError('BASE45_MALFORMED', `${message} at character ${offset}`, { offset });
}
