/**
 * How entries are kept: in runs, the entries that were logged together, as many as share a bundle. A run has the bytes
 * of that part of the C2SP entry bundle, so that a bundle is its runs joined, and a run costs one value instead of 256.
 */
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { TILE_HASHES } from '../../protocol/log/tile.ts';

export interface EntryRun {
  /** Of its first entry. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Bytes of a run with more than one entry: a quarter of what a value of the store may have. */
const RUN_BYTES_MAX = 1 << 18;

const LENGTH_BYTES = 2;

/** The entries from `index` on as runs that end where a bundle ends. @throws {RangeError} on an entry too long. */
export function splitIntoRuns(index: number, entries: readonly Uint8Array[]): EntryRun[] {
  return runBounds(index, entries).map(([start, end]) => ({
    index: index + start,
    bytes: encodeEntryBundle(entries.slice(start, end)),
  }));
}

/** The indexes at which the runs begin that `splitIntoRuns` makes. */
export function runIndexes(index: number, entries: readonly Uint8Array[]): number[] {
  return runBounds(index, entries).map(([start]) => index + start);
}

/** The entries of a run, as views of it. @throws {RangeError} if it ends within an entry. */
export function parseRun(run: Uint8Array): Uint8Array[] {
  const view = new DataView(run.buffer, run.byteOffset, run.byteLength);
  const entries: Uint8Array[] = [];
  for (let offset = 0; offset < run.length;) {
    const start = offset + LENGTH_BYTES;
    offset = start + view.getUint16(offset);
    if (offset > run.length) throw new RangeError('the run ends within an entry');
    entries.push(run.subarray(start, offset));
  }
  return entries;
}

/** Positions in `entries`. */
function runBounds(index: number, entries: readonly Uint8Array[]): [start: number, end: number][] {
  const bounds: [number, number][] = [];
  for (let start = 0; start < entries.length;) {
    const endOfBundle = start + TILE_HASHES - ((index + start) % TILE_HASHES);
    let bytes = 0;
    let end = start;
    while (end < Math.min(endOfBundle, entries.length)) {
      bytes += LENGTH_BYTES + (entries[end] as Uint8Array).length;
      if (end > start && bytes > RUN_BYTES_MAX) break;
      end++;
    }
    bounds.push([start, end]);
    start = end;
  }
  return bounds;
}
