/** The newest base of a trust log's fold in the store, so that a start need not fold the log from its beginning. */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type FoldBase } from '../../protocol/trust/boot.ts';
import { isNodeError } from '../node-error.ts';
import { type Change } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';

export type StoredBase = Pick<FoldBase, 'index' | 'items'>;

/** Bytes of items in one value. */
const CHUNK_BYTES = 1 << 18;
const CHUNK_BYTES_MAX = 2 * CHUNK_BYTES;
const HEADER_BYTES_MAX = 64;
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const count = z.int().nonnegative();
const headerSchema = z.tuple([count, count]);
const chunkSchema = z.array(bytes);

/** Replaces the base of a log. The chunks of the one before are deleted along with it. */
export async function baseChanges(origin: string, base: StoredBase, reader: StoreReader): Promise<Change[]> {
  const chunks: Uint8Array[][] = [[]];
  let filled = 0;
  for (const item of base.items) {
    if (filled > CHUNK_BYTES) {
      chunks.push([]);
      filled = 0;
    }
    chunks.at(-1)?.push(item);
    filled += item.length;
  }
  const before = await readHeader(origin, reader);
  const dropped = Array.from({ length: before?.chunks ?? 0 }, (_, i) => ({ del: chunkKey(origin, i) }));
  return [
    ...dropped,
    ...chunks.map((items, i) => ({ put: chunkKey(origin, i), value: encodeCbor(items) })),
    { put: headerKey(origin), value: encodeCbor([base.index, chunks.length]) },
  ];
}

/** Takes the base of a log away. */
export async function dropBase(origin: string, reader: StoreReader): Promise<Change[]> {
  const before = await readHeader(origin, reader);
  if (before === undefined) return [];
  const chunks = Array.from({ length: before.chunks }, (_, i) => ({ del: chunkKey(origin, i) }));
  return [{ del: headerKey(origin) }, ...chunks];
}

/** Undefined also if it cannot be read: the log itself is what counts. Rejects if the store as a whole cannot be read. */
export async function readBase(origin: string, reader: StoreReader): Promise<StoredBase | undefined> {
  const header = await readHeader(origin, reader);
  if (header === undefined) return undefined;
  const { index, chunks } = header;
  try {
    const values = await reader.getMany(Array.from({ length: chunks }, (_, i) => chunkKey(origin, i)));
    const items = values.flatMap((value) => {
      return chunkSchema.parse(value && decodeCbor(value, { bytesMax: CHUNK_BYTES_MAX }));
    });
    return { index, items };
  } catch (error) {
    return whatIsLost(error);
  }
}

async function readHeader(
  origin: string,
  reader: StoreReader,
): Promise<{ readonly index: number; readonly chunks: number } | undefined> {
  try {
    const stored = await reader.get(headerKey(origin));
    if (stored === undefined) return undefined;
    const [index, chunks] = headerSchema.parse(decodeCbor(stored, { bytesMax: HEADER_BYTES_MAX }));
    return { index, chunks };
  } catch (error) {
    return whatIsLost(error);
  }
}

function whatIsLost(error: unknown): undefined {
  if (isNodeError(error, 'VALUE_CORRUPT') || isProtocolError(error) || error instanceof z.ZodError)
    return undefined;
  throw error;
}

function headerKey(origin: string): string {
  return `trust/${origin}/base`;
}

function chunkKey(origin: string, number: number): string {
  return `trust/${origin}/base/${number}`;
}
