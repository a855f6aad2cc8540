/**
 * That people were forgotten, so that no order from before brings them back. Sealed, for some days:
 *
 *   once/forgotten/<name of a person>   when, here and on the other machine of the region
 *
 * Names say nothing without the registry's key.
 */
import * as crypto from 'node:crypto';
import { z } from 'zod';
import { hexOf } from '../../protocol/bytes.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock, type Random } from '../ports.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';
import { Turns } from '../turns.ts';
import { Gathered } from './gathered.ts';

export interface ForgottenMarksModules {
  readonly tables: PrivateTables;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
}

/** Seconds for which it is known that somebody was forgotten. */
export const MARK_S = 8 * 86_400;
const PREFIX = 'once/forgotten/' satisfies PrivateName;
const ID_BYTES = 8;
const PAGE = 256;
const mark = z.strictObject({
  /** Of the last time here: whoever notes it needs no clock to see that there was another one since. */
  id: z.string().optional(),
  /** Of the last time here, in seconds since 1970. */
  atS: z.int().min(0).optional(),
  /** Of the last time on the other machine. */
  otherAtS: z.int().min(0).optional(),
});
export type Mark = z.infer<typeof mark>;

export class ForgottenMarks {
  readonly #modules: ForgottenMarksModules;
  readonly #sealer: Sealer;
  readonly #nameKey: crypto.KeyObject;
  readonly #reads: Gathered<string, Uint8Array | undefined>;
  readonly #turns = new Turns();

  constructor(registryKey: Uint8Array, modules: ForgottenMarksModules) {
    this.#modules = modules;
    this.#sealer = new Sealer(derivedKey(registryKey, 'once/forgotten'));
    this.#nameKey = derivedKey(registryKey, 'once/forgotten/name');
    // A file of people is thousands of orders at the same time.
    this.#reads = new Gathered((keys) => modules.tables.getMany(keys));
  }

  /** To be called before anything of the codes of a person is destroyed. Rejects as the tables. */
  forgot(subject: string): Promise<void> {
    const id = hexOf(this.#modules.random(ID_BYTES));
    return this.#change(subject, ({ otherAtS }) => ({ id, atS: this.#nowS(), otherAtS }));
  }

  /** The same for whom the other machine was told to forget at that time, of which this one may hear days later. */
  forgotByOther(subject: string, atS: number): Promise<void> {
    return this.#change(subject, (before) => ({
      ...before,
      otherAtS: Math.max(before.otherAtS ?? 0, Math.min(atS, this.#nowS())),
    }));
  }

  /** What is known of a person; nothing of most. Rejects as the tables. */
  of(subject: string): Promise<Mark> {
    return this.#at(this.#keyOf(subject));
  }

  /** Which of these people were forgotten at that time or later. Rejects as the tables. */
  async since(subjects: readonly string[], sinceS: number): Promise<ReadonlySet<string>> {
    const marks = await Promise.all(subjects.map((subject) => this.of(subject)));
    return new Set(subjects.filter((_, i) => lastS(marks[i] ?? {}) >= sinceS));
  }

  /** @throws {NodeError} FORGOTTEN for who was forgotten at that time or later; and as the tables. */
  async requireNone(subject: string, sinceS: number): Promise<void> {
    if ((await this.since([subject], sinceS)).size > 0) throw forgottenSince();
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
      if (isNodeError(error)) return false;
      throw error;
    }
  }

  /** In the turn of the person, who may have been forgotten again meanwhile. */
  #tidy(key: string): Promise<void> {
    return this.#turns.take(key, async () => {
      const before = await this.#at(key);
      const nowS = this.#nowS();
      if (lastS(before) < nowS - MARK_S) return this.#modules.tables.write([{ del: key }]);
      const { atS, otherAtS } = before;
      await this.#put(key, {
        ...before,
        ...(atS !== undefined && { atS: Math.min(atS, nowS) }),
        ...(otherAtS !== undefined && { otherAtS: Math.min(otherAtS, nowS) }),
      });
    });
  }

  #change(subject: string, change: (before: Mark) => Mark): Promise<void> {
    const key = this.#keyOf(subject);
    return this.#turns.take(key, async () => this.#put(key, change(await this.#at(key))));
  }

  async #put(key: string, to: Mark): Promise<void> {
    const { tables, random } = this.#modules;
    const bytes = Buffer.from(JSON.stringify(to));
    await tables.write([{ put: key, value: this.#sealer.seal(key, bytes, random(NONCE_BYTES)) }]);
  }

  async #at(key: string): Promise<Mark> {
    const sealed = await this.#reads.ask(key);
    return sealed === undefined ? {} : this.#opened(key, sealed);
  }

  #opened(key: string, sealed: Uint8Array): Mark {
    return mark.parse(JSON.parse(Buffer.from(this.#sealer.open(key, sealed)).toString()));
  }

  #keyOf(subject: string): string {
    return PREFIX + crypto.createHmac('sha256', this.#nameKey).update(subject).digest('hex');
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
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
