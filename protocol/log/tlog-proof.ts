/** One entry's proof as a file: path and checkpoint, to be verified without any connection. Spec: C2SP tlog-proof. */
import { concatBytes } from '../bytes.ts';
import { decodeBase64, encodeBase64 } from '../encoding/base64.ts';
import { decodeUtf8, utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { PROOF_BYTES_MAX, PROOF_EXTRA_BYTES_MAX, PROOF_HASHES_MAX } from '../limits.ts';
import { type Primitives } from '../primitives.ts';
import { openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts';
import { HASH_BYTES, leafHash, verifyInclusion, type ProofPath } from './merkle.ts';
import { meetsQuorum, policyKeys, type Policy } from './policy.ts';

/** A proof, nothing of which is checked. */
export interface LogProof {
  /** 1 to 4,096 bytes that mean something to the application only, and that nothing vouches for. */
  readonly extra: Uint8Array | undefined;
  readonly index: number;
  readonly path: ProofPath;
  /** The bytes of a signed note. */
  readonly checkpoint: Uint8Array;
}

/** That the entry is in a log which the policy trusts, under a checkpoint which its quorum saw. */
export interface ProvenEntry {
  readonly index: number;
  readonly checkpoint: OpenedCheckpoint;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
const EXTRA = /^extra ([A-Za-z0-9+/=]+)$/;
const INDEX = /^index (0|[1-9][0-9]{0,19})$/;
const NEWLINE = 0x0a;

/** @throws {RangeError} for an index, a path or extra data that the format has no place for. */
export function encodeLogProof({ extra, index, path, checkpoint }: LogProof): Uint8Array {
  const isPath = path.length <= PROOF_HASHES_MAX && path.every((hash) => hash.length === HASH_BYTES);
  const isExtra = extra === undefined || (extra.length > 0 && extra.length <= PROOF_EXTRA_BYTES_MAX);
  if (!Number.isSafeInteger(index) || index < 0 || !isPath || !isExtra) {
    throw new RangeError('expected an index, at most 54 hashes and at most 4,096 bytes of extra data');
  }
  const extraLines = extra === undefined ? [] : [`extra ${encodeBase64(extra)}`];
  const lines = [HEADER, ...extraLines, `index ${index}`, ...path.map(encodeBase64)];
  return concatBytes(utf8Bytes(`${lines.join('\n')}\n\n`), checkpoint);
}

/**
 * Takes what `encodeLogProof` makes. The checkpoint is everything behind the first empty line.
 * @throws {ProtocolError} TOO_LARGE above 75,000 bytes; SIZE_INVALID for an index beyond 2^53-1; PROOF_INVALID for all else.
 */
export function parseLogProof(bytes: Uint8Array): LogProof {
  if (bytes.length > PROOF_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${PROOF_BYTES_MAX} bytes`, {
      bytes: bytes.length,
    });
  }
  const headEnd = emptyLineIn(bytes);
  const lines = decodeUtf8(bytes.subarray(0, headEnd), 'PROOF_INVALID').split('\n');
  if (lines.shift() !== HEADER) throw malformed('expected a proof of version 1');
  const extra = EXTRA.exec(lines[0] ?? '')?.[1];
  if (extra !== undefined) lines.shift();
  const index = INDEX.exec(lines.shift() ?? '')?.[1];
  if (index === undefined) throw malformed('expected the index');
  if (!Number.isSafeInteger(Number(index)))
    throw new ProtocolError('SIZE_INVALID', 'the index is beyond 2^53-1');
  if (lines.length > PROOF_HASHES_MAX) throw malformed('expected at most 54 hashes');
  return {
    extra: extra === undefined ? undefined : boundedExtra(decodeBase64(extra, 'PROOF_INVALID')),
    index: Number(index),
    path: lines.map(parseHash),
    checkpoint: bytes.subarray(headEnd + 2),
  };
}

/**
 * Proves that `entry` is at the proof's index in one of the policy's logs, and that the policy's quorum cosigned the
 * checkpoint. The reader still decides whether the log is the right one for this entry.
 * @throws {ProtocolError} what `openCheckpoint` and `verifyInclusion` throw; NOTE_UNSIGNED without a quorum.
 */
export function verifyLogProof(
  primitives: Primitives,
  proof: LogProof,
  entry: Uint8Array,
  policy: Policy,
): ProvenEntry {
  const { sha256, verifySignature } = primitives;
  const { index, path } = proof;
  const checkpoint = openCheckpoint(proof.checkpoint, policyKeys(policy), verifySignature);
  if (!meetsQuorum(policy, checkpoint.cosignatures)) {
    throw new ProtocolError('NOTE_UNSIGNED', 'expected the cosignatures of a quorum', {
      cosignatures: checkpoint.cosignatures.length,
    });
  }
  const { size, root } = checkpoint;
  verifyInclusion(sha256, { index, size, leafHash: leafHash(sha256, entry), path, root });
  return { index, checkpoint };
}

/** The offset of the newline that ends the last line before the first empty line. */
function emptyLineIn(bytes: Uint8Array): number {
  for (let i = 0; i + 1 < bytes.length; i++) if (bytes[i] === NEWLINE && bytes[i + 1] === NEWLINE) return i;
  throw malformed('expected an empty line before the checkpoint');
}

function parseHash(line: string): Uint8Array {
  const hash = decodeBase64(line, 'PROOF_INVALID');
  if (hash.length !== HASH_BYTES) throw malformed('expected hashes of 32 bytes');
  return hash;
}

function boundedExtra(extra: Uint8Array): Uint8Array {
  if (extra.length > PROOF_EXTRA_BYTES_MAX) throw malformed('expected at most 4,096 bytes of extra data');
  return extra;
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('PROOF_INVALID', message);
}
