/**
 * A process at one end of a stream of log entries. `serve <directory> <entries> <bytes>` makes a log on disk of entries of so many bytes
 * and gives it away; `read <address> <entries> <bytes> <pause>` reads it, slowly, and holds it against its root. Both tell their parent
 * how much memory they took.
 */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { LogTree } from '../../node/log/log-tree.ts';
import { Replica } from '../../node/log/replica.ts';
import { openNetwork } from '../../node/network/open-network.ts';
import { storeInDirectory } from '../../node/store/store-directory.ts';
import { readEntries } from '../../node/sync/log-client.ts';
import { LogServer } from '../../node/sync/log-server.ts';
import { PeerBook } from '../../node/sync/peer-book.ts';
import { systemClock } from '../../node/system-clock.ts';
import { hostOptions, peerOf } from './host-fixture.ts';
import { logKey, verifySignature } from './keys.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { sha256 } from './primitives.ts';

/** This file, to be started as a process. */
export const LOG_STREAM_CHILD = import.meta.filename;

const ORIGIN = 'DE.test/attest/2026-11';
/** Bytes of the entries that are written at a time. */
const BATCH_BYTES = 2 << 20;
/** Read before the first measurement, so that code and buffers are there, and the young generation has its size: 32 MB by default. */
const WARM_UP_BYTES = 48 << 20;

export type Report =
  | { readonly kind: 'serving'; readonly address: string; readonly root: string }
  | { readonly kind: 'reading' }
  | { readonly kind: 'memory'; readonly grownMb: number }
  | {
      readonly kind: 'read';
      readonly entries: number;
      readonly root: string;
      readonly grownMb: number;
      readonly seconds: number;
    };

function report(message: Report): void {
  process.send?.(message);
}

/** Megabytes that this process has to itself: pages of files, which the system takes back at will, are not counted where it says so. */
function residentMb(): number {
  try {
    const kib = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kib !== undefined) return Number(kib) / 1024;
  } catch {
    // Not a Linux.
  }
  return process.memoryUsage.rss() / 2 ** 20;
}

/** The most that memory grew since the call. */
function watchMemory(): () => number {
  const baseMb = residentMb();
  let mostMb = 0;
  const timer = setInterval(() => (mostMb = Math.max(mostMb, residentMb() - baseMb)), 50);
  timer.unref();
  return () => mostMb;
}

function entryAt(index: number, bytes: number): Uint8Array {
  const entry = new Uint8Array(bytes).fill(index & 0xff);
  new DataView(entry.buffer).setUint32(0, index);
  return entry;
}

async function serve(directory: string, count: number, entryBytes: number): Promise<void> {
  const store = storeInDirectory({ directory, owner: 'DE.test', reserveBytes: 0 }, { clock: systemClock });
  await store.start();
  const tree = await LogTree.open(ORIGIN, { store, secondPlace: new MemorySecondPlace(), sha256 });
  const replica = new Replica({ tree, sha256, verifySignature });
  const key = logKey(ORIGIN, 5);
  const frontier = Frontier.empty(sha256);
  let note = new Uint8Array(0);
  const batch = Math.floor(BATCH_BYTES / entryBytes);
  for (let from = 0; from < count; from += batch) {
    const entries = Array.from({ length: Math.min(batch, count - from) }, (_, i) =>
      entryAt(from + i, entryBytes),
    );
    for (const entry of entries) frontier.append(leafHash(sha256, entry));
    const checkpoint = { origin: ORIGIN, size: from + entries.length, root: frontier.root() };
    note = Uint8Array.from(encodeNote(signCheckpoint(checkpoint, key.key, key.sign)));
    await replica.apply({ from, entries, note }, [key.key]);
  }
  const network = await openNetwork(hostOptions('DE'), {
    admissions: () => new Map([[peerOf('FR'), { region: 'FR', standing: 'recognised', addresses: [] }]]),
  });
  const book = new PeerBook({ clock: systemClock });
  const logs = () => new Map([[ORIGIN, { tree, note, forks: [] }]]);
  new LogServer({ sha256, network, clock: systemClock, book, logs }).start();
  const [address = ''] = network.status.host?.addresses ?? [];
  report({ kind: 'serving', address: address.replace(/\/p2p\/.*$/, ''), root: hexOf(frontier.root()) });
  let grownMb = () => 0;
  process.on('message', (message) => {
    if (message === 'watch') grownMb = watchMemory();
    else report({ kind: 'memory', grownMb: grownMb() });
  });
}

async function read(address: string, count: number, entryBytes: number, pauseMs: number): Promise<void> {
  const network = await openNetwork(hostOptions('FR'), {
    admissions: () =>
      new Map([[peerOf('DE'), { region: 'DE', standing: 'recognised', addresses: [address] }]]),
  });
  while (network.peers().length === 0) await setTimeout(20);
  const signal = new AbortController().signal;
  const readTo = async (to: number, each: (entries: Uint8Array[]) => unknown) => {
    for await (const entries of readEntries(network, peerOf('DE'), { origin: ORIGIN, from: 0, to }, signal)) {
      await each(entries);
    }
  };
  await readTo(Math.min(Math.floor(WARM_UP_BYTES / entryBytes), count), () => undefined);
  report({ kind: 'reading' });
  const grownMb = watchMemory();
  const startMs = performance.now();
  const frontier = Frontier.empty(sha256);
  await readTo(count, async (entries) => {
    for (const entry of entries) frontier.append(leafHash(sha256, entry));
    await setTimeout(pauseMs);
  });
  const seconds = (performance.now() - startMs) / 1000;
  report({ kind: 'read', entries: frontier.size, root: hexOf(frontier.root()), grownMb: grownMb(), seconds });
}

const [role, first = '', ...figures] = process.argv.slice(2);
const [count = 0, entryBytes = 0, pauseMs = 0] = figures.map(Number);
if (process.send !== undefined && role === 'serve') await serve(first, count, entryBytes);
if (process.send !== undefined && role === 'read') await read(first, count, entryBytes, pauseMs);
