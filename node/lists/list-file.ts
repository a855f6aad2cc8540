/** Files of lists: CSV with a header or JSON lines, whose rows each say something of one person or area. */
import { readCsvRows } from '../rows/csv-rows.ts';
import { type Encoding, inUtf8 } from '../rows/encoding.ts';
import { readJsonRows } from '../rows/json-rows.ts';
import { type Row, type RowFault, type RowForm } from '../rows/row-form.ts';
import { type Identity, parseIdentity } from './identity.ts';
import { areaForm, columnsOf, KINDS, type ListKind, parseSaying, type Said } from './kinds.ts';

export const LIST_FORMATS = ['csv', 'jsonl'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

/** A row; of a list of areas `area` instead of somebody's identity. */
export interface ListRow {
  readonly line: number;
  readonly identity: Identity;
  readonly area?: string;
  readonly said: Said;
}

export interface ListFileOptions {
  readonly kind: ListKind;
  readonly format: ListFormat;
  readonly encoding: Encoding;
  /** Days since 1970; what a row says of a later one is wrong. */
  readonly lastDay: number;
}

/** Yields each row, or what is wrong with it. Only the source itself may throw. */
export async function* readListRows(
  source: AsyncIterable<Uint8Array>,
  { kind, format, encoding, lastDay }: ListFileOptions,
): AsyncGenerator<ListRow | readonly RowFault[], void, undefined> {
  const form = formOf(kind, lastDay);
  const bytes = inUtf8(source, encoding);
  const rows: AsyncIterable<Row> = format === 'csv' ? readCsvRows(bytes, form) : readJsonRows(bytes, form);
  for await (const row of rows) yield 'fault' in row ? [row.fault] : form.parse(row.cells, row.line);
}

function formOf(kind: ListKind, lastDay: number): RowForm<ListRow> {
  const columns = columnsOf(kind);
  const isOfArea = KINDS[kind].of === 'area';
  return {
    columns,
    required: Object.keys(KINDS[kind].columns),
    plain: new Set(kind === 'vaccination' ? ['dose'] : []),
    parse: (cells, line) => {
      const unknown = Object.keys(cells).filter((name) => !columns.includes(name));
      const strange = unknown.map((): RowFault => ({
        line,
        reason: `unknown column; known are ${columns.join(', ')}`,
      }));
      const { said, faults } = parseSaying(kind, cells, line, lastDay);
      const { identity, faults: ofIdentity } = isOfArea
        ? { identity: {}, faults: [] }
        : parseIdentity(cells, line, lastDay);
      const all = [...strange, ...ofIdentity, ...faults];
      if (all.length > 0) return all;
      return { line, identity, said, ...(isOfArea && { area: areaForm(cells['area'] ?? '') }) };
    },
  };
}
