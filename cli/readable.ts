/** What something of the protocol says, as a person reads it. */
import { printable, shortened } from './printable.ts';
import { timeText } from './times.ts';

/** Members one below the other, nested ones indented. Times are told by their names. */
export function readableLines(value: object, indent = ''): string[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    if (member === undefined) return [];
    if (isPlain(member)) return [`${indent}${printable(name)}: ${plainText(name, member)}`];
    return [`${indent}${printable(name)}:`, ...readableLines(member as object, `${indent}  `)];
  });
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  return Array.isArray(value) && value.every((element) => typeof element !== 'object');
}

function plainText(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return shortened(value.join(' '), 200);
  if (typeof value === 'number' && TIMES.has(name)) return `${value} (${timeText(value)})`;
  if (typeof value === 'number' && name === 'hour') return `${value} (${timeText(3_600 * value)})`;
  return printable(String(value));
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
