/**
 * What a colour rests on: the facts that rules decided on, or the two operators who gave it without a rule. An attestation commits to
 * it by its evidence field, and the region keeps it with the openings. Spec: SPEC.md 5.7.
 */
import { asciiBytes, concatBytes } from '../bytes.ts';
import { COLOURS } from '../code/status.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../encoding/cbor.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { BASIS_BYTES_MAX, OVERRIDE_DAYS_MAX, OVERRIDE_SUBJECTS_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { type RuleValue } from '../rules/evaluate.ts';
import { SIGNATURE_BYTES } from '../signature/strict-ed25519.ts';
import {
  type GivenReason,
  OVERRIDE_REASONS,
  type OverrideSignature,
  type SignedOverride,
} from './override.ts';

const LABEL = asciiBytes('entente/evidence/v1\n');
const RULE_ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
const HEX_32 = /^[0-9a-f]{32}$/;
const KEY_ID = /^[0-9a-f]{16}$/;
const OPERATOR = /^[a-z][a-z0-9-]{0,31}$/;
const HASH_BYTES = 32;
const KEY_BYTES = 32;

/** The first element on the wire. */
const [RULES, OVERRIDE, TOLD] = [0, 1, 2];

export type Basis =
  | {
      readonly kind: 'rules';
      /** When it was decided, seconds since 1970. */
      readonly atS: number;
      readonly rule: string;
      readonly version: number;
      readonly facts: Readonly<Record<string, RuleValue>>;
      /** One operator told what the colour rests on, and nothing that the region knew itself gave one as strict: see SPEC 5.7. */
      readonly isTold?: true;
    }
  | OverrideBasis
  | UnsignedOverride;

/** By two operators. */
export interface OverrideBasis extends SignedOverride {
  readonly kind: 'override';
  /** When it was confirmed. */
  readonly atS: number;
  readonly isUnsigned?: undefined;
}

/** By two operators who signed nothing: read as it was kept once, and never made. */
export interface UnsignedOverride {
  readonly kind: 'override';
  readonly isUnsigned: true;
  /** When it was confirmed. */
  readonly atS: number;
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly reason: GivenReason;
}

export function overrideBasis(signed: SignedOverride): OverrideBasis {
  return { kind: 'override', atS: signed.confirmed.atS, ...signed };
}

/** @throws {RangeError} for more than `BASIS_BYTES_MAX` bytes. */
export function encodeBasis(basis: Exclude<Basis, UnsignedOverride>): Uint8Array {
  const bytes = encodeCbor(
    basis.kind === 'rules'
      ? [basis.isTold === true ? TOLD : RULES, basis.atS, basis.rule, basis.version, basis.facts as CborValue]
      : [OVERRIDE, basis.atS, basis.id, OVERRIDE_REASONS.indexOf(basis.reason), signedItems(basis)],
  );
  if (bytes.length > BASIS_BYTES_MAX) throw new RangeError(`a basis has at most ${BASIS_BYTES_MAX} bytes`);
  return bytes;
}

/** @throws {ProtocolError} FIELD_MALFORMED, or a fault of CBOR. */
export function parseBasis(bytes: Uint8Array): Basis {
  const value = decodeCbor(bytes, { bytesMax: BASIS_BYTES_MAX });
  if (!Array.isArray(value) || value.length !== 5) throw malformed();
  const [kind, atS, name, number, last] = value as readonly CborValue[];
  if (!isUint(atS) || !isUint(number) || typeof name !== 'string') throw malformed();
  if ((kind === RULES || kind === TOLD) && RULE_ID.test(name) && isFacts(last)) {
    const rules = { kind: 'rules', atS, rule: name, version: number, facts: last } as const;
    return kind === TOLD ? { ...rules, isTold: true } : rules;
  }
  const reason = OVERRIDE_REASONS[number];
  if (kind !== OVERRIDE || !HEX_32.test(name) || reason === undefined || reason === 'one-person')
    throw malformed();
  if (isTwoKeyIds(last)) return { kind: 'override', isUnsigned: true, atS, id: name, reason };
  const signed = signedOf(last, atS);
  if (signed === undefined) throw malformed();
  return overrideBasis({ id: name, reason, ...signed });
}

/** As `parseBasis`; `malformed` for bytes of which that is none, on which a colour may rest all the same. Total on bytes. */
export function readBasis(bytes: Uint8Array): Basis | 'malformed' {
  try {
    return parseBasis(bytes);
  } catch (error) {
    if (isProtocolError(error)) return 'malformed';
    throw error;
  }
}

/** What cannot be read may be. */
export function mayBeOfTwo(basis: Basis | 'malformed'): boolean {
  return basis === 'malformed' || basis.kind === 'override';
}

function isTwoKeyIds(value: CborValue | undefined): boolean {
  return listOf(value, 2)?.every((one) => typeof one === 'string' && KEY_ID.test(one)) === true;
}

function signedItems({ colour, days, people, digest, proposed, confirmed }: OverrideBasis): CborValue {
  const by = [proposed.name, proposed.atS, proposed.publicKey, proposed.signature];
  const also = [confirmed.name, confirmed.publicKey, confirmed.signature];
  return [COLOURS.indexOf(colour), days, people, digest, by, also];
}

function signedOf(
  value: CborValue | undefined,
  confirmedAtS: number,
): Omit<SignedOverride, 'id' | 'reason'> | undefined {
  const [ordinal, days, people, digest, by, also] = listOf(value, 6) ?? [];
  const [proposer, proposedAtS, ...proposerKey] = listOf(by, 4) ?? [];
  const [confirmer, ...confirmerKey] = listOf(also, 3) ?? [];
  const colour = isUint(ordinal) ? COLOURS[ordinal] : undefined;
  const proposed = signatureOf(proposer, proposedAtS, ...proposerKey);
  const confirmed = signatureOf(confirmer, confirmedAtS, ...confirmerKey);
  if (colour === undefined || proposed === undefined || confirmed === undefined) return undefined;
  if (!isFrom1(days, OVERRIDE_DAYS_MAX) || !isFrom1(people, OVERRIDE_SUBJECTS_MAX)) return undefined;
  return isBytes(digest, HASH_BYTES) ? { colour, days, people, digest, proposed, confirmed } : undefined;
}

function signatureOf(
  name: CborValue | undefined,
  atS: CborValue | undefined,
  publicKey?: CborValue,
  signature?: CborValue,
): OverrideSignature | undefined {
  if (typeof name !== 'string' || !OPERATOR.test(name) || !isUint(atS)) return undefined;
  if (!isBytes(publicKey, KEY_BYTES) || !isBytes(signature, SIGNATURE_BYTES)) return undefined;
  return { name, atS, publicKey, signature };
}

function listOf(value: CborValue | undefined, length: number): readonly CborValue[] | undefined {
  return Array.isArray(value) && value.length === length ? (value as readonly CborValue[]) : undefined;
}

function isFrom1(value: CborValue | undefined, max: number): value is number {
  return isUint(value) && value >= 1 && value <= max;
}

function isBytes(value: CborValue | undefined, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

/** The value of the evidence field: 32 bytes. */
export function evidenceOf(sha256: Sha256, basis: Uint8Array): Uint8Array {
  return sha256(concatBytes(LABEL, basis));
}

function isUint(value: CborValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isFacts(value: CborValue | undefined): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Map)
  );
}

function malformed(): ProtocolError {
  return new ProtocolError('FIELD_MALFORMED', 'expected what a colour rests on', {
    field: 'evidence',
    offset: 0,
  });
}
