/** The lists in force at one moment, as they answer for people. What is imported meanwhile changes nothing in the answers. */
import { NodeError } from '../node-error.ts';
import { type ListEntry, saidOf } from './entry.ts';
import { type Identity } from './identity.ts';
import { areaForm, type Areas, factsOf, KINDS, type ListFacts, type ListKind, type Said } from './kinds.ts';
import { type Doubt, matchOf, type Sought } from './matching.ts';
import { type ListVersion, type Shelf, VERSIONS_KEPT } from './shelf.ts';
import { UnreadRow } from './unread-rows.ts';

/** An entry that is about somebody, by the line of its list. */
export interface Matched {
  readonly list: ListKind;
  readonly by: 'document' | 'name';
  readonly line: number;
  readonly facts: ListFacts;
}

/** Entries that may be about somebody, or about another; without lines where what cannot be read may be about them. */
export interface Doubtful {
  readonly list: ListKind;
  readonly doubt: Doubt;
  readonly lines: readonly number[];
}

/** What all lists together say of somebody. */
export interface Found {
  readonly matched: readonly Matched[];
  readonly doubts: readonly Doubtful[];
}

/** What the list of areas says, and the names of its rows that cannot be read. */
export interface ReadAreas {
  readonly areas: Areas;
  readonly unread: ReadonlySet<string>;
}

/** Under which pseudonyms entries about somebody stand: by the document, and by name and day of birth. */
interface Named {
  readonly own?: string | undefined;
  readonly name?: string | undefined;
}

/** People who are looked for at once. */
export const SOUGHT_MAX = 1_024;

export class ListView {
  readonly #shelf: Shelf;
  readonly #inForce: ReadonlyMap<ListKind, ListVersion>;
  readonly #areas: Areas;
  /** Names of rows of areas that cannot be read. */
  readonly #unreadAreas: ReadonlySet<string>;
  readonly #onUnread: (row: UnreadRow) => void;

  /** `onUnread` is told of each row that cannot be read, as often as it is met; must not throw. */
  constructor(
    shelf: Shelf,
    inForce: ReadonlyMap<ListKind, ListVersion>,
    { areas, unread }: ReadAreas,
    onUnread: (row: UnreadRow) => void,
  ) {
    this.#shelf = shelf;
    this.#inForce = inForce;
    this.#areas = areas;
    this.#unreadAreas = unread;
    this.#onUnread = onUnread;
  }

  /**
   * What stands of each of at most 1,024 people, in their order. Whoever a row may be about that cannot be read is in doubt, and nobody else.
   * @throws {NodeError} REFUSED if lists were replaced so often meanwhile that these are gone; and as the tables, but for damaged rows.
   */
  async find(people: readonly Sought[]): Promise<Found[]> {
    if (people.length > SOUGHT_MAX)
      throw new RangeError(`at most ${SOUGHT_MAX} people are looked for at once`);
    const found = people.map(() => ({ matched: [] as Matched[], doubts: [] as Doubtful[] }));
    const named = people.map(({ identity }) => this.#namesOf(identity));
    for (const [list, { version }] of this.#inForce) {
      if (KINDS[list].of !== 'person') continue;
      const candidates = await this.#candidates(list, version, named);
      people.forEach((sought, i) => {
        const { isUnread, ...readable } = candidates(named[i] ?? {});
        const { is, doubt } = matchOf(sought, readable) ?? {};
        if (isUnread) found[i]?.doubts.push({ list, doubt: 'ENTRY_UNREAD', lines: [] });
        if (doubt !== undefined) {
          const lines = doubt.entries.map(({ line }) => line).sort((a, b) => a - b);
          found[i]?.doubts.push({ list, doubt: doubt.code, lines });
        }
        if (is !== undefined) {
          const { by, entry } = is;
          const said = saidOf(entry);
          const facts = factsOf(list, said, this.#areas);
          if (list === 'travel') found[i]?.doubts.push(...this.doubtsOfStays(Object.keys(said)));
          found[i]?.matched.push({ list, by, line: entry.line, facts });
        }
      });
    }
    await this.#requireKept();
    return found;
  }

  /** The version of a list that answers; undefined where there is none. */
  versionOf(list: ListKind): ListVersion | undefined {
    return this.#inForce.get(list);
  }

  /** What comes of stays that somebody tells, by area; undefined where no list says which areas are at risk. */
  factsOfStays(stays: Said): ListFacts | undefined {
    return this.#inForce.has('areas') ? factsOf('travel', stays, this.#areas) : undefined;
  }

  /** Whether the list of areas was read as a whole. */
  get areAreasRead(): boolean {
    return this.#unreadAreas.size === 0;
  }

  /** What is in doubt of stays in these areas: of one that cannot be read nobody knows at what risk it is. */
  doubtsOfStays(areas: readonly string[]): Doubtful[] {
    const version = this.#inForce.get('areas')?.version;
    if (this.areAreasRead || version === undefined) return [];
    const isUnread = (area: string) =>
      this.#unreadAreas.has(this.#shelf.entryName('areas', version, this.#shelf.areaOf(areaForm(area))));
    return areas.some(isUnread) ? [{ list: 'travel', doubt: 'AREA_UNREAD', lines: [] }] : [];
  }

  /** A list whose rows were removed while they were read would have said that nobody stands on it. */
  async #requireKept(): Promise<void> {
    for (const [list, { version }] of this.#inForce) {
      const kept = (await this.#shelf.versions(list)).slice(0, VERSIONS_KEPT);
      if (kept.some((one) => one.version === version)) continue;
      throw new NodeError('REFUSED', `lists of ${list} were replaced while people were looked for in them`, {
        hint: 'Ask again.',
      });
    }
  }

  #namesOf(identity: Identity): Named {
    const own = identity.document === undefined ? undefined : this.#shelf.pseudonymOf(identity);
    return { own, name: this.#shelf.nameOf(identity) };
  }

  /** The entries of a list that may be about these people: two trips to the tables for all of them, and a third for namesakes. */
  async #candidates(list: ListKind, version: number, people: readonly Named[]) {
    const shelf = this.#shelf;
    const names = new Set(people.flatMap(({ name }) => name ?? []));
    const documents = people.flatMap(({ own }) => own ?? []);
    const namesakes = await mapped([...names], (all) => shelf.namesakes(list, version, all));
    const known = [...namesakes.values()].flatMap((some) => (some instanceof UnreadRow ? [] : some));
    const wanted = new Set([...documents, ...names, ...known]);
    const entries = await mapped([...wanted], (all) => shelf.entries(list, version, all));
    for (const row of [...namesakes.values(), ...entries.values()])
      if (row instanceof UnreadRow) this.#onUnread(row);
    return ({ own, name }: Named) => {
      const alike = name === undefined ? [] : (namesakes.get(name) ?? []);
      const others = alike instanceof UnreadRow ? [] : alike;
      const ofName = name === undefined ? [] : [name, ...others].filter((one) => one !== own);
      const byName = ofName.map((one) => entries.get(one));
      const byDocument = own === undefined ? undefined : entries.get(own);
      return {
        byDocument: byDocument instanceof UnreadRow ? undefined : byDocument,
        byName: byName.filter((one): one is ListEntry => one !== undefined && !(one instanceof UnreadRow)),
        isUnread: [alike, byDocument, ...byName].some((one) => one instanceof UnreadRow),
      };
    };
  }
}

async function mapped<V>(
  keys: readonly string[],
  read: (keys: readonly string[]) => Promise<readonly V[]>,
): Promise<Map<string, V>> {
  const values = await read(keys);
  return new Map(keys.map((key, i) => [key, values[i] as V]));
}
