/** JSON lines: one object per line with the columns as members, strings or, where a column takes them, numbers and booleans. */
import { parseStrictJson, StrictJsonError } from '../../protocol/encoding/strict-json.ts';
import { FileRefused } from './encoding.ts';
import { linesOf } from './lines.ts';
import { type Row, type RowForm } from './row-form.ts';

const LINE_BYTES_MAX = 4_096;

/** Yields a row per line that is not empty. A line that is too long or not UTF-8 is the last thing it yields. */
export async function* readJsonRows(source: AsyncIterable<Uint8Array>, form: RowForm): AsyncGenerator<Row> {
  try {
    yield* rowsOf(source, form);
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    yield { fault: error.fault };
  }
}

async function* rowsOf(source: AsyncIterable<Uint8Array>, form: RowForm): AsyncGenerator<Row> {
  for await (const { line, text, isTooLong } of linesOf(source, LINE_BYTES_MAX)) {
    if (text === undefined) {
      const reason = isTooLong
        ? `has more than ${LINE_BYTES_MAX} bytes`
        : 'is not UTF-8: save the file as UTF-8, or name its encoding where that is taken (--encoding gb18030)';
      yield { fault: { line, reason } };
      return;
    }
    if (text.trim() !== '') yield rowOf(form, text, line);
  }
}

function rowOf({ columns, plain }: RowForm, text: string, line: number): Row {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    const column = columns.find((name) => name === error.member);
    if (column !== undefined) return { fault: { line, column, reason: 'stands there twice' } };
    return { fault: { line, reason: error.fault } };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: { line, reason: 'is not a JSON object' } };
  }
  const members = Object.entries(value).filter(([, member]) => member !== '');
  for (const [name, member] of members) {
    const isPlain = typeof member === 'number' || typeof member === 'boolean';
    if (typeof member === 'string' || (isPlain && plain.has(name))) continue;
    const column = columns.find((known) => known === name);
    // Of a long number JSON.parse keeps the first digits: it would be issued to somebody else.
    const reason =
      column !== undefined && plain.has(column)
        ? 'is neither a number nor text'
        : 'is no text: put it in quotes';
    return { fault: { line, ...(column && { column }), reason } };
  }
  return { line, cells: Object.fromEntries(members.map(([name, member]) => [name, String(member)])) };
}
