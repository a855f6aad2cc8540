/**
 * Lists at rest, all of it sealed. Tables:
 *
 *   list/<kind>/head                          the versions there were, the newest first
 *   list/<kind>/<version>/by/<pseudonym>      an entry, by the document that it names, or by name and day of birth
 *   list/<kind>/<version>/name/<pseudonym>    the pseudonyms of entries with a document that have this name and day of birth
 *
 * A version is written row by row and is in force once the head names it: what is not named there is of an import that broke off.
 */
import { z } from 'zod';
import { broughtBySchema } from '../operators/brought-by.ts';
import { type Change, type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { Pseudonyms } from '../registry/pseudonyms.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { rowsPastDamage, valuesPastDamage } from '../registry/rows-past-damage.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { encodeEntry, type ListEntry, parseEntry } from './entry.ts';
import { documentForm, type Identity } from './identity.ts';
import { type ListKind } from './kinds.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { NodeError } from '../node-error.ts';
import { UnreadRow } from './unread-rows.ts';

export interface ShelfModules {
  readonly tables: PrivateTables;
  readonly random: Random;
}

/** A list as it came. */
export const listVersionSchema = z.strictObject({
  version: z.int().min(1),
  /** Who gave it, in the words of who imported it. */
  source: z.string(),
  /** Who imported it. */
  operator: broughtBySchema.optional(),
  /** The moment that it speaks of. */
  asOfS: z.int(),
  importedAtS: z.int(),
  /** Rows of the file, and the persons or areas that they are about. */
  rows: z.int(),
  entries: z.int(),
  bytes: z.int(),
  /** SHA-256 of the file in hexadecimal. */
  digest: z.string(),
});
export type ListVersion = Readonly<z.infer<typeof listVersionSchema>>;

const headSchema = z.array(listVersionSchema);
const pseudonymsSchema = z.array(z.string());

/** Versions whose rows are kept: that in force and the one before. */
export const VERSIONS_KEPT = 2;
/** Versions that are remembered; of older ones nothing is left. */
const HISTORY_MAX = 256;
const VERSION_DIGITS = 8;
const REMOVED_TOGETHER = 1_024;

export class Shelf {
  readonly #modules: ShelfModules;
  readonly #key: Uint8Array;
  readonly #pseudonyms: Pseudonyms;
  readonly #heads: Sealer;
  readonly #sealers = new Map<string, Sealer>();

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: ShelfModules) {
    this.#modules = modules;
    this.#key = key.slice();
    this.#pseudonyms = new Pseudonyms(derivedKey(key, 'list/identity'));
    this.#heads = new Sealer(derivedKey(key, 'list/head'));
  }

  /** The versions of a list, that in force first. */
  async versions(kind: ListKind): Promise<readonly ListVersion[]> {
    const name = headName(kind);
    const sealed = await this.#modules.tables.get(name);
    return sealed === undefined ? [] : parseSealedJson(headSchema, name, this.#heads.open(name, sealed));
  }

  /** Puts a version in force. */
  async enforce(kind: ListKind, versions: readonly ListVersion[]): Promise<void> {
    const name = headName(kind);
    const head = Buffer.from(JSON.stringify(versions.slice(0, HISTORY_MAX)));
    await this.#modules.tables.write([{ put: name, value: this.#seal(this.#heads, name, head) }]);
  }

  /** Removes all rows of a version, damaged ones too. To be repeated if it is interrupted. */
  async remove(kind: ListKind, version: number): Promise<void> {
    const { tables } = this.#modules;
    const from = `${prefixOf(kind, version)}/`;
    for (;;) {
      const page = await rowsPastDamage(tables, [from, `${from}~`], REMOVED_TOGETHER);
      if (page.length === 0) return;
      await tables.write(page.map(([name]) => ({ del: name })));
    }
  }

  /** The name of somebody's entry: by the document, or else by name and day of birth. */
  pseudonymOf(identity: Identity): string {
    const { document } = identity;
    if (document === undefined) return this.nameOf(identity) ?? '';
    const { type, country, number } = documentForm(document);
    return this.#pseudonyms.of(['document', type, country, number].join('\n'));
  }

  /** The same by name and day of birth alone; undefined where one of them is not known. */
  nameOf({ name, birthDate }: Identity): string | undefined {
    if (name === undefined || birthDate === undefined) return undefined;
    return this.#pseudonyms.of(['name', name, birthDate].join('\n'));
  }

  /** The name of the row of an entry. */
  entryName(kind: ListKind, version: number, pseudonym: string): string {
    return `${prefixOf(kind, version)}/by/${pseudonym}`;
  }

  /** Whether a row is of that version of a list. */
  isOf(name: string, kind: ListKind, version: number): boolean {
    return name.startsWith(`${prefixOf(kind, version)}/`);
  }

  /** The name of an area's entry. */
  areaOf(area: string): string {
    return this.#pseudonyms.of(['area', area].join('\n'));
  }

  entryChange(kind: ListKind, version: number, pseudonym: string, entry: ListEntry): Change {
    return this.#change(kind, version, `by/${pseudonym}`, encodeEntry(entry));
  }

  nameChange(kind: ListKind, version: number, name: string, pseudonyms: readonly string[]): Change {
    return this.#change(kind, version, `name/${name}`, Buffer.from(JSON.stringify(pseudonyms)));
  }

  /** The entries of these pseudonyms, in their order. Rejects as the tables, but for damage. */
  entries(
    kind: ListKind,
    version: number,
    pseudonyms: readonly string[],
  ): Promise<(ListEntry | UnreadRow | undefined)[]> {
    return this.#read(kind, version, { table: 'by', pseudonyms, parse: parseEntry });
  }

  /** The pseudonyms of entries with a document that have these names, in the order of the names. Rejects as `entries`. */
  async namesakes(
    kind: ListKind,
    version: number,
    names: readonly string[],
  ): Promise<(readonly string[] | UnreadRow)[]> {
    const parse = (bytes: Uint8Array, name: string) => parseSealedJson(pseudonymsSchema, name, bytes);
    const read = await this.#read(kind, version, { table: 'name', pseudonyms: names, parse });
    return read.map((one) => one ?? []);
  }

  /** All entries of a version, in the order of their pseudonyms. Rejects as `entries`. */
  async *all(kind: ListKind, version: number): AsyncGenerator<ListEntry | UnreadRow, void, undefined> {
    const from = `${prefixOf(kind, version)}/by/`;
    const damaged: UnreadRow[] = [];
    const onDamaged = (error: NodeError) => damaged.push(new UnreadRow(error.key ?? from, error));
    const rows = this.#modules.tables.entries(from, `${from}~`, { pageSize: REMOVED_TOGETHER, onDamaged });
    for await (const [name, sealed] of rows) yield this.#parsed(kind, version, name, sealed, parseEntry);
    yield* damaged;
  }

  async #read<T>(
    kind: ListKind,
    version: number,
    { table, pseudonyms, parse }: Reading<T>,
  ): Promise<(T | UnreadRow | undefined)[]> {
    const names = pseudonyms.map((pseudonym) => `${prefixOf(kind, version)}/${table}/${pseudonym}`);
    const sealed = await valuesPastDamage(this.#modules.tables, names);
    return sealed.map((value, i) => {
      const { [i]: name = '' } = names;
      if (value instanceof NodeError) return new UnreadRow(name, value);
      return value && this.#parsed(kind, version, name, value, parse);
    });
  }

  #parsed<T>(
    kind: ListKind,
    version: number,
    name: string,
    sealed: Uint8Array,
    parse: Reading<T>['parse'],
  ): T | UnreadRow {
    try {
      return parse(this.#sealer(kind, version).open(name, sealed), name);
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      return new UnreadRow(name, error);
    }
  }

  #change(kind: ListKind, version: number, place: string, plain: Uint8Array): Change {
    const name = `${prefixOf(kind, version)}/${place}`;
    return { put: name, value: this.#seal(this.#sealer(kind, version), name, plain) };
  }

  #seal(sealer: Sealer, name: string, plain: Uint8Array): Uint8Array {
    return sealer.seal(name, plain, this.#modules.random(NONCE_BYTES));
  }

  /** A key of its own for each version keeps the number of values under one key in bounds. */
  #sealer(kind: ListKind, version: number): Sealer {
    const prefix = prefixOf(kind, version);
    let sealer = this.#sealers.get(prefix);
    if (sealer === undefined) {
      // Of each kind few versions are ever looked at: those in force, those before, those that come.
      if (this.#sealers.size >= SEALERS_MAX) this.#sealers.clear();
      sealer = new Sealer(derivedKey(this.#key, prefix));
      this.#sealers.set(prefix, sealer);
    }
    return sealer;
  }
}

interface Reading<T> {
  readonly table: 'by' | 'name';
  readonly pseudonyms: readonly string[];
  readonly parse: (bytes: Uint8Array, name: string) => T;
}

const SEALERS_MAX = 32;

function headName(kind: ListKind): PrivateName {
  return `list/${kind}/head`;
}

function prefixOf(kind: ListKind, version: number): PrivateName {
  return `list/${kind}/${String(version).padStart(VERSION_DIGITS, '0')}`;
}
