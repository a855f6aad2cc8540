/**
 * The records of up to 64 attestations that follow each other in a log, before they are sealed. All records have one
 * length, so that the length of a page tells how many there are and nothing of any of them.
 */
import { encodeOpenings, type Openings, parseOpenings } from '../../protocol/code/openings.ts';
import { type Fields } from '../../protocol/code/field.ts';
import { registryCorrupt } from './registry-error.ts';

/** Whose an attestation is, and what opens it. */
export interface RegistryEntry {
  /** The region's own reference to the person. */
  readonly subject: string;
  readonly openings: Openings;
  /** What the colour rests on, as its evidence commits to it. */
  readonly basis?: Uint8Array | undefined;
  /** No rule gave its colour. */
  readonly isManual?: boolean;
}

export interface PageRecord extends RegistryEntry {
  /** What the openings say. */
  readonly fields: Fields;
}

/** Bytes of a subject in UTF-8. */
export const SUBJECT_BYTES_MAX = 64;
export const RECORDS_PER_PAGE = 64;

/** Form (1), hours since 1970 (4). */
const HEAD_BYTES = 5;
const FORM = 1;
/** Length of the subject (1, 0 for nobody), of the openings (2), then the two. */
const RECORD_BYTES = 352;
const RECORD_HEAD_BYTES = 3;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether `text` has 1 to 64 bytes of UTF-8. */
export function isSubject(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return bytes >= 1 && bytes <= SUBJECT_BYTES_MAX && !LONE_SURROGATE.test(text);
}

/** @throws {TypeError} unless the subject has 1 to 64 bytes of UTF-8. */
export function requireSubject(subject: string): void {
  if (isSubject(subject)) return;
  throw new TypeError(`a subject has 1 to ${SUBJECT_BYTES_MAX} bytes of UTF-8`);
}

/** `entries`: 1 to 64, undefined for an attestation that is nobody's. @throws {RangeError} if one does not fit. */
export function encodePage(hour: number, entries: readonly (RegistryEntry | undefined)[]): Uint8Array {
  const page = Buffer.alloc(HEAD_BYTES + RECORD_BYTES * entries.length);
  page[0] = FORM;
  page.writeUInt32BE(hour, 1);
  entries.forEach((entry, i) => {
    if (entry !== undefined)
      writeRecord(page.subarray(HEAD_BYTES + i * RECORD_BYTES).subarray(0, RECORD_BYTES), entry);
  });
  return page;
}

/** The hour of a page. */
export function hourOfPage(page: Uint8Array): number {
  return new DataView(page.buffer, page.byteOffset).getUint32(1);
}

/** Records that a page has room for. */
export function slotsOfPage(page: Uint8Array): number {
  return (page.length - HEAD_BYTES) / RECORD_BYTES;
}

/** The record at `slot`; undefined if it is nobody's or beyond the end. @throws {NodeError} REGISTRY_CORRUPT */
export function recordOfPage(page: Uint8Array, slot: number): PageRecord | undefined {
  const start = HEAD_BYTES + slot * RECORD_BYTES;
  const record = new Uint8Array(page.subarray(start, start + RECORD_BYTES));
  const [subjectBytes = 0, openingsHigh = 0, openingsLow = 0] = record;
  if (subjectBytes === 0) return undefined;
  const openingsAt = RECORD_HEAD_BYTES + subjectBytes;
  const openingsEnd = openingsAt + 256 * openingsHigh + openingsLow;
  const subject = Buffer.from(record.subarray(RECORD_HEAD_BYTES, openingsAt)).toString('utf8');
  try {
    return { subject, ...parseOpenings(record.subarray(openingsAt, openingsEnd)) };
  } catch {
    // Without its cause, which may quote what speaks of a person.
    throw registryCorrupt('a page of records holds none');
  }
}

/** The page without the record at `slot`. */
export function withoutRecord(page: Uint8Array, slot: number): Uint8Array {
  const start = HEAD_BYTES + slot * RECORD_BYTES;
  return Uint8Array.from(page).fill(0, start, start + RECORD_BYTES);
}

function writeRecord(record: Buffer, { subject, openings }: RegistryEntry): void {
  const opened = encodeOpenings(openings);
  const subjectBytes = record.write(subject, RECORD_HEAD_BYTES);
  const openingsAt = RECORD_HEAD_BYTES + subjectBytes;
  if (openingsAt + opened.length > record.length) throw new RangeError('a record is longer than any can be');
  record[0] = subjectBytes;
  record.writeUInt16BE(opened.length, 1);
  record.set(opened, openingsAt);
}
