/**
 * Makes the tables of the days that are answered now, and signs anew what is still so. A table is made anew as a whole, under a salt of its
 * own, whenever the list changes. Owns the tables; the only one that signs heads. Spec: SPEC.md 21.4, 21.5.
 */
import { type Primitives } from '../../protocol/primitives.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { signLookupHead, treeOfTable } from '../../protocol/lookup/head.ts';
import {
  LOOKUP_SALT_BYTES,
  lookupInput,
  type LookupKeyPair,
  numberSecrets,
  secretOfInput,
} from '../../protocol/lookup/oblivious.ts';
import { dayOf } from '../../protocol/lookup/opaque-adapter.ts';
import { makeTable, sealStatus } from '../../protocol/lookup/table.ts';
import { type Clock, type Random, type Signer } from '../ports.ts';
import { answeringDays, type DayKeys, isAnswering, isOver } from './day-keys.ts';
import { type BucketPlace, type ProvenBucket } from './messages.ts';
import { statusOfRow } from './number-rows.ts';
import { NumberSecretsOfDay } from './number-secrets.ts';
import { type NumberList, type Numbers } from './numbers.ts';

export interface TablePressOptions {
  readonly region: string;
  readonly network: string;
}

export interface TablePressModules extends Pick<Primitives, 'sha256'> {
  readonly numbers: Pick<Numbers, 'inForce' | 'rows'>;
  readonly keys: DayKeys;
  /** The trust-log key in force. @throws {NodeError} KEY_NOT_IN_FORCE */
  readonly signer: (atS: number) => Signer;
  readonly clock: Clock;
  readonly random: Random;
  readonly isTimeGood: () => boolean;
  /** Told of what goes wrong. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

/** A table as it is served. */
export interface PressedTable {
  readonly day: number;
  /** Of the list. */
  readonly version: number;
  /** Signed. */
  readonly head: Uint8Array;
  readonly atS: number;
  readonly root: Uint8Array;
  readonly bits: number;
  readonly capacity: number;
  readonly salt: Uint8Array;
  bucket(bucket: number): ProvenBucket;
}

/** Between two looks at what is due. */
const BEAT_MS = 10_000;
/** After the start nothing is destroyed for so long: other regions are asked the time, and tell of a clock that was wrong from the first. */
const ASKING_MS = 300_000;
/** A head is signed anew when it is so old: far below any limit of knowledge age. */
const SIGNED_S = 60;
/** So long before a day its numbers begin to be evaluated: some milliseconds each. */
const PREPARE_S = 7_200;
/** Real entries of a bucket, in the mean: whoever serves one learns no more than that one of so many was asked for. */
const BUCKET_MEAN = 256;
const CAPACITY_STEP = 64;
/** Numbers evaluated, and entries sealed, before others get a turn: some milliseconds. */
const EVALUATED_TOGETHER = 4;
const SEALED_TOGETHER = 64;
/** The same of those that are evaluated already. */
const KNOWN_TOGETHER = 1_024;
/** Numbers evaluated before they are kept: some seconds' work. */
const KEPT_TOGETHER = 5_000;

export class TablePress {
  readonly #options: TablePressOptions;
  readonly #modules: TablePressModules;
  /** By day. */
  readonly #tables = new Map<number, PressedTable>();
  /** The table before, for whoever holds its head. */
  readonly #before = new Map<number, PressedTable>();
  /** What the numbers come to, by day. */
  readonly #secrets = new Map<number, NumberSecretsOfDay>();
  /** The version of the list whose numbers are all evaluated, by day. */
  readonly #prepared = new Map<number, number>();
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();
  /** By running time. */
  #startedMs = 0;

  constructor(options: TablePressOptions, modules: TablePressModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    this.#startedMs = this.#modules.clock.runMs();
    const signing = this.#loop(() => this.#tend());
    const pressing = this.#loop(() => this.#pressAll());
    this.#loops = Promise.all([signing, pressing]);
  }

  /** Finishes what is in hand. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  /** The list has changed. */
  wake(): void {
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  /** The table of a day that is answered now. */
  table(day: number): PressedTable | undefined {
    const nowS = this.#nowS();
    return isAnswering(day, nowS) ? this.#tables.get(day) : undefined;
  }

  /** A bucket of a table of its own; undefined where there is no such one. */
  bucket({ day, root, bucket }: BucketPlace): ProvenBucket | undefined {
    const name = hexOf(root);
    const table = [this.#tables.get(day), this.#before.get(day)].find(
      (one) => one !== undefined && hexOf(one.root) === name,
    );
    return table !== undefined && bucket < 2 ** table.bits ? table.bucket(bucket) : undefined;
  }

  /** The days of which there are tables, and how many numbers of those to come are evaluated. */
  get report(): { readonly tables: readonly number[]; readonly prepared: Readonly<Record<number, number>> } {
    const prepared = Object.fromEntries([...this.#secrets].map(([day, { size }]) => [day, size]));
    return { tables: [...this.#tables.keys()].sort((a, b) => a - b), prepared };
  }

  async #loop(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // What changes while it works is not to wait for the next beat.
      const wake = this.#wake.signal;
      await work().catch((error: unknown) => this.#modules.onTrouble(error));
      if (signal.aborted) return;
      const waiting = AbortSignal.any([signal, wake]);
      await this.#modules.clock.wait(BEAT_MS, waiting).catch(() => undefined);
    }
  }

  /** Ends what is over, and signs anew what is still so. */
  async #tend(): Promise<void> {
    const nowS = this.#nowS();
    // What a clock that has run ahead destroyed would have to be announced anew, by the root.
    const { clock, isTimeGood, keys } = this.#modules;
    if (clock.runMs() - this.#startedMs >= ASKING_MS && isTimeGood()) await keys.destroyOver(nowS);
    for (const day of [...this.#tables.keys(), ...this.#secrets.keys()])
      if (isOver(day, nowS)) this.#drop(day);
    for (const [day, table] of this.#tables)
      if (nowS - table.atS >= SIGNED_S) this.#tables.set(day, { ...table, ...this.#sign(table, nowS) });
  }

  #drop(day: number): void {
    this.#tables.delete(day);
    this.#before.delete(day);
    this.#secrets.get(day)?.destroy();
    this.#secrets.delete(day);
    this.#prepared.delete(day);
  }

  async #pressAll(): Promise<void> {
    const { numbers, keys } = this.#modules;
    const list = await numbers.inForce();
    if (list === undefined) return;
    const nowS = this.#nowS();
    const tomorrow = dayOf(nowS + PREPARE_S);
    for (const day of new Set([...answeringDays(nowS), tomorrow])) {
      if (this.#stopping.signal.aborted) return;
      // A day that has not come is prepared once.
      if (!isAnswering(day, nowS) && this.#prepared.get(day) === list.version) continue;
      const pair = await keys.pairOf(day);
      if (pair !== undefined && this.#tables.get(day)?.version !== list.version)
        await this.#press(day, pair, list);
    }
  }

  async #press(day: number, pair: LookupKeyPair, list: NumberList): Promise<void> {
    const { numbers, random, sha256 } = this.#modules;
    const rows = await numbers.rows(list);
    // Another list is in force by now: that one is pressed next.
    if (rows === undefined) return;
    const secrets = await this.#evaluate(
      day,
      pair,
      rows.map(({ number }) => number),
    );
    if (secrets === undefined) return;
    this.#prepared.set(day, list.version);
    if (!isAnswering(day, this.#nowS())) return;
    const place = { ...this.#options, day };
    const salt = random(LOOKUP_SALT_BYTES);
    const entries: Uint8Array[] = [];
    for (const [i, row] of rows.entries()) {
      if (i % SEALED_TOGETHER === SEALED_TOGETHER - 1 && (await this.#isEnded())) return;
      const secret = numberSecrets(sha256, secrets.get(row.number) as Uint8Array, salt);
      entries.push(sealStatus(secret, statusOfRow(row, list.version), place, random));
    }
    const bits = Math.max(0, Math.ceil(Math.log2(rows.length / BUCKET_MEAN)));
    const table = makeTable(entries, { bits, step: CAPACITY_STEP }, random);
    const { root, pathOf } = treeOfTable(sha256, table);
    const unsigned = {
      day,
      version: list.version,
      root,
      bits,
      capacity: table.capacity,
      salt,
      bucket: (bucket: number) => ({ bytes: table.buckets[bucket] as Uint8Array, path: pathOf(bucket) }),
    };
    const before = this.#tables.get(day);
    if (before !== undefined) this.#before.set(day, before);
    this.#tables.set(day, { ...unsigned, ...this.#sign(unsigned, this.#nowS()) });
  }

  /** What the numbers come to on a day; undefined if it is to stop. Those that are known already take no time. */
  async #evaluate(
    day: number,
    { secretKey }: LookupKeyPair,
    numbers: readonly string[],
  ): Promise<NumberSecretsOfDay | undefined> {
    const { sha256, keys } = this.#modules;
    const known = this.#secrets.get(day) ?? new NumberSecretsOfDay({ sha256 }, await keys.evaluated(day));
    this.#secrets.set(day, known);
    let done = 0;
    for (const [i, number] of numbers.entries()) {
      if (i % KNOWN_TOGETHER === KNOWN_TOGETHER - 1 && (await this.#isEnded())) break;
      if (known.get(number) !== undefined) continue;
      known.set(number, secretOfInput(sha256, secretKey, lookupInput(this.#options, number)));
      done++;
      if (done % EVALUATED_TOGETHER === 0 && (await this.#isEnded())) break;
      if (done % KEPT_TOGETHER === 0) await this.#keep(day, known);
    }
    if (done > 0) await this.#keep(day, known);
    if (this.#stopping.signal.aborted) return undefined;
    known.retain(numbers);
    return known;
  }

  async #keep(day: number, known: NumberSecretsOfDay): Promise<void> {
    if (!isOver(day, this.#nowS())) await this.#modules.keys.keepEvaluated(day, known.encode());
  }

  #sign(
    { day, bits, root, capacity, salt }: Omit<PressedTable, 'head' | 'atS'>,
    atS: number,
  ): { readonly head: Uint8Array; readonly atS: number } {
    const { region, network } = this.#options;
    const head = { kind: 'lookup' as const, region, network, day, at: atS, bits, capacity, salt, root };
    return { head: signLookupHead(head, this.#modules.signer(atS)), atS };
  }

  /** Lets others have a turn, and tells whether to stop. */
  async #isEnded(): Promise<boolean> {
    await new Promise(setImmediate);
    return this.#stopping.signal.aborted;
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1_000);
  }
}
