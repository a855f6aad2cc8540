/** Signed notes: a text, and lines by those who signed it. Spec: C2SP signed-note. */
import { decodeUtf8, utf8Bytes } from '../encoding/utf8.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { NOTE_BYTES_MAX } from '../limits.ts';
import { type VerifySignature } from '../primitives.ts';
import { type Cosignature, verifyCosignature } from './cosignature.ts';
import { encodeSignatureLine, parseSignatureLines, type NoteSignature, type Sign } from './signature-line.ts';
import { COSIGNATURE, ED25519, type VerifierKey } from './verifier-key.ts';

/** A note, nothing of which is proven. */
export interface Note {
  /** Ends in a newline. UTF-8 is strict here, so these are exactly the bytes that were signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** What the known keys say of a note. */
export interface NoteSigners {
  /** Keys whose Ed25519 signature of the text is good, each once. */
  readonly signers: readonly VerifierKey[];
  /** The first line of each of them, in their order: anybody can repeat a line. */
  readonly lines: readonly NoteSignature[];
  /** Good cosignatures, in the order of their lines; a key may have several. */
  readonly cosignatures: readonly Cosignature[];
}

const NEWLINE = 0x0a;
const CONTROL_CHARACTER = /[\x00-\x09\x0b-\x1f]/;

/**
 * Text and signatures part at the last empty line, so a text may have empty lines of its own.
 * @throws {ProtocolError} TOO_LARGE above 65,536 bytes or 128 signature lines; NOTE_MALFORMED for bytes that are not UTF-8,
 * control characters (CR included), no empty line, no signature line, or a line that is none.
 */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${NOTE_BYTES_MAX} bytes`, { bytes: bytes.length });
  }
  // No part of another character is a newline. Apart, a text that is ASCII becomes a string that costs half of one with dashes.
  const split = lastEmptyLine(bytes);
  const text = decodeUtf8(bytes.subarray(0, split), 'NOTE_MALFORMED');
  const lines = decodeUtf8(bytes.subarray(split + 1), 'NOTE_MALFORMED');
  if (split === 0 || CONTROL_CHARACTER.test(text) || CONTROL_CHARACTER.test(lines)) {
    throw new ProtocolError('NOTE_MALFORMED', 'expected lines of text, an empty line and signature lines');
  }
  return { text, signatures: parseSignatureLines(lines) };
}

/** Where the newline of the last empty line stands; 0 if there is none. */
function lastEmptyLine(bytes: Uint8Array): number {
  let at = bytes.lastIndexOf(NEWLINE);
  while (at > 0 && bytes[at - 1] !== NEWLINE) at = bytes.lastIndexOf(NEWLINE, at - 1);
  return Math.max(at, 0);
}

/**
 * The bytes of a note, which `parseNote` takes back.
 * @throws {RangeError} for a text that has control characters or no newline at its end, or no signature.
 */
export function encodeNote({ text, signatures }: Note): Uint8Array {
  if (!text.endsWith('\n') || CONTROL_CHARACTER.test(text) || signatures.length === 0) {
    throw new RangeError('expected text without control characters that ends in a newline, and a signature');
  }
  return utf8Bytes(`${text}\n${signatures.map(encodeSignatureLine).join('')}`);
}

/** Signs the text of a note. @throws {RangeError} if the key is a witness's, which signs no bare text. */
export function signNote(key: VerifierKey, text: string, sign: Sign): NoteSignature {
  if (key.algorithm !== ED25519) throw new RangeError('expected a key of algorithm 1');
  return { name: key.name, keyId: key.keyId, bytes: sign(utf8Bytes(text)) };
}

/**
 * Finds out which of the `keys` signed a note. Lines by others are ignored. Keys that share name and key id are all tried,
 * so that nobody can make another's note bad by choosing a key with its id.
 * @throws {ProtocolError} SIGNATURE_INVALID if a line by a known key is not good: the whole note is bad then;
 * NOTE_UNSIGNED if no line is by a known key.
 */
export function verifyNote(note: Note, keys: readonly VerifierKey[], verify: VerifySignature): NoteSigners {
  const lines = new Map<VerifierKey, NoteSignature>();
  const cosignatures: Cosignature[] = [];
  for (const signature of note.signatures) {
    const candidates = keys.filter(({ name, keyId }) => name === signature.name && keyId === signature.keyId);
    if (candidates.length === 0) continue;
    const proven = firstProven(candidates, note.text, signature, verify);
    if ('timestampS' in proven) cosignatures.push(proven);
    else if (!lines.has(proven)) lines.set(proven, signature);
  }
  if (lines.size + cosignatures.length === 0) {
    throw new ProtocolError('NOTE_UNSIGNED', 'no signature is by a known key', {
      lines: note.signatures.length,
    });
  }
  return { signers: [...lines.keys()], lines: [...lines.values()], cosignatures };
}

function firstProven(
  candidates: readonly VerifierKey[],
  text: string,
  signature: NoteSignature,
  verify: VerifySignature,
): VerifierKey | Cosignature {
  let fault: ProtocolError | undefined;
  for (const key of candidates) {
    try {
      return key.algorithm === COSIGNATURE
        ? verifyCosignature(key, text, signature, verify)
        : verifySigner(key, text, signature, verify);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      fault = error;
    }
  }
  throw fault ?? new RangeError('expected at least one key');
}

function verifySigner(
  key: VerifierKey,
  text: string,
  { bytes }: NoteSignature,
  verify: VerifySignature,
): VerifierKey {
  if (verify({ publicKey: key.publicKey, message: utf8Bytes(text), signature: bytes })) return key;
  throw new ProtocolError('SIGNATURE_INVALID', 'expected a good signature', {
    keyId: key.keyId,
    bytes: bytes.length,
  });
}
