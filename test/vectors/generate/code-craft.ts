/** Well-formed codes for vectors, from fixed keys and salts, and what a reader is to find in them. */
import { asciiBytes, concatBytes, hexBytes, hexOf, uint64Bytes } from '../../../protocol/bytes.ts';
import { encodeCode } from '../../../protocol/code/code.ts';
import { type FieldName, type Fields } from '../../../protocol/code/field.ts';
import { type Original } from '../../../protocol/code/original.ts';
import { commitFields, type Openings } from '../../../protocol/code/openings.ts';
import { type Status } from '../../../protocol/code/status.ts';
import { type CborValue, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { publicKeyOf, sign } from '../../../protocol/signature/noble.ts';
import { type CodeReading, type StatusVector } from '../../support/code-vectors.ts';
import { sha256 } from '../../support/primitives.ts';

export const EMPTY = new Uint8Array(0);
export const NETWORK = 'demo';
/** 2026-11-01T00:00Z in hours, and an hour of that month. */
export const NOVEMBER = Date.UTC(2026, 10) / 3_600_000;
export const HOUR = NOVEMBER + 540;

/** The key whose secret is 32 times this byte. */
export function keyOf(secretByte: number) {
  const secret = new Uint8Array(32).fill(secretByte);
  const publicKey = publicKeyOf(secret);
  const signWith = (message: Uint8Array) => sign(message, secret);
  return { publicKey, keyId: keyIdOf(sha256, publicKey), sign: signWith };
}

export const ISSUER = keyOf(1);
export const DEVICE = keyOf(2);
export const STRANGER = keyOf(3);

/** 0, 1, 2, ...: salts and leaves that are fixed and all different. */
export function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i);
}

export const GREEN: Status = {
  colour: 'green',
  measure: 'none',
  expiresAtS: 3_600 * HOUR + 7 * 86_400,
  ruleId: 'baseline',
  ruleVersion: 1,
};
export const YELLOW: Status = {
  ...GREEN,
  colour: 'yellow',
  measure: 'home',
  untilS: 3_600 * HOUR + 7 * 86_400,
};
export const RED: Status = {
  ...GREEN,
  colour: 'red',
  measure: 'isolate',
  untilS: 3_600 * HOUR + 14 * 86_400,
};

export const ALL_FIELDS: Fields = {
  status: GREEN,
  holderKey: DEVICE.publicKey,
  document: { salt: counting(16).map((byte) => 0xf0 + byte), hash: sha256(asciiBytes('a document')) },
  evidence: sha256(asciiBytes('facts')),
};

export interface Claims {
  readonly region: string;
  readonly log: string;
  readonly index: number;
  readonly hour: number;
}
export const CLAIMS: Claims = { region: 'CN-33', log: '2026-11', index: 1_234_567, hour: HOUR };

export interface CraftOptions {
  readonly fields?: Fields;
  /** The opened ones. */
  readonly names?: readonly FieldName[];
  readonly claims?: Partial<Claims>;
  readonly keyId?: string;
  /** That of the verifier; the issuer signs for it too unless `sign` does otherwise. */
  readonly network?: string;
  /** Gets what should be signed. Whatever it gives stands in the code. */
  readonly sign?: (message: Uint8Array, payload: Uint8Array) => Uint8Array;
  readonly isGood?: boolean;
}

export interface Crafted {
  readonly network: string;
  readonly bytes: Uint8Array;
  readonly attestation: Uint8Array;
  readonly openings: Openings;
  readonly reading: CodeReading;
}

/** The Sig_structure of RFC 9052 4.4, SPEC.md 5.1. */
export function messageOf(
  claims: Claims,
  network: string,
  commitment: Uint8Array,
  keyId = ISSUER.keyId,
): Uint8Array {
  const label = `entente/attestation/v1\n${claims.region}.${network}/attest/${claims.log}`;
  return encodeCbor(['Signature1', protectedOf(keyId), asciiBytes(label), payloadOf(claims, commitment)]);
}

export function craft(options: CraftOptions = {}): Crafted {
  const {
    fields = ALL_FIELDS,
    names = ['status'],
    keyId = ISSUER.keyId,
    network = NETWORK,
    isGood = true,
  } = options;
  const { sign: signWith = ISSUER.sign } = options;
  const claims = { ...CLAIMS, ...options.claims };
  const { commitment, openings } = commitFields(sha256, fields, counting);
  const payload = payloadOf(claims, commitment);
  const message = messageOf(claims, network, commitment, keyId);
  const signature = signWith(message, payload);
  const attestation = sign1([protectedOf(keyId), {}, payload, signature]);
  const { document } = fields;
  const reading: CodeReading = {
    ...claims,
    commitment: hexOf(commitment),
    keyId,
    attestation: hexOf(attestation),
    leaf: hexOf(sha256(concatBytes(Uint8Array.of(0), attestation))),
    message: hexOf(message),
    signature: hexOf(signature),
    signatureGood: isGood,
    status: statusVector(fields.status),
    ...(names.includes('holder') && { holderKey: hexOf(fields.holderKey as Uint8Array) }),
    ...(names.includes('document') &&
      document && { document: { salt: hexOf(document.salt), hash: hexOf(document.hash) } }),
    ...(names.includes('evidence') && { evidence: hexOf(fields.evidence as Uint8Array) }),
  };
  return { network, bytes: encodeCode(sha256, attestation, openings, names), attestation, openings, reading };
}

export interface PresentOptions {
  readonly key?: typeof DEVICE;
  readonly isGood?: boolean;
  /** What is signed in place of what is shown. */
  readonly signed?: {
    readonly step?: number;
    readonly challenge?: Uint8Array;
    readonly attestation?: Uint8Array;
  };
}

export function present(
  code: Crafted,
  step: number,
  challenge: Uint8Array,
  { key = DEVICE, isGood = true, signed = {} }: PresentOptions = {},
): Crafted {
  const messageFor = (attestation: Uint8Array, at: number, answer: Uint8Array) =>
    concatBytes(
      asciiBytes('entente/presentation/v1\n'),
      sha256(attestation),
      uint64Bytes(at),
      Uint8Array.of(answer.length),
      answer,
    );
  const message = messageFor(code.attestation, step, challenge);
  const signature = key.sign(
    messageFor(signed.attestation ?? code.attestation, signed.step ?? step, signed.challenge ?? challenge),
  );
  const presentation = {
    step,
    challenge: hexOf(challenge),
    message: hexOf(message),
    signature: hexOf(signature),
    signatureGood: isGood,
  };
  const bytes = encodeCbor([code.bytes, step, challenge, signature]);
  return { ...code, bytes, reading: { ...code.reading, presentation } };
}

/** A COSE_Sign1 of any parts under a tag given in hexadecimal. */
export function sign1(parts: readonly CborValue[], tag = 'd2'): Uint8Array {
  return concatBytes(hexBytes(tag), encodeCbor(parts));
}

export function protectedOf(keyId: string): Uint8Array {
  return hexBytes(`a201270448${keyId}`);
}

export function indexBytes(index: number): Uint8Array {
  return uint64Bytes(index).subarray(3);
}

function payloadOf({ region, log, index, hour }: Claims, commitment: Uint8Array): Uint8Array {
  return encodeCbor([region, log, indexBytes(index), hour, commitment]);
}

export function statusVector(status: Status): StatusVector {
  const { colour, measure, untilS, expiresAtS, ruleId, ruleVersion, original } = status;
  const until = untilS === undefined ? {} : { until: untilS };
  const bridged = original && { original: originalVector(original) };
  return { colour, measure, ...until, expires: expiresAtS, ruleId, ruleVersion, ...bridged };
}

function originalVector(original: Original): NonNullable<StatusVector['original']> {
  if ('hashes' in original) {
    const { region, hashes, signed } = original;
    const { signer, issuedAtS: issued } = signed ?? {};
    return {
      region,
      hashes: hashes.map(hexOf),
      ...(signer && { signer: hexOf(signer) }),
      ...(issued !== undefined && { issued }),
    };
  }
  return { ...original, leafHash: hexOf(original.leafHash) };
}
