/**
 * Leaves that are nobody's: to whom it belongs that colours change is hidden among them. What is committed to is a secret and no fields,
 * so that whoever is shown the secret knows that no code ever opens it. Spec: SPEC.md 5.8.
 */
import { asciiBytes, concatBytes } from '../bytes.ts';
import { type Sha256 } from '../primitives.ts';

export const PADDING_SECRET_BYTES = 32;

const LABEL = asciiBytes('\0entente/padding/v1\n');

/**
 * The commitment of a leaf that is nobody's. Without the secret it looks like any other; with it nobody can open it as a code, which would
 * be a collision of the hash. @throws {RangeError} unless the secret has 32 bytes.
 */
export function paddingCommitment(sha256: Sha256, secret: Uint8Array): Uint8Array {
  if (secret.length !== PADDING_SECRET_BYTES)
    throw new RangeError(`the secret of a leaf that is nobody's has ${PADDING_SECRET_BYTES} bytes`);
  return sha256(concatBytes(LABEL, secret));
}
