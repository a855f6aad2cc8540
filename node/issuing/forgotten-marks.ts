/**
 * That people were forgotten, so that no order from before brings them back. Sealed, the marks for some days:
 *
 *   once/forgotten/<name of a person>   when, here and on the other machine of the region
 *   once/forgettings[/<machine>]        how often that was noted, as this machine counts it: no clock can be set back behind it
 *
 * Names say nothing without the registry's key.
 */
import { z } from 'zod';
import { hexOf } from '../../protocol/bytes.ts';
import { logError } from '../log/log-error.ts';
import { NodeError } from '../node-error.ts';
import { type Change, type Clock, type Random } from '../ports.ts';
import { Pseudonyms } from '../registry/pseudonyms.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { valuesPastDamage } from '../registry/rows-past-damage.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { Turns } from '../turns.ts';
import { Gathered } from './gathered.ts';

export interface ForgottenMarksOptions {
  /** See `Registry.open`. */
  readonly registryKey: Uint8Array;
  /** Which machine of the region this is, where there is another: what begins with a copy of its store counts for itself, and so do commands that do not know it. */
  readonly fenced?: { readonly identity: Uint8Array } | undefined;
  /** People whom a process knows without reading to have been forgotten. */
  readonly recentMax?: number;
}

export interface ForgottenMarksModules {
  readonly tables: PrivateTables;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** Told once of each mark that cannot be read: whoever it is of counts as forgotten. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** Seconds for which it is known that somebody was forgotten. */
export const MARK_S = 8 * 86_400;
const PREFIX = 'once/forgotten/' satisfies PrivateName;
const COUNTER = 'once/forgettings' satisfies PrivateName;
/** For a mark that cannot be read. */
const AGAIN = 'Nothing else is concerned. Forget again who was forgotten in the last days.';
/** All that is noted is noted one after the other. */
const TURN = 'note';
const COUNTER_BYTES = 8;
const PAGE = 256;
/** People who are asked for in one trip. */
const AT_ONCE = 1_024;
/** Some 4 MB. */
const RECENT_MAX = 16_384;

const counterSchema = z.strictObject({
  /** Drawn when it began: two counters say nothing of each other. */
  counter: z.string().regex(/^[0-9a-f]{16}$/),
  /** How often it was noted so far that somebody was forgotten. */
  count: z.int().min(0),
});
type Counter = Readonly<z.infer<typeof counterSchema>>;

/** When an order was given: what says whether somebody was forgotten since. */
export const orderedSchema = counterSchema.extend({
  /** Seconds since 1970. */
  atS: z.int().min(0),
});
export type Ordered = Readonly<z.infer<typeof orderedSchema>>;

const markSchema = z.strictObject({
  /** Of the last time here: where a counter of this machine stood then. */
  here: counterSchema.optional(),
  /** Of the last time here, in seconds since 1970. */
  atS: z.int().min(0).optional(),
  /** Of the last time on the other machine. */
  otherAtS: z.int().min(0).optional(),
});
export type Mark = Readonly<z.infer<typeof markSchema>>;

export class ForgottenMarks {
  readonly #modules: ForgottenMarksModules;
  readonly #sealer: Sealer;
  readonly #names: Pseudonyms;
  readonly #reads: Gathered<string, Uint8Array | undefined>;
  readonly #turns = new Turns();
  readonly #counterKey: string;
  readonly #recentMax: number;
  #counter: Counter | undefined;
  /** What was told of: no more than there are marks. */
  readonly #told = new Set<string>();
  /** Whether the tables have it so: not while it is written, nor after a write that failed. */
  #isSure = false;
  /** The asking for it, for all who wait for that. */
  #asking: Promise<unknown> | undefined;
  /** What this process noted, by the name of the person, the oldest first; `noted`: where the counter stood then. */
  readonly #recent = new Map<string, Mark & { readonly noted: number }>();
  /** Where the counter stood with the last of what it does not know any more. */
  #lost = 0;

  constructor(
    { registryKey, fenced, recentMax = RECENT_MAX }: ForgottenMarksOptions,
    modules: ForgottenMarksModules,
  ) {
    this.#modules = modules;
    this.#recentMax = recentMax;
    this.#counterKey = COUNTER + (fenced === undefined ? '' : `/${hexOf(fenced.identity)}`);
    this.#sealer = new Sealer(derivedKey(registryKey, 'once/forgotten'));
    this.#names = new Pseudonyms(derivedKey(registryKey, 'once/forgotten/name'));
    // A file of people is thousands of orders at the same time.
    this.#reads = new Gathered<string, Uint8Array | undefined>((keys) =>
      valuesPastDamage(modules.tables, keys),
    );
  }

  /** To be called before anything of the codes of a person is destroyed. Rejects as the tables. */
  forgot(subject: string): Promise<void> {
    return this.#note(subject, ({ otherAtS }, here) => ({ here, atS: this.#nowS(), otherAtS }));
  }

  /** The same for whom the other machine was told to forget at that time, of which this one may hear days later. */
  forgotByOther(subject: string, atS: number): Promise<void> {
    return this.#note(subject, (before) => ({
      ...before,
      otherAtS: Math.max(before.otherAtS ?? 0, Math.min(atS, this.#nowS())),
    }));
  }

  /** To be asked before anything of an order is looked at. Rejects as the tables. */
  async now(): Promise<Ordered> {
    if (!this.#isSure)
      await (this.#asking ??= this.#turns
        .take(TURN, () => this.#known())
        .finally(() => (this.#asking = undefined)));
    return { ...(this.#counter as Counter), atS: this.#nowS() };
  }

  /**
   * Why somebody gets nothing by an order that this process was given: FORGOTTEN if they were forgotten since; LOG_BUSY where so many people
   * were that it cannot tell. It reads nothing, so that it can be asked for everybody in a batch.
   */
  refusalOf(subject: string, ordered: Ordered): NodeError | undefined {
    const { counter, count = 0 } = this.#counter ?? {};
    if (ordered.counter === counter && ordered.count >= count) return undefined;
    if (ordered.count < this.#lost)
      return logError(
        'LOG_BUSY',
        `more than ${this.#recentMax} people were forgotten since this was ordered`,
      );
    const mark = this.#recent.get(this.#keyOf(subject));
    return mark !== undefined && isSince(mark, ordered) ? forgottenSince() : undefined;
  }

  /** What is known of a person; nothing of most. Rejects as the tables. */
  of(subject: string): Promise<Mark> {
    return this.#at(this.#keyOf(subject));
  }

  /** Which of these people were forgotten since an order was given. Rejects as the tables. */
  async since(subjects: readonly string[], ordered: Ordered): Promise<ReadonlySet<string>> {
    const forgotten = new Set<string>();
    for (let at = 0; at < subjects.length; at += AT_ONCE) {
      const some = subjects.slice(at, at + AT_ONCE);
      const keys = some.map((subject) => this.#keyOf(subject));
      const found = await this.#answers(keys);
      for (const [i, subject] of some.entries())
        if (this.#isForgotten(keys[i] ?? '', found[i], ordered)) forgotten.add(subject);
    }
    return forgotten;
  }

  /** Of one, gathered with what others ask. */
  async #answers(keys: readonly string[]): Promise<readonly (Uint8Array | Error | undefined)[]> {
    const [key, other] = keys;
    if (key === undefined || other !== undefined) return valuesPastDamage(this.#modules.tables, keys);
    return [await this.#reads.ask(key).catch((error: unknown) => damageOf(error))];
  }

  /** What cannot be read says that they were. */
  #isForgotten(key: string, found: Uint8Array | Error | undefined, ordered: Ordered): boolean {
    if (found === undefined) return false;
    try {
      if (found instanceof Error) throw found;
      return isSince(this.#opened(key, found), ordered);
    } catch (error) {
      this.#damaged(error);
      return true;
    }
  }

  /** Which of these people were forgotten in the last days (`MARK_S`), on whichever machine. Rejects as the tables. */
  lately(subjects: readonly string[]): Promise<ReadonlySet<string>> {
    return this.since(subjects, { counter: '', count: 0, atS: 0 });
  }

  /** Tells of it once; what else there is goes on. */
  #damaged(error: unknown): undefined {
    if (!isRegistryDamage(error)) throw error;
    if (this.#told.has(error.message)) return;
    this.#told.add(error.message);
    this.#modules.onTrouble?.(error);
  }

  /** @throws {NodeError} FORGOTTEN for who was forgotten since an order was given; and as the tables. */
  async requireNone(subject: string, ordered: Ordered): Promise<void> {
    if ((await this.since([subject], ordered)).size > 0) throw forgottenSince();
  }

  /**
   * Lets go of what is older than `MARK_S`, and takes what is still to come, noted while the clock was ahead, as of now: else nobody would get anything until
   * then. What cannot be opened stays as it is. To be called once a day. Rejects as the tables.
   */
  async sweep(): Promise<void> {
    const { tables } = this.#modules;
    for (let from: string = PREFIX; ;) {
      const page = await tables.page(from, `${PREFIX}~`, { limit: PAGE });
      for (const [key, sealed] of page) if (this.#isDue(key, sealed)) await this.#tidy(key);
      const last = page.at(-1)?.[0];
      if (last === undefined) return;
      from = `${last}!`;
    }
  }

  #isDue(key: string, sealed: Uint8Array): boolean {
    try {
      const at = lastS(this.#opened(key, sealed));
      return at < this.#nowS() - MARK_S || at > this.#nowS();
    } catch (error) {
      this.#damaged(error);
      return false;
    }
  }

  /** The person may have been forgotten again meanwhile. */
  #tidy(key: string): Promise<void> {
    return this.#turns.take(TURN, async () => {
      const { tables } = this.#modules;
      const before = await this.#at(key);
      const nowS = this.#nowS();
      if (lastS(before) < nowS - MARK_S) return tables.write([{ del: key }]);
      const { atS, otherAtS } = before;
      const mark: Mark = {
        ...before,
        ...(atS !== undefined && { atS: Math.min(atS, nowS) }),
        ...(otherAtS !== undefined && { otherAtS: Math.min(otherAtS, nowS) }),
      };
      return tables.write([this.#put(key, mark)]);
    });
  }

  #note(subject: string, change: (before: Mark, here: Counter) => Mark): Promise<void> {
    const key = this.#keyOf(subject);
    return this.#turns.take(TURN, async () => {
      const { counter, count } = await this.#known();
      const next = { counter, count: count + 1 };
      const before = await this.#at(key).catch((error: unknown) => this.#damaged(error));
      // What cannot be read says that they were forgotten, and not when.
      const mark = change(before ?? { here: next, atS: this.#nowS() }, next);
      await this.#write(next, [this.#put(key, mark)]);
      this.#remember(key, { ...mark, noted: next.count });
    });
  }

  async #known(): Promise<Counter> {
    if (this.#isSure) return this.#counter as Counter;
    const found = await this.#stored();
    if (found === undefined)
      return this.#write({ counter: hexOf(this.#modules.random(COUNTER_BYTES)), count: 0 });
    this.#isSure = true;
    return (this.#counter = found);
  }

  /** Undefined where there is none, or none that can be read: another begins then, and of what was ordered before times say it. */
  async #stored(): Promise<Counter | undefined> {
    try {
      const sealed = await this.#modules.tables.get(this.#counterKey);
      const opened = sealed && this.#sealer.open(this.#counterKey, sealed);
      return opened && parseSealedJson(counterSchema, this.#counterKey, opened);
    } catch (error) {
      if (isRegistryDamage(error)) return undefined;
      throw error;
    }
  }

  async #write(counter: Counter, changes: readonly Change[] = []): Promise<Counter> {
    this.#isSure = false;
    await this.#modules.tables.write([this.#put(this.#counterKey, counter), ...changes]);
    this.#isSure = true;
    return (this.#counter = counter);
  }

  #remember(key: string, mark: Mark & { readonly noted: number }): void {
    this.#recent.delete(key);
    this.#recent.set(key, mark);
    if (this.#recent.size <= this.#recentMax) return;
    for (const [oldest, { noted }] of this.#recent) {
      this.#recent.delete(oldest);
      this.#lost = noted;
      return;
    }
  }

  #put(key: string, to: Mark | Counter): Change {
    const bytes = Buffer.from(JSON.stringify(to));
    return { put: key, value: this.#sealer.seal(key, bytes, this.#modules.random(NONCE_BYTES)) };
  }

  async #at(key: string): Promise<Mark> {
    const sealed = await this.#reads.ask(key);
    return sealed === undefined ? {} : this.#opened(key, sealed);
  }

  #opened(key: string, sealed: Uint8Array): Mark {
    return parseSealedJson(markSchema, key, this.#sealer.open(key, sealed), AGAIN);
  }

  #keyOf(subject: string): string {
    return PREFIX + this.#names.wholeOf(subject);
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}

/** @throws what is no damage. */
function damageOf(error: unknown): Error {
  if (isRegistryDamage(error)) return error;
  throw error;
}

/** Where both are of one counter, that says it of what was forgotten here; else, and of the other machine, the time does. */
function isSince({ here, atS = -1, otherAtS = -1 }: Mark, ordered: Ordered): boolean {
  const isHere = ordered.counter === here?.counter ? here.count > ordered.count : atS >= ordered.atS;
  return isHere || otherAtS >= ordered.atS;
}

function lastS({ atS = -1, otherAtS = -1 }: Mark): number {
  return Math.max(atS, otherAtS);
}

/** Given anew, an order from before would bring back whoever was forgotten. */
export function forgottenSince(): NodeError {
  const message = 'the person was forgotten since this order was given first, and gets nothing by it';
  return new NodeError('FORGOTTEN', message, {
    hint: 'If the person wants a code again, order it under another key.',
  });
}
