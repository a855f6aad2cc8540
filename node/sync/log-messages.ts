/** What is asked on the protocol `log`, whose answers are streams. Spec: SPEC.md 14.5.2. */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { ORIGIN_CHARS_MAX } from './messages.ts';
import { CHUNK_BYTES, REQUEST_BYTES_MAX } from './sync-limits.ts';

export const LOG_PROTOCOL = '/entente/log/1.0.0';

const LENGTH_BYTES = 2;

const origin = z.string().max(ORIGIN_CHARS_MAX);
const count = z.int().nonnegative();

const request = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('entries'), origin, from: count, to: count }),
  z.strictObject({
    kind: z.literal('tiles'),
    origin,
    level: count.max(6),
    from: count,
    to: count,
    size: count.min(1),
  }),
]);

/**
 * `entries`: those with `from <= index < to`, in chunks of whole entries, each behind its 16-bit length as in an entry bundle.
 * `tiles`: those of a level with `from <= index < to` in the tree of `size` leaves, one in each chunk.
 */
export type LogRequest = z.infer<typeof request>;

export function encodeLogRequest(message: LogRequest): Uint8Array {
  return encodeCbor(message);
}

/** @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, SCHEMA_INVALID. */
export function parseLogRequest(message: Uint8Array): LogRequest {
  const parsed = request.safeParse(decodeCbor(message, { bytesMax: REQUEST_BYTES_MAX }));
  if (parsed.success && parsed.data.from < parsed.data.to) return parsed.data;
  throw new ProtocolError('SCHEMA_INVALID', 'expected a request for entries or tiles of a log');
}

/** A chunk that is being made, in one piece of memory that it nearly fills. */
export class EntriesChunk {
  readonly #memory: Uint8Array;
  #length = 0;
  entries = 0;

  /** With the first entry, which may be longer than what others have room for. */
  constructor(first: Uint8Array) {
    this.#memory = new Uint8Array(Math.max(CHUNK_BYTES, LENGTH_BYTES + first.length));
    this.add(first);
  }

  /** False if there is no room for it. */
  add(entry: Uint8Array): boolean {
    const start = this.#length + LENGTH_BYTES;
    if (start + entry.length > this.#memory.length) return false;
    this.#memory[this.#length] = entry.length >> 8;
    this.#memory[this.#length + 1] = entry.length & 0xff;
    this.#memory.set(entry, start);
    this.#length = start + entry.length;
    this.entries++;
    return true;
  }

  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }
}

/** The entries of a chunk, as views of it. @throws {ProtocolError} SCHEMA_INVALID unless it ends with its last entry. */
export function parseEntriesChunk(chunk: Uint8Array): Uint8Array[] {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < chunk.length) {
    const start = at + LENGTH_BYTES;
    const end = start <= chunk.length ? start + view.getUint16(at) : Infinity;
    if (end > chunk.length) throw new ProtocolError('SCHEMA_INVALID', 'a chunk ends within an entry', { at });
    entries.push(chunk.subarray(start, end));
    at = end;
  }
  return entries;
}
