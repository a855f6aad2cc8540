/** Texts of codes as they come on stdin or in a file: one in a line, but for JSON, which its maker may have spread over several. */
import { type Line, linesOf } from '../node/rows/lines.ts';

/**
 * As `linesOf`. Lines that only together are one JSON object come as one text, with the ends between them as they are, since a signature may be over these, under the number of the first; at most `bytesMax`
 * characters of them. A line that cannot go on with what was begun ends it: then each of these lines stands for itself, so that none is lost, and
 * whoever shows half an object holds up nobody's code.
 */
export async function* codeLinesOf(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Line> {
  let begun = new BegunObject(bytesMax);
  for await (const line of linesOf(source, bytesMax)) {
    if (!begun.takes(line)) {
      yield* begun.lines;
      begun = new BegunObject(bytesMax);
      if (!begun.takes(line)) {
        yield line;
        continue;
      }
    }
    if (!begun.isWhole) continue;
    yield begun.whole;
    begun = new BegunObject(bytesMax);
  }
  yield* begun.lines;
}

class BegunObject {
  readonly lines: Line[] = [];
  readonly #charsMax: number;
  #chars = 0;
  /** Braces that are open. */
  #depth = 0;
  /** The last character that is no space. */
  #last = '';

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  get isWhole(): boolean {
    return this.lines.length > 0 && this.#depth === 0;
  }

  get whole(): Line {
    const [first] = this.lines as [Line];
    const last = this.lines.at(-1) as Line;
    const before = this.lines.slice(0, -1).map(({ text, end }) => `${text}${end}`);
    return { ...first, text: `${before.join('')}${last.text}`, end: last.end };
  }

  /** Adds the line that may be the next one, or the first. */
  takes(line: Line): boolean {
    const text = line.text?.trim();
    if (text === undefined || !this.#mayGoOn(text)) return false;
    const depth = depthAfter(text, this.#depth);
    const chars = this.#chars + (line.text?.length ?? 0) + 1;
    if (depth === undefined || chars > this.#charsMax) return false;
    this.lines.push(line);
    this.#depth = depth;
    this.#chars = chars;
    this.#last = text.slice(-1) || this.#last;
    return true;
  }

  #mayGoOn(text: string): boolean {
    if (this.lines.length === 0) return text.startsWith('{');
    return text === '' || (FOLLOWING[this.#last] ?? AFTER_VALUE).includes(text.slice(0, 1));
  }
}

/** With what a line of JSON may begin, by the end of the one before. One that begins with a number may be a code, and goes with none. */
const FOLLOWING: Readonly<Record<string, string>> = { '{': '"}', '[': '"{[]', ':': '"{[', ',': '"{[' };
const AFTER_VALUE = ',:}]';

/** How many braces are open after a line that begins outside of a text; undefined if it ends within one, or goes on behind the last brace. */
function depthAfter(line: string, before: number): number | undefined {
  let depth = before;
  let isText = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at];
    if (isText && character === '\\') at++;
    else if (character === '"') isText = !isText;
    else if (!isText && character === '{') depth++;
    else if (!isText && character === '}' && --depth === 0 && at < line.length - 1) return undefined;
  }
  return isText ? undefined : depth;
}
