/**
 * Which attestations people have: a row for each, without a value.
 *
 *   registry/held/<pseudonym>/<name of a place>      by the pseudonym that names the dossier too (node/life/dossier-shelf.ts): whoever goes
 *                                                    through dossiers in their order finds these in the same order, many at a time
 *   registry/subject/<pseudonym>/<name of a place>   the same of older software, by a pseudonym of its own; read, and written no more
 */
import { isNodeError } from '../node-error.ts';
import { registryCorrupt } from './registry-error.ts';
import { type Change } from '../ports.ts';
import { keyAfter } from '../store/reader.ts';
import { type Place, PlaceCipher } from './place-cipher.ts';
import { type PrivateTables } from './private-tables.ts';
import { DIGITS, Pseudonyms, pseudonymsOfPeople } from './pseudonyms.ts';
import { derivedKey } from './sealer.ts';
import { type PrivateName } from './whereabouts.ts';

const HELD = 'registry/held/' satisfies PrivateName;
const OLDER = 'registry/subject/' satisfies PrivateName;
const NOTHING = new Uint8Array(0);

/** Walks at the same time: as many as threads and connections keep busy. */
const WALKS = 16;
/** Rows of one trip: few where people stand far from each other, many where they stand side by side. */
const TRIP_ROWS_MIN = 16;
const TRIP_ROWS_MAX = 256;

export class Pointers {
  readonly #tables: PrivateTables;
  readonly #pseudonymOf: (subject: string) => string;
  readonly #older: Pseudonyms;
  readonly #places: PlaceCipher;

  /** `key`: that of the registry. */
  constructor(key: Uint8Array, tables: PrivateTables) {
    this.#tables = tables;
    this.#pseudonymOf = pseudonymsOfPeople(key);
    this.#older = new Pseudonyms(derivedKey(key, 'subject'));
    this.#places = new PlaceCipher(derivedKey(key, 'place'));
  }

  /** What says that the attestations from a place on are these people's; undefined for one that is nobody's. */
  puts(first: Place, subjects: readonly (string | undefined)[]): Change[] {
    const names = this.#places.namesFrom(first, subjects.length);
    return subjects.flatMap((subject, i): Change[] =>
      subject === undefined
        ? []
        : [{ put: `${HELD}${this.#pseudonymOf(subject)}/${names[i] ?? ''}`, value: NOTHING }],
    );
  }

  /** What takes that back of one person, in whichever form it was written. */
  dels(subject: string, places: readonly Place[]): Change[] {
    return places.flatMap((place) => {
      const [name = ''] = this.#places.namesFrom(place, 1);
      return this.#prefixesOf(subject).map((prefix) => ({ del: prefix + name }));
    });
  }

  /** What the names of a person's attestations begin with. */
  prefixOf(subject: string): string {
    return `${this.#pseudonymOf(subject)}/`;
  }

  /** `<pseudonym>/<name of the place>`, as the row of an attestation of this person ends. */
  nameOf(subject: string, place: Place): string {
    return this.prefixOf(subject) + (this.#places.namesFrom(place, 1)[0] ?? '');
  }

  /** The place in such a name. @throws {NodeError} REGISTRY_CORRUPT for what `nameOf` did not make under this key. */
  placeOf(name: string): Place {
    const [place] = isPointerName(name) ? this.#places.placesOf([name.slice(DIGITS + 1)]) : [];
    if (place === undefined) throw registryCorrupt('a name is no pseudonym and place');
    return place;
  }

  /** The row of such a name, out of the files too, where nothing is known of the person any more. Rejects as the tables. */
  async dropNamed(name: string): Promise<void> {
    const prefix = HELD + name.slice(0, DIGITS + 1);
    await this.#tables.write([{ del: HELD + name }]);
    await this.#tables.compact(prefix, `${prefix}~`);
  }

  /** Leaves nothing in the files of what was there of a person. Rejects as the tables. */
  async compact(subject: string): Promise<void> {
    for (const prefix of this.#prefixesOf(subject)) await this.#tables.compact(prefix, `${prefix}~`);
  }

  /** The places of each of these people, in their order. Rejects with REGISTRY_CORRUPT, and as the tables. */
  async of(subjects: readonly string[]): Promise<Place[][]> {
    const names = await this.#namesOf(HELD, subjects.map(this.#pseudonymOf));
    if (await this.#hasOlder()) {
      const others = await this.#namesOf(
        OLDER,
        subjects.map((subject) => this.#older.of(subject)),
      );
      // A batch that older software began may stand there in both forms.
      others.forEach((some, i) => (names[i] = [...new Set([...(names[i] ?? []), ...some])]));
    }
    const places = this.#places.placesOf(names.flat());
    let from = 0;
    return names.map(({ length }) => places.slice(from, (from += length)));
  }

  /** A damaged row is one too: of somebody else it says nothing of these people. */
  async #hasOlder(): Promise<boolean> {
    try {
      return (await this.#tables.page(OLDER, `${OLDER}~`, { limit: 1 })).length > 0;
    } catch (error) {
      if (!isNodeError(error, 'VALUE_CORRUPT')) throw error;
      return true;
    }
  }

  /** The names of places under each of these pseudonyms of a table, in their order, by several walks through it. */
  async #namesOf(table: string, pseudonyms: readonly string[]): Promise<string[][]> {
    const found = new Map(pseudonyms.map((one): [string, string[]] => [one, []]));
    const sorted = [...found.keys()].sort();
    const share = Math.ceil(sorted.length / WALKS);
    const walks: Promise<void>[] = [];
    for (let from = 0; from < sorted.length; from += share)
      walks.push(this.#walkOrEach(table, sorted.slice(from, from + share), found));
    await Promise.all(walks);
    return pseudonyms.map((one) => found.get(one) ?? []);
  }

  /** A damaged row of somebody who stands in between says nothing of these people: then each is asked for alone. */
  async #walkOrEach(table: string, sorted: readonly string[], found: Map<string, string[]>): Promise<void> {
    try {
      await this.#walk(table, sorted, found);
    } catch (error) {
      if (sorted.length === 1 || !isNodeError(error, 'VALUE_CORRUPT')) throw error;
      for (const one of sorted) {
        found.set(one, []);
        await this.#walk(table, [one], found);
      }
    }
  }

  /** Goes through the rows of these people, in the order of the table: from where the next one is, past those of others. */
  async #walk(table: string, sorted: readonly string[], found: ReadonlyMap<string, string[]>): Promise<void> {
    const end = `${table}${sorted.at(-1) ?? ''}/~`;
    let limit = TRIP_ROWS_MIN;
    let next = 0;
    for (let from = `${table}${sorted[0] ?? ''}/`; ;) {
      const page = await this.#tables.page(from, end, { limit });
      for (const [name] of page) {
        const [pseudonym, place] = partsOf(table, name);
        found.get(pseudonym)?.push(place);
      }
      const last = page.at(-1)?.[0];
      // Rows without a value never end a page before its limit.
      if (last === undefined || page.length < limit) return;
      const [reached] = partsOf(table, last);
      const before = next;
      while (next < sorted.length && (sorted[next] ?? '') < reached) next++;
      limit = next - before > 1 ? Math.min(2 * limit, TRIP_ROWS_MAX) : Math.max(limit / 2, TRIP_ROWS_MIN);
      // Of whom it has reached there may be more.
      from = sorted[next] === reached ? keyAfter(last) : `${table}${sorted[next] ?? ''}/`;
    }
  }

  #prefixesOf(subject: string): [string, string] {
    return [`${HELD}${this.#pseudonymOf(subject)}/`, `${OLDER}${this.#older.of(subject)}/`];
  }
}

/** Whether a text is a pseudonym and the name of a place: 32 hexadecimal digits each. */
export function isPointerName(text: string): boolean {
  return /^[0-9a-f]{32}\/[0-9a-f]{32}$/.test(text);
}

function partsOf(table: string, name: string): [pseudonym: string, place: string] {
  const end = table.length + DIGITS;
  return [name.slice(table.length, end), name.slice(end + 1)];
}
