/** Proof that a log signed two trees that cannot both be true: portable, and impossible to make against a log that did not. */
import { ProtocolError } from '../fault.ts';
import { equalBytes } from '../bytes.ts';
import { type OpenedCheckpoint, openCheckpoint } from '../log/checkpoint.ts';
import { type ProofPath, verifyConsistency } from '../log/merkle.ts';
import { type VerifierKey } from '../log/verifier-key.ts';
import { type Primitives } from '../primitives.ts';

/** One of the two trees: its root at the size where they differ, and the path from there to what was signed. */
export interface ForkSide {
  /** A note that the log signed, verbatim. */
  readonly note: Uint8Array;
  readonly root: Uint8Array;
  /** A consistency path; empty if the note is on that very size. */
  readonly path: ProofPath;
}

export interface ForkEvidence {
  /** At least 1, at most the smaller of the two signed sizes. */
  readonly size: number;
  readonly sides: readonly [ForkSide, ForkSide];
}

/**
 * Proves that the log of these keys signed two trees that differ at `evidence.size`, and returns both checkpoints.
 * @throws {ProtocolError} what `openCheckpoint` and `verifyConsistency` throw; ORIGIN_INVALID for two logs; EVIDENCE_UNFOUNDED
 * if the trees are the same.
 */
export function verifyForkEvidence(
  { size, sides }: ForkEvidence,
  keys: readonly VerifierKey[],
  { sha256, verifySignature }: Primitives,
): readonly [OpenedCheckpoint, OpenedCheckpoint] {
  const [first, second] = sides.map(({ note, root, path }) => {
    const opened = openCheckpoint(note, keys, verifySignature);
    const { size: newSize, root: newRoot } = opened;
    verifyConsistency(sha256, { oldSize: size, newSize, oldRoot: root, newRoot, path });
    return opened;
  }) as [OpenedCheckpoint, OpenedCheckpoint];
  if (first.origin !== second.origin)
    throw new ProtocolError('ORIGIN_INVALID', 'expected two notes of one log');
  if (equalBytes(sides[0].root, sides[1].root)) {
    throw new ProtocolError('EVIDENCE_UNFOUNDED', 'expected two trees that differ', { size });
  }
  return [first, second];
}
