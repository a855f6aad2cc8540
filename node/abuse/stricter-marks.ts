/**
 * Yellow and red codes by orders of whose holders looser codes may still pass. Each is marked in the write that stages it, and no more once those are revoked,
 * so that whatever breaks off in between is finished (codes-beside.ts). A mark names a place in a log alone: whoever it is of is known to the registry, and is
 * forgotten there.
 *
 *   life/beside/<name of the place>    the place, sealed
 *
 * The name alone tells the place too, to whoever tries all of them: a mark that is damaged counts on.
 */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { NodeError } from '../node-error.ts';
import { type Change, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { Pseudonyms } from '../registry/pseudonyms.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';

export interface StricterMarksModules {
  readonly tables: PrivateTables;
  readonly random: Random;
}

const MARKS = 'life/beside/' satisfies PrivateName;
/** Places that are named in one turn: some 8 ms. */
const NAMED_TOGETHER = 4_096;
const schema = z.strictObject({ log: z.string(), index: z.int().min(0) });

/** A row that says of no place by itself, and why. */
export interface DamagedMark {
  readonly name: string;
  readonly error: NodeError;
}

export class StricterMarks {
  readonly #modules: StricterMarksModules;
  readonly #names: Pseudonyms;
  readonly #sealer: Sealer;

  /** `key`: that of the registry. */
  constructor({ key }: { readonly key: Uint8Array }, modules: StricterMarksModules) {
    this.#modules = modules;
    this.#names = new Pseudonyms(derivedKey(key, 'life/beside/name'));
    this.#sealer = new Sealer(derivedKey(key, 'life/beside'));
  }

  /** What is written with the code at this place. */
  change({ log, index }: Place): Change {
    const name = this.#nameOf({ log, index });
    const plain = Buffer.from(JSON.stringify({ log, index }));
    return { put: name, value: this.#sealer.seal(name, plain, this.#modules.random(NONCE_BYTES)) };
  }

  /** Rejects as the tables. */
  async remove(places: readonly Place[]): Promise<void> {
    if (places.length > 0)
      await this.#modules.tables.write(places.map((place) => ({ del: this.#nameOf(place) })));
  }

  /** All that are marked, or what cannot be read of them. Rejects as the tables. */
  async *all(): AsyncGenerator<Place | DamagedMark, void, undefined> {
    const damaged: DamagedMark[] = [];
    const onDamaged = (error: NodeError) => void damaged.push({ name: error.key ?? '', error });
    for await (const [name, sealed] of this.#modules.tables.entries(MARKS, `${MARKS}~`, { onDamaged })) {
      try {
        yield parseSealedJson(schema, name, this.#sealer.open(name, sealed));
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
        yield { name, error };
      }
    }
    yield* damaged;
  }

  /**
   * Which of the first `end` places of a log these rows name, the last of them first, until all are found: marks are of orders that broke off lately.
   * Takes some 2 s for a million, and lets others take turns.
   */
  async placesNamed(
    names: ReadonlySet<string>,
    { log, end }: { readonly log: string; readonly end: number },
  ): Promise<Place[]> {
    const found: Place[] = [];
    for (let index = end - 1; index >= 0 && found.length < names.size; index--) {
      if (names.has(this.#nameOf({ log, index }))) found.push({ log, index });
      if (index % NAMED_TOGETHER === 0) await setImmediate();
    }
    return found;
  }

  /** Whether a row is of one of these places. */
  areOf(places: readonly Place[], name: string): boolean {
    return places.some((place) => this.#nameOf(place) === name);
  }

  /** Marks these places, whatever their rows say. Rejects as the tables. */
  async renew(places: readonly Place[]): Promise<void> {
    if (places.length > 0) await this.#modules.tables.write(places.map((place) => this.change(place)));
  }

  #nameOf({ log, index }: Place): string {
    return MARKS + this.#names.of(`${log} ${index}`);
  }
}
