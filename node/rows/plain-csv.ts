/**
 * Lines of CSV in which no cell is quoted, as nearly all files have them, split without a parser: a tenth of what one takes. What is not as plain as that is
 * handed on, from the beginning of a line.
 */
import { isAscii } from 'node:buffer';

/** As text, one for each cell. */
export interface CsvRecord {
  /** From 1. */
  readonly line: number;
  /** Undefined for a cell that is not UTF-8. */
  readonly cells: readonly (string | undefined)[];
}

/** What follows plain lines. */
export interface CsvRest {
  readonly source: AsyncIterable<Uint8Array>;
  /** Lines before it. */
  readonly lines: number;
  /** What ends its lines; undefined where that is not known yet. */
  readonly lineEnd: LineEnd | undefined;
}

type LineEnd = '\n' | '\r\n';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Yields records, some at a time, and returns what is not plain: from the first bytes on that hold a quotation mark, another end of line than the first
 * one, bytes that are not UTF-8, or a line of more than `bytesMax` bytes.
 */
export async function* plainCsv(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<readonly CsvRecord[], CsvRest | undefined, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let lines = 0;
  let lineEnd: LineEnd | undefined;
  let held = Buffer.alloc(0);
  let isHandedOn = false;
  const handedOn = (): CsvRest => {
    isHandedOn = true;
    // A line that ends within a quoted cell tells nothing.
    return { source: joined(held, iterator), lines, lineEnd: lines > 0 ? lineEnd : undefined };
  };
  try {
    for (;;) {
      const next = await iterator.next();
      const isOver = next.done === true;
      held = isOver ? held : Buffer.concat([held, next.value]);
      lineEnd ??= lineEndOf(held);
      if (lineEnd === undefined) {
        if (held.length > bytesMax || isOver) return handedOn();
        continue;
      }
      const last = held.lastIndexOf(lineEnd);
      const end = isOver ? held.length : last < 0 ? 0 : last + lineEnd.length;
      const texts = plainLines(held.subarray(0, end), lineEnd, bytesMax);
      if (texts === undefined || held.length - end > bytesMax) return handedOn();
      const records: CsvRecord[] = [];
      for (const text of texts) {
        lines++;
        if (text !== '') records.push({ line: lines, cells: text.split(',') });
      }
      if (records.length > 0) yield records;
      held = held.subarray(end);
      if (isOver) return undefined;
    }
  } finally {
    if (!isHandedOn) await iterator.return?.();
  }
}

/** Undefined where there is none yet, or one that is not known whole. */
function lineEndOf(bytes: Buffer): LineEnd | undefined {
  const at = bytes.indexOf(NEWLINE);
  if (at < 0) return undefined;
  return bytes[at - 1] === CARRIAGE_RETURN ? '\r\n' : '\n';
}

/** The lines of these bytes, which end with one; undefined unless all are plain. */
function plainLines(bytes: Buffer, lineEnd: LineEnd, bytesMax: number): string[] | undefined {
  if (bytes.includes(QUOTE)) return undefined;
  const text = textOf(bytes);
  if (text === undefined) return undefined;
  const lines = text.split(lineEnd);
  const ends = lines.length - 1;
  const other = lineEnd === '\n' ? text.includes('\r') : text.split(/[\r\n]/).length - 1 !== 2 * ends;
  // A character has at most three bytes for each unit.
  if (other || lines.some((line) => 3 * line.length > bytesMax)) return undefined;
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function textOf(bytes: Buffer): string | undefined {
  // Most files are, and a decoder takes four times as long to say so.
  if (isAscii(bytes)) return bytes.toString('latin1');
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

async function* joined(
  held: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (held.length > 0) yield held;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
