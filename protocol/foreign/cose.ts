/** COSE_Sign1 as others make it. Spec: SPEC.md 17.2, RFC 9052 4.2 and 4.4. */
import { encodeCbor } from '../encoding/cbor-writer.ts';
import { ProtocolError } from '../fault.ts';
import { asMap, decodeForeignCbor, type ForeignCborMap } from './foreign-cbor.ts';
import { INFLATED_BYTES_MAX, KEY_ID_BYTES_MAX } from './foreign-limits.ts';
import { type ForeignAlgorithm } from './signature-check.ts';

/** What was signed, by whom it says so, and what is to be checked for it. Byte strings are views of what was parsed. */
export interface CoseSign1 {
  readonly algorithm: ForeignAlgorithm;
  /** 1 .. 32 bytes. */
  readonly keyId: Uint8Array;
  readonly protectedHeader: ForeignCborMap;
  readonly payload: Uint8Array;
  /** What the signature covers. */
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Tag 61 (CWT) may stand outside, tag 18 (COSE_Sign1) has to. */
const TAG_CWT = [0xd8, 0x3d] as const;
const TAG_SIGN1 = 0xd2;

export const COSE_HEADER = { algorithm: 1, critical: 2, keyId: 4, type: 16 } as const;
/** By the numbers of RFC 9053, those of every format but local codes. */
const ALGORITHMS: ReadonlyMap<unknown, ForeignAlgorithm> = new Map([
  [-7, 'ES256'],
  [-35, 'ES384'],
  [-37, 'PS256'],
]);

/** A COSE_Sign1 of which nothing is known yet but its form. */
export interface CoseParts extends Pick<CoseSign1, 'protectedHeader' | 'payload' | 'message' | 'signature'> {
  readonly unprotected: ForeignCborMap;
}

const NOTHING = new Uint8Array(0);

/**
 * Takes a COSE_Sign1 apart. The algorithm counts from the protected header alone; a key id in the protected header goes before one
 * in the other.
 * @throws {ProtocolError} COSE_MALFORMED; ALGORITHM_UNKNOWN; KEY_ID_MISSING; CBOR_MALFORMED and TOO_LARGE as `decodeForeignCbor`.
 */
export function parseCoseSign1(bytes: Uint8Array, bytesMax = INFLATED_BYTES_MAX): CoseSign1 {
  const { protectedHeader, unprotected, payload, message, signature } = parseCoseParts(bytes, bytesMax);
  const algorithm = ALGORITHMS.get(protectedHeader.get(COSE_HEADER.algorithm));
  if (algorithm === undefined)
    throw new ProtocolError('ALGORITHM_UNKNOWN', 'expected ES256, ES384 or PS256 in the protected header');
  const keyId = keyIdOf(protectedHeader.get(COSE_HEADER.keyId) ?? unprotected.get(COSE_HEADER.keyId));
  return { algorithm, keyId, protectedHeader, payload, message, signature };
}

/** A name of a key, of 1 to 32 bytes. @throws {ProtocolError} KEY_ID_MISSING */
export function keyIdOf(value: unknown): Uint8Array {
  if (isBytes(value) && value.length > 0 && value.length <= KEY_ID_BYTES_MAX) return value;
  throw new ProtocolError('KEY_ID_MISSING', `expected a key id of 1 to ${KEY_ID_BYTES_MAX} bytes`);
}

/** The parts of a COSE_Sign1 that carries its payload. @throws {ProtocolError} COSE_MALFORMED; CBOR_MALFORMED and TOO_LARGE as `decodeForeignCbor`. */
export function parseCoseParts(bytes: Uint8Array, bytesMax: number): CoseParts {
  const parts = decodeForeignCbor(bytes.subarray(tagBytes(bytes)), bytesMax);
  if (!Array.isArray(parts) || parts.length !== 4) throw malformed('expected an array of four');
  const [protectedBytes, unprotected, payload, signature] = parts as readonly unknown[];
  if (!isBytes(protectedBytes) || !isBytes(payload) || !isBytes(signature))
    throw malformed('expected protected header, payload and signature as byte strings');
  if (!(unprotected instanceof Map)) throw malformed('expected the other header as a map');
  const protectedHeader = headerOf(protectedBytes);
  // What a header marks as critical has to be understood, and nothing here is.
  if (protectedHeader.has(COSE_HEADER.critical)) throw malformed('expected no critical header');
  const message = sign1Message(protectedBytes, payload);
  return { protectedHeader, unprotected: unprotected as ForeignCborMap, payload, message, signature };
}

/** What a COSE_Sign1 signs. Spec: RFC 9052 4.4. */
export function sign1Message(protectedBytes: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', protectedBytes, NOTHING, payload]);
}

function tagBytes(bytes: Uint8Array): number {
  const outside = bytes[0] === TAG_CWT[0] && bytes[1] === TAG_CWT[1] ? TAG_CWT.length : 0;
  if (bytes[outside] === TAG_SIGN1) return outside + 1;
  throw malformed('expected the tag of a COSE_Sign1, within that of a CWT or alone');
}

function headerOf(bytes: Uint8Array): ForeignCborMap {
  if (bytes.length === 0) return new Map();
  const header = asMap(decodeForeignCbor(bytes, INFLATED_BYTES_MAX));
  if (header === undefined) throw malformed('expected the protected header to hold a map');
  return header;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function malformed(message: string): ProtocolError {
  return new ProtocolError('COSE_MALFORMED', message);
}
