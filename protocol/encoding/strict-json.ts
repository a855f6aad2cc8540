/** JSON from outside: each name once in an object, and no deeper than anything that is asked for. */

const DEPTH_MAX = 16;

export type StrictJsonFault = 'is not JSON' | `is deeper than ${typeof DEPTH_MAX}` | 'has a name twice';

/** The text is refused; the message says why. */
export class StrictJsonError extends Error {
  readonly fault: StrictJsonFault;
  /** The name that stands there twice. */
  readonly member: string | undefined;

  constructor(fault: StrictJsonFault, member?: string) {
    super(fault);
    this.name = 'StrictJsonError';
    this.fault = fault;
    this.member = member;
  }
}

/** @throws {StrictJsonError} */
export function parseStrictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StrictJsonError('is not JSON');
  }
  requireOneReading(text);
  return value;
}

/** Of two members with one name `JSON.parse` keeps the last, silently. `text` is known to be JSON. */
function requireOneReading(text: string): void {
  const names: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text.charAt(i)) {
      case '{':
      case '[':
        names.push(text[i] === '{' ? new Set() : undefined);
        if (names.length > DEPTH_MAX) throw new StrictJsonError(`is deeper than ${DEPTH_MAX}`);
        break;
      case '}':
      case ']':
        names.pop();
        break;
      case '"': {
        const end = endOfString(text, i);
        if (isName(text, end)) takeName(names.at(-1), text.slice(i, end));
        i = end - 1;
        break;
      }
    }
  }
}

function takeName(names: Set<string> | undefined, quoted: string): void {
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  if (names?.has(name) === true) throw new StrictJsonError('has a name twice', name);
  names?.add(name);
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

function isName(text: string, from: number): boolean {
  let i = from;
  while (/\s/.test(text[i] ?? '')) i++;
  return text[i] === ':';
}
