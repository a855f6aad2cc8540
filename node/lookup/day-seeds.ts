/**
 * The secret seeds from which the keys of days come, in a folder of the region's directory: a file for each day, sealed with a key that
 * follows from that of the registry, and removed once its day is over. Whoever announces days makes them; the node alone removes them, and
 * keeps beside each what numbers come to on that day, so that a restart need not evaluate them again.
 */
import { join } from 'node:path';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Random } from '../ports.ts';
import {
  createFileAtomically,
  makeDirectory,
  namesIn,
  readFileIfPresent,
  removeFile,
  removeLeavings,
  writeFileAtomically,
} from '../region/files.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';

export const SEED_BYTES = 32;
const FILE_BYTES_MAX = 256;
/** 48 bytes for each of the numbers of the longest list, twice over. */
const EVALUATED_BYTES_MAX = 20_000_000;
const FILE = /^(\d{1,7})\.(seed|numbers)$/;

/** What a node needs of them. Days are those since 1970, UTC. */
export interface DaySeeds {
  days(): Promise<readonly number[]>;
  /** 32 bytes; undefined where there is none. */
  read(day: number): Promise<Uint8Array | undefined>;
  /** What was kept of a day; undefined where nothing was. */
  readEvaluated(day: number): Promise<Uint8Array | undefined>;
  keepEvaluated(day: number, bytes: Uint8Array): Promise<void>;
  /** With what was kept of the day, and what interrupted writes of both left. Does nothing where there is none. */
  destroy(day: number): Promise<void>;
}

export interface DaySeedsOptions {
  readonly path: string;
  readonly region: string;
  readonly network: string;
  /** That of the registry. */
  readonly registryKey: Uint8Array;
}

export class FileDaySeeds implements DaySeeds {
  readonly #options: DaySeedsOptions;
  readonly #sealer: Sealer;
  readonly #random: Random;

  constructor(options: DaySeedsOptions, { random }: { readonly random: Random }) {
    this.#options = options;
    this.#sealer = new Sealer(derivedKey(options.registryKey, 'lookup/seed'));
    this.#random = random;
  }

  /** Of which there is anything, in ascending order. */
  async days(): Promise<readonly number[]> {
    const names = await namesIn(this.#options.path);
    const days = names.flatMap((name) => Number(FILE.exec(name)?.[1] ?? NaN)).filter(Number.isInteger);
    return [...new Set(days)].sort((one, other) => one - other);
  }

  /** @throws {NodeError} KEY_FILE_INVALID for a file that was not sealed here. */
  async read(day: number): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(day);
    const sealed = await readFileIfPresent(path, FILE_BYTES_MAX);
    if (sealed === undefined) return undefined;
    try {
      return this.#opened(this.#placeOf(day), sealed);
    } catch (error) {
      if (!isNodeError(error, 'REGISTRY_CORRUPT')) throw error;
      throw new NodeError('KEY_FILE_INVALID', `${path} is not as it was written`, {
        hint: 'Restore it from a backup of the same directory; or remove it, and announce that day anew with `entente lookup announce`.',
        cause: error,
      });
    }
  }

  /** The seed of a day: made if there is none yet, since a day that was announced keeps its key. Of two that make it at once both get the same. */
  async make(day: number): Promise<Uint8Array> {
    const before = await this.read(day);
    if (before !== undefined) return before;
    const seed = this.#random(SEED_BYTES);
    await makeDirectory(this.#options.path, 0o700);
    const sealed = this.#sealer.seal(this.#placeOf(day), seed, this.#random(NONCE_BYTES));
    if (await createFileAtomically(this.#pathOf(day), sealed, { mode: 0o600 })) return seed;
    return this.make(day);
  }

  /** What is not as it was written counts for nothing: it is made again. */
  async readEvaluated(day: number): Promise<Uint8Array | undefined> {
    const sealed = await readFileIfPresent(this.#pathOf(day, 'numbers'), EVALUATED_BYTES_MAX);
    try {
      return sealed && this.#opened(`${this.#placeOf(day)}/numbers`, sealed);
    } catch (error) {
      if (isNodeError(error, 'REGISTRY_CORRUPT')) return undefined;
      throw error;
    }
  }

  async keepEvaluated(day: number, bytes: Uint8Array): Promise<void> {
    const sealed = this.#sealer.seal(`${this.#placeOf(day)}/numbers`, bytes, this.#random(NONCE_BYTES));
    await writeFileAtomically(this.#pathOf(day, 'numbers'), sealed, { mode: 0o600 });
  }

  async destroy(day: number): Promise<void> {
    const names = await namesIn(this.#options.path);
    for (const kind of ['seed', 'numbers'] as const)
      if (names.includes(`${day}.${kind}`)) await removeFile(this.#pathOf(day, kind));
    await removeLeavings(this.#options.path, `${day}.`);
  }

  /** Memory of its own, which whoever holds it can wipe. */
  #opened(place: string, sealed: Uint8Array): Uint8Array {
    const shared = this.#sealer.open(place, sealed);
    const own = new Uint8Array(shared);
    shared.fill(0);
    return own;
  }

  #pathOf(day: number, kind: 'seed' | 'numbers' = 'seed'): string {
    return join(this.#options.path, `${day}.${kind}`);
  }

  #placeOf(day: number): string {
    return `${this.#options.region}.${this.#options.network}/${day}`;
  }
}
