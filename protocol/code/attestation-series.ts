/** Reading the attestations of a log one after the other: most differ from the one before in three fields alone. */
import {
  type Attestation,
  ATTESTATION_INDEX_BYTES,
  ATTESTATION_SIGNATURE_BYTES,
  bigEndian,
  COMMITMENT_BYTES,
  COMMITMENT_FROM_END,
  INDEX_FROM_END,
  parseAttestation,
} from './attestation.ts';

/**
 * Gives what `parseAttestation` gives, and throws what it throws. An attestation whose bytes are those of the one before but for
 * index, commitment and signature, which may have any, is well-formed as that was, and costs a tenth. No bytes that were
 * read may change while the series goes on.
 */
export class AttestationSeries {
  #last: Attestation | undefined;

  read(bytes: Uint8Array): Attestation {
    const last = this.#last;
    if (last === undefined || !isAlike(bytes, last.bytes)) return (this.#last = parseAttestation(bytes));
    const { region, log, hour, keyId } = last;
    const indexAt = bytes.length - INDEX_FROM_END;
    const commitmentAt = bytes.length - COMMITMENT_FROM_END;
    return {
      region,
      log,
      index: bigEndian(bytes, indexAt, indexAt + ATTESTATION_INDEX_BYTES),
      hour,
      commitment: bytes.subarray(commitmentAt, commitmentAt + COMMITMENT_BYTES),
      keyId,
      signature: bytes.subarray(-ATTESTATION_SIGNATURE_BYTES),
      bytes,
    };
  }
}

/** Whether two attestations, one of which is well-formed, are equal in all but what each has for itself. */
function isAlike(bytes: Uint8Array, other: Uint8Array): boolean {
  const { length } = bytes;
  if (length !== other.length) return false;
  const indexAt = length - INDEX_FROM_END;
  const commitmentAt = length - COMMITMENT_FROM_END;
  return (
    areEqualWithin(bytes, other, 0, indexAt) &&
    areEqualWithin(bytes, other, indexAt + ATTESTATION_INDEX_BYTES, commitmentAt) &&
    areEqualWithin(bytes, other, commitmentAt + COMMITMENT_BYTES, length - ATTESTATION_SIGNATURE_BYTES)
  );
}

function areEqualWithin(bytes: Uint8Array, other: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== other[i]) return false;
  return true;
}
