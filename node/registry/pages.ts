/** Pages of records in the private tables: what their names say, and what stands where once they are opened. */
import { INDEX_DIGITS, PAGES } from './page-keys.ts';
import { type Place } from './place-cipher.ts';
import { hourOfPage, type PageRecord, recordOfPage, type RegistryEntry, slotsOfPage } from './record-page.ts';

export interface RegistryRecord extends PageRecord, Place {
  readonly hour: number;
}

/** Attestations that follow each other; undefined for one that is nobody's. */
export interface RegistryBatch extends Place {
  /** Of issue. */
  readonly hour: number;
  readonly entries: readonly (RegistryEntry | undefined)[];
}

export interface OpenPage {
  readonly key: string;
  readonly log: string;
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** What of people's records is wanted: decided before a page is opened, and after. */
export interface Sought {
  readonly isPlace: (place: Place) => boolean;
  readonly isRecord: (record: RegistryRecord) => boolean;
}

export const ALL: Sought = { isPlace: () => true, isRecord: () => true };

/** The index of its first record. */
export function firstOf(key: string): number {
  return Number(key.slice(-INDEX_DIGITS));
}

/** The log that it is of. */
export function logOf(key: string): string {
  return key.slice(PAGES.length, -INDEX_DIGITS - 1);
}

export function isOnPage(page: OpenPage, { log, index }: Place): boolean {
  return page.log === log && index >= page.first && index < page.first + slotsOfPage(page.bytes);
}

/** The record of an attestation that stands on a page; undefined for one that is nobody's, or forgotten. @throws {NodeError} REGISTRY_CORRUPT */
export function recordAt({ first, bytes }: OpenPage, { log, index }: Place): RegistryRecord | undefined {
  const record = recordOfPage(bytes, index - first);
  return record && { ...record, log, index, hour: hourOfPage(bytes) };
}

export function byPlace(a: Place, b: Place): number {
  return a.log === b.log ? a.index - b.index : a.log < b.log ? -1 : 1;
}
