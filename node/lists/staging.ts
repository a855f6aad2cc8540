/** The rows of a new list, written beside the one in force: some at a time, in bounded memory, each held against all before it. */
import { type Change } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type RowFault } from '../rows/row-form.ts';
import { entryOf, type ListEntry, merged } from './entry.ts';
import { type ListKind } from './kinds.ts';
import { type ListRow } from './list-file.ts';
import { type Shelf } from './shelf.ts';
import { requireRead } from './unread-rows.ts';

export interface StagingModules {
  readonly tables: PrivateTables;
  readonly shelf: Shelf;
}

/** Rows that are held against what is staged, and written, at once. */
export const ROWS_TOGETHER = 1_024;
/** Documents of one name and day of birth; nobody could be told apart by that name any more. */
const NAMESAKES_MAX = 64;

interface Placed {
  readonly row: ListRow;
  readonly pseudonym: string;
}

/** An entry with a document whose name and day of birth are known now, and were not before. */
interface Named {
  readonly entry: ListEntry;
  readonly pseudonym: string;
  readonly name: string;
}

/** One writer: the import of this version. */
export class Staging {
  readonly #kind: ListKind;
  readonly #version: number;
  readonly #modules: StagingModules;
  #entries = 0;

  constructor(kind: ListKind, version: number, modules: StagingModules) {
    this.#kind = kind;
    this.#version = version;
    this.#modules = modules;
  }

  /** Persons or areas of which something is staged. */
  get entries(): number {
    return this.#entries;
  }

  /** Stages some rows that follow those before, unless one contradicts another or an earlier one. Rejects as the tables do. */
  async add(rows: readonly ListRow[]): Promise<readonly RowFault[]> {
    const { shelf, tables } = this.#modules;
    const placed = rows.map((row) => this.#place(row));
    const { faults, entries, before } = await this.#mergedEntries(placed);
    if (faults.length > 0) return faults;
    const namesakes = await this.#namesakesOf(this.#namedIn(entries, before));
    if (Array.isArray(namesakes)) return namesakes;
    const changes: Change[] = [];
    for (const [pseudonym, entry] of entries)
      changes.push(shelf.entryChange(this.#kind, this.#version, pseudonym, entry));
    for (const [name, pseudonyms] of namesakes)
      changes.push(shelf.nameChange(this.#kind, this.#version, name, [...pseudonyms]));
    await tables.write(changes);
    this.#entries += entries.size - before.size;
    return [];
  }

  #place(row: ListRow): Placed {
    const { shelf } = this.#modules;
    const { identity, area } = row;
    return { row, pseudonym: area === undefined ? shelf.pseudonymOf(identity) : shelf.areaOf(area) };
  }

  async #mergedEntries(placed: readonly Placed[]) {
    const pseudonyms = [...new Set(placed.map(({ pseudonym }) => pseudonym))];
    const staged = await this.#modules.shelf.entries(this.#kind, this.#version, pseudonyms);
    const before = new Map<string, ListEntry>();
    pseudonyms.forEach((pseudonym, i) => {
      const entry = requireRead(staged[i]);
      if (entry !== undefined) before.set(pseudonym, entry);
    });
    const entries = new Map<string, ListEntry>();
    const faults: RowFault[] = [];
    for (const { row, pseudonym } of placed) {
      const { line, identity, said } = row;
      const entry = entryOf(identity, said, line);
      const known = entries.get(pseudonym) ?? before.get(pseudonym);
      const together = known === undefined ? entry : merged(this.#kind, known, entry);
      if ('reason' in together) faults.push({ line, ...together });
      else entries.set(pseudonym, together);
    }
    return { faults, entries, before };
  }

  /** Of several rows about a document any may be the first that tells whose it is. */
  #namedIn(entries: ReadonlyMap<string, ListEntry>, before: ReadonlyMap<string, ListEntry>): Named[] {
    const { shelf } = this.#modules;
    const nameOf = (entry: ListEntry | undefined) =>
      entry?.identity.document === undefined ? undefined : shelf.nameOf(entry.identity);
    return [...entries].flatMap(([pseudonym, entry]) => {
      const name = nameOf(before.get(pseudonym)) === undefined ? nameOf(entry) : undefined;
      return name === undefined ? [] : [{ entry, pseudonym, name }];
    });
  }

  /** Who else has the name of these, by name; or that too many have it. */
  async #namesakesOf(named: readonly Named[]): Promise<Map<string, Set<string>> | RowFault[]> {
    const names = [...new Set(named.map(({ name }) => name))];
    const staged = await this.#modules.shelf.namesakes(this.#kind, this.#version, names);
    const byName = new Map(names.map((name, i) => [name, new Set(requireRead(staged[i]))]));
    for (const { entry, name, pseudonym } of named) {
      const all = byName.get(name)?.add(pseudonym);
      if (all === undefined || all.size <= NAMESAKES_MAX) continue;
      const reason = `is one of more than ${NAMESAKES_MAX} with the same name and day of birth`;
      return [{ line: entry.line, column: 'full_name', reason }];
    }
    return byName;
  }
}
