/** Files in other encodings than UTF-8, turned into that as they are read. Nothing is guessed: whoever has the file says what it is. */
import { type RowFault } from './row-form.ts';

export const ENCODINGS = ['utf-8', 'gb18030'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Why a file is not read any further. */
export class FileRefused extends Error {
  readonly fault: RowFault;

  constructor(fault: RowFault) {
    super(fault.reason);
    this.name = 'FileRefused';
    this.fault = fault;
  }
}

const NEWLINE = 0x0a;
const UTF8_MARK = Buffer.from('efbbbf', 'hex');
const HAN = /\p{Script=Han}/u;

/**
 * The same text in UTF-8; what is UTF-8 already goes through as it is, to be checked cell by cell.
 * @throws {FileRefused} naming the line, where the bytes are none of that encoding.
 */
export async function* inUtf8(
  source: AsyncIterable<Uint8Array>,
  encoding: Encoding,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (encoding === 'utf-8') {
    yield* source;
    return;
  }
  const isNone = new FileRefused({
    line: 0,
    reason: `the file is UTF-8, and not ${encoding.toUpperCase()}: leave the encoding out`,
  });
  const decoder = new TextDecoder(encoding, { fatal: true });
  const likeness = new Utf8Likeness();
  let line = 1;
  let head = Buffer.alloc(0);
  const decode = (bytes: Uint8Array | undefined): Uint8Array => {
    try {
      return Buffer.from(decoder.decode(bytes, { stream: bytes !== undefined }));
    } catch {
      throw new FileRefused({ line, reason: `is not ${encoding.toUpperCase()}` });
    }
  };
  for await (const bytes of source)
    for (const part of linesOf(bytes)) {
      // No header and no row begins with the mark that only a file in UTF-8 has.
      if (head.length < UTF8_MARK.length) {
        head = Buffer.concat([head, part.subarray(0, UTF8_MARK.length - head.length)]);
        if (head.equals(UTF8_MARK)) throw isNone;
      }
      likeness.see(part);
      yield decode(part);
      if (part.at(-1) === NEWLINE) line++;
    }
  yield decode(undefined);
  // Such a file has no fault in GB18030 either, and every name in it would come out as another.
  if (likeness.isUtf8) throw isNone;
}

/** Whether all bytes are UTF-8 and say something in Chinese, as hardly any text of another encoding does. */
class Utf8Likeness {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #isPossible = true;
  #hasHan = false;

  see(bytes: Uint8Array): void {
    if (!this.#isPossible) return;
    try {
      this.#hasHan = HAN.test(this.#decoder.decode(bytes, { stream: true })) || this.#hasHan;
    } catch {
      this.#isPossible = false;
    }
  }

  get isUtf8(): boolean {
    return this.#isPossible && this.#hasHan;
  }
}

/** The bytes cut behind each newline: no character of GB18030 has that byte within it. */
function* linesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  let from = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
    yield bytes.subarray(from, at + 1);
    from = at + 1;
  }
  if (from < bytes.length) yield bytes.subarray(from);
}
