/** What is asked on the protocol `log`, whose answers are streams. Spec: SPEC.md 14.5.2. */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { ORIGIN_CHARS_MAX } from './messages.ts';
import { REQUEST_BYTES_MAX } from './sync-limits.ts';

export const LOG_PROTOCOL = '/entente/log/1.0.0';

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

/** The entries of a chunk, as views of it. @throws {ProtocolError} SCHEMA_INVALID unless it ends with its last entry. */
export function parseEntriesChunk(chunk: Uint8Array): Uint8Array[] {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < chunk.length) {
    const start = at + 2;
    const end = start <= chunk.length ? start + view.getUint16(at) : Infinity;
    if (end > chunk.length) throw new ProtocolError('SCHEMA_INVALID', 'a chunk ends within an entry', { at });
    entries.push(chunk.subarray(start, end));
    at = end;
  }
  return entries;
}
