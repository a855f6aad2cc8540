/** Where a store and a second place keep what belongs to a root of a region that is not followed now. */
import { hexOf } from '../../protocol/bytes.ts';
import { type NodeError } from '../node-error.ts';
import { type StoreReader } from './reader.ts';

/** Of a fingerprint, in names. */
const MARK_DIGITS = 32;
const FORM = /^~[0-9a-f]{32}~/;
/** Behind all keys that begin as those. */
const END = '\x7f';

/** Stands where the root is not known. */
export const UNKNOWN_ROOT = new Uint8Array(32);

/** What the names of things of a root that is not followed begin with. */
export function putAway(fingerprint: Uint8Array): string {
  return `~${hexOf(fingerprint).slice(0, MARK_DIGITS)}~`;
}

/** Whether that is what names begin with, and no more. */
export function isPutAway(prefix: string): boolean {
  return FORM.exec(prefix)?.[0] === prefix;
}

/** The beginnings of names that are in a store, each once, whether what lies under them is damaged or not. */
export async function putAwayIn(reader: StoreReader): Promise<readonly string[]> {
  const found: string[] = [];
  for (let from = '~'; ;) {
    const prefix = await nextPrefix(reader, from);
    if (prefix === undefined) return found;
    found.push(prefix);
    from = prefix + END;
  }
}

async function nextPrefix(reader: StoreReader, from: string): Promise<string | undefined> {
  let damaged: string | undefined;
  const onDamaged = ({ key = '' }: NodeError): void => void (damaged ??= FORM.exec(key)?.[0]);
  for await (const [key] of reader.entries(from, END, { pageSize: 1, onDamaged })) {
    const prefix = damaged ?? FORM.exec(key)?.[0];
    if (prefix !== undefined) return prefix;
  }
  return damaged;
}

/** A store as it would be read if what is put away under these names were followed. */
export function readerOf(reader: StoreReader, prefix: string): StoreReader {
  const stripped = ([key, value]: readonly [string, Uint8Array]) =>
    [key.slice(prefix.length), value] as const;
  return {
    get: (key) => reader.get(prefix + key),
    getMany: (keys) => reader.getMany(keys.map((key) => prefix + key)),
    page: async (from, to, options) => (await reader.page(prefix + from, prefix + to, options)).map(stripped),
    async *entries(from, to, options) {
      for await (const entry of reader.entries(prefix + from, prefix + to, options)) yield stripped(entry);
    },
  };
}
