/** Which code a bridged attestation stands for, by the word of the region that bridges. Spec: SPEC.md 5.6. */
import { compareBytes, hexBytes, hexOf } from '../bytes.ts';
import { type CborReader, type CborValue } from '../encoding/cbor.ts';
import { cborMalformed } from '../encoding/cbor-reader.ts';
import {
  FOREIGN_REVOCATION_BYTES,
  FOREIGN_SIGNER_BYTES,
  INDEX_BOUND,
  ORIGINAL_HASHES_MAX,
} from '../limits.ts';
import { isAttestationLogId, isRegion } from '../log/origin.ts';
import { ATTESTATION_INDEX_BYTES, bigEndian } from './attestation.ts';

/** An attestation in a log of this network. */
export interface OriginalAttestation {
  readonly region: string;
  readonly log: string;
  readonly index: number;
  /** Of the key that signed it: 16 lower-case hexadecimal digits. */
  readonly keyId: string;
  /** Of the attestation as an entry of its log, 32 bytes. */
  readonly leafHash: Uint8Array;
}

/** A code of others that counts by an adapter of `region`. */
export interface OriginalForeign {
  readonly region: string;
  /** All by which the code can be revoked (SPEC.md 17.9): 1 to 3 of 16 bytes, strictly ascending. */
  readonly hashes: readonly Uint8Array[];
  /** By which key of the region the platform has found it signed; platforms of before do not say. */
  readonly signed?: OriginalSigned | undefined;
}

export interface OriginalSigned {
  /** `foreignSignerOf` of the key, 8 bytes. */
  readonly signer: Uint8Array;
  /** Seconds since 1970, rounded down; undefined for a code that does not say. */
  readonly issuedAtS?: number | undefined;
}

export type Original = OriginalAttestation | OriginalForeign;

const KEY_ID_BYTES = 8;
const LEAF_HASH_BYTES = 32;
const ATTESTATION_ELEMENTS = 5;
/** Region and hashes alone, with the key, with the time of issue besides. */
const FOREIGN_ELEMENTS = [2, 3, 4];

/** The original as the value of key 7 of a status, at most 78 bytes. @throws {TypeError} if it has no encoding. */
export function encodeOriginal(original: Original): CborValue {
  const { region } = original;
  if (!isRegion(region)) throw new TypeError('an original is of a region');
  if ('hashes' in original) {
    if (!areHashes(original.hashes))
      throw new TypeError(`expected 1 to ${ORIGINAL_HASHES_MAX} ascending hashes`);
    return [region, [...original.hashes], ...signedElements(original.signed)];
  }
  const { log, index, keyId, leafHash } = original;
  const isPlace = isAttestationLogId(log) && Number.isSafeInteger(index) && index >= 0 && index < INDEX_BOUND;
  const key = hexBytes(keyId);
  if (!isPlace || key.length !== KEY_ID_BYTES || leafHash.length !== LEAF_HASH_BYTES)
    throw new TypeError('an original attestation has a log, an index, a key id and a leaf');
  const place = hexBytes(index.toString(16).padStart(2 * ATTESTATION_INDEX_BYTES, '0'));
  return [region, log, place, key, leafHash];
}

/** Reads what `encodeOriginal` gives; byte strings are views. @throws {ProtocolError} as a `CborReader`. */
export function readOriginal(reader: CborReader): Original {
  const start = reader.offset;
  const elements = reader.array(ATTESTATION_ELEMENTS);
  let at = reader.offset;
  const region = reader.text(6);
  if (!isRegion(region)) throw cborMalformed(at, 'expected a region');
  at = reader.offset;
  if (FOREIGN_ELEMENTS.includes(elements)) return readForeign(reader, region, elements);
  if (elements !== ATTESTATION_ELEMENTS) throw cborMalformed(start, 'expected two to five elements');
  const log = reader.text(9);
  if (!isAttestationLogId(log)) throw cborMalformed(at, 'expected an attestation log id');
  const index = bigEndian(reader.bytes(ATTESTATION_INDEX_BYTES, ATTESTATION_INDEX_BYTES));
  const keyId = hexOf(reader.bytes(KEY_ID_BYTES, KEY_ID_BYTES));
  const leafHash = reader.bytes(LEAF_HASH_BYTES, LEAF_HASH_BYTES);
  return { region, log, index, keyId, leafHash };
}

function readForeign(reader: CborReader, region: string, elements: number): OriginalForeign {
  const at = reader.offset;
  const hashes: Uint8Array[] = [];
  for (let left = reader.array(ORIGINAL_HASHES_MAX); left > 0; left--)
    hashes.push(reader.bytes(FOREIGN_REVOCATION_BYTES, FOREIGN_REVOCATION_BYTES));
  if (!areHashes(hashes)) throw cborMalformed(at, 'expected ascending hashes');
  if (elements === 2) return { region, hashes };
  const signer = reader.bytes(FOREIGN_SIGNER_BYTES, FOREIGN_SIGNER_BYTES);
  if (elements === 3) return { region, hashes, signed: { signer } };
  return { region, hashes, signed: { signer, issuedAtS: reader.uint() } };
}

function signedElements(signed: OriginalSigned | undefined): CborValue[] {
  if (signed === undefined) return [];
  const { signer, issuedAtS } = signed;
  if (signer.length !== FOREIGN_SIGNER_BYTES) throw new TypeError('an original names a key by 8 bytes');
  return issuedAtS === undefined ? [signer] : [signer, issuedAtS];
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return (
    hashes.length >= 1 &&
    hashes.length <= ORIGINAL_HASHES_MAX &&
    hashes.every((hash, i) => {
      const before = hashes[i - 1];
      return (
        hash.length === FOREIGN_REVOCATION_BYTES && (before === undefined || compareBytes(before, hash) < 0)
      );
    })
  );
}
