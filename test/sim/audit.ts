/** The logs as they lie on the disks, read by the model's own eyes and held against all that was ever signed or acknowledged. */
import * as crypto from 'node:crypto';
import { auditTiles, entriesOf } from '../support/log-fixture.ts';
import { ReferenceTree } from '../support/reference-tree.ts';
import { type FaultyMedium } from '../support/faulty-disk.ts';
import { type KnownCode } from './history.ts';
import { demand, Violation } from './invariant.ts';
import { type SignedRecord } from './signed-record.ts';

/** A run of entries in the store: `log/<origin>/entries/<first index>`. */
const RUN_KEY = /^log\/(.+)\/entries\/([0-9]{16})$/;
const TILE_KEY = /^log\/(.+)\/(tile\/.+)$/;
/** Behind every value: its seal. */
const SEAL_BYTES = 16;

/** By origin, the entries of all logs that a disk holds, in their order. */
export type DiskLogs = ReadonlyMap<string, readonly Uint8Array[]>;

/** Whether a value is what was written under its key, by the seal behind it: the hash of both. */
export function isWhole(key: string, value: Uint8Array): boolean {
  const payload = value.subarray(0, -SEAL_BYTES);
  const hash = crypto.hash('sha256', Buffer.concat([Buffer.from(`${key}\0`, 'latin1'), payload]), 'buffer');
  return Buffer.compare(hash.subarray(0, SEAL_BYTES), value.subarray(-SEAL_BYTES)) === 0;
}

/** Each log as far as it is whole. @throws {Violation} if runs of a log do not follow each other. */
export function logsOn(medium: FaultyMedium): DiskLogs {
  const logs = new Map<string, Uint8Array[]>();
  const cut = new Set<string>();
  for (const [key, value] of medium.snapshot().entries) {
    const [, origin, first] = RUN_KEY.exec(key) ?? [];
    if (origin === undefined || cut.has(origin)) continue;
    const entries = logs.get(origin) ?? [];
    logs.set(origin, entries);
    if (!isWhole(key, value)) {
      cut.add(origin);
      continue;
    }
    demand(
      Number(first) === entries.length,
      'prefix order',
      () => `${key}: expected the entry ${entries.length}`,
    );
    entries.push(...entriesOf(value.subarray(0, -SEAL_BYTES)));
  }
  return logs;
}

/** Of two copies of a log one begins with the other. */
export function demandPrefixOrder(origin: string, copies: ReadonlyMap<string, readonly Uint8Array[]>): void {
  const [longest] = [...copies].sort(([, a], [, b]) => b.length - a.length);
  if (longest === undefined) return;
  const [owner, all] = longest;
  for (const [node, entries] of copies) {
    const at = entries.findIndex((entry, i) => !sameBytes(entry, all[i]));
    demand(at < 0, 'prefix order', () => `${origin}: entry ${at} at ${node} is not the one at ${owner}`);
  }
}

/** All that the log's key signed is true of the log as it lies there. */
export function demandAllSignedHolds(
  origin: string,
  entries: readonly Uint8Array[],
  signed: SignedRecord,
): void {
  const tree = new ReferenceTree(entries);
  for (const [size, root] of signed.rootsOf(origin)) {
    demand(
      size <= entries.length,
      'no contradiction',
      () => `${origin} has ${entries.length} entries, ${size} were signed`,
    );
    const actual = Buffer.from(tree.root(size)).toString('base64');
    demand(
      actual === root,
      'no contradiction',
      () => `${origin}: the root of the first ${size} entries is not the signed one`,
    );
  }
}

/** By origin and then by what stands behind that in their keys: the tiles of all logs that a disk holds. */
export type DiskTiles = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

export function tilesOn(medium: FaultyMedium): DiskTiles {
  const tiles = new Map<string, Map<string, Uint8Array>>();
  for (const [key, value] of medium.snapshot().entries) {
    const [, origin, rest] = TILE_KEY.exec(key) ?? [];
    if (origin === undefined || rest === undefined) continue;
    const ofLog = tiles.get(origin) ?? new Map<string, Uint8Array>();
    tiles.set(origin, ofLog.set(rest, value.subarray(0, -SEAL_BYTES)));
  }
  return tiles;
}

/** The tiles of a log as C2SP lays them out, hash by hash, and no others. */
export function demandTiles(
  origin: string,
  tiles: ReadonlyMap<string, Uint8Array>,
  tree: ReferenceTree,
): void {
  try {
    auditTiles(tiles, tree);
  } catch (error) {
    throw new Violation('agreement', `the tiles of ${origin} are not those of its entries: ${String(error)}`);
  }
}

/** Every acknowledged code is in the log, once. */
export function demandAllLogged(
  origin: string,
  entries: readonly Uint8Array[],
  codes: readonly KnownCode[],
): void {
  const places = new Map<string, number[]>();
  entries.forEach((entry, i) => {
    const text = Buffer.from(entry).toString('latin1');
    places.set(text, [...(places.get(text) ?? []), i]);
  });
  for (const { index, attestation } of codes.filter((code) => code.origin === origin)) {
    const found = places.get(Buffer.from(attestation).toString('latin1')) ?? [];
    demand(found.length === 1 && found[0] === index, 'logged once', () => {
      return `${origin}/${index} was acknowledged and is at [${found.join(', ')}] of ${entries.length}`;
    });
  }
}

export function sameLog(a: readonly Uint8Array[] = [], b: readonly Uint8Array[] = []): boolean {
  return a.length === b.length && a.every((entry, i) => sameBytes(entry, b[i]));
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
