/** Signing the checkpoint of an own log, not trusting the signature until it is checked, and knowing it again. */
import { isProtocolError } from '../../protocol/fault.ts';
import { type Checkpoint, openCheckpoint, signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type HighWater, type Signer } from '../ports.ts';
import { logError } from './log-error.ts';

/**
 * The checkpoint with the log's signature, which verifies: a fault of memory or a wrong key shows here, and not at a peer.
 * @throws {NodeError} SIGNER_FAULTY
 */
export function signOwnCheckpoint(
  checkpoint: Checkpoint,
  signer: Signer,
  { sha256, verifySignature }: Primitives,
): HighWater {
  const { origin, size, root } = checkpoint;
  const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey: signer.publicKey });
  const note = encodeNote(signCheckpoint(checkpoint, key, (message) => signer.sign(message)));
  try {
    openCheckpoint(note, [key], verifySignature);
  } catch (cause) {
    throw logError('SIGNER_FAULTY', `${origin}: the signature on size ${size} does not verify`, { cause });
  }
  return { size, root, note };
}

/** Whether this key signed the note of one of our logs, besides any others that did. */
export function isSignedBy(
  origin: string,
  note: Uint8Array,
  { publicKey }: Pick<Signer, 'publicKey'>,
  { sha256, verifySignature }: Primitives,
): boolean {
  const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
  try {
    openCheckpoint(note, [key], verifySignature);
    return true;
  } catch (error) {
    if (isProtocolError(error, 'NOTE_UNSIGNED')) return false;
    throw error;
  }
}
