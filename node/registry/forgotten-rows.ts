/**
 * What the other machine of a region is still to forget: noted before anything is forgotten here, and kept until it has said that it is.
 *
 *   registry/forgotten/<pseudonym>/<name of a place>   nothing more, as registry/held (pointers.ts)
 *
 * The place alone would not do: it may be somebody else's by the time that the other machine hears of it.
 */
import { type PrivateTables } from './private-tables.ts';
import { type Place } from './place-cipher.ts';
import { type Pointers } from './pointers.ts';
import { type PrivateName } from './whereabouts.ts';

export const FORGOTTEN = 'registry/forgotten/' satisfies PrivateName;
const NOTHING = new Uint8Array(0);

export interface ForgottenRowsModules {
  readonly tables: PrivateTables;
  readonly pointers: Pick<Pointers, 'nameOf' | 'placeOf' | 'prefixOf'>;
}

export interface ForgottenRow {
  /** See `Pointers.nameOf`. */
  readonly name: string;
  readonly place: Place;
}

export class ForgottenRows {
  readonly #modules: ForgottenRowsModules;

  constructor(modules: ForgottenRowsModules) {
    this.#modules = modules;
  }

  /** Notes these places of a person. Rejects as the tables. */
  async note(subject: string, places: readonly Place[]): Promise<void> {
    const { tables, pointers } = this.#modules;
    if (places.length === 0) return;
    await tables.write(
      places.map((place) => ({ put: FORGOTTEN + pointers.nameOf(subject, place), value: NOTHING })),
    );
  }

  /** All of them, or those of a person, in order. Rejects with REGISTRY_CORRUPT, and as the tables. */
  async *all(subject?: string): AsyncGenerator<ForgottenRow, void, undefined> {
    const { tables, pointers } = this.#modules;
    const from = FORGOTTEN + (subject === undefined ? '' : pointers.prefixOf(subject));
    for await (const [key] of tables.entries(from, `${from}~`)) {
      const name = key.slice(FORGOTTEN.length);
      yield { name, place: pointers.placeOf(name) };
    }
  }

  /** How many there are. Rejects as the tables. */
  async count(): Promise<number> {
    const rows = this.all();
    let count = 0;
    while ((await rows.next()).done !== true) count++;
    return count;
  }

  /** The other machine has forgotten it. `compact` is to follow. Rejects as the tables. */
  async drop(name: string): Promise<void> {
    await this.#modules.tables.write([{ del: FORGOTTEN + name }]);
  }

  /** Leaves nothing in the files of what was dropped. Rejects as the tables. */
  async compact(): Promise<void> {
    await this.#modules.tables.compact(FORGOTTEN, `${FORGOTTEN}~`);
  }
}
