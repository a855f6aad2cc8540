/** The signature lines of notes, which witnesses also send alone. Spec: C2SP signed-note. */
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts';
import { concatBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { NOTE_SIGNATURES_MAX } from '../limits.ts';
import { isKeyName } from './verifier-key.ts';

/** A signature that somebody claims to be by the key of this name and id. Nothing is proven yet. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** What the algorithm of the key makes of it; at least one byte. */
  readonly bytes: Uint8Array;
}

/** Signs a message by a key that the caller holds: 64 bytes of Ed25519. */
export type Sign = (message: Uint8Array) => Uint8Array;

// An em dash, and not what looks like it.
const PREFIX = '\u2014 ';
const KEY_ID_BYTES = 4;

/** One line with its newline. @throws {RangeError} for a name that no key can have or an empty signature. */
export function encodeSignatureLine({ name, keyId, bytes }: NoteSignature): string {
  if (!isKeyName(name) || bytes.length === 0) throw new RangeError('expected a key name and a signature');
  const id = new Uint8Array(KEY_ID_BYTES);
  new DataView(id.buffer).setUint32(0, keyId);
  return `${PREFIX}${name} ${encodeBase64(concatBytes(id, bytes))}\n`;
}

/**
 * Lines as `encodeSignatureLine` makes them, 1 to 128, with the newline of the last.
 * @throws {ProtocolError} NOTE_MALFORMED for anything else; TOO_LARGE for more lines.
 */
export function parseSignatureLines(text: string): NoteSignature[] {
  if (!text.endsWith('\n')) throw malformed('expected a newline at the end', text.length);
  const signatures: NoteSignature[] = [];
  let start = 0;
  while (start < text.length) {
    if (signatures.length === NOTE_SIGNATURES_MAX) {
      throw new ProtocolError('TOO_LARGE', `expected at most ${NOTE_SIGNATURES_MAX} signature lines`);
    }
    const end = text.indexOf('\n', start);
    signatures.push(parseSignatureLine(text.slice(start, end), start));
    start = end + 1;
  }
  return signatures;
}

function parseSignatureLine(line: string, offset: number): NoteSignature {
  const nameEnd = line.indexOf(' ', PREFIX.length);
  const name = line.slice(PREFIX.length, Math.max(nameEnd, 0));
  if (!line.startsWith(PREFIX) || !isKeyName(name)) throw malformed('expected a signature line', offset);
  const bytes = decodeBase64(line.slice(nameEnd + 1), 'NOTE_MALFORMED');
  if (bytes.length <= KEY_ID_BYTES) throw malformed('expected a key id and a signature', offset);
  const keyId = new DataView(bytes.buffer).getUint32(0);
  return { name, keyId, bytes: bytes.subarray(KEY_ID_BYTES) };
}

function malformed(message: string, offset: number): ProtocolError {
  return new ProtocolError('NOTE_MALFORMED', message, { offset });
}
