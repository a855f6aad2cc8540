/** Files of people to issue codes for: CSV with a header, or JSON lines. All rows are good or none is used. */
import { extname } from 'node:path';
import { readCsvRows } from '../../node/rows/csv-rows.ts';
import { readJsonRows } from '../../node/rows/json-rows.ts';
import { type RowFault, type Row, type RowForm } from '../../node/rows/row-form.ts';

/** One batch: what a region's staged file and registry hold comfortably, about 60 MB. */
export const PEOPLE_MAX = 100_000;
/** Faults that are told one by one; more would hide the first ones. */
const FAULTS_MAX = 20;

export type PeopleFormat = 'csv' | 'jsonl';

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
  format: PeopleFormat,
  form: RowForm<T>,
): Promise<People<T>> {
  const people: T[] = [];
  const faults: RowFault[] = [];
  const lineOfSubject = new Map<string, number>();
  for await (const row of format === 'csv' ? readCsvRows(source, form) : readJsonRows(source, form)) {
    faults.push(...faultsOfRow(form, row, people, lineOfSubject));
    if (people.length > PEOPLE_MAX) {
      faults.push({ line: 0, reason: `more than ${PEOPLE_MAX} rows: split the file` });
    }
    if (faults.length >= FAULTS_MAX || people.length > PEOPLE_MAX) break;
  }
  if (people.length === 0 && faults.length === 0) faults.push({ line: 0, reason: 'the file has no rows' });
  return { people, faults: faults.slice(0, FAULTS_MAX) };
}

function faultsOfRow<T extends { readonly subject: string }>(
  form: RowForm<T>,
  row: Row,
  people: T[],
  lineOfSubject: Map<string, number>,
): RowFault[] {
  if ('fault' in row) return [row.fault];
  const person = form.parse(row.cells, row.line);
  if (Array.isArray(person)) return person;
  const before = lineOfSubject.get(person.subject);
  if (before !== undefined) {
    return [{ line: row.line, column: 'subject', reason: `is the same person as in line ${before}` }];
  }
  lineOfSubject.set(person.subject, row.line);
  people.push(person);
  return [];
}
