/** What the lists in force say of people who declared. */
import { type Found, type ListView, SOUGHT_MAX } from '../lists/list-view.ts';
import { type Identity } from '../lists/identity.ts';
import { type Lists } from '../lists/lists.ts';
import { NodeError } from '../node-error.ts';
import { type DossierShelf, type ShelvedDossier } from './dossier-shelf.ts';
import { earlierAt } from './earlier.ts';
import { together } from './known.ts';

export interface ListingsModules {
  readonly lists: Lists;
  readonly shelf: DossierShelf;
}

/** Lists that change while people are looked for make them be looked for again. */
const TRIES_MAX = 4;
export const NOTHING_FOUND: Found = { matched: [], doubts: [] };

/** A name and a document of one of the persons who are looked at. */
interface Bearer {
  readonly person: number;
  readonly pseudonym: string;
  readonly identity: Identity;
}

export class Listings {
  readonly #modules: ListingsModules;
  #view: { readonly versions: string; readonly view: ListView } | undefined;

  constructor(modules: ListingsModules) {
    this.#modules = modules;
  }

  /**
   * What the lists in force say of each, under the names and documents of before too. A match by name alone counts only where nobody
   * else who declared has that name.
   */
  async find(persons: readonly ShelvedDossier[], nowS: number): Promise<{ found: Found[]; view: ListView }> {
    const bearers = persons.flatMap(({ pseudonym, dossier }, person): Bearer[] => {
      const identities = earlierAt(dossier, nowS).identities.map(({ identity }) => identity);
      const all = [...identities, dossier.declaration.identity];
      return all.map((identity) => ({ person, pseudonym, identity }));
    });
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const { view, versions } = await this.#viewNow();
      const found = persons.map(() => NOTHING_FOUND);
      for (let from = 0; from < bearers.length; from += SOUGHT_MAX) {
        const some = bearers.slice(from, from + SOUGHT_MAX);
        for (const [i, one] of (await this.#foundOf(some, view)).entries()) {
          const { person = 0 } = some[i] ?? {};
          found[person] = together(found[person] ?? NOTHING_FOUND, one);
        }
      }
      // Rows of a version that two newer ones have replaced are gone, and nobody may be green for that.
      if ((await this.#versions()) === versions) return { found, view };
    }
    throw new NodeError('REFUSED', 'lists are replaced faster than people can be looked up', { retry: true });
  }

  async #foundOf(bearers: readonly Bearer[], view: ListView): Promise<Found[]> {
    const found = await view.find(
      bearers.map(({ identity }) => ({ identity: { ...identity }, isNameShared: false })),
    );
    for (const [i, { matched }] of found.entries()) {
      const bearer = bearers[i];
      if (bearer === undefined || !matched.some(({ by }) => by === 'name')) continue;
      const { identity, pseudonym } = bearer;
      if (!(await this.#modules.shelf.isNameShared(identity, pseudonym))) continue;
      const [again] = await view.find([{ identity: { ...identity }, isNameShared: true }]);
      if (again !== undefined) found[i] = again;
    }
    return found;
  }

  async #viewNow(): Promise<{ readonly versions: string; readonly view: ListView }> {
    const versions = await this.#versions();
    // What could not be read may have been mended.
    if (this.#view?.versions !== versions || !this.#view.view.areAreasRead)
      this.#view = { versions, view: await this.#modules.lists.view() };
    return this.#view;
  }

  async #versions(): Promise<string> {
    const inForce = await this.#modules.lists.inForce();
    return [...inForce].map(([kind, { version }]) => `${kind} ${version}`).join();
  }
}
