/**
 * What a colour rests on: the facts that rules decided on, or the two operators who gave it without a rule. An attestation commits to
 * it by its evidence field, and the region keeps it with the openings. Spec: SPEC.md 5.7.
 */
import { asciiBytes, concatBytes } from '../bytes.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../encoding/cbor.ts';
import { ProtocolError } from '../fault.ts';
import { BASIS_BYTES_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { type RuleValue } from '../rules/evaluate.ts';

const LABEL = asciiBytes('entente/evidence/v1\n');
const RULE_ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_16 = /^[0-9a-f]{16}$/;

/**
 * Why a colour was given without a rule, by the number on the wire. `one-person`: a region that names no operators issues by hand;
 * it is never that of an override.
 */
export const OVERRIDE_REASONS = [
  'one-person',
  'data-error',
  'laboratory',
  'outbreak',
  'court-order',
  'hardship',
] as const;
export type OverrideReason = (typeof OVERRIDE_REASONS)[number];

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
  | {
      readonly kind: 'override';
      readonly atS: number;
      /** 32 hexadecimal digits: one for all that were confirmed together. */
      readonly id: string;
      readonly reason: OverrideReason;
      /** Key ids of who proposed and who confirmed. */
      readonly by: readonly [string, string];
    };

/** @throws {RangeError} for more than `BASIS_BYTES_MAX` bytes. */
export function encodeBasis(basis: Basis): Uint8Array {
  const bytes = encodeCbor(
    basis.kind === 'rules'
      ? [basis.isTold === true ? TOLD : RULES, basis.atS, basis.rule, basis.version, basis.facts as CborValue]
      : [OVERRIDE, basis.atS, basis.id, OVERRIDE_REASONS.indexOf(basis.reason), [...basis.by]],
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
  const [first, second] = Array.isArray(last) ? (last as readonly CborValue[]) : [];
  const isBy =
    typeof first === 'string' && typeof second === 'string' && HEX_16.test(first) && HEX_16.test(second);
  if (kind !== OVERRIDE || !HEX_32.test(name) || reason === undefined || !isBy) throw malformed();
  return { kind: 'override', atS, id: name, reason, by: [first, second] };
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
