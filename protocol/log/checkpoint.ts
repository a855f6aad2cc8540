/** Checkpoints: a log's signed word about its size and root. Spec: SPEC.md 4.3, C2SP tlog-checkpoint. */
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts';
import { ProtocolError } from '../fault.ts';
import { type VerifySignature } from '../primitives.ts';
import { type Cosignature } from './cosignature.ts';
import { HASH_BYTES } from './merkle.ts';
import { parseNote, signNote, verifyNote, type Note } from './note.ts';
import { type NoteSignature, type Sign } from './signature-line.ts';
import { isKeyName, type VerifierKey } from './verifier-key.ts';

/** What a checkpoint says. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** A checkpoint's note as far as anybody can read it: nothing of it is proven. */
export interface ReadNote {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

/** A checkpoint that the log signed, and who vouched for it. */
export interface OpenedCheckpoint extends Checkpoint {
  /** The text that was signed. */
  readonly text: string;
  /** The log's keys whose signature is good, at least one. */
  readonly signers: readonly VerifierKey[];
  /** A line by each of them, in their order. */
  readonly lines: readonly NoteSignature[];
  /** Good cosignatures by known keys. Which of them count is the reader's policy. */
  readonly cosignatures: readonly Cosignature[];
}

const CHECKPOINT = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]{44})\n$/;

/** The text of a checkpoint. @throws {RangeError} for an origin that no key can be named, a size or a root that is none. */
export function encodeCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!isKeyName(origin) || !Number.isSafeInteger(size) || size < 0 || root.length !== HASH_BYTES) {
    throw new RangeError('expected an origin, a size of 0 to 2^53-1 and a root of 32 bytes');
  }
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/**
 * Takes exactly the three lines that `encodeCheckpoint` makes.
 * @throws {ProtocolError} CHECKPOINT_MALFORMED for anything else: extension lines, a size with sign, exponent or leading
 * zero, or beyond 2^53-1, a root of another length.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin, digits, base64] = CHECKPOINT.exec(text) ?? [];
  if (
    origin === undefined ||
    base64 === undefined ||
    !isKeyName(origin) ||
    !Number.isSafeInteger(Number(digits))
  ) {
    throw new ProtocolError(
      'CHECKPOINT_MALFORMED',
      'expected the lines origin, size and root, and no others',
      {
        characters: text.length,
      },
    );
  }
  const root = decodeBase64(base64, 'CHECKPOINT_MALFORMED');
  if (root.length !== HASH_BYTES) {
    throw new ProtocolError('CHECKPOINT_MALFORMED', 'expected a root of 32 bytes', { bytes: root.length });
  }
  return { origin, size: Number(digits), root };
}

/** @throws {ProtocolError} as `parseNote` and `parseCheckpoint`. */
export function readNote(bytes: Uint8Array): ReadNote {
  const note = parseNote(bytes);
  return { note, checkpoint: parseCheckpoint(note.text) };
}

/** The log's own note on its tree. @throws {RangeError} if the key is not named after the origin, or is a witness's. */
export function signCheckpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Sign): Note {
  if (key.name !== checkpoint.origin) throw new RangeError('the key of a log has the name of its origin');
  const text = encodeCheckpoint(checkpoint);
  return { text, signatures: [signNote(key, text, sign)] };
}

/**
 * Proves that a log signed a checkpoint, and who cosigned it. `keys` are the log's own (algorithm 1) and those of
 * witnesses (algorithm 4).
 * @throws {ProtocolError} what `parseNote`, `parseCheckpoint` and `verifyNote` throw; NOTE_UNSIGNED if no good signature is
 * by a key of algorithm 1; ORIGIN_INVALID if one is, but its name is not the origin.
 */
export function openCheckpoint(
  note: Uint8Array,
  keys: readonly VerifierKey[],
  verify: VerifySignature,
): OpenedCheckpoint {
  return openRead(readNote(note), keys, verify);
}

/** As `openCheckpoint`, of a note that was read already. */
export function openRead(
  { note, checkpoint }: ReadNote,
  keys: readonly VerifierKey[],
  verify: VerifySignature,
): OpenedCheckpoint {
  const { signers, lines, cosignatures } = verifyNote(note, keys, verify);
  if (signers.length === 0)
    throw new ProtocolError('NOTE_UNSIGNED', 'no good signature is by a key of the log');
  if (signers.some(({ name }) => name !== checkpoint.origin)) {
    throw new ProtocolError('ORIGIN_INVALID', 'the key that signed is named after another origin');
  }
  return { ...checkpoint, text: note.text, signers, lines, cosignatures };
}
