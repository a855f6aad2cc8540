/** The status of a person as a code states it: colour, what it demands and until when. Spec: SPEC.md 5.2. */
import { CborReader, type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { cborMalformed } from '../encoding/cbor-reader.ts';
import { encodeOriginal, type Original, readOriginal } from './original.ts';
import { readAs } from './refault.ts';

export const COLOURS = ['green', 'yellow', 'red'] as const;
const MEASURES = ['none', 'home', 'isolate'] as const;

export type Colour = (typeof COLOURS)[number];
export type Measure = (typeof MEASURES)[number];

export interface Status {
  readonly colour: Colour;
  /** Green has none. */
  readonly measure: Measure;
  /** When the measure ends. Given if and only if there is a measure. */
  readonly untilS?: number | undefined;
  /** From this second on the code no longer counts. */
  readonly expiresAtS: number;
  /** `isRuleId` holds for it. */
  readonly ruleId: string;
  readonly ruleVersion: number;
  /** Given if and only if the attestation is bridged: the code that its region has checked, and whose status this is. */
  readonly original?: Original | undefined;
}

/** Characters of a rule id. */
const RULE_ID_CHARS_MAX = 32;
const RULE_ID = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** Total: whether `text` has the form of a rule id. */
export function isRuleId(text: string): boolean {
  return RULE_ID.test(text);
}

/**
 * The status whose only encoding is `value`.
 * @throws {ProtocolError} FIELD_MALFORMED; its `offset` counts bytes of `value`.
 */
export function parseStatus(value: Uint8Array): Status {
  return readAs('FIELD_MALFORMED', 'a status', () => readStatus(new CborReader(value)), { field: 'status' });
}

/**
 * The value of a status field, at most 71 bytes and as many more as `encodeOriginal` takes.
 * @throws {TypeError} if `status` has no encoding: green with a measure, a measure without end or the reverse, a bad rule id, a number that is no size,
 * an original without one.
 */
export function encodeStatus(status: Status): Uint8Array {
  const { colour, measure, untilS, expiresAtS, ruleId, ruleVersion, original } = status;
  if ((untilS === undefined) !== (measure === 'none')) {
    throw new TypeError('a status has an end of its measure if and only if it has a measure');
  }
  if (colour === 'green' && measure !== 'none') throw new TypeError('green demands nothing');
  if (!isRuleId(ruleId)) throw new TypeError('a status names the rule that gave it');
  if (Math.min(untilS ?? 0, expiresAtS, ruleVersion) < 0)
    throw new TypeError('a status has no negative number');
  const entries = new Map<number, CborValue>([
    [1, ordinalOf(COLOURS, colour)],
    [2, ordinalOf(MEASURES, measure)],
    [4, expiresAtS],
    [5, ruleId],
    [6, ruleVersion],
  ]);
  if (untilS !== undefined) entries.set(3, untilS);
  if (original !== undefined) entries.set(7, encodeOriginal(original));
  return encodeCbor(entries);
}

/** Keys are required one by one, so a missing, doubled, misplaced or further one is a fault at its place. */
function readStatus(reader: CborReader): Status {
  const keys = reader.mapLength(7);
  requireKey(reader, 1);
  const colour = readOrdinal(reader, COLOURS);
  requireKey(reader, 2);
  const measureAt = reader.offset;
  const measure = readOrdinal(reader, MEASURES);
  if (colour === 'green' && measure !== 'none')
    throw cborMalformed(measureAt, 'expected no measure with green');
  const isBridged = keys === (measure === 'none' ? 6 : 7);
  if (!isBridged && keys !== (measure === 'none' ? 5 : 6))
    throw cborMalformed(0, 'expected an end if and only if there is a measure');
  let untilS: number | undefined;
  if (measure !== 'none') {
    requireKey(reader, 3);
    untilS = reader.uint();
  }
  requireKey(reader, 4);
  const expiresAtS = reader.uint();
  requireKey(reader, 5);
  const at = reader.offset;
  const ruleId = reader.text(RULE_ID_CHARS_MAX);
  if (!isRuleId(ruleId)) throw cborMalformed(at, 'expected a rule id');
  requireKey(reader, 6);
  const ruleVersion = reader.uint();
  if (isBridged) requireKey(reader, 7);
  const original = isBridged ? readOriginal(reader) : undefined;
  reader.end();
  const status = { colour, measure, untilS, expiresAtS, ruleId, ruleVersion };
  return original === undefined ? status : { ...status, original };
}

function requireKey(reader: CborReader, key: number): void {
  const at = reader.offset;
  if (reader.uint() !== key) throw cborMalformed(at, `expected key ${key}`);
}

function readOrdinal<T>(reader: CborReader, names: readonly T[]): T {
  const at = reader.offset;
  const name = names[reader.uint()];
  if (name === undefined) throw cborMalformed(at, `expected a number below ${names.length}`);
  return name;
}

function ordinalOf<T>(names: readonly T[], name: T): number {
  const ordinal = names.indexOf(name);
  if (ordinal < 0) throw new TypeError('a status has a known colour and measure');
  return ordinal;
}
