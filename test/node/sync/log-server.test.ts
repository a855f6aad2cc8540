import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { Replica } from '../../../node/log/replica.ts';
import { readEntries, readTiles } from '../../../node/sync/log-client.ts';
import { encodeLogRequest, LOG_PROTOCOL, parseEntriesChunk } from '../../../node/sync/log-messages.ts';
import { LogServer } from '../../../node/sync/log-server.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { CHUNK_BYTES, LOG_READERS } from '../../../node/sync/sync-limits.ts';
import { type ShareOf } from '../../../node/peer-places.ts';
import { type StreamHandler, type StreamingNetwork } from '../../../node/ports.ts';
import { logKey, verifySignature } from '../../support/keys.ts';
import { Machine } from '../../support/log-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const ORIGIN = 'DE.test/attest/2026-11';
const SIZE = 700;
const key = logKey(ORIGIN, 5);
const reference = new ReferenceTree(
  Array.from({ length: SIZE }, (_, i) => new Uint8Array(i % 7 === 0 ? 3_000 : 60).fill(i)),
);
const NOTE = encodeNote(
  signCheckpoint({ origin: ORIGIN, size: SIZE, root: reference.root() }, key.key, key.sign),
);
const signal = () => new AbortController().signal;

async function bench(shareOf?: ShareOf) {
  const machine = new Machine();
  const tree = await machine.openTree(await machine.openStore(), ORIGIN);
  await new Replica({ tree, sha256, verifySignature }).apply(
    { from: 0, entries: reference.entries, note: NOTE },
    [key.key],
  );
  const clock = new ManualClock(1_000_000);
  const book = new PeerBook({ clock });
  const handlers = new Map<string, StreamHandler>();
  const plain = new MemoryNetwork({ random: () => 0.5 }, { clock }).join('DE');
  const network: StreamingNetwork = {
    ...plain,
    handleStream: (protocol, handler) => handlers.set(protocol, handler),
    stream: (peer, protocol, request, over) => {
      return handlers.get(protocol)?.(peer, request, over) ?? assert.fail(protocol);
    },
  };
  const server = new LogServer({
    sha256,
    network,
    clock,
    book,
    logs: () => new Map([[ORIGIN, { tree, note: NOTE, forks: [] }]]),
    shareOf,
  });
  server.start();
  return { network, server, clock, book };
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('LogServer', () => {
  it('gives stretches of entries in chunks of some size, each of whole entries', async () => {
    const { network } = await bench();
    for (const [from, to] of [
      [0, SIZE],
      [0, 1],
      [255, 257],
      [SIZE - 1, SIZE],
    ] as const) {
      const chunks = await all(readEntries(network, 'FR', { origin: ORIGIN, from, to }, signal()));
      assert.deepEqual(chunks.flat(), reference.entries.slice(from, to));
    }
    const request = encodeLogRequest({ kind: 'entries', origin: ORIGIN, from: 0, to: SIZE });
    const sizes = (await all(network.stream('FR', LOG_PROTOCOL, request, signal()))).map(
      (chunk) => chunk.length,
    );
    assert.ok(sizes.length > 3);
    assert.ok(sizes.slice(0, -1).every((size) => size > CHUNK_BYTES - 3_002 && size <= CHUNK_BYTES));
  });

  it('gives the tiles of a tree that the log once had', async () => {
    const { network } = await bench();
    const tiles = await all(
      readTiles(network, 'FR', { origin: ORIGIN, level: 0, from: 1, to: 3, size: 600 }, signal()),
    );
    assert.deepEqual(
      tiles.map(({ length }) => length / 32),
      [256, 88],
    );
  });

  it('says what is not there, one beyond each end', async () => {
    const { network } = await bench();
    for (const asked of [
      { origin: ORIGIN, from: 0, to: SIZE + 1 },
      { origin: 'FR.test/trust', from: 0, to: 1 },
    ]) {
      await assert.rejects(all(readEntries(network, 'FR', asked, signal())), { code: 'NOT_FOUND' });
    }
    for (const place of [
      { level: 0, from: 2, to: 4, size: SIZE },
      { level: 2, from: 0, to: 1, size: SIZE },
      { level: 0, from: 0, to: 3, size: SIZE + 1 },
    ]) {
      await assert.rejects(all(readTiles(network, 'FR', { origin: ORIGIN, ...place }, signal())), {
        code: 'NOT_FOUND',
      });
    }
  });

  it('refuses what is no request, and keeps it on the record of the peer', async () => {
    const { server, book } = await bench();
    for (const request of [
      Buffer.from('x'),
      encodeLogRequest({ kind: 'entries', origin: ORIGIN, from: 5, to: 5 }),
    ]) {
      await assert.rejects(all(server.answer('FR', request, signal())), isProtocolError);
    }
    assert.equal(book.recordOf('FR').faultsInAll, 2);
  });

  it('T17: one peer reads a few streams at once, and others still get theirs', async () => {
    const { server } = await bench();
    const request = encodeLogRequest({ kind: 'entries', origin: ORIGIN, from: 0, to: SIZE });
    const readers = Array.from({ length: LOG_READERS.ofPeer }, () => server.answer('FR', request, signal()));
    for (const reader of readers) await reader.next();
    await assert.rejects(server.answer('FR', request, signal()).next(), { code: 'STORE_BUSY', retry: true });
    await server.answer('IT', request, signal()).next();
    await readers[0]?.return();
    await server.answer('FR', request, signal()).next();
  });

  it('T17: invited peers read no more streams than leave recognised ones theirs', async () => {
    const { server } = await bench((peer) => ({ region: peer, isInvited: peer.startsWith('invited') }));
    const request = encodeLogRequest({ kind: 'entries', origin: ORIGIN, from: 0, to: SIZE });
    const read = (peer: string) => server.answer(peer, request, signal()).next();
    for (let i = 0; i < LOG_READERS.ofInvited; i++) await read(`invited ${i}`);
    await assert.rejects(read('invited'), { code: 'STORE_BUSY' });
    for (let i = LOG_READERS.ofInvited; i < LOG_READERS.ofAll; i++) await read(`recognised ${i}`);
    await assert.rejects(read('recognised'), { code: 'STORE_BUSY' });
  });

  it('T17: one region with eight nodes leaves streams to others', async () => {
    const { server } = await bench((peer) => ({ region: peer.split(' ')[0] ?? '', isInvited: false }));
    const request = encodeLogRequest({ kind: 'entries', origin: ORIGIN, from: 0, to: SIZE });
    const results = await Promise.allSettled(
      Array.from({ length: 8 * LOG_READERS.ofPeer }, (_, i) =>
        server.answer(`ES ${i % 8}`, request, signal()).next(),
      ),
    );
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, LOG_READERS.ofRegion);
    await server.answer('FR 1', request, signal()).next();
  });
});

describe('parseEntriesChunk', () => {
  it('refuses a chunk that ends within an entry', () => {
    assert.deepEqual(parseEntriesChunk(Uint8Array.of(0, 1, 7, 0, 0)), [Uint8Array.of(7), new Uint8Array(0)]);
    for (const chunk of [[0], [0, 2, 7], [0, 1, 7, 0]]) {
      assert.throws(
        () => parseEntriesChunk(Uint8Array.from(chunk)),
        (error) => isProtocolError(error, 'SCHEMA_INVALID'),
      );
    }
  });
});
