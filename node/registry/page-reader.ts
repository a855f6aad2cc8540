/**
 * The pages on which attestations stand. Their names say where they begin, and no two overlap; where the next one begins is likely, since a batch fills all of
 * its pages but the last: many are fetched in one trip by that guess, and what it does not find, each by itself.
 */
import { type LogSealers } from './log-sealers.ts';
import { firstOf, isOnPage, type OpenPage } from './pages.ts';
import { pageKey } from './page-keys.ts';
import { type Place } from './place-cipher.ts';
import { type PrivateTables } from './private-tables.ts';
import { RECORDS_PER_PAGE } from './record-page.ts';
import { isRegistryDamage } from './registry-error.ts';

export interface PageReaderModules {
  readonly tables: PrivateTables;
  readonly sealers: Pick<LogSealers, 'open'>;
}

/** Pages that are fetched and held at once: some 0.7 MB. */
const PAGES_TOGETHER = 32;
/** Of fewer pages none is guessed: what is not there costs a trip. */
const GUESSED_MIN = 4;

export class PageReader {
  readonly #modules: PageReaderModules;

  constructor(modules: PageReaderModules) {
    this.#modules = modules;
  }

  /** The page that begins last at a place or before it: whether it reaches that far is not said. Rejects with REGISTRY_CORRUPT, and as the tables. */
  async at({ log, index }: Place): Promise<OpenPage | undefined> {
    const range = [pageKey(log, 0), pageKey(log, index + 1)] as const;
    const [found] = await this.#modules.tables.page(...range, { limit: 1, reverse: true });
    return found && this.#opened(log, found[0], found[1]);
  }

  /**
   * Calls `take` once for each of these places, in any order, with its number and the page on which it stands; undefined where there is none. Rejects as `at`,
   * and for nothing but a page on which one of these places stands.
   */
  async each(
    places: readonly Place[],
    take: (number: number, page: OpenPage | undefined) => void,
  ): Promise<void> {
    let left = [...places.keys()].sort((a, b) => byNumber(places, a, b));
    let before: OpenPage | undefined;
    while (left.length > 0) {
      const { leaders, end } = leadersOf(left, places);
      const pages = await this.#pagesOf(leaders, before);
      const later: number[] = [];
      let next = 0;
      for (const number of left.slice(0, end)) {
        const place = places[number] as Place;
        if (place === leaders[next + 1]) next++;
        const page = [pages[next], pages[next + 1]].find((one) => one !== undefined && isOnPage(one, place));
        if (page !== undefined || place === leaders[next]) take(number, page);
        else later.push(number);
      }
      before = pages.findLast((page) => page !== undefined) ?? before;
      left = [...later, ...left.slice(end)];
    }
  }

  /** In one trip as far as pages begin where they are likely to, behind one that is known. */
  async #pagesOf(leaders: readonly Place[], before: OpenPage | undefined): Promise<(OpenPage | undefined)[]> {
    const guessed = await this.#guessed(leaders, before);
    return Promise.all(
      leaders.map(async (place, i) => {
        const page = guessed[i];
        return page !== undefined && isOnPage(page, place) ? page : this.at(place);
      }),
    );
  }

  /** What is damaged here may be no page of theirs. */
  async #guessed(leaders: readonly Place[], before: OpenPage | undefined): Promise<(OpenPage | undefined)[]> {
    if (leaders.length < GUESSED_MIN) return [];
    const keys = leaders.map((place) => pageKey(place.log, likelyFirst(place, before)));
    try {
      const sealed = await this.#modules.tables.getMany(keys);
      return sealed.map((bytes, i) => bytes && this.#opened(leaders[i]?.log ?? '', keys[i] ?? '', bytes));
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      return [];
    }
  }

  #opened(log: string, key: string, sealed: Uint8Array): OpenPage {
    return { key, log, first: firstOf(key), bytes: this.#modules.sealers.open(log, key, sealed) };
  }
}

/** Places at the beginning of these that stand on a page each, and how many places lie before the next one: those of one page lie next to each other. */
function leadersOf(
  numbers: readonly number[],
  places: readonly Place[],
): { readonly leaders: readonly Place[]; readonly end: number } {
  const leaders: Place[] = [];
  for (const [end, number] of numbers.entries()) {
    const place = places[number] as Place;
    const leader = leaders.at(-1);
    if (leader?.log === place.log && place.index < leader.index + RECORDS_PER_PAGE) continue;
    if (leaders.length === PAGES_TOGETHER) return { leaders, end };
    leaders.push(place);
  }
  return { leaders, end: numbers.length };
}

/** Where the page of a place begins if all pages between that and another one are full. */
function likelyFirst({ log, index }: Place, before: OpenPage | undefined): number {
  const from = before?.log === log ? before.first : 0;
  return Math.max(0, from + RECORDS_PER_PAGE * Math.floor((index - from) / RECORDS_PER_PAGE));
}

function byNumber(places: readonly Place[], a: number, b: number): number {
  const [one, other] = [places[a] as Place, places[b] as Place];
  if (one.log !== other.log) return one.log < other.log ? -1 : 1;
  return one.index - other.index;
}
