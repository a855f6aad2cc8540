/** CSV (RFC 4180) in UTF-8 with a header line, read as a stream. A byte order mark is taken; nothing else is guessed. */
import { isAscii } from 'node:buffer';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { FileRefused } from './encoding.ts';
import { type CsvRecord, type CsvRest, plainCsv } from './plain-csv.ts';
import { type Row, type RowFault, type RowForm } from './row-form.ts';

/** A row has a few cells of some characters each; an unclosed quote would swallow the rest of the file. */
const ROW_BYTES_MAX = 4_096;

const UTF8_MARK = Buffer.from('efbbbf', 'hex');

interface Parsed {
  readonly record: readonly Buffer[];
  readonly info: { readonly lines: number };
}

/** Yields the rows after the header. A fault of the header or of the form of the file is the last thing it yields. */
export async function* readCsvRows(source: AsyncIterable<Uint8Array>, form: RowForm): AsyncGenerator<Row> {
  for await (const rows of readCsvParts(source, form)) yield* rows;
}

/** The same rows, some at a time, which takes less. */
export async function* readCsvParts(
  source: AsyncIterable<Uint8Array>,
  form: RowForm,
): AsyncGenerator<readonly Row[]> {
  let header: string[] | undefined;
  try {
    for await (const records of recordsOf(guarded(source))) {
      const rows: Row[] = [];
      for (const record of records) {
        if (header === undefined) {
          const read = parseHeader(form, record);
          if (!Array.isArray(read)) {
            yield [read];
            return;
          }
          header = read;
        } else rows.push(parseRow(header, record));
      }
      yield rows;
    }
    if (header === undefined)
      yield [{ fault: { line: 0, reason: 'the file is empty, without a header too' } }];
  } catch (error) {
    if (error instanceof FileRefused) yield [{ fault: error.fault }];
    else if (error instanceof CsvFault) yield [{ fault: error.fault }];
    else throw error;
  }
}

/** Why a file is no CSV. */
class CsvFault extends Error {
  readonly fault: RowFault;

  constructor(fault: RowFault) {
    super(fault.reason);
    this.fault = fault;
  }
}

/** @throws {CsvFault} */
async function* recordsOf(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  const rest = yield* plainCsv(source, ROW_BYTES_MAX);
  if (rest !== undefined) yield* parsedRecords(rest);
}

async function* parsedRecords({
  source,
  lines,
  lineEnd,
}: CsvRest): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  const input = Readable.from(source, { objectMode: false });
  // Where the row in hand begins: the parser ends it, and counts, where a quotation mark that is not closed has swallowed what follows.
  let ended: Ended = { lines: 0, emptyLines: 0 };
  const parser = parse({
    on_record: (record: string[], { lines: at, empty_lines: emptyLines }) => {
      ended = { lines: at, emptyLines };
      return record;
    },
    encoding: null,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: ROW_BYTES_MAX,
    ...(lineEnd !== undefined && { record_delimiter: lineEnd }),
  });
  input.on('error', (error) => parser.destroy(error)).pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>)
      yield [{ line: lines + info.lines, cells: record.map(decodeUtf8) }];
  } catch (error) {
    throw error instanceof CsvError ? new CsvFault(faultOfForm(error, { before: lines, ended })) : error;
  } finally {
    input.destroy();
  }
}

/** The bytes after a byte order mark of UTF-8. Those of UTF-16 are refused. */
async function* guarded(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < UTF8_MARK.length) continue;
    yield withoutMark(head);
    head = undefined;
  }
  if (head !== undefined) yield withoutMark(head);
}

function withoutMark(head: Buffer): Uint8Array {
  const mark = head.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff')
    throw new FileRefused({ line: 0, reason: 'the file is UTF-16: save it as UTF-8' });
  return head.subarray(0, 3).equals(UTF8_MARK) ? head.subarray(3) : head;
}

function parseHeader({ columns, required }: RowForm, { line, cells }: CsvRecord): string[] | Row {
  const fault = (reason: string): Row => ({ fault: { line, reason } });
  const header: string[] = [];
  for (const cell of cells) {
    const name = columns.find((known) => known === cell?.trim());
    if (name === undefined && cells.length === 1 && /[;\t]/.test(cell ?? ''))
      return fault('the columns are separated by semicolons or tabs: save the file with commas between them');
    if (name === undefined)
      return fault(`column ${header.length + 1} is unknown; known are ${columns.join(', ')}`);
    if (header.includes(name)) return fault(`column ${name} stands there twice`);
    header.push(name);
  }
  const missing = required.filter((name) => !header.includes(name));
  return missing.length > 0 ? fault(`column ${missing.join(' and ')} is missing`) : header;
}

function parseRow(header: readonly string[], { line, cells: texts }: CsvRecord): Row {
  if (texts.length !== header.length) {
    return { fault: { line, reason: `has ${texts.length} cells; the header has ${header.length}` } };
  }
  const cells: Record<string, string> = {};
  for (let i = 0; i < header.length; i++) {
    const [column, text] = [header[i] as string, texts[i]];
    if (text === undefined)
      return {
        fault: {
          line,
          column,
          reason:
            'is not UTF-8: save the file as UTF-8, or name its encoding where that is taken (--encoding gb18030)',
        },
      };
    if (text !== '') cells[column] = text;
  }
  return { line, cells };
}

interface Ended {
  readonly lines: number;
  readonly emptyLines: number;
}

/** `before`: the lines before what was parsed; `ended`: those of it up to the end of the last whole row, and how many of them are empty. */
function faultOfForm(
  error: CsvError,
  { before, ended }: { readonly before: number; readonly ended: Ended },
): RowFault {
  const emptyLines = typeof error['empty_lines'] === 'number' ? error['empty_lines'] : ended.emptyLines;
  const begun = ended.lines + (emptyLines - ended.emptyLines) + 1;
  const at = BEGUN_BEFORE.has(error.code) ? begun : error['lines'];
  const line = typeof at === 'number' ? before + at : 0;
  return { line, reason: REASONS_OF_FORM[error.code] ?? 'is no CSV' };
}

/** Faults that are found long after the row in which they lie has begun. */
const BEGUN_BEFORE: ReadonlySet<string> = new Set(['CSV_QUOTE_NOT_CLOSED', 'CSV_MAX_RECORD_SIZE']);

const REASONS_OF_FORM: Partial<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quotation mark is opened and not closed',
  CSV_MAX_RECORD_SIZE: `a row has more than ${ROW_BYTES_MAX} bytes, or a quotation mark is not closed`,
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quotation mark',
  INVALID_OPENING_QUOTE: 'a quotation mark stands within a cell: quote the whole cell and double the mark',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Buffer): string | undefined {
  // Most cells are, and a decoder takes four times as long to say so.
  if (isAscii(bytes)) return bytes.toString('latin1');
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
