/** The keys of the days on which a node answers, held open from shortly before the day until an hour after it, and then destroyed. Spec: SPEC.md 21.1. */
import { LOOKUP_EARLY_S, LOOKUP_OVERLAP_S } from '../../protocol/limits.ts';
import { type LookupKeyPair, lookupKeyPair } from '../../protocol/lookup/oblivious.ts';
import { DAY_S, dayOf } from '../../protocol/lookup/opaque-adapter.ts';
import { type DaySeeds } from './day-seeds.ts';

export interface DayKeysOptions {
  readonly region: string;
  readonly network: string;
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
  readonly #seeds: DaySeeds;
  readonly #pairs = new Map<number, LookupKeyPair>();

  constructor(options: DayKeysOptions, { seeds }: { readonly seeds: DaySeeds }) {
    this.#options = options;
    this.#seeds = seeds;
  }

  /** The key of a day; undefined where it was never made here, or is destroyed. Rejects as `DaySeeds.read`. */
  async pairOf(day: number): Promise<LookupKeyPair | undefined> {
    const known = this.#pairs.get(day);
    if (known !== undefined) return known;
    const seed = await this.#seeds.read(day);
    if (seed === undefined) return undefined;
    const pair = lookupKeyPair(seed, { ...this.#options, day });
    seed.fill(0);
    this.#pairs.set(day, pair);
    return pair;
  }

  /** What numbers come to on a day, as it was kept. Rejects as `DaySeeds`. */
  evaluated(day: number): Promise<Uint8Array | undefined> {
    return this.#seeds.readEvaluated(day);
  }

  /** To be destroyed with the key. Rejects as `DaySeeds`. */
  keepEvaluated(day: number, bytes: Uint8Array): Promise<void> {
    return this.#seeds.keepEvaluated(day, bytes);
  }

  /** Destroys the keys of the days that are over, and gives those days. Rejects as `DaySeeds`. */
  async destroyOver(nowS: number): Promise<readonly number[]> {
    for (const [day, { secretKey }] of this.#pairs) {
      if (!isOver(day, nowS)) continue;
      secretKey.fill(0);
      this.#pairs.delete(day);
    }
    const over = (await this.#seeds.days()).filter((day) => isOver(day, nowS));
    for (const day of over) await this.#seeds.destroy(day);
    return over;
  }
}
