/**
 * How many numbers each verifier, and each region, has had looked up. The count of a day is taken from the store in steps ahead of what is
 * used, so that neither a crash nor a restart gives any of it back. One writer. Row:
 *
 *   quota/<who>     the day, and what is taken of it
 */
import { z } from 'zod';
import { DAY_S } from '../../protocol/lookup/opaque-adapter.ts';
import { type Change, type Clock } from '../ports.ts';
import { Turns } from '../turns.ts';
import { type Quota } from './quota.ts';

/** What came of asking for one more: how many seconds until there is more again. */
export type Taken = { readonly isTaken: true } | { readonly isTaken: false; readonly againInS: number };

export interface QuotasModules {
  readonly store: {
    get(key: string): Promise<Uint8Array | undefined>;
    write(changes: readonly Change[]): Promise<void>;
  };
  readonly clock: Pick<Clock, 'nowMs' | 'runMs'>;
}

/** Taken from the store at a time: as many are lost by a restart at most. */
const STEP = 32;
const MINUTE_MS = 60_000;
/** Of whom counts are held in memory; others are read again. Verifiers are at most 1,024, regions as many. */
const HELD_MAX = 4_096;

const rowSchema = z.strictObject({ day: z.int(), taken: z.int() });

interface Count {
  day: number;
  /** Of the day: what stands in the store, and what is used of it. */
  taken: number;
  used: number;
  /** Of the minute that began then, by running time. */
  minuteMs: number;
  minuteUsed: number;
}

export class Quotas {
  readonly #modules: QuotasModules;
  readonly #counts = new Map<string, Count>();
  readonly #turns = new Turns();

  constructor(modules: QuotasModules) {
    this.#modules = modules;
  }

  /** One more for `who`, of ASCII. Rejects as the store does, and then none was taken. */
  take(who: string, quota: Quota): Promise<Taken> {
    return this.#turns.take(who, () => this.#take(who, quota));
  }

  async #take(who: string, { perMinute, perDay }: Quota): Promise<Taken> {
    const { clock } = this.#modules;
    const nowS = Math.floor(clock.nowMs() / 1_000);
    const today = Math.floor(nowS / DAY_S);
    const count = await this.#countOf(who);
    // A clock that is set back gives no second day.
    if (today > count.day) Object.assign(count, { day: today, taken: 0, used: 0 });
    const runMs = clock.runMs();
    if (runMs - count.minuteMs >= MINUTE_MS) Object.assign(count, { minuteMs: runMs, minuteUsed: 0 });
    if (count.used >= perDay)
      return { isTaken: false, againInS: Math.max(1, (count.day + 1) * DAY_S - nowS) };
    if (count.minuteUsed >= perMinute) {
      const leftMs = MINUTE_MS - (runMs - count.minuteMs);
      return { isTaken: false, againInS: Math.max(1, Math.ceil(leftMs / 1_000)) };
    }
    if (count.used >= count.taken) await this.#takeFromStore(who, count);
    count.used++;
    count.minuteUsed++;
    return { isTaken: true };
  }

  async #takeFromStore(who: string, count: Count): Promise<void> {
    const row = { day: count.day, taken: count.used + STEP };
    const value = new Uint8Array(Buffer.from(JSON.stringify(row)));
    await this.#modules.store.write([{ put: `quota/${who}`, value }]);
    count.taken = row.taken;
  }

  /** What an earlier process took counts as used. */
  async #countOf(who: string): Promise<Count> {
    const known = this.#counts.get(who);
    if (known !== undefined) return known;
    const bytes = await this.#modules.store.get(`quota/${who}`);
    const { day, taken } =
      bytes === undefined
        ? { day: 0, taken: 0 }
        : rowSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    const count = { day, taken, used: taken, minuteMs: -MINUTE_MS, minuteUsed: 0 };
    if (this.#counts.size >= HELD_MAX) {
      const [oldest = ''] = this.#counts.keys();
      this.#counts.delete(oldest);
    }
    this.#counts.set(who, count);
    return count;
  }
}
