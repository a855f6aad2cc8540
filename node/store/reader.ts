/** Reading a disk that holds sealed values. */
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Disk, type Entry, type RangeOptions } from '../ports.ts';
import { openValue } from './sealed.ts';

/** All rejections are `NodeError`s; a value that is not what was written is VALUE_CORRUPT and never handed out. */
export interface StoreReader {
  get(key: string): Promise<Uint8Array | undefined>;
  /** The values in the order of `keys`: one trip to the disk for all. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** A page of `from <= key < to`, as `Disk.range`. */
  page(from: string, to: string, options: RangeOptions): Promise<Entry[]>;
  /** The whole range, page by page; it sees changes made meanwhile or not. What lies before a damaged value is given before it rejects. */
  entries(from: string, to: string, options?: EntriesOptions): AsyncIterable<Entry>;
}

export interface EntriesOptions {
  readonly reverse?: boolean;
  /** Entries fetched at a time; 256 by default. */
  readonly pageSize?: number;
  /** Told of each damaged value, which is left out; without it the first ends the walk. */
  readonly onDamaged?: ((error: NodeError) => void) | undefined;
}

const PAGE_SIZE = 256;
/** Bytes of values up to which no page ends before its limit: half of what `Disk.range` says, since values are sealed there. */
const WHOLE_BYTES = 1 << 15;

export class DiskReader implements StoreReader {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0];
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const stored = await this.#disk.getMany(keys);
    return stored.map((value, i) => (value === undefined ? undefined : openValue(keys[i] ?? '', value)));
  }

  async page(from: string, to: string, options: RangeOptions): Promise<Entry[]> {
    const stored = await this.#disk.range(from, to, options);
    return stored.map(([key, value]) => [key, openValue(key, value)]);
  }

  entries(from: string, to: string, options: EntriesOptions = {}): AsyncIterable<Entry> {
    return pagesOf(this, from, to, options);
  }
}

/** The entries of a range by its pages: how every reader walks one. */
export async function* pagesOf(
  reader: Pick<StoreReader, 'page'>,
  from: string,
  to: string,
  { reverse = false, pageSize = PAGE_SIZE, onDamaged }: EntriesOptions,
): AsyncGenerator<Entry, void, undefined> {
  for (;;) {
    const found = wholePage(reader, from, to, { limit: pageSize, reverse });
    const { page, isLast, damaged } = await found.catch((error: unknown) => passDamaged(error, onDamaged));
    yield* page;
    const last = damaged ?? page.at(-1)?.[0];
    if (isLast || last === undefined) return;
    if (reverse) to = last;
    else from = keyAfter(last);
  }
}

interface WholePage {
  readonly page: readonly Entry[];
  readonly isLast: boolean;
  /** The key of the damaged value that stands in the place of a page. */
  readonly damaged?: string;
}

function passDamaged(error: unknown, onDamaged: EntriesOptions['onDamaged']): WholePage {
  if (onDamaged === undefined || !isNodeError(error, 'VALUE_CORRUPT') || error.key === undefined) throw error;
  onDamaged(error);
  return { page: [], isLast: false, damaged: error.key };
}

/** A page as far as its values are what was written. Rejects where that is not even the first. */
async function wholePage(
  reader: Pick<StoreReader, 'page'>,
  from: string,
  to: string,
  options: RangeOptions,
): Promise<WholePage> {
  try {
    const page = await reader.page(from, to, options);
    const isShort = page.length < options.limit;
    return { page, isLast: isShort && page.reduce((sum, [, { length }]) => sum + length, 0) < WHOLE_BYTES };
  } catch (error) {
    const { limit } = options;
    if (limit === 1 || !isNodeError(error, 'VALUE_CORRUPT')) throw error;
    return wholePage(reader, from, to, { ...options, limit: Math.ceil(limit / 2) });
  }
}

/** The least key greater than `key`. */
export function keyAfter(key: string): string {
  return `${key}\0`;
}
