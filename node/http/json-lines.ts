/** JSON lines from outside, one at a time: nobody has to hold all of them. */
import { RequestError } from './problem.ts';
import { jsonOf } from './input.ts';

export interface JsonLine {
  /** From 1, empty lines counted. */
  readonly number: number;
  /** @throws {RequestError} BODY_MALFORMED */
  readonly value: () => unknown;
}

const NEWLINE = 0x0a;

/** Lines that are not empty. A line of more than `bytesMax` is a value that throws, and what follows it is read on. */
export async function* jsonLines(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<JsonLine, void, undefined> {
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  let number = 0;
  const take = (bytes: Buffer): JsonLine | undefined => {
    number++;
    const wasTooLong = isTooLong || bytes.length > bytesMax;
    isTooLong = false;
    if (!wasTooLong && bytes.every((byte) => byte === 0x20 || byte === 0x0d)) return undefined;
    return { number, value: () => valueOf(wasTooLong ? undefined : bytes, bytesMax) };
  };
  for await (const part of source) {
    let bytes = Buffer.concat([rest, part]);
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      const line = take(bytes.subarray(0, end));
      if (line !== undefined) yield line;
      bytes = bytes.subarray(end + 1);
    }
    isTooLong ||= bytes.length > bytesMax;
    rest = isTooLong ? Buffer.alloc(0) : bytes;
  }
  if (rest.length > 0 || isTooLong) {
    const line = take(rest);
    if (line !== undefined) yield line;
  }
}

function valueOf(bytes: Buffer | undefined, bytesMax: number): unknown {
  if (bytes === undefined) throw new RequestError('BODY_TOO_LARGE', `a line has at most ${bytesMax} bytes`);
  try {
    return jsonOf(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError('BODY_MALFORMED', 'the line is not UTF-8');
  }
}
