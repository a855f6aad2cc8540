/** The attestation: the signed, logged and blinded statement behind every code. Spec: SPEC.md 5.1, RFC 9052 4.2. */
import { asciiBytes, concatBytes, hexOf } from '../bytes.ts';
import { CborReader } from '../encoding/cbor.ts';
import { cborMalformed } from '../encoding/cbor-reader.ts';
import { logMonth } from '../trust/log-month.ts';
import { isAttestationLogId, isRegion } from '../log/origin.ts';
import { readAs } from './refault.ts';

/** What an attestation states. */
export interface AttestationClaims {
  readonly region: string;
  /** Id of the attestation log; its month (UTC) is that of `hour`. */
  readonly log: string;
  /** Place in that log, below `INDEX_BOUND`. */
  readonly index: number;
  /** Hours since 1970: issued within the 3,600 seconds from `3600 * hour` on. */
  readonly hour: number;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
}

/** A well-formed attestation. Whether the signature is good, and the key the region's, is not yet known. */
export interface Attestation extends AttestationClaims {
  /** 16 lower-case hexadecimal digits. */
  readonly keyId: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** The attestation as received: the entry of its log. */
  readonly bytes: Uint8Array;
}

const HOUR_S = 3_600;
export const ATTESTATION_INDEX_BYTES = 5;
export const COMMITMENT_BYTES = 32;
export const ATTESTATION_SIGNATURE_BYTES = 64;

export const COSE_SIGN1_TAG = 18;
/** `{ 1 (alg): -8 (EdDSA), 4 (kid): key id }` up to the key id. */
export const PROTECTED_HEAD = Uint8Array.of(0xa2, 0x01, 0x27, 0x04, 0x48);
const PROTECTED_BYTES = PROTECTED_HEAD.length + 8;

// Tag, head of the array, protected header with a head of one byte, empty map, payload with a head of two, signature with one of two.
const PROTECTED_AT = 2;
const PROTECTED_END = PROTECTED_AT + 1 + PROTECTED_BYTES;
const PAYLOAD_AT = PROTECTED_END + 1;
const AFTER_PAYLOAD_BYTES = 2 + ATTESTATION_SIGNATURE_BYTES;
// All widths behind the names are fixed: before the commitment stand a head of two bytes and the hour with its five.
export const COMMITMENT_FROM_END = AFTER_PAYLOAD_BYTES + COMMITMENT_BYTES;
export const INDEX_FROM_END = COMMITMENT_FROM_END + 2 + 5 + ATTESTATION_INDEX_BYTES;
/** More than the longest names need. */
const PAYLOAD_BYTES_MAX = 255;

const MESSAGE_HEAD = concatBytes(Uint8Array.of(0x84, 0x6a), asciiBytes('Signature1'));
/** Without the label and the payload with its head. */
const MESSAGE_FIXED_BYTES = MESSAGE_HEAD.length + PROTECTED_END - PROTECTED_AT + 2;

/**
 * The attestation whose only encoding is `bytes`. Byte strings in it are views of `bytes`.
 * @throws {ProtocolError} ATTESTATION_MALFORMED with the `offset` of the item that is not as it must be.
 */
export function parseAttestation(bytes: Uint8Array): Attestation {
  return readAs('ATTESTATION_MALFORMED', 'an attestation', () => {
    const reader = new CborReader(bytes);
    reader.tag(COSE_SIGN1_TAG);
    if (reader.array(4) !== 4) throw cborMalformed(1, 'expected four elements');
    const header = reader.bytes(PROTECTED_BYTES, PROTECTED_BYTES);
    for (let i = 0; i < PROTECTED_HEAD.length; i++) {
      if (header[i] !== PROTECTED_HEAD[i])
        throw cborMalformed(PROTECTED_AT, 'expected EdDSA and a key id of 8 bytes');
    }
    reader.mapLength(0);
    const payloadEnd = bytes.length - AFTER_PAYLOAD_BYTES;
    const payload = reader.bytes(0, PAYLOAD_BYTES_MAX);
    const signature = reader.bytes(ATTESTATION_SIGNATURE_BYTES, ATTESTATION_SIGNATURE_BYTES);
    reader.end();
    const { region, log, index, hour, commitment } = readClaims(payload, payloadEnd - payload.length);
    const keyId = hexOf(header.subarray(PROTECTED_HEAD.length));
    return { region, log, index, hour, commitment, keyId, signature, bytes };
  });
}

/**
 * What the signature covers: the COSE `Sig_structure` over header and payload as received. The network stands nowhere
 * else, so that a code of another network fails its signature. `bytes` are those of an attestation of that region and log.
 */
export function attestationMessage(
  { region, log, bytes }: Pick<Attestation, 'region' | 'log' | 'bytes'>,
  network: string,
): Uint8Array {
  // The origin of SPEC.md 4.1, spelled here because all three names have been checked before.
  const label = `entente/attestation/v1\n${region}.${network}/attest/${log}`;
  const payloadEnd = bytes.length - AFTER_PAYLOAD_BYTES;
  // Written into one array byte by byte, since every array or view on the way takes longer than its bytes.
  const message = new Uint8Array(MESSAGE_FIXED_BYTES + label.length + payloadEnd - PAYLOAD_AT);
  let at = 0;
  for (let i = 0; i < MESSAGE_HEAD.length; i++) message[at++] = MESSAGE_HEAD[i] as number;
  for (let i = PROTECTED_AT; i < PROTECTED_END; i++) message[at++] = bytes[i] as number;
  // The label has 42 to 79 bytes: a head of two, as the payload has.
  message[at++] = 0x58;
  message[at++] = label.length;
  for (let i = 0; i < label.length; i++) message[at++] = label.charCodeAt(i);
  for (let i = PAYLOAD_AT; i < payloadEnd; i++) message[at++] = bytes[i] as number;
  return message;
}

/** Total: whether `hour` is in the month (UTC) that the attestation log id names. */
export function isHourOfLog(hour: number, log: string): boolean {
  const { fromS, untilS } = logMonth(log);
  return fromS <= HOUR_S * hour && HOUR_S * hour < untilS;
}

/** `start`: the payload's place in the attestation. */
function readClaims(payload: Uint8Array, start: number): AttestationClaims {
  return readAs(
    'ATTESTATION_MALFORMED',
    'a payload',
    () => {
      const reader = new CborReader(payload);
      if (reader.array(5) !== 5) throw cborMalformed(0, 'expected five elements');
      let at = reader.offset;
      const region = reader.text(6);
      if (!isRegion(region)) throw cborMalformed(at, 'expected a region');
      at = reader.offset;
      const log = reader.text(9);
      if (!isAttestationLogId(log)) throw cborMalformed(at, 'expected an attestation log id');
      const index = bigEndian(reader.bytes(ATTESTATION_INDEX_BYTES, ATTESTATION_INDEX_BYTES));
      at = reader.offset;
      const hour = reader.uint();
      if (!isHourOfLog(hour, log)) throw cborMalformed(at, "expected an hour of the log's month");
      const commitment = reader.bytes(COMMITMENT_BYTES, COMMITMENT_BYTES);
      reader.end();
      return { region, log, index, hour, commitment };
    },
    { start },
  );
}

/** The number in `bytes[from .. to)`, at most six of them. */
export function bigEndian(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 256 + (bytes[i] as number);
  return value;
}
