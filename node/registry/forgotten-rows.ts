/**
 * What the other machine of a region is still to forget: noted before anything is forgotten here, and kept until it has said that it is.
 *
 *   registry/forgotten/<pseudonym>/<name of a place>   when that was noted; the name as that of registry/held (pointers.ts)
 *
 * The place alone would not do: it may be somebody else's by the time that the other machine hears of it. Whoever tells it shows that they have
 * the registry's key, and so does whoever has forgotten it: names are seen by any machine that is given batches. Spec: SPEC.md 14.5.6.
 */
import * as crypto from 'node:crypto';
import { concatBytes, equalBytes, hexOf } from '../../protocol/bytes.ts';
import { NodeError } from '../node-error.ts';
import { type Random } from '../ports.ts';
import { type PrivateTables } from './private-tables.ts';
import { type Place } from './place-cipher.ts';
import { type Pointers } from './pointers.ts';
import { isRegistryDamage, registryCorrupt } from './registry-error.ts';
import { derivedKey } from './sealer.ts';
import { type PrivateName } from './whereabouts.ts';

export const FORGOTTEN = 'registry/forgotten/' satisfies PrivateName;
const ASKER_BYTES = 16;
/** Seconds since 1970, the most significant byte first. */
const TIME_BYTES = 8;
const HEAD_BYTES = ASKER_BYTES + TIME_BYTES;
const PROOF_BYTES = 32;
/** Of what an order says besides the name. */
export const ORDER_BYTES = HEAD_BYTES + PROOF_BYTES;

export interface ForgottenRowsModules {
  readonly tables: PrivateTables;
  readonly random: Random;
  readonly pointers: Pick<Pointers, 'nameOf' | 'placeOf' | 'prefixOf'>;
}

/** What the other machine is told. */
export interface ForgetOrder {
  /** See `Pointers.nameOf`. */
  readonly name: string;
  /** Who asks, when it was noted, and that they have the registry's key: `ORDER_BYTES`. */
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
    const isProven = isSame(value.subarray(HEAD_BYTES), this.#proofOf('forget', name, value));
    return isProven && !equalBytes(value.subarray(0, ASKER_BYTES), this.#asker);
  }

  /** When such an order was noted, in seconds since 1970. */
  notedAtS({ value }: ForgetOrder): number {
    return Number(Buffer.from(value.subarray(ASKER_BYTES, HEAD_BYTES)).readBigUInt64BE());
  }

  /** Shows whoever gave such an order that somebody with the registry's key has carried it out. */
  answerTo({ name, value }: ForgetOrder): Uint8Array {
    return this.#proofOf('forgot', name, value);
  }

  /** Whether that is such an answer to an order that this process gave. */
  isAnswer({ name, value }: ForgetOrder, answer: Uint8Array): boolean {
    const isOwn = equalBytes(value.subarray(0, ASKER_BYTES), this.#asker);
    return isOwn && isSame(answer, this.#proofOf('forgot', name, value));
  }

  #proofOf(what: 'forget' | 'forgot', name: string, value: Uint8Array): Uint8Array {
    const text = `${what}/${name}/${hexOf(value.subarray(0, HEAD_BYTES))}`;
    return crypto.createHmac('sha256', this.#key).update(text, 'latin1').digest();
  }

  /** Notes these places of a person, who was to be forgotten then. Rejects as the tables. */
  async note(subject: string, places: readonly Place[], atS: number): Promise<void> {
    const { tables, pointers } = this.#modules;
    if (places.length === 0) return;
    const value = Buffer.alloc(TIME_BYTES);
    value.writeBigUInt64BE(BigInt(atS));
    await tables.write(places.map((place) => ({ put: FORGOTTEN + pointers.nameOf(subject, place), value })));
  }

  /** All of them, or those of a person, in order; `onDamaged` is told of what cannot be read, and the others go on. Rejects as the tables. */
  async *all(
    onDamaged: (error: NodeError) => void,
    subject?: string,
  ): AsyncGenerator<ForgottenRow, void, undefined> {
    const { tables, pointers } = this.#modules;
    const from = FORGOTTEN + (subject === undefined ? '' : pointers.prefixOf(subject));
    for await (const [key, time] of tables.entries(from, `${from}~`, { onDamaged })) {
      const row = this.#rowOf(key, time);
      if (row instanceof NodeError) onDamaged(row);
      else yield row;
    }
  }

  #rowOf(key: string, time: Uint8Array): ForgottenRow | NodeError {
    const name = key.slice(FORGOTTEN.length);
    try {
      const place = this.#modules.pointers.placeOf(name);
      if (time.length !== TIME_BYTES) throw registryCorrupt('expected a time');
      const head = concatBytes(this.#asker, time);
      return { name, value: concatBytes(head, this.#proofOf('forget', name, head)), place };
    } catch (error) {
      if (!isRegistryDamage(error)) throw error;
      return registryCorrupt(`${key} does not say what is to be forgotten, and since when`);
    }
  }

  /** How many there are, damaged ones too. Rejects as the tables. */
  async count(): Promise<number> {
    let count = 0;
    const rows = this.all(() => count++);
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
