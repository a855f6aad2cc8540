/** The checkpoints that a region signs for its own logs. */
import { encodeNote } from '../../protocol/log/note.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Keyring } from './keyring.ts';
import { type TreeHead } from './log-appender.ts';

export interface OwnCheckpointModules {
  readonly sha256: Sha256;
  readonly keyring: Keyring;
}

/**
 * A checkpoint with the log's signature and a cosignature of the region's own witness, whose timestamp tells when the region was
 * last heard from. The caller has synced the tree before.
 */
export async function signOwnCheckpoint(
  origin: string,
  head: TreeHead,
  state: TrustState,
  atS: number,
  { sha256, keyring }: OwnCheckpointModules,
): Promise<Uint8Array> {
  const signer = await keyring.inForce(state, 'checkpoint', atS);
  const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey: signer.publicKey });
  const note = signCheckpoint({ origin, ...head }, key, (message) => signer.sign(message));
  const cosignature = await cosign(note.text, state, atS, { sha256, keyring });
  return encodeNote({ text: note.text, signatures: [...note.signatures, cosignature] });
}

/** The region's cosignature of a checkpoint, which the caller has found consistent and has stored. */
export async function cosign(
  text: string,
  state: TrustState,
  atS: number,
  { sha256, keyring }: OwnCheckpointModules,
): Promise<NoteSignature> {
  const signer = await keyring.inForce(state, 'witness', atS);
  const name = witnessName(state.region, state.network);
  const key = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey: signer.publicKey });
  return signCosignature(key, text, atS, (message) => signer.sign(message));
}
