/** Lines of a stream of bytes, in bounded memory. */

export interface Line {
  /** From 1. */
  readonly line: number;
  /** Without its end, `\n` or `\r\n`; undefined if it is too long or not UTF-8. */
  readonly text: string | undefined;
  readonly isTooLong: boolean;
  /** What ended it; nothing at the end of the stream. */
  readonly end: '\n' | '\r\n' | '';
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Splits at `\n`; the last line may lack it. Of a line of more than `bytesMax` bytes nothing is kept. */
export async function* linesOf(source: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Line> {
  let line = 1;
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const bytes = Buffer.concat([rest, chunk.subarray(start, end)]);
      const content = isTooLong ? TOO_LONG : contentOf(bytes, bytesMax);
      yield { line: line++, ...content, end: bytes.at(-1) === CARRIAGE_RETURN ? '\r\n' : '\n' };
      [rest, isTooLong, start] = [Buffer.alloc(0), false, end + 1];
    }
    rest = Buffer.concat([rest, chunk.subarray(start)]);
    // A carriage return may still be part of the line's end.
    if (rest.length > bytesMax + 1) [rest, isTooLong] = [Buffer.alloc(0), true];
  }
  if (rest.length > 0 || isTooLong)
    yield { line, ...(isTooLong ? TOO_LONG : contentOf(rest, bytesMax)), end: '' };
}

const TOO_LONG = { text: undefined, isTooLong: true };

function contentOf(bytes: Uint8Array, bytesMax: number): Omit<Line, 'line' | 'end'> {
  const whole = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
  if (whole.length > bytesMax) return TOO_LONG;
  try {
    return { text: utf8.decode(whole), isTooLong: false };
  } catch {
    return { text: undefined, isTooLong: false };
  }
}
