/**
 * A witness's word that, as of a time, the largest consistent tree it saw of an origin is that of this checkpoint.
 * Spec: C2SP tlog-cosignature, `cosignature/v1`.
 */
import { concatBytes, uint64Bytes } from '../bytes.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { type VerifySignature } from '../primitives.ts';
import { type NoteSignature, type Sign } from './signature-line.ts';
import { COSIGNATURE, type VerifierKey } from './verifier-key.ts';

const TIMESTAMP_BYTES = 8;
const COSIGNATURE_BYTES = TIMESTAMP_BYTES + 64;

/**
 * A cosignature that was verified. The signed bytes do not name the cosigner, so what counts as a distinct cosigner is
 * the public key.
 */
export interface Cosignature {
  readonly name: string;
  readonly keyId: number;
  readonly publicKey: Uint8Array;
  /** Seconds since 1970, by the witness's clock. */
  readonly timestampS: number;
}

/** The bytes that a witness signs: `text` is the text of the checkpoint, with its last newline. */
export function cosignatureMessage(text: string, timestampS: number): Uint8Array {
  return utf8Bytes(`cosignature/v1\ntime ${timestampS}\n${text}`);
}

/** The line of a cosignature whose 64 signature bytes are at hand. @throws {RangeError} for other lengths or keys. */
export function encodeCosignature(
  key: VerifierKey,
  timestampS: number,
  signature: Uint8Array,
): NoteSignature {
  const bytes = concatBytes(uint64Bytes(timestampS), signature);
  if (key.algorithm !== COSIGNATURE || bytes.length !== COSIGNATURE_BYTES) {
    throw new RangeError('expected a cosignature key and 64 bytes of signature');
  }
  return { name: key.name, keyId: key.keyId, bytes };
}

/** Cosigns the text of a checkpoint: the caller has checked that it is consistent, and has stored that. */
export function signCosignature(
  key: VerifierKey,
  text: string,
  timestampS: number,
  sign: Sign,
): NoteSignature {
  return encodeCosignature(key, timestampS, sign(cosignatureMessage(text, timestampS)));
}

/**
 * Proves that the key cosigned the checkpoint with this text, and says when.
 * @throws {ProtocolError} KEY_INVALID if the key is none of a witness; SIGNATURE_INVALID if name or key id are not those
 * of the key, the time is beyond 2^53-1 or the signature is not good.
 */
export function verifyCosignature(
  key: VerifierKey,
  text: string,
  signature: NoteSignature,
  verify: VerifySignature,
): Cosignature {
  const { name, keyId, algorithm, publicKey } = key;
  if (algorithm !== COSIGNATURE)
    throw new ProtocolError('KEY_INVALID', 'expected a key of algorithm 4', { algorithm });
  const { bytes } = signature;
  if (signature.name !== name || signature.keyId !== keyId || bytes.length !== COSIGNATURE_BYTES)
    throw bad(signature);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const timestampS = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  if (!Number.isSafeInteger(timestampS)) throw bad(signature);
  const message = cosignatureMessage(text, timestampS);
  if (!verify({ publicKey, message, signature: bytes.subarray(TIMESTAMP_BYTES) })) throw bad(signature);
  return { name, keyId, publicKey, timestampS };
}

function bad({ keyId, bytes }: NoteSignature): ProtocolError {
  return new ProtocolError('SIGNATURE_INVALID', 'expected a good cosignature', {
    keyId,
    bytes: bytes.length,
  });
}
