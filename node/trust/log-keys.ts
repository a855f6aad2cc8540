/** The keys that sign the checkpoints of a region's logs, as its trust state names them. */
import { isProtocolError } from '../../protocol/fault.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { isNodeError } from '../node-error.ts';
import { type Signer } from '../ports.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';

interface OfLog {
  readonly all: readonly VerifierKey[];
  readonly standing: readonly VerifierKey[];
}

/** By state and origin: a key is asked for with every note that comes. */
const known = new WeakMap<TrustState, Map<string, OfLog>>();

/** Those that were not compromised, whatever their windows: a signature may be older than what is asked now. */
export function logVerifierKeys(sha256: Sha256, state: TrustState, origin: string): readonly VerifierKey[] {
  return keysOf(sha256, state, origin).standing;
}

/** All of them, those too that were compromised: for what they signed before anybody knew. */
export function allVerifierKeys(sha256: Sha256, state: TrustState, origin: string): readonly VerifierKey[] {
  return keysOf(sha256, state, origin).all;
}

function keysOf(sha256: Sha256, state: TrustState, origin: string): OfLog {
  const ofState = known.get(state) ?? new Map<string, OfLog>();
  known.set(state, ofState);
  const before = ofState.get(origin);
  if (before !== undefined) return before;
  const named = state.keysWithRole('checkpoint').map(({ publicKey, compromise }) => {
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    return { key, isGivenUp: compromise !== undefined };
  });
  const standing = named.flatMap(({ key, isGivenUp }) => (isGivenUp ? [] : [key]));
  const keys = { all: named.map(({ key }) => key), standing };
  ofState.set(origin, keys);
  return keys;
}

/**
 * Whether a note is refused because no key that is known made the lines of its log. Two keys can have one key id: then a line by the one that
 * is not known, or was given up, is a bad one by the other.
 */
export function isByNoKnownKey(error: unknown): boolean {
  return isProtocolError(error, 'NOTE_UNSIGNED') || isProtocolError(error, 'SIGNATURE_INVALID');
}

/** Which keys say of themselves that they signed a note of a log: nothing is proven. @throws {ProtocolError} as `readNote`. */
export function signerOf(note: Uint8Array, sha256: Sha256): (publicKey: Uint8Array) => boolean {
  const { checkpoint, note: read } = readNote(note);
  const { origin: name } = checkpoint;
  return (publicKey) => {
    const { keyId } = makeVerifierKey(sha256, { name, algorithm: ED25519, publicKey });
    return read.signatures.some((line) => line.name === name && line.keyId === keyId);
  };
}

/** The key that would sign now, which a state that is behind need not name; none where none is in force, or its file is not here. */
export function ownVerifierKey(
  sha256: Sha256,
  keyAt: (atS: number) => Signer,
  nowMs: number,
  origin: string,
): VerifierKey[] {
  try {
    const { publicKey } = keyAt(Math.floor(nowMs / 1000));
    return [makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey })];
  } catch (error) {
    if (isNodeError(error, 'KEY_NOT_IN_FORCE') || isNodeError(error, 'KEY_FILE_MISSING')) return [];
    throw error;
  }
}
