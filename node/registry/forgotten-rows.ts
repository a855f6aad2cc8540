/**
 * What the other machine of a region is still to forget: noted before anything is forgotten here, and kept until it has said that it is.
 *
 *   registry/forgotten/<pseudonym>/<name of a place>   nothing more, as registry/held (pointers.ts)
 *
 * The place alone would not do: it may be somebody else's by the time that the other machine hears of it. Whoever tells it shows that they have
 * the registry's key: names are seen by any machine that is given batches.
 */
import * as crypto from 'node:crypto';
import { type PrivateTables } from './private-tables.ts';
import { type Place } from './place-cipher.ts';
import { type Pointers } from './pointers.ts';
import { derivedKey } from './sealer.ts';
import { type PrivateName } from './whereabouts.ts';

export const FORGOTTEN = 'registry/forgotten/' satisfies PrivateName;
/** Of a proof. */
export const PROOF_BYTES = 32;
const NOTHING = new Uint8Array(0);

export interface ForgottenRowsModules {
  readonly tables: PrivateTables;
  readonly pointers: Pick<Pointers, 'nameOf' | 'placeOf' | 'prefixOf'>;
}

/** What the other machine is told. */
export interface ForgetOrder {
  /** See `Pointers.nameOf`. */
  readonly name: string;
  /** That it comes from somebody with the registry's key: 32 bytes. */
  readonly proof: Uint8Array;
}

export interface ForgottenRow extends ForgetOrder {
  readonly place: Place;
}

export class ForgottenRows {
  readonly #modules: ForgottenRowsModules;
  readonly #key: crypto.KeyObject;

  /** `key`: that of the registry. */
  constructor(key: Uint8Array, modules: ForgottenRowsModules) {
    this.#key = derivedKey(key, 'forgotten');
    this.#modules = modules;
  }

  /** Whether an order was given by somebody with the registry's key. */
  isProven({ name, proof }: ForgetOrder): boolean {
    return proof.length === PROOF_BYTES && crypto.timingSafeEqual(proof, this.#proofOf(name));
  }

  #proofOf(name: string): Uint8Array {
    return crypto.createHmac('sha256', this.#key).update(name, 'latin1').digest();
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
      yield { name, proof: this.#proofOf(name), place: pointers.placeOf(name) };
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
