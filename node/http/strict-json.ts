/** JSON from outside: each name once in an object, and no deeper than anything that is asked for. */
import { RequestError } from './problem.ts';

const DEPTH_MAX = 16;

/** @throws {RequestError} BODY_MALFORMED */
export function parseStrictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestError('BODY_MALFORMED', 'the body is not JSON');
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
        if (names.length > DEPTH_MAX)
          throw new RequestError('BODY_MALFORMED', `the body is deeper than ${DEPTH_MAX}`);
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
  if (names?.has(name) === true)
    throw new RequestError('BODY_MALFORMED', 'an object of the body has a name twice');
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
