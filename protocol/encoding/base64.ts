/** Standard base64 with padding, in its one canonical form: what the C2SP formats carry. */
import { ProtocolError, type FaultCode } from '../fault.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NOT_A_DIGIT = 0xff;

const DIGIT_OF = new Uint8Array(128).fill(NOT_A_DIGIT);
/** The two digits of 12 bits. */
const PAIRS = Array.from(
  { length: 4_096 },
  (_, bits) => ALPHABET.charAt(bits >>> 6) + ALPHABET.charAt(bits & 63),
);
for (let digit = 0; digit < 64; digit++) DIGIT_OF[ALPHABET.charCodeAt(digit)] = digit;

/** Base64 of `bytes`, padded to a multiple of four characters. Spec: RFC 4648 4. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  const whole = bytes.length - (bytes.length % 3);
  for (let i = 0; i < whole; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += (PAIRS[group >>> 12] ?? '') + (PAIRS[group & 0xfff] ?? '');
  }
  if (whole === bytes.length) return text;
  const group = ((bytes[whole] ?? 0) << 16) | ((bytes[whole + 1] ?? 0) << 8);
  const isOne = bytes.length - whole === 1;
  return `${text}${PAIRS[group >>> 12] ?? ''}${isOne ? '=' : ALPHABET.charAt((group >>> 6) & 63)}=`;
}

/**
 * The bytes whose only base64 form is `text`: `encodeBase64(decodeBase64(t))` equals `t`.
 * @throws {ProtocolError} `code` on missing padding, a character outside the alphabet (white space and the
 * URL alphabet included) or set bits behind the last byte.
 * Spec: RFC 4648 3.5 and 4.
 */
export function decodeBase64(text: string, code: FaultCode = 'BASE64_MALFORMED'): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, base64Bytes(text.length) - paddingOf(text)));
  decodeBase64Into(bytes, 0, text, code);
  return bytes;
}

/** The most bytes that so many characters stand for. */
export function base64Bytes(characters: number): number {
  return Math.floor(characters / 4) * 3;
}

/**
 * As `decodeBase64`, into `room` from `start` on, where there have to be `base64Bytes` of them: gives how many there are. Many small
 * arrays cost more than what is in them.
 */
export function decodeBase64Into(
  room: Uint8Array,
  start: number,
  text: string,
  code: FaultCode = 'BASE64_MALFORMED',
): number {
  if (text.length % 4 !== 0) throw malformed(code, text.length);
  const digits = text.length - paddingOf(text);
  let bits = 0;
  let bitCount = 0;
  let offset = start;
  for (let i = 0; i < digits; i++) {
    const digit = DIGIT_OF[text.charCodeAt(i)] ?? NOT_A_DIGIT;
    if (digit === NOT_A_DIGIT) throw malformed(code, i);
    bits = ((bits << 6) | digit) & 0xffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      room[offset++] = bits >>> bitCount;
    }
  }
  if ((bits & ((1 << bitCount) - 1)) !== 0) throw malformed(code, digits - 1);
  return offset - start;
}

function paddingOf(text: string): number {
  return text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
}

function malformed(code: FaultCode, offset: number): ProtocolError {
  return new ProtocolError(code, 'expected canonical base64 with padding', { offset });
}
