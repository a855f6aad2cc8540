/** What something of the protocol says, as a person reads it: whole, since it may be what that person is about to sign. */
import { counted, figure } from './output.ts';
import { printable } from './printable.ts';
import { timeText } from './times.ts';

/** Ranges of an index set that are told; nobody reads more. */
const RANGES_MAX = 2_000;

/** Members one below the other, nested ones indented. Times are told by their names, an index set by its count and ranges. */
export function readableLines(value: object, indent = ''): string[] {
  return membersOf(value).flatMap(([name, member]) => {
    if (member === undefined) return [];
    if (isPlain(member)) return [`${indent}${wordText(name)}: ${plainText(name, member)}`];
    return [`${indent}${wordText(name)}:`, ...readableLines(member as object, `${indent}  `)];
  });
}

function membersOf(value: object): [string, unknown][] {
  if (value instanceof Map)
    return [...value].map(([key, member]: [unknown, unknown]) => [String(key), member]);
  return Object.entries(value);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (value instanceof Uint8Array || value instanceof Float64Array) return true;
  return Array.isArray(value) && value.every((element) => typeof element !== 'object');
}

function plainText(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Float64Array) return indexesText(value, RANGES_MAX);
  if (Array.isArray(value)) return value.map((element) => wordText(String(element))).join(' ');
  if (typeof value === 'number' && TIMES.has(name)) return `${value} (${timeText(value)})`;
  if (typeof value === 'number' && name === 'hour') return `${value} (${timeText(3_600 * value)})`;
  return printable(String(value));
}

/** One of several texts in a line: in quotes where its end could not be seen. */
function wordText(text: string): string {
  return /^[^\s"]+$/u.test(text) ? printable(text) : `"${printable(text.replace(/["\\]/g, '\\$&'))}"`;
}

/** An ascending set, as in `5,002 indexes: 0-4999 5003 5005`, of which at most `rangesMax` ranges are shown, and how many are not. */
export function indexesText(members: ArrayLike<number>, rangesMax: number): string {
  const ranges: string[] = [];
  let count = 0;
  for (let at = 0; at < members.length; count++) {
    const first = members[at] as number;
    let last = first;
    while (members[++at] === last + 1) last++;
    if (count < rangesMax) ranges.push(first === last ? String(first) : `${first}-${last}`);
  }
  const rest = count - ranges.length;
  const left = rest === 0 ? '' : `; NOT SHOWN: ${counted(rest, 'range')} more, of ${figure(count)}`;
  const noun = members.length === 1 ? 'index' : 'indexes';
  return `${figure(members.length)} ${noun}: ${ranges.join(' ')}${left}`;
}

const TIMES: ReadonlySet<string> = new Set([
  'at',
  'from',
  'until',
  'effective',
  'untilS',
  'issuedAtS',
  'expiresAtS',
]);
