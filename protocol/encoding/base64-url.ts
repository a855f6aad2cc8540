/** Base64 with the URL alphabet and without padding, in its one canonical form: what JOSE carries. Spec: RFC 4648 5, RFC 7515 2. */
import { ProtocolError, type FaultCode } from '../fault.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';

const OTHER_ALPHABET = /[+/=]/;

export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/**
 * The bytes whose only such form is `text`.
 * @throws {ProtocolError} `code` on padding, a character outside the URL alphabet, or set bits behind the last byte.
 */
export function decodeBase64Url(text: string, code: FaultCode = 'BASE64_MALFORMED'): Uint8Array {
  if (OTHER_ALPHABET.test(text)) {
    throw new ProtocolError(code, 'expected base64 with the URL alphabet and without padding');
  }
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  return decodeBase64(standard.padEnd(Math.ceil(text.length / 4) * 4, '='), code);
}
