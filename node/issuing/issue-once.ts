/**
 * Issuing under a key that the caller chose, so that the same order given again, since its answer was lost, gives the code that
 * was issued the first time. What was begun is remembered in the store, sealed, for a day and more:
 *
 *   once/<day>/<name of the key>      what was ordered, when, how far the logs were before, and what came of it
 *
 * An order that broke off with the process is settled by what the registry holds: a code of that person with that status which
 * stands in a log beyond where that was before is the one. While one is on its way there, no other is issued. Nor is one for whoever was
 * forgotten since (forgotten-marks.ts), whether anything had come of the order or not: names say nothing without the registry's key.
 */
import * as crypto from 'node:crypto';
import { z } from 'zod';
import { equalBytes } from '../../protocol/bytes.ts';
import { type Openings } from '../../protocol/code/openings.ts';
import { encodeStatus, type Status } from '../../protocol/code/status.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Change, type Clock, type Random } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type RegistryRecord } from '../registry/registry.ts';
import { parseSealedJson } from '../registry/sealed-json.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { valuesPastDamage } from '../registry/rows-past-damage.ts';
import {
  ForgottenMarks,
  type ForgottenMarksModules,
  type ForgottenMarksOptions,
  forgottenSince,
  type Ordered,
  orderedSchema,
} from './forgotten-marks.ts';
import { Gathered } from './gathered.ts';
import { type HeldCodes } from './held-codes.ts';
import { type IssueRequest } from './issuer.ts';
import { type PrivateName } from '../registry/whereabouts.ts';

/** A logged attestation and what opens it. */
export interface IssuedOnce extends Place {
  readonly attestation: Uint8Array;
  readonly openings: Openings;
}

export type IssueOnceOptions = ForgottenMarksOptions;

export interface IssueOnceModules {
  readonly tables: PrivateTables;
  readonly clock: Clock;
  readonly random: Random;
  readonly issue: (request: IssueRequest) => Promise<IssuedOnce>;
  readonly held: () => Pick<HeldCodes, 'ofSubject' | 'atPlaces' | 'isNobodys' | 'unlogged'>;
  readonly onTrouble?: ForgottenMarksModules['onTrouble'];
  /** Finishes what an earlier process began to issue. */
  readonly tend: () => Promise<void>;
  /** Entries of each of the region's attestation logs, by its id. */
  readonly sizes: () => Readonly<Record<string, number>>;
}

export interface Order {
  /** Chosen by the caller: 1 to 128 characters, another one for each person and time. */
  readonly key: string;
  /** All that was ordered, as bytes: another order under the same key is refused. */
  readonly input: Uint8Array;
  /** Who gets what: by that a code is found again. */
  readonly subject: string;
  readonly status: Status;
  /** See `IssueRequest`: where it waited before it was given here. */
  readonly ordered?: Ordered | undefined;
  /**
   * Decides whether it may be issued, and gives all of the request. It is asked only where nothing came of the order yet: what was issued
   * is the answer for a day, whatever facts and rules have become meanwhile.
   */
  readonly judge: () => Promise<IssueRequest>;
}

const DAY_MS = 86_400_000;
/** For an order that cannot be read. */
const ANEW = 'Nothing else is concerned. Give the order anew, under another key.';
/** Keys of orders that are forgotten in one write. */
const SWEPT_TOGETHER = 256;
const place = z.strictObject({ log: z.string(), index: z.int().min(0) });
const noted = z.strictObject({
  /** SHA-256 of the order. */
  input: z.string(),
  sizes: z.record(z.string(), z.int().min(0)),
  issued: place.optional(),
  /** When it was given first. */
  ordered: orderedSchema,
});
type Noted = z.infer<typeof noted>;

/** Named once a day: each order asks for both, and to name a day costs as much as a hash. */
interface Days {
  readonly day: number;
  readonly today: string;
  readonly yesterday: string;
}

export class IssueOnce {
  /** Who was forgotten. */
  readonly marks: ForgottenMarks;
  readonly #modules: IssueOnceModules;
  readonly #sealer: Sealer;
  readonly #nameKey: crypto.KeyObject;
  readonly #running = new Map<string, { readonly input: string; readonly issued: Promise<IssuedOnce> }>();
  readonly #reads: Gathered<string, Uint8Array | undefined>;
  readonly #writes: Gathered<Change, undefined>;
  #named: Days | undefined;
  #sweptDay = '';
  #sweeping: Promise<void> | undefined;

  constructor(options: IssueOnceOptions, modules: IssueOnceModules) {
    const { registryKey } = options;
    this.#modules = modules;
    const { tables } = modules;
    this.marks = new ForgottenMarks(options, modules);
    // A file of people is thousands of orders at the same time.
    this.#reads = new Gathered<string, Uint8Array | undefined>((keys) => valuesPastDamage(tables, keys));
    this.#writes = new Gathered(async (changes) => {
      await tables.write(changes);
      return changes.map(() => undefined);
    });
    this.#sealer = new Sealer(derivedKey(registryKey, 'once'));
    this.#nameKey = derivedKey(registryKey, 'once/name');
  }

  /**
   * The code of this order, issued now or before.
   * @throws {NodeError} ORDER_DIFFERS if another order was given under the key within the last day; LOG_UNSETTLED, to be tried again, while a code
   * of it is on its way into a log; FORGOTTEN if the person was forgotten since the order was given first; and as `judge`, `Issuer.issue` and `tend`.
   */
  async issue(order: Order): Promise<IssuedOnce> {
    const { key } = order;
    const digest = crypto.hash('sha256', order.input);
    const running = this.#running.get(key);
    if (running !== undefined) {
      requireSame(running.input, digest);
      return running.issued;
    }
    const issued = this.#issue(this.#nameOf(key), digest, order);
    this.#running.set(key, { input: digest, issued });
    try {
      return await issued;
    } finally {
      this.#running.delete(key);
    }
  }

  async #issue(name: string, input: string, order: Order): Promise<IssuedOnce> {
    const { today } = this.#days;
    const { ordered = await this.marks.now() } = order;
    await this.#sweep();
    const known = await this.#noted(name);
    if (known !== undefined) {
      requireSame(known.input, input);
      const issued = await this.#settled(known, order);
      if (issued !== undefined) return issued;
    }
    const request = await order.judge();
    const note = known ?? { input, sizes: this.#modules.sizes(), ordered };
    if (known === undefined) await this.#write(today, name, note);
    const issued = await this.#modules.issue({ ...request, ordered });
    // Should this fail the code is there all the same, and is found by what the person holds.
    await this.#write(today, name, { ...note, issued: { log: issued.log, index: issued.index } }).catch(
      passStore,
    );
    return issued;
  }

  /** What came of an order that was begun before. @throws {NodeError} FORGOTTEN where nothing is to come of it any more, and as the tables and the logs. */
  async #settled(
    { issued, sizes, ordered }: Noted,
    { subject, status }: Order,
  ): Promise<IssuedOnce | undefined> {
    const { held, tend } = this.#modules;
    if (issued !== undefined) {
      const [found] = await held().atPlaces([issued]);
      if (found?.subject === subject) return found;
      // Where it is in no log, or another's, its batch was taken back.
      if (found === undefined && (await held().isNobodys(issued))) throw forgottenSince();
      await this.marks.requireNone(subject, ordered);
      return undefined;
    }
    // As bytes: what is not given may be told as undefined.
    const wanted = encodeStatus(status);
    const isOrdered = ({ log, index, fields }: RegistryRecord) =>
      index >= (sizes[log] ?? 0) && equalBytes(encodeStatus(fields.status), wanted);
    // Asked first: what is logged meanwhile is found below.
    const isOnItsWay = async () => (await held().unlogged(subject)).some(isOrdered);
    if (await isOnItsWay()) {
      await tend();
      if (await isOnItsWay())
        throw logError('LOG_UNSETTLED', 'a code of this order is on its way into a log');
    }
    // What the process died over may be there, and is not given.
    await this.marks.requireNone(subject, ordered);
    return (await held().ofSubject(subject)).find(isOrdered);
  }

  /** What is remembered under a name since yesterday, as it was written last. */
  async #noted(name: string): Promise<Noted | undefined> {
    const { today, yesterday } = this.#days;
    const keys = [keyOf(today, name), keyOf(yesterday, name)];
    const found = await Promise.all(keys.map((key) => this.#reads.ask(key)));
    const newest = found.findIndex((value) => value !== undefined);
    const [at, sealed] = [keys[newest], found[newest]];
    if (at === undefined || sealed === undefined) return undefined;
    return parseSealedJson(noted, at, this.#sealer.open(at, sealed), ANEW);
  }

  async #write(day: string, name: string, note: Noted): Promise<void> {
    const at = keyOf(day, name);
    const value = this.#sealer.seal(at, Buffer.from(JSON.stringify(note)), this.#modules.random(NONCE_BYTES));
    await this.#writes.ask({ put: at, value });
  }

  /** Forgets the days before yesterday, once a day; what could not be forgotten, with the next order. None fails for it. */
  async #sweep(): Promise<void> {
    if (this.#sweptDay === this.#days.today) return;
    this.#sweeping ??= this.#sweepNow(this.#days)
      .catch(passStore)
      .finally(() => (this.#sweeping = undefined));
    await this.#sweeping;
  }

  async #sweepNow({ today, yesterday }: Days): Promise<void> {
    const { tables } = this.#modules;
    const old: string[] = [];
    const forget = () => tables.write(old.splice(0).map((key) => ({ del: key })));
    // What cannot be read any more goes too.
    const onDamaged = ({ key }: NodeError) => void (key !== undefined && old.push(key));
    for await (const [key] of tables.entries('once/', keyOf(yesterday, ''), { onDamaged })) {
      old.push(key);
      if (old.length >= SWEPT_TOGETHER) await forget();
    }
    if (old.length > 0) await forget();
    await this.marks.sweep().catch(passStore);
    this.#sweptDay = today;
  }

  #nameOf(key: string): string {
    return crypto.createHmac('sha256', this.#nameKey).update(key).digest('hex');
  }

  /** This day and the one before. */
  get #days(): Days {
    const day = Math.floor(this.#modules.clock.nowMs() / DAY_MS);
    if (this.#named?.day !== day) this.#named = { day, today: nameOfDay(day), yesterday: nameOfDay(day - 1) };
    return this.#named;
  }
}

/** Of a day since 1970, as in `2026-11-26`. */
function nameOfDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

function keyOf(day: string, name: string): PrivateName {
  return `once/${day}/${name}`;
}

function requireSame(before: string, now: string): void {
  if (before === now) return;
  throw new NodeError('ORDER_DIFFERS', 'another order was given under this key before', {
    hint: 'Choose another key for each order, and repeat an order as it was.',
  });
}

function passStore(error: unknown): void {
  if (!isNodeError(error)) throw error;
}
