/** Entry bundles: the entries whose leaf hashes make up a tile of level 0. Spec: C2SP tlog-tiles. */
import { equalBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { ENTRY_BYTES_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { HASH_BYTES, leafHash } from './merkle.ts';
import { TILE_HASHES } from './tile.ts';

const LENGTH_BYTES = 2;

/** 1 to 256 entries, each behind its 16-bit length. @throws {RangeError} for other numbers or an entry too long. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > TILE_HASHES)
    throw new RangeError('a bundle has 1 to 256 entries');
  const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + LENGTH_BYTES + entry.length, 0));
  const view = new DataView(bundle.buffer);
  let offset = 0;
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX) throw new RangeError('an entry has at most 65,535 bytes');
    view.setUint16(offset, entry.length);
    bundle.set(entry, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + entry.length;
  }
  return bundle;
}

/**
 * The `width` entries of a bundle, as views of `bundle`. Says nothing about their being in a log.
 * @throws {ProtocolError} TILE_INVALID if the bundle ends before its last entry or goes on behind it.
 */
export function parseEntryBundle(bundle: Uint8Array, width: number): Uint8Array[] {
  if (!Number.isInteger(width) || width < 1 || width > TILE_HASHES)
    throw new RangeError('a bundle has 1 to 256 entries');
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (entries.length < width) {
    const start = offset + LENGTH_BYTES;
    const end = start <= bundle.length ? start + view.getUint16(offset) : Infinity;
    if (end > bundle.length)
      throw invalid('the bundle ends within an entry', { entry: entries.length, offset });
    entries.push(bundle.subarray(start, end));
    offset = end;
  }
  if (offset !== bundle.length) throw invalid('the bundle goes on behind its last entry', { offset });
  return entries;
}

/**
 * Proves that the entries of a bundle are the leaves of a tile of level 0, and returns them as views of `bundle`.
 * @throws {ProtocolError} TILE_INVALID if the tile is none, the bundle has another number of entries, or a leaf hash differs.
 */
export function verifyEntryBundle(sha256: Sha256, bundle: Uint8Array, tile: Uint8Array): Uint8Array[] {
  const width = tile.length / HASH_BYTES;
  if (!Number.isInteger(width) || width < 1 || width > TILE_HASHES) {
    throw invalid('expected 1 to 256 hashes of 32 bytes', { bytes: tile.length });
  }
  const entries = parseEntryBundle(bundle, width);
  entries.forEach((entry, i) => {
    const expected = tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
    if (!equalBytes(leafHash(sha256, entry), expected))
      throw invalid('an entry is not the leaf of its tile', { entry: i });
  });
  return entries;
}

function invalid(message: string, details: Readonly<Record<string, number>>): ProtocolError {
  return new ProtocolError('TILE_INVALID', message, details);
}
