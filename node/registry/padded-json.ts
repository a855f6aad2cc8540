/** JSON as it is sealed: lengths at rest are multiples of some bytes, so that they tell little of what stands there. */
import { type z } from 'zod';
import { registryCorrupt } from './registry-error.ts';

/** With blanks behind it, which JSON leaves out of account: the least multiple of `multiple` bytes that holds it. */
export function encodePaddedJson(value: unknown, multiple: number): Uint8Array {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  const padded = Buffer.allocUnsafe(Math.ceil(length / multiple) * multiple);
  padded.write(text);
  return padded.fill(' ', length);
}

/** What an object of this schema may have as members: true for those that it has to have. */
export type Members = Readonly<Record<string, boolean>>;

export function membersOf({ shape }: z.ZodObject): Members {
  const members = Object.entries(shape) as [string, z.ZodType][];
  return Object.fromEntries(members.map(([name, member]) => [name, !member.safeParse(undefined).success]));
}

/**
 * An object that was encoded here, from bytes that were opened with the key of the registry. Whoever has that key wrote it from what it is
 * read as, so that its members alone are held against the schema: what newer software says is not taken for what this one knows.
 * @throws {NodeError} REGISTRY_CORRUPT where a member is missing or unknown, or what was opened is no JSON.
 */
export function parsePaddedJson(bytes: Uint8Array, known: Members): object {
  const value = jsonOf(bytes);
  if (typeof value !== 'object' || value === null)
    throw registryCorrupt('what is kept of somebody is no object');
  for (const name of Object.keys(value))
    if (!Object.hasOwn(known, name))
      throw registryCorrupt('what is kept of somebody says more than this software knows');
  for (const [name, isNeeded] of Object.entries(known))
    if (isNeeded && !Object.hasOwn(value, name))
      throw registryCorrupt('what is kept of somebody is not whole');
  return value;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  } catch {
    // Without its cause, which may quote what speaks of a person.
    throw registryCorrupt('what is kept of somebody is no JSON');
  }
}
