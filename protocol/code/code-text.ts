/** The text form of codes and presentations: what a QR code carries. Spec: SPEC.md 5.3. */
import { decodeBase45, encodeBase45 } from '../encoding/base45.ts';
import { ProtocolError } from '../fault.ts';
import { CODE_CHARS_MAX } from '../limits.ts';

const PREFIX = 'ENT1:';
const OTHER_VERSION = /^ENT[0-9]:/;

/** The text of a code or presentation. @throws {RangeError} if it is longer than a reader takes. */
export function codeText(bytes: Uint8Array): string {
  const text = PREFIX + encodeBase45(bytes);
  if (text.length > CODE_CHARS_MAX)
    throw new RangeError(`a code text has at most ${CODE_CHARS_MAX} characters`);
  return text;
}

/**
 * The code or presentation whose only text is `text`, at least one byte. Nothing is trimmed or folded.
 * @throws {ProtocolError} TOO_LARGE; CODE_EMPTY for no text or nothing behind the prefix; CODE_VERSION_UNKNOWN, CODE_UNKNOWN;
 * BASE45_MALFORMED with the `offset` in characters behind the prefix.
 */
export function decodeCodeText(text: string): Uint8Array {
  if (text.length > CODE_CHARS_MAX) {
    throw new ProtocolError(
      'TOO_LARGE',
      `expected at most ${CODE_CHARS_MAX} characters, got ${text.length}`,
      {
        chars: text.length,
        charsMax: CODE_CHARS_MAX,
      },
    );
  }
  if (!text.startsWith(PREFIX)) throw unknown(text);
  if (text.length === PREFIX.length)
    throw new ProtocolError('CODE_EMPTY', 'expected a code behind the prefix');
  return decodeBase45(text, CODE_CHARS_MAX, PREFIX.length);
}

function unknown(text: string): ProtocolError {
  if (text === '') return new ProtocolError('CODE_EMPTY', 'expected a code, got no text');
  if (!OTHER_VERSION.test(text))
    return new ProtocolError('CODE_UNKNOWN', `expected a text that begins with ${PREFIX}`);
  const version = Number(text[3]);
  return new ProtocolError(
    'CODE_VERSION_UNKNOWN',
    `expected version 1, got ${version}: a newer verifier may know it`,
    {
      version,
    },
  );
}
