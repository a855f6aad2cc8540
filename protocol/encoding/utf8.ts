/** UTF-8 without any leniency: one byte string for each text, and a fault for every other. */
import { ProtocolError, type FaultCode } from '../fault.ts';

// The two classes of the Encoding Standard that Node and every browser have, with the parts used here.
declare const TextDecoder: new (
  label: 'utf-8',
  options: { fatal: true; ignoreBOM: true },
) => { decode(bytes: Uint8Array): string };
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

// `ignoreBOM` keeps a leading U+FEFF in the text; without it two byte strings would decode alike.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The UTF-8 of `text`, freshly allocated. @throws {RangeError} if `text` holds a lone surrogate. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  // The encoder writes U+FFFD, which begins with this byte, where it has no form to write.
  if (bytes.includes(0xef) && LONE_SURROGATE.test(text)) {
    throw new RangeError('a lone surrogate has no UTF-8 form');
  }
  return bytes;
}

/**
 * The text whose only UTF-8 form is `bytes`: `utf8Bytes(decodeUtf8(b))` equals `b`.
 * @throws {ProtocolError} `code` on an overlong form, a surrogate, a code point above U+10FFFF or a cut sequence.
 * Spec: RFC 3629 3.
 */
export function decodeUtf8(bytes: Uint8Array, code: FaultCode = 'UTF8_MALFORMED'): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ProtocolError(code, 'expected UTF-8 text', {}, { cause });
  }
}
