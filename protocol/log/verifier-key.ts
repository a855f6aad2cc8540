/** Keys that verify notes, as text and as values. Spec: C2SP signed-note. */
import { concatBytes } from '../bytes.ts';
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { VERIFIER_KEY_CHARS_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';

/** Ed25519 over the text of the note: what a log signs with. */
export const ED25519 = 0x01;
/** Ed25519 over a time and the text of a checkpoint: what a witness signs with. */
export const COSIGNATURE = 0x04;

export type NoteAlgorithm = typeof ED25519 | typeof COSIGNATURE;

const PUBLIC_KEY_BYTES = 32;

/** A key that may verify lines of notes which carry its name and key id. */
export interface VerifierKey {
  readonly name: string;
  /** 32 bits over name, algorithm and public key: tells which key to try, and proves nothing. */
  readonly keyId: number;
  readonly algorithm: NoteAlgorithm;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

const KEY_NAME = /^[^\p{White_Space}+]+$/u;

/** Total: tells whether a key can have this name: not empty, without Unicode white space and `+`. */
export function isKeyName(text: string): boolean {
  return KEY_NAME.test(text);
}

/** The key with its key id. @throws {RangeError} for a name that no key can have or a key of another length. */
export function makeVerifierKey(
  sha256: Sha256,
  { name, algorithm, publicKey }: Omit<VerifierKey, 'keyId'>,
): VerifierKey {
  if (!isKeyName(name) || publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new RangeError('expected a key name and a public key of 32 bytes');
  }
  const digest = sha256(concatBytes(utf8Bytes(`${name}\n`), Uint8Array.of(algorithm), publicKey));
  const keyId = new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  return { name, keyId, algorithm, publicKey };
}

/** The key as `<name>+<key id>+<base64 of algorithm and key>`. */
export function encodeVerifierKey({ name, keyId, algorithm, publicKey }: VerifierKey): string {
  const key = encodeBase64(concatBytes(Uint8Array.of(algorithm), publicKey));
  return `${name}+${keyId.toString(16).padStart(8, '0')}+${key}`;
}

/**
 * Takes exactly what `encodeVerifierKey` makes.
 * @throws {ProtocolError} KEY_INVALID for other text, an algorithm that is not Ed25519 or cosignature/v1, and a key id
 * that is not that of the key. TOO_LARGE above 320 characters.
 */
export function parseVerifierKey(sha256: Sha256, text: string): VerifierKey {
  if (text.length > VERIFIER_KEY_CHARS_MAX) {
    throw new ProtocolError('TOO_LARGE', 'a verifier key has at most 320 characters', {
      characters: text.length,
    });
  }
  const nameEnd = text.indexOf('+');
  const idEnd = text.indexOf('+', nameEnd + 1);
  const name = text.slice(0, Math.max(nameEnd, 0));
  if (idEnd < 0 || !isKeyName(name) || /\p{Surrogate}/u.test(name)) throw invalid('expected name+id+key');
  const [algorithm, ...publicKey] = decodeBase64(text.slice(idEnd + 1), 'KEY_INVALID');
  if ((algorithm !== ED25519 && algorithm !== COSIGNATURE) || publicKey.length !== PUBLIC_KEY_BYTES) {
    throw invalid('expected an Ed25519 key of algorithm 1 or 4');
  }
  const key = makeVerifierKey(sha256, { name, algorithm, publicKey: Uint8Array.from(publicKey) });
  if (encodeVerifierKey(key) !== text) throw invalid('the key id is not that of the key');
  return key;
}

function invalid(message: string): ProtocolError {
  return new ProtocolError('KEY_INVALID', message);
}
