/** Files of people to issue codes for: CSV with a header, or JSON lines. All rows are good or none is used. */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { type Encoding, inUtf8 } from '../../node/rows/encoding.ts';
import { readCsvParts } from '../../node/rows/csv-rows.ts';
import { readJsonRows } from '../../node/rows/json-rows.ts';
import { type RowFault, type Row, type RowForm } from '../../node/rows/row-form.ts';

/** One batch: what a region's staged file and registry hold comfortably, about 60 MB. */
export const PEOPLE_MAX = 100_000;
/** Of a file that is issued in batches: who is in it takes some 100 MB for a million. */
export const ROWS_MAX = 2_000_000;
const NO_ROWS: RowFault = { line: 0, reason: 'the file has no rows' };
const NO_FAULTS: readonly RowFault[] = [];
/** Faults that are told one by one; more would hide the first ones. */
const FAULTS_MAX = 20;

export type PeopleFormat = 'csv' | 'jsonl';

/** How the bytes of a file are to be read. */
export interface PeopleForm {
  readonly format: PeopleFormat;
  readonly encoding: Encoding;
}

export interface People<T> {
  readonly people: readonly T[];
  /** Empty if and only if all rows are good. At most `FAULTS_MAX` of them; reading stops at the last. */
  readonly faults: readonly RowFault[];
}

/** By the file's name; CSV where it does not tell. */
export function peopleFormatOf(path: string): PeopleFormat {
  return ['.jsonl', '.ndjson', '.json'].includes(extname(path).toLowerCase()) ? 'jsonl' : 'csv';
}

/** Reads all rows in bounded memory. What is wrong comes back as faults; only the source itself may throw. */
export async function readPeople<T extends { readonly subject: string }>(
  source: AsyncIterable<Uint8Array>,
  as: PeopleForm,
  form: RowForm<T>,
): Promise<People<T>> {
  const people: T[] = [];
  const faults: RowFault[] = [];
  const lineOfSubject = new Map<string, number>();
  for await (const rows of partsOf(source, as, form)) {
    for (const row of rows) {
      faults.push(...faultsOfRow(form, row, (person) => people.push(person), lineOfSubject));
      if (people.length > PEOPLE_MAX)
        faults.push({ line: 0, reason: `more than ${PEOPLE_MAX} rows: split the file` });
      if (faults.length >= FAULTS_MAX || people.length > PEOPLE_MAX) break;
    }
    if (faults.length >= FAULTS_MAX || people.length > PEOPLE_MAX) break;
  }
  if (people.length === 0 && faults.length === 0) faults.push(NO_ROWS);
  return { people, faults: faults.slice(0, FAULTS_MAX) };
}

/** What a file of any length holds, told without keeping it. */
export interface PeopleCount {
  readonly rows: number;
  /** As of `People`. */
  readonly faults: readonly RowFault[];
  /** Of the bytes of the file. */
  readonly sha256: string;
}

/** Reads all rows, and keeps no more of them than who they are about. `onBytes` hears how much is read so far. */
export async function countPeople(
  source: AsyncIterable<Uint8Array>,
  as: PeopleForm,
  form: RowForm<{ readonly subject: string }>,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<PeopleCount> {
  const hash = createHash('sha256');
  let length = 0;
  const hear = (bytes: Uint8Array): void => {
    hash.update(bytes);
    onBytes((length += bytes.length));
  };
  const faults: RowFault[] = [];
  const lineOfSubject = new Map<string, number>();
  for await (const rows of partsOf(heard(source, hear), as, form)) {
    for (const row of rows) {
      faults.push(...faultsOfRow(form, row, () => undefined, lineOfSubject));
      if (lineOfSubject.size > ROWS_MAX)
        faults.push({ line: 0, reason: `more than ${ROWS_MAX} rows: split the file` });
      if (faults.length >= FAULTS_MAX || lineOfSubject.size > ROWS_MAX) break;
    }
    if (faults.length >= FAULTS_MAX || lineOfSubject.size > ROWS_MAX) break;
  }
  if (lineOfSubject.size === 0 && faults.length === 0) faults.push(NO_ROWS);
  return { rows: lineOfSubject.size, faults: faults.slice(0, FAULTS_MAX), sha256: hash.digest('hex') };
}

/** The rows after the first `skip`, so many at a time. For a file that `countPeople` found good: another fault is told in its place. */
export async function* peopleInBatches<T extends { readonly subject: string }>(
  source: AsyncIterable<Uint8Array>,
  as: PeopleForm,
  form: RowForm<T>,
  { size, skip }: { readonly size: number; readonly skip: number },
): AsyncGenerator<People<T>, void, undefined> {
  let seen = 0;
  let people: T[] = [];
  for await (const rows of partsOf(source, as, form))
    for (const row of rows) {
      if (seen++ < skip && !('fault' in row)) continue;
      const faults = faultsOfRow(form, row, (person) => people.push(person));
      if (faults.length > 0) return yield { people: [], faults };
      if (people.length < size) continue;
      yield { people, faults: [] };
      people = [];
    }
  if (people.length > 0) yield { people, faults: [] };
}

/** The rows, some at a time. */
function partsOf(
  source: AsyncIterable<Uint8Array>,
  { format, encoding }: PeopleForm,
  form: RowForm,
): AsyncGenerator<readonly Row[]> {
  const bytes = inUtf8(source, encoding);
  return format === 'csv' ? readCsvParts(bytes, form) : oneByOne(readJsonRows(bytes, form));
}

async function* oneByOne(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  for await (const row of rows) yield [row];
}

async function* heard(
  source: AsyncIterable<Uint8Array>,
  hear: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    hear(bytes);
    yield bytes;
  }
}

function faultsOfRow<T extends { readonly subject: string }>(
  form: RowForm<T>,
  row: Row,
  take: (person: T) => void,
  lineOfSubject?: Map<string, number>,
): readonly RowFault[] {
  if ('fault' in row) return [row.fault];
  const person = form.parse(row.cells, row.line);
  if (Array.isArray(person)) return person;
  const before = lineOfSubject?.get(person.subject);
  if (before !== undefined) {
    return [{ line: row.line, column: 'subject', reason: `is the same person as in line ${before}` }];
  }
  lineOfSubject?.set(person.subject, row.line);
  take(person);
  return NO_FAULTS;
}
