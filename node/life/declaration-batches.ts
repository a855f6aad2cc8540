/** Files of declarations as rows, some at a time, in bounded memory. */
import { type Zone } from '../../protocol/rules/zone.ts';
import { readCsvRows } from '../rows/csv-rows.ts';
import { readJsonRows } from '../rows/json-rows.ts';
import { type RowFault } from '../rows/row-form.ts';
import { declarationForm, type DeclarationRow } from './declaration.ts';
import { ROWS_TOGETHER } from './intake-shelf.ts';

export const DECLARATION_FORMATS = ['csv', 'jsonl'] as const;

/** Rows of a file, `ROWS_TOGETHER` of them or the last ones, and what is wrong with rows among them. */
export interface Batch {
  readonly rows: readonly DeclarationRow[];
  readonly faults: readonly RowFault[];
  readonly isLast: boolean;
}

/** Rows of one file. */
const ROWS_MAX = 20_000_000;
/** Faults that are told; reading stops at the last. */
export const FAULTS_MAX = 20;

/** Of a file in UTF-8. The last batch is what it returns. `zone`: as `declarationForm`. */
export async function* declarationBatches(
  source: AsyncIterable<Uint8Array>,
  format: (typeof DECLARATION_FORMATS)[number],
  { nowS, zone }: { readonly nowS: number; readonly zone: Zone | undefined },
): AsyncGenerator<Batch, Batch, undefined> {
  const form = declarationForm(nowS, zone);
  let rows: DeclarationRow[] = [];
  let faults: RowFault[] = [];
  let given = 0;
  for await (const row of format === 'csv' ? readCsvRows(source, form) : readJsonRows(source, form)) {
    const read = 'fault' in row ? [row.fault] : form.parse(row.cells, row.line);
    if (Array.isArray(read)) faults.push(...read);
    else rows.push(read);
    if (faults.length >= FAULTS_MAX) break;
    if (rows.length < ROWS_TOGETHER) continue;
    yield { rows, faults, isLast: false };
    given += rows.length;
    [rows, faults] = [[], []];
    if (given <= ROWS_MAX) continue;
    faults.push({ line: 0, reason: `more than ${ROWS_MAX} rows: split the file` });
    break;
  }
  if (given + rows.length + faults.length === 0) faults.push({ line: 0, reason: 'the file has no rows' });
  return { rows, faults, isLast: true };
}
