/** The four fields that a commitment hides and a code may open. Spec: SPEC.md 5.2. */
import { concatBytes } from '../bytes.ts';
import { type CborReader } from '../encoding/cbor.ts';
import { cborMalformed, cborNotCanonical } from '../encoding/cbor-reader.ts';
import { ProtocolError } from '../fault.ts';
import { FIELD_VALUE_BYTES_MAX } from '../limits.ts';
import { encodeStatus, parseStatus, type Status } from './status.ts';

/** In the order of the commitment's leaves; the position is the field's number in a code. */
export const FIELD_NAMES = ['status', 'holder', 'document', 'evidence'] as const;
export type FieldName = (typeof FIELD_NAMES)[number];

/** Bytes of the random value before each field. */
export const SALT_BYTES = 16;
/** Bytes of an opening, salt and value together. */
export const OPENING_BYTES_MAX = SALT_BYTES + FIELD_VALUE_BYTES_MAX;

/** What the opened fields of a code, or the used fields of an attestation, say. */
export interface Fields {
  readonly status: Status;
  /** Ed25519 public key of the holder's device, 32 bytes. */
  readonly holderKey?: Uint8Array | undefined;
  readonly document?: DocumentField | undefined;
  /** Digest of the facts that the issuing rule saw, 32 bytes. */
  readonly evidence?: Uint8Array | undefined;
}

/** `hash`, 32 bytes, is that of `documentHash` under `salt`, 16 bytes, which is also the salt of the field. */
export interface DocumentField {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** For each field in the order of `FIELD_NAMES` its salt and value, or undefined if the field is not opened. */
export type FieldOpenings = readonly (Uint8Array | undefined)[];

/**
 * Reads `{ field number: salt || value, ... }`. The byte strings are views of the reader's input.
 * @throws {ProtocolError} CBOR_MALFORMED also for a number that is no field, CBOR_NOT_CANONICAL also for keys out of order.
 */
export function readOpened(reader: CborReader): FieldOpenings {
  const opened: (Uint8Array | undefined)[] = [undefined, undefined, undefined, undefined];
  let previous = -1;
  for (let left = reader.mapLength(FIELD_NAMES.length); left > 0; left--) {
    const at = reader.offset;
    const field = reader.uint();
    if (field >= FIELD_NAMES.length) throw cborMalformed(at, 'expected a field number');
    if (field <= previous) throw cborNotCanonical(at, 'expected keys in ascending order');
    opened[field] = reader.bytes(SALT_BYTES + 1, OPENING_BYTES_MAX);
    previous = field;
  }
  return opened;
}

/** The openings as the map that `readOpened` reads. */
export function openedMap(opened: FieldOpenings): ReadonlyMap<number, Uint8Array> {
  const map = new Map<number, Uint8Array>();
  opened.forEach((opening, field) => opening && map.set(field, opening));
  return map;
}

/**
 * What the openings say; byte strings in it are views of them. The status is required.
 * @throws {ProtocolError} FIELD_MALFORMED with the name of the `field`; `offset` counts bytes of its value.
 */
export function parseFields([status, holder, document, evidence]: FieldOpenings): Fields {
  if (status === undefined) throw malformed('status', 'expected the status to be opened');
  return {
    status: parseStatus(status.subarray(SALT_BYTES)),
    holderKey: holder && parseBytes32('holder', holder),
    document: document && {
      salt: document.subarray(0, SALT_BYTES),
      hash: parseBytes32('document', document),
    },
    evidence: evidence && parseBytes32('evidence', evidence),
  };
}

/**
 * The values of `fields` in the order of `FIELD_NAMES`, undefined where a field is not used.
 * @throws {TypeError} on a status without an encoding, or a byte string that has not 32 bytes.
 */
export function fieldValues({ status, holderKey, document, evidence }: Fields): FieldOpenings {
  return [
    encodeStatus(status),
    holderKey && encodeBytes32(holderKey),
    document && encodeBytes32(document.hash),
    evidence && encodeBytes32(evidence),
  ];
}

/** CBOR's head of a byte string of 32 bytes. */
const BYTES_32_HEAD = Uint8Array.of(0x58, 0x20);
const BYTES_32_START = SALT_BYTES + BYTES_32_HEAD.length;

function parseBytes32(field: FieldName, opening: Uint8Array): Uint8Array {
  if (
    opening.length !== BYTES_32_START + 32 ||
    opening[SALT_BYTES] !== BYTES_32_HEAD[0] ||
    opening[SALT_BYTES + 1] !== BYTES_32_HEAD[1]
  ) {
    throw malformed(field, `expected a byte string of 32 bytes as the ${field}`);
  }
  return opening.subarray(BYTES_32_START);
}

function encodeBytes32(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 32) throw new TypeError('a holder key, document hash or evidence digest has 32 bytes');
  return concatBytes(BYTES_32_HEAD, bytes);
}

function malformed(field: FieldName, message: string): ProtocolError {
  return new ProtocolError('FIELD_MALFORMED', message, { field, offset: 0 });
}
