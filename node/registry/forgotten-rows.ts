/**
 * What the other machine of a region is still to forget: noted before anything is forgotten here, and kept until it has said that it is.
 *
 *   registry/forgotten/<pseudonym>/<name of a place>   nothing more, as registry/held (pointers.ts)
 *
 * The place alone would not do: it may be somebody else's by the time that the other machine hears of it. Whoever tells it shows that they have
 * the registry's key, and so does whoever has forgotten it: names are seen by any machine that is given batches. Spec: SPEC.md 14.5.6.
 */
import * as crypto from 'node:crypto';
import { concatBytes, equalBytes, hexOf } from '../../protocol/bytes.ts';
import { type Random } from '../ports.ts';
import { type PrivateTables } from './private-tables.ts';
import { type Place } from './place-cipher.ts';
import { type Pointers } from './pointers.ts';
import { derivedKey } from './sealer.ts';
import { type PrivateName } from './whereabouts.ts';

export const FORGOTTEN = 'registry/forgotten/' satisfies PrivateName;
const ASKER_BYTES = 16;
const PROOF_BYTES = 32;
/** Of what an order says besides the name. */
export const ORDER_BYTES = ASKER_BYTES + PROOF_BYTES;
const NOTHING = new Uint8Array(0);

export interface ForgottenRowsModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  readonly pointers: Pick<Pointers, 'nameOf' | 'placeOf' | 'prefixOf'>;
}

/** What the other machine is told. */
export interface ForgetOrder {
  /** See `Pointers.nameOf`. */
  readonly name: string;
  /** Who asks, and that they have the registry's key: `ORDER_BYTES`. */
  readonly value: Uint8Array;
}

export interface ForgottenRow extends ForgetOrder {
  readonly place: Place;
}

export class ForgottenRows {
  readonly #modules: ForgottenRowsModules;
  readonly #key: crypto.KeyObject;
  /** Of this process: an order of its own that somebody hands back to it would be answered by itself. */
  readonly #asker: Uint8Array;

  /** `key`: that of the registry. */
  constructor(key: Uint8Array, modules: ForgottenRowsModules) {
    this.#key = derivedKey(key, 'forgotten');
    this.#asker = modules.random(ASKER_BYTES);
    this.#modules = modules;
  }

  /** Whether an order was given by another process with the registry's key. */
  isFromOther({ name, value }: ForgetOrder): boolean {
    if (value.length !== ORDER_BYTES) return false;
    const asker = value.subarray(0, ASKER_BYTES);
    const isProven = isSame(value.subarray(ASKER_BYTES), this.#proofOf('forget', name, asker));
    return isProven && !equalBytes(asker, this.#asker);
  }

  /** Shows whoever gave such an order that somebody with the registry's key has carried it out. */
  answerTo({ name, value }: ForgetOrder): Uint8Array {
    return this.#proofOf('forgot', name, value.subarray(0, ASKER_BYTES));
  }

  /** Whether that is such an answer to the order of a name that this process gave. */
  isAnswer(name: string, answer: Uint8Array): boolean {
    return isSame(answer, this.#proofOf('forgot', name, this.#asker));
  }

  #proofOf(what: 'forget' | 'forgot', name: string, asker: Uint8Array): Uint8Array {
    const text = `${what}/${name}/${hexOf(asker)}`;
    return crypto.createHmac('sha256', this.#key).update(text, 'latin1').digest();
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
      const value = concatBytes(this.#asker, this.#proofOf('forget', name, this.#asker));
      yield { name, value, place: pointers.placeOf(name) };
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

function isSame(given: Uint8Array, proof: Uint8Array): boolean {
  return given.length === proof.length && crypto.timingSafeEqual(given, proof);
}
