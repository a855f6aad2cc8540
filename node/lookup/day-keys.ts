/** The keys of the days on which a node answers, held open from shortly before the day until an hour after it, and then destroyed. Spec: SPEC.md 21.1. */
import { LOOKUP_EARLY_S, LOOKUP_OVERLAP_S } from '../../protocol/limits.ts';
import { type LookupKeyPair, lookupKeyPair } from '../../protocol/lookup/oblivious.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { DAY_S, dayOf } from '../../protocol/lookup/opaque-adapter.ts';
import { NodeError } from '../node-error.ts';
import { type DaySeeds } from './day-seeds.ts';

export interface DayKeysOptions {
  readonly region: string;
  readonly network: string;
}

export interface DayKeysModules {
  readonly seeds: DaySeeds;
  /** The public keys that the region announces for a day, of 32 bytes. */
  readonly announced: (day: number) => readonly Uint8Array[];
  /** Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

/** Whether the key of a day answers at a moment. */
export function isAnswering(day: number, nowS: number): boolean {
  return nowS >= day * DAY_S - LOOKUP_EARLY_S && !isOver(day, nowS);
}

/** Whether the key of a day answers no more, for good. */
export function isOver(day: number, nowS: number): boolean {
  return nowS >= (day + 1) * DAY_S + LOOKUP_OVERLAP_S;
}

/** The days whose keys answer at a moment: one or two, in ascending order. */
export function answeringDays(nowS: number): readonly number[] {
  const today = dayOf(nowS);
  return [today - 1, today, today + 1].filter((day) => isAnswering(day, nowS));
}

export class DayKeys {
  readonly #options: DayKeysOptions;
  readonly #modules: DayKeysModules;
  /** Days whose key is not the announced one, as the operator was told. */
  readonly #told = new Set<number>();
  readonly #pairs = new Map<number, LookupKeyPair>();

  constructor(options: DayKeysOptions, modules: DayKeysModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** The key of a day; undefined where it was never made here, or is destroyed. Rejects as `DaySeeds.read`. */
  async pairOf(day: number): Promise<LookupKeyPair | undefined> {
    const known = this.#pairs.get(day);
    if (known !== undefined) return known;
    const seed = await this.#modules.seeds.read(day);
    if (seed === undefined) return undefined;
    const pair = lookupKeyPair(seed, { ...this.#options, day });
    seed.fill(0);
    this.#pairs.set(day, pair);
    return pair;
  }

  /**
   * The key by which verifiers of that day ask; undefined where none is announced, or not the one that is here: the operator is told of that once, and the
   * seed read anew, so that whoever puts the right one back need not start the node again. Rejects as `DaySeeds.read`.
   */
  async announcedPair(day: number): Promise<LookupKeyPair | undefined> {
    const pair = await this.pairOf(day);
    if (pair === undefined) return undefined;
    const announced = this.#modules.announced(day);
    if (announced.some((key) => equalBytes(key, pair.publicKey))) return pair;
    this.#pairs.delete(day);
    if (announced.length > 0 && !this.#told.has(day)) {
      this.#told.add(day);
      this.#modules.onTrouble(notAnnounced(day));
    }
    return undefined;
  }

  /** What numbers come to on a day, as it was kept. Rejects as `DaySeeds`. */
  evaluated(day: number): Promise<Uint8Array | undefined> {
    return this.#modules.seeds.readEvaluated(day);
  }

  /** To be destroyed with the key. Rejects as `DaySeeds`. */
  keepEvaluated(day: number, bytes: Uint8Array): Promise<void> {
    return this.#modules.seeds.keepEvaluated(day, bytes);
  }

  /** Destroys the keys of the days that are over, and gives those days. Rejects as `DaySeeds`. */
  async destroyOver(nowS: number): Promise<readonly number[]> {
    for (const [day, { secretKey }] of this.#pairs) {
      if (!isOver(day, nowS)) continue;
      secretKey.fill(0);
      this.#pairs.delete(day);
    }
    const over = (await this.#modules.seeds.days()).filter((day) => isOver(day, nowS));
    for (const day of over) await this.#modules.seeds.destroy(day);
    return over;
  }
}

function notAnnounced(day: number): NodeError {
  const date = new Date(day * DAY_S * 1_000).toISOString().slice(0, 10);
  const message = `the seed of ${date} is not the one whose key is announced: numbers are not looked up on that day`;
  return new NodeError('KEY_NOT_IN_FORCE', message, {
    hint: `Put lookup/${day}.seed back from the machine that announced it. If it is lost, remove the file here and announce that day anew: entente lookup announce`,
  });
}
