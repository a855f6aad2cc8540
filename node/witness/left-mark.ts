/**
 * What a witness cosigned of an attestation log and left while the log that its root names was shorter: whether that was another tree is proven once the log
 * is as long. One for each log, the smallest, since that is reached first. Row:
 *
 *   witness-left/<origin>     [1, size, root, note]
 */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { isNodeError } from '../node-error.ts';
import { logError } from '../log/log-error.ts';
import { type Change, type HighWater } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';

const FORM = 1;
const BYTES_MAX = NOTE_BYTES_MAX + 128;
const bytes = z.instanceof(Uint8Array);
const schema = z.tuple([
  z.literal(FORM),
  z.int().nonnegative(),
  bytes.refine(({ length }) => length === HASH_BYTES),
  bytes,
]);

/** Where the store has it. */
export function leftKey(origin: string): string {
  return `witness-left/${origin}`;
}

/** What is damaged is forgotten: else the log could never be cosigned again. Rejects as `get`. */
export async function readLeft(
  origin: string,
  reader: StoreReader,
  key = leftKey(origin),
): Promise<HighWater | undefined> {
  try {
    const stored = await reader.get(key);
    return stored === undefined ? undefined : parseLeft(key, stored);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  return isNodeError(error, 'LOG_CORRUPT') || isNodeError(error, 'VALUE_CORRUPT');
}

/**
 * What was left of the logs of a region, by origin, each as its note: for that region to hear of. Ends where the disk gives back something else than was
 * written, since nothing leans on it. Rejects as `entries`.
 */
export async function leftNotes(
  { region, network }: { readonly region: string; readonly network: string },
  reader: StoreReader,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const notes = new Map<string, Uint8Array>();
  const prefix = leftKey(`${region}.${network}`);
  try {
    for await (const [key, stored] of reader.entries(`${prefix}/`, `${prefix}0`))
      notes.set(key.slice(leftKey('').length), parseLeft(key, stored).note);
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  return notes;
}

/** The row of what was left. */
export function encodeLeft({ size, root, note }: HighWater): Uint8Array {
  return encodeCbor([FORM, size, root, note]);
}

/** @throws {NodeError} LOG_CORRUPT */
function parseLeft(key: string, stored: Uint8Array): HighWater {
  try {
    const [, size, root, note] = schema.parse(decodeCbor(stored, { bytesMax: BYTES_MAX }));
    return { size, root, note };
  } catch (cause) {
    throw logError('LOG_CORRUPT', `${key} is not what a witness stores`, { cause });
  }
}

/** What has to become durable when a witness leaves what it cosigned. Rejects as `readLeft`. */
export async function keepLeft(origin: string, mark: HighWater, reader: StoreReader): Promise<Change[]> {
  const known = await readLeft(origin, reader);
  if (known !== undefined && known.size <= mark.size) return [];
  return [{ put: leftKey(origin), value: encodeLeft(mark) }];
}
