/**
 * Whether a witness cosigns a checkpoint: a function of what is asked, of what it saw last and of the keys it knows.
 * Spec: C2SP tlog-witness, whose status codes the refusals name.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { LOG_LINES_MAX } from '../../protocol/limits.ts';
import { type OpenedCheckpoint, openRead, type ReadNote, readNote } from '../../protocol/log/checkpoint.ts';
import { emptyRoot, verifyConsistency } from '../../protocol/log/merkle.ts';
import { encodeNote, parseNote } from '../../protocol/log/note.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives, type Sha256, type VerifySignature } from '../../protocol/primitives.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type HighWater } from '../ports.ts';
import { type AddCheckpoint } from './add-checkpoint.ts';

/**
 * `unknown-log` 404: no keys of the log are known. `unsigned` 403: no good signature by its keys, or a bad one. `malformed` 400: no checkpoint, or one
 * that more keys of the log have signed than a witness remembers.
 * `conflict` 409: the old size is not the one that was cosigned last. `unproven` 422: the log did not provably only grow.
 * `unfolded` 503: of a trust log, this witness has not yet folded the entries under the checkpoint, or already more than them; of an attestation log, nobody has
 * shown what the checkpoint has at the size of what was left; or another machine speaks for its region.
 * `unfit` 403: it has, and they would lead readers astray; or the log has provably forked.
 */
export type WitnessRefusal =
  'unknown-log' | 'unsigned' | 'malformed' | 'conflict' | 'unproven' | 'unfolded' | 'unfit';

/** What a witness has found in the entries under a checkpoint. Nothing is looked for in an attestation log. */
export type Vetting =
  { readonly isFolded: false } | { readonly isFolded: true; readonly objection: ProtocolError | undefined };

export type WitnessDecision =
  | {
      readonly cosigns: true;
      readonly checkpoint: OpenedCheckpoint;
      /** What is to be remembered of it, with a line by every key of the log that is known to have signed it. */
      readonly kept: HighWater;
    }
  | {
      readonly cosigns: false;
      readonly refusal: WitnessRefusal;
      /** For a conflict: the size that was cosigned last, 0 if none was. */
      readonly size?: number;
      readonly fault?: ProtocolError;
      /** Where the log has signed another tree of the size that was seen. */
      readonly evidence?: ForkEvidence;
      /** What the log has signed all the same. */
      readonly signed?: OpenedCheckpoint;
    };

/** What the rule leans on besides the request. */
export interface WitnessGround extends Primitives {
  /** The keys of a log by its origin; undefined if this witness does not know it. */
  readonly keysOf: (origin: string) => readonly VerifierKey[] | undefined;
  /** Asked about a checkpoint that is signed and continues what was seen. */
  readonly vet: (checkpoint: OpenedCheckpoint) => Vetting;
}

/** Total on requests. `seen` is what the witness stored last of this log; `read` the note of the request, where that was read already. */
export function decideCosigning(
  request: AddCheckpoint,
  seen: HighWater | undefined,
  { keysOf, vet, sha256, verifySignature }: WitnessGround,
  read?: ReadNote,
): WitnessDecision {
  let checkpoint: OpenedCheckpoint;
  try {
    const asked = read ?? readNote(request.note);
    const keys = keysOf(asked.checkpoint.origin);
    if (keys === undefined) return { cosigns: false, refusal: 'unknown-log' };
    checkpoint = openRead(asked, keys, verifySignature);
  } catch (error) {
    return refusedFor(error);
  }
  const decision = decideOpened(request, seen, checkpoint, { vet, sha256, verifySignature });
  return decision.cosigns ? decision : { ...decision, signed: checkpoint };
}

function decideOpened(
  request: AddCheckpoint,
  seen: HighWater | undefined,
  checkpoint: OpenedCheckpoint,
  { vet, sha256, verifySignature }: Omit<WitnessGround, 'keysOf'>,
): WitnessDecision {
  const seenSize = seen?.size ?? 0;
  const isFork = seen?.size === checkpoint.size && seenSize > 0 && !equalBytes(seen.root, checkpoint.root);
  const found = isFork ? { evidence: forkOf(seen, checkpoint) } : {};
  if (request.oldSize > checkpoint.size) return { cosigns: false, refusal: 'malformed', ...found };
  if (request.oldSize !== seenSize) return { cosigns: false, refusal: 'conflict', size: seenSize, ...found };
  if (isFork) return { cosigns: false, refusal: 'unproven', ...found };
  const lines = linesOf(checkpoint, seen, verifySignature);
  if (lines.length > LOG_LINES_MAX)
    return { cosigns: false, refusal: 'malformed', fault: crowding(checkpoint, lines.length) };
  try {
    verifyGrowth(sha256, request, seen, checkpoint);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { cosigns: false, refusal: 'unproven', fault: error };
  }
  const vetting = vet(checkpoint);
  if (!vetting.isFolded) return { cosigns: false, refusal: 'unfolded' };
  if (vetting.objection !== undefined) return { cosigns: false, refusal: 'unfit', fault: vetting.objection };
  const { size, root, text } = checkpoint;
  return { cosigns: true, checkpoint, kept: { size, root, note: encodeNote({ text, signatures: lines }) } };
}

/**
 * A line by each key that has signed this tree, now or when it was cosigned before. What is cosigned is left once all of them are given up: of any that is
 * forgotten nothing could be proven. Spec: SPEC.md 8.5, 9.
 */
function linesOf(
  { size, root, text, signers, lines }: OpenedCheckpoint,
  seen: HighWater | undefined,
  verifySignature: VerifySignature,
): readonly NoteSignature[] {
  if (seen?.size !== size || !equalBytes(seen.root, root)) return lines;
  const message = utf8Bytes(text);
  const isBy = ({ name, keyId, publicKey }: VerifierKey, line: NoteSignature) =>
    line.name === name &&
    line.keyId === keyId &&
    verifySignature({ publicKey, message, signature: line.bytes });
  const known = parseNote(seen.note).signatures;
  if (signers.every((key) => known.some((line) => isBy(key, line)))) return known;
  return [...known.filter((line) => !signers.some((key) => isBy(key, line))), ...lines];
}

/** The objection to every checkpoint of a log against which there is a proof of a fork that counts. Spec: SPEC.md 9. */
export function forked(origin: string): ProtocolError {
  const message = `${origin} has signed two trees that contradict each other: until its root has named one, nothing of it is vouched for`;
  return new ProtocolError('FORK', message, { origin });
}

/** Whoever signs with many keys would choose which are forgotten. */
function crowding({ origin, size }: OpenedCheckpoint, keys: number): ProtocolError {
  const message = `expected a checkpoint of ${origin} that at most ${LOG_LINES_MAX} of its keys have signed, got ${keys}: let the log grow beyond ${size} entries, and have that signed by fewer`;
  return new ProtocolError('TOO_LARGE', message, { keys });
}

function verifyGrowth(
  sha256: Sha256,
  { oldSize, path }: AddCheckpoint,
  seen: HighWater | undefined,
  { size: newSize, root: newRoot }: OpenedCheckpoint,
): void {
  if (oldSize > 0 && seen !== undefined) {
    verifyConsistency(sha256, { oldSize, newSize, oldRoot: seen.root, newRoot, path });
    return;
  }
  const isEmpty = newSize > 0 || equalBytes(newRoot, emptyRoot(sha256));
  if (path.length === 0 && isEmpty) return;
  throw new ProtocolError('PROOF_INVALID', 'nothing is to be proven of an empty tree', { newSize });
}

/** A bad signature is told from a missing one by nobody: both are 403. */
function refusedFor(error: unknown): WitnessDecision {
  if (!isProtocolError(error)) throw error;
  const isUnsigned = ['NOTE_UNSIGNED', 'SIGNATURE_INVALID', 'ORIGIN_INVALID'].includes(error.fault.code);
  return { cosigns: false, refusal: isUnsigned ? 'unsigned' : 'malformed', fault: error };
}

/** Of the other note the good lines of the log alone: with what its bearer may put beside them it would be too large to be told. */
function forkOf(seen: HighWater, { size, root, text, lines }: OpenedCheckpoint): ForkEvidence {
  return {
    size,
    sides: [
      { note: seen.note, root: seen.root, path: [] },
      { note: encodeNote({ text, signatures: lines }), root, path: [] },
    ],
  };
}
