/** Reading stretches of logs at a peer, as fast as the caller takes them. Nothing of it is proven: hold it against a tree. */
import { ProtocolError } from '../../protocol/fault.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { tileWidth } from '../../protocol/log/tile.ts';
import { type StreamingNetwork } from '../ports.ts';
import { encodeLogRequest, LOG_PROTOCOL, type LogRequest, parseEntriesChunk } from './log-messages.ts';

/**
 * The entries with `from <= index < to`, chunk by chunk. Rejects as `StreamingNetwork.stream`.
 * @throws {ProtocolError} SCHEMA_INVALID for a chunk that is none, or for more or fewer entries than were asked for.
 */
export async function* readEntries(
  network: StreamingNetwork,
  peer: string,
  asked: Omit<Extract<LogRequest, { kind: 'entries' }>, 'kind'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array[], void, undefined> {
  const request = encodeLogRequest({ kind: 'entries', ...asked });
  let left = asked.to - asked.from;
  for await (const chunk of network.stream(peer, LOG_PROTOCOL, request, signal)) {
    const entries = parseEntriesChunk(chunk);
    left -= entries.length;
    if (left < 0) throw expected('no more entries than were asked for');
    yield entries;
  }
  if (left > 0) throw expected('all entries that were asked for');
}

/**
 * The tiles of a level with `from <= index < to` in the tree of `size` leaves. Rejects as `readEntries`.
 */
export async function* readTiles(
  network: StreamingNetwork,
  peer: string,
  asked: Omit<Extract<LogRequest, { kind: 'tiles' }>, 'kind'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { level, from, to, size } = asked;
  const request = encodeLogRequest({ kind: 'tiles', ...asked });
  let index = from;
  for await (const tile of network.stream(peer, LOG_PROTOCOL, request, signal)) {
    if (index >= to || tile.length !== tileWidth(size, level, index) * HASH_BYTES) {
      throw expected('the tiles that were asked for');
    }
    yield tile;
    index++;
  }
  if (index < to) throw expected('all tiles that were asked for');
}

function expected(what: string): ProtocolError {
  return new ProtocolError('SCHEMA_INVALID', `expected ${what}`);
}
