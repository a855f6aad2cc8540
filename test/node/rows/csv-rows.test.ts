import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readCsvRows } from '../../../node/rows/csv-rows.ts';
import { type Row, type RowForm } from '../../../node/rows/row-form.ts';

const FORM: RowForm = {
  columns: ['subject', 'colour'],
  required: ['subject'],
  plain: new Set(),
  parse: (cells) => cells,
};

/** Of a file that comes in pieces of these lengths, over and over. */
async function rowsOf(file: Uint8Array | string, pieces = [65_536], onEnd = () => undefined): Promise<Row[]> {
  const bytes = Buffer.from(file);
  async function* source() {
    await Promise.resolve();
    try {
      for (let at = 0, i = 0; at < bytes.length; i++)
        yield bytes.subarray(at, (at += pieces[i % pieces.length] ?? 1));
    } finally {
      onEnd();
    }
  }
  const rows: Row[] = [];
  for await (const row of readCsvRows(source(), FORM)) rows.push(row);
  return rows;
}

const LONG = 'n'.repeat(5_000);
/** The same header; what follows it goes through the parser. */
const QUOTED = '"subject",colour';

const isOfForm = (row: Row | undefined) =>
  row !== undefined &&
  'fault' in row &&
  row.fault.column === undefined &&
  /quotation|no CSV/.test(row.fault.reason);

describe('readCsvRows', () => {
  it('reads plain lines as the parser does, wherever they are cut', async () => {
    const cell = fc.stringMatching(/^[a-c =é人]{0,6}$/);
    const line = fc.oneof(
      fc.tuple(cell, cell).map((cells) => cells.join(',')),
      fc.constantFrom('', ',', 'a', 'a,b,c', 'a\rb,c', 'a\nb,c', 'x,"q,\n""r"', 'a"b,c', 'LONG,c'),
    );
    const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    const file = fc.tuple(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      pieces,
    );
    await fc.assert(
      fc.asyncProperty(file, async ([lines, lineEnd, isEnded, cut]) => {
        const body = lineEnd + lines.join(lineEnd).replaceAll('LONG', LONG) + (isEnded ? lineEnd : '');
        const [rows, wanted] = [await rowsOf(`subject,colour${body}`, cut), await rowsOf(QUOTED + body)];
        assert.deepEqual(rows.at(-1), wanted.at(-1));
        // The parser leaves out what stands in the same piece before that which is no CSV.
        if (!isOfForm(wanted.at(-1))) assert.deepEqual(rows, wanted);
      }),
      { numRuns: 100 },
    );
  });

  it('names the line of what is wrong behind lines that are plain', async () => {
    const plain = `subject,colour\n${'a,b\n'.repeat(3)}\n`;
    const last = async (bytes: Uint8Array | string) => (await rowsOf(bytes)).at(-1);
    const good = { line: 6, cells: { subject: 'a,"b', colour: 'c' } };
    assert.deepEqual(await last(`${plain}"a,""b",c\n`), good);
    assert.deepEqual(await last(`${plain}a\n`), {
      fault: { line: 6, reason: 'has 1 cells; the header has 2' },
    });
    for (const [text, line] of [
      ['"a,b\n', 6],
      ['a"b,c\n', 6],
      ['a,b\n"a"b,c\n', 7],
      [`a,${'b'.repeat(5_000)}\n`, 6],
      [Buffer.from('612cff0a', 'hex'), 6],
    ] as const) {
      const row = await last(Buffer.concat([Buffer.from(plain), Buffer.from(text)]));
      assert.ok(row !== undefined && 'fault' in row && row.fault.line === line, JSON.stringify(row));
    }
  });

  it('finds the end of lines behind a header with a quoted one', async () => {
    const form = { ...FORM, columns: ['subject', 'colour'] };
    const file = '"subject\n",colour\r\na,b\r\n';
    const rows: Row[] = [];
    for await (const row of readCsvRows([Buffer.from(file)] as never, form)) rows.push(row);
    assert.deepEqual(rows, [{ line: 3, cells: { subject: 'a', colour: 'b' } }]);
  });

  it('lets go of its source when nobody reads on', async () => {
    for (const header of ['subject,colour', QUOTED, 'unknown']) {
      let isOver = false;
      async function* source() {
        await Promise.resolve();
        try {
          for (;;) yield Buffer.from(`${isOver ? '' : header}\na,b\n`);
        } finally {
          isOver = true;
        }
      }
      for await (const row of readCsvRows(source(), FORM)) if ('cells' in row) break;
      assert.ok(isOver, header);
    }
  });
});
