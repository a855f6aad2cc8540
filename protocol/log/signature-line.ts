/** The signature lines of notes, which witnesses also send alone. Spec: C2SP signed-note. */
import { base64Bytes, decodeBase64Into, encodeBase64 } from '../encoding/base64.ts';
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
 * Lines as `encodeSignatureLine` makes them, 1 to 128, with the newline of the last. Their bytes are views of one array: who keeps
 * one for long copies it.
 * @throws {ProtocolError} NOTE_MALFORMED for anything else; TOO_LARGE for more lines.
 */
export function parseSignatureLines(text: string): NoteSignature[] {
  if (!text.endsWith('\n')) throw malformed('expected a newline at the end', text.length);
  const signatures: NoteSignature[] = [];
  const room = new Uint8Array(base64Bytes(text.length));
  let used = 0;
  let start = 0;
  while (start < text.length) {
    if (signatures.length === NOTE_SIGNATURES_MAX) {
      throw new ProtocolError('TOO_LARGE', `expected at most ${NOTE_SIGNATURES_MAX} signature lines`);
    }
    const end = text.indexOf('\n', start);
    const signature = parseSignatureLine(text.slice(start, end), start, room, used);
    signatures.push(signature);
    used += KEY_ID_BYTES + signature.bytes.length;
    start = end + 1;
  }
  return signatures;
}

function parseSignatureLine(line: string, offset: number, room: Uint8Array, used: number): NoteSignature {
  const nameEnd = line.indexOf(' ', PREFIX.length);
  const name = line.slice(PREFIX.length, Math.max(nameEnd, 0));
  if (!line.startsWith(PREFIX) || !isKeyName(name)) throw malformed('expected a signature line', offset);
  const count = decodeBase64Into(room, used, line.slice(nameEnd + 1), 'NOTE_MALFORMED');
  if (count <= KEY_ID_BYTES) throw malformed('expected a key id and a signature', offset);
  let keyId = 0;
  for (let i = 0; i < KEY_ID_BYTES; i++) keyId = keyId * 256 + (room[used + i] ?? 0);
  return { name, keyId, bytes: room.subarray(used + KEY_ID_BYTES, used + count) };
}

function malformed(message: string, offset: number): ProtocolError {
  return new ProtocolError('NOTE_MALFORMED', message, { offset });
}
