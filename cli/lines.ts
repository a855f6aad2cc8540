/** Lines of a stream of bytes, in bounded memory. */

export interface Line {
  /** From 1. */
  readonly line: number;
  /** Without its end, `\n` or `\r\n`; undefined if it is too long or not UTF-8. */
  readonly text: string | undefined;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Splits at `\n`; the last line may lack it. After a line of more than `bytesMax` bytes nothing more is read. */
export async function* linesOf(source: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Line> {
  let line = 1;
  let rest = Buffer.alloc(0);
  for await (const chunk of source) {
    let bytes = Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      yield { line: line++, text: textOf(bytes.subarray(0, end), bytesMax) };
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > bytesMax) {
      yield { line, text: undefined };
      return;
    }
    rest = Buffer.from(bytes);
  }
  if (rest.length > 0) yield { line, text: textOf(rest, bytesMax) };
}

function textOf(bytes: Uint8Array, bytesMax: number): string | undefined {
  const whole = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
  if (whole.length > bytesMax) return undefined;
  try {
    return utf8.decode(whole);
  } catch {
    return undefined;
  }
}
