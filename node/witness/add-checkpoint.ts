/** What is sent to a witness: a checkpoint, and the proof that it continues what the witness saw. Spec: C2SP tlog-witness. */
import { concatBytes } from '../../protocol/bytes.ts';
import { decodeBase64, encodeBase64 } from '../../protocol/encoding/base64.ts';
import { decodeUtf8, utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { NOTE_BYTES_MAX, PROOF_HASHES_MAX } from '../../protocol/limits.ts';
import { HASH_BYTES, type ProofPath } from '../../protocol/log/merkle.ts';

export interface AddCheckpoint {
  /** The size that the witness cosigned last, 0 if it never did. */
  readonly oldSize: number;
  /** The consistency path from there to the note; empty for an old size of 0 and for equal sizes. */
  readonly path: ProofPath;
  /** The bytes of a signed note. */
  readonly note: Uint8Array;
}

/** Bytes of a request: the longest first line and path, and a note. */
export const ADD_CHECKPOINT_BYTES_MAX = 4_096 + NOTE_BYTES_MAX;

const OLD = /^old (0|[1-9][0-9]{0,15})$/;
const NEWLINE = 0x0a;

/** @throws {RangeError} for a size or a path that the form has no place for. */
export function encodeAddCheckpoint({ oldSize, path, note }: AddCheckpoint): Uint8Array {
  const isPath = path.length <= PROOF_HASHES_MAX && path.every(({ length }) => length === HASH_BYTES);
  if (!Number.isSafeInteger(oldSize) || oldSize < 0 || !isPath) {
    throw new RangeError('expected a size and at most 54 hashes of 32 bytes');
  }
  const lines = [`old ${oldSize}`, ...path.map(encodeBase64)];
  return concatBytes(utf8Bytes(`${lines.join('\n')}\n\n`), note);
}

/**
 * Takes what `encodeAddCheckpoint` makes; the note is everything behind the first empty line, unread.
 * @throws {ProtocolError} TOO_LARGE; NOTE_MALFORMED for another first line or no empty line; SIZE_INVALID for an old size beyond
 * 2^53-1; PROOF_INVALID for hashes that are none, or more than 54.
 */
export function parseAddCheckpoint(bytes: Uint8Array): AddCheckpoint {
  if (bytes.length > ADD_CHECKPOINT_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${ADD_CHECKPOINT_BYTES_MAX} bytes`, {
      bytes: bytes.length,
    });
  }
  const headEnd = bytes.findIndex((byte, i) => byte === NEWLINE && bytes[i + 1] === NEWLINE);
  if (headEnd < 0) throw new ProtocolError('NOTE_MALFORMED', 'expected an empty line before the checkpoint');
  const [first = '', ...hashes] = decodeUtf8(bytes.subarray(0, headEnd), 'NOTE_MALFORMED').split('\n');
  const oldSize = OLD.exec(first)?.[1];
  if (oldSize === undefined) throw new ProtocolError('NOTE_MALFORMED', 'expected a line `old <size>`');
  if (!Number.isSafeInteger(Number(oldSize))) {
    throw new ProtocolError('SIZE_INVALID', 'the old size is beyond 2^53-1');
  }
  if (hashes.length > PROOF_HASHES_MAX) {
    throw new ProtocolError('PROOF_INVALID', 'expected at most 54 hashes', { hashes: hashes.length });
  }
  return { oldSize: Number(oldSize), path: hashes.map(parseHash), note: bytes.subarray(headEnd + 2) };
}

function parseHash(line: string): Uint8Array {
  const hash = decodeBase64(line, 'PROOF_INVALID');
  if (hash.length === HASH_BYTES) return hash;
  throw new ProtocolError('PROOF_INVALID', 'expected hashes of 32 bytes', { bytes: hash.length });
}
