/** Tables apart from the store that can fail: what outlives the processes of a test, and dies with none of them. */
import { type Change, type Entry, type RangeOptions } from '../../node/ports.ts';
import { registryAway, writeUnknown } from '../../node/registry/postgres-error.ts';
import { type Condition, type SharedTables } from '../../node/registry/private-tables.ts';
import { registryOther } from '../../node/registry/registry-error.ts';
import { type EntriesOptions, pagesOf } from '../../node/store/reader.ts';
import { SortedMap } from './sorted-map.ts';

/** `away`: it fails so, and goes on. `crash`: whoever asked never hears of it. */
export interface TablesFault {
  /** From 1. */
  readonly write: number;
  readonly when: 'before' | 'after';
  readonly what: 'away' | 'crash';
}

export class MemoryTables implements SharedTables {
  readonly #values = new SortedMap<Uint8Array>();
  #fault: TablesFault | undefined;
  #expected: Entry | undefined;
  /** Nobody can ask it anything. */
  isAway = false;
  writes = 0;
  /** Called at a planned crash. */
  onCrash: () => void = () => undefined;

  /** All rows, for `putBack`. */
  copy(): readonly Entry[] {
    return this.#values
      .keysBetween('', '~', { limit: Infinity, reverse: false })
      .map((name) => [name, this.#values.get(name) ?? NONE]);
  }

  /** As a database that is restored from a backup: there is nothing else. */
  putBack(rows: readonly Entry[]): void {
    for (const [name] of this.copy()) this.#values.delete(name);
    for (const [name, value] of rows) this.#values.set(name, value);
  }

  plan(fault: TablesFault | undefined): void {
    this.#fault = fault;
  }

  async write(changes: readonly Change[]): Promise<void> {
    await this.writeIf(changes, {});
  }

  async writeIf(
    changes: readonly Change[],
    { holds, absent = [] }: Condition,
  ): Promise<'made' | 'other' | 'present'> {
    await this.#require();
    const { when, what } = this.#fault?.write === ++this.writes ? this.#fault : {};
    if (when === 'before') await this.#fail(what);
    const now = holds && this.#values.get(holds.name);
    if (holds !== undefined && Buffer.compare(now ?? NONE, holds.value ?? NONE) !== 0) return 'other';
    if (absent.some((name) => this.#values.get(name) !== undefined)) return 'present';
    for (const change of changes) {
      if ('put' in change) this.#values.set(change.put, change.value.slice());
      else this.#values.delete(change.del);
    }
    if (when === 'after') await this.#fail(what);
    return 'made';
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    await this.#require();
    return this.#values.get(name);
  }

  async getMany(names: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    await this.#require();
    return names.map((name) => this.#values.get(name));
  }

  async page(from: string, to: string, { limit, reverse = false }: RangeOptions): Promise<Entry[]> {
    await this.#require();
    const keys = this.#values.keysBetween(from, to, { limit, reverse });
    return keys.map((key) => [key, this.#values.get(key) ?? NONE]);
  }

  entries(from: string, to: string, options: EntriesOptions = {}): AsyncIterable<Entry> {
    return pagesOf(this, from, to, options);
  }

  expect(row: Entry): void {
    this.#expected = row;
  }

  compact(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async #require(): Promise<void> {
    await Promise.resolve();
    if (this.isAway) throw registryAway(undefined);
    const [name, value] = this.#expected ?? [];
    if (name !== undefined && Buffer.compare(this.#values.get(name) ?? NONE, value ?? NONE) !== 0)
      throw registryOther();
  }

  async #fail(what: TablesFault['what'] | undefined): Promise<never> {
    if (what === 'away') throw this.#fault?.when === 'after' ? writeUnknown() : registryAway(undefined);
    this.onCrash();
    return new Promise<never>(() => undefined);
  }
}

const NONE = Buffer.of();
