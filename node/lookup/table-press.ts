/**
 * Makes the tables of the days that are answered now, and signs anew what is still so: one table of a day for a minute, and none that is older than the
 * list in force. A table is made anew as a whole, under a salt of its own, whenever the list changes. Owns the tables; the only one that signs heads.
 * Spec: SPEC.md 21.4, 21.5.
 */
import { type Primitives } from '../../protocol/primitives.ts';
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { signLookupHead, treeOfLeaves } from '../../protocol/lookup/head.ts';
import { LOOKUP_HEAD_S } from '../../protocol/limits.ts';
import { LOOKUP_SALT_BYTES, type LookupKeyPair, numberSecrets } from '../../protocol/lookup/oblivious.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { dayOf } from '../../protocol/lookup/opaque-adapter.ts';
import { planTable, sealStatus } from '../../protocol/lookup/table.ts';
import { type ClockStanding } from '../clock/clock-votes.ts';
import { type Clock, type Random, type Signer } from '../ports.ts';
import { Turns } from '../turns.ts';
import { answeringDays, type DayKeys, isAnswering, isOver } from './day-keys.ts';
import { type BucketPlace, type ProvenBucket } from './messages.ts';
import { type EvaluateInputs, NumberEvaluator } from './number-evaluator.ts';
import { statusOfRow } from './number-rows.ts';
import { type NumberList, type Numbers } from './numbers.ts';
import { SignedMinutes, type SignedMinutesModules } from './signed-minutes.ts';

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
  readonly store: SignedMinutesModules['store'];
  /** What other regions say of the clock. */
  readonly timeStanding: () => ClockStanding;
  /** As the function of this name. */
  readonly surelyPastS: () => number | undefined;
  /** Whether another machine speaks for the region, or may: then nothing is signed here, and nothing answered. */
  readonly isSilent: () => boolean;
  readonly evaluateInputs?: EvaluateInputs | undefined;
  /** Told of what goes wrong. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

interface UnsignedTable {
  readonly day: number;
  /** Of the list. */
  readonly version: number;
  /** Of the day. */
  readonly publicKey: Uint8Array;
  readonly root: Uint8Array;
  readonly bits: number;
  readonly capacity: number;
  readonly salt: Uint8Array;
  bucket(bucket: number): ProvenBucket;
}

/** A table as it is served. */
export interface PressedTable extends UnsignedTable {
  /** Signed. */
  readonly head: Uint8Array;
  readonly atS: number;
}

export interface PressReport {
  readonly tables: readonly number[];
  readonly ageS?: number;
  readonly prepared: Readonly<Record<number, number>>;
}

/** Between two looks at what is due. */
const BEAT_MS = 10_000;
/** After the start nothing is destroyed for so long: other regions are asked the time, and tell of a clock that was wrong from the first. */
const ASKING_MS = 300_000;
/** So long before a day its numbers begin to be evaluated: some milliseconds each. */
const PREPARE_S = 7_200;
/** Real entries of a bucket, in the mean: whoever serves one learns no more than that one of so many was asked for. */
const BUCKET_MEAN = 256;
const CAPACITY_STEP = 64;
/** Entries sealed, and buckets filled, before others get a turn: some milliseconds. */
const SEALED_TOGETHER = 16;
const BUCKETS_TOGETHER = 8;

export class TablePress {
  readonly #options: TablePressOptions;
  readonly #modules: TablePressModules;
  readonly #evaluator: NumberEvaluator;
  readonly #minutes: SignedMinutes;
  readonly #turns = new Turns();
  /** By day. */
  readonly #tables = new Map<number, PressedTable>();
  /** Those that no minute was free for yet. */
  readonly #unsigned = new Map<number, UnsignedTable>();
  /** The table before, for whoever holds its head. */
  readonly #before = new Map<number, PressedTable>();
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
    this.#evaluator = new NumberEvaluator(options, { ...modules, stopping: this.#stopping.signal });
    this.#minutes = new SignedMinutes(modules);
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

  /** The table of a day that is answered now; undefined also while it is silent: whoever speaks for the region has a later one. */
  table(day: number): PressedTable | undefined {
    const isAnswered = isAnswering(day, this.#nowS()) && !this.#modules.isSilent();
    return isAnswered ? this.#tables.get(day) : undefined;
  }

  /** A bucket of a table of its own; undefined where there is no such one. */
  bucket({ day, root, bits, bucket }: BucketPlace): ProvenBucket | undefined {
    const name = hexOf(root);
    const table = [this.#tables.get(day), this.#before.get(day)].find(
      (one) => one !== undefined && hexOf(one.root) === name,
    );
    return table?.bits === bits && bucket < 2 ** bits ? table.bucket(bucket) : undefined;
  }

  /** The days of which there are tables, the seconds since that of today was so, and how many numbers of each day are evaluated. */
  get report(): PressReport {
    const nowS = this.#nowS();
    const tables = [...this.#tables.keys()].sort((a, b) => a - b);
    const today = this.#tables.get(dayOf(nowS));
    const prepared = Object.fromEntries(this.#evaluator.sizes);
    return { tables, ...(today && { ageS: nowS - today.atS }), prepared };
  }

  async #loop(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // What changes while it works is not to wait for the next beat.
      const wake = this.#wake.signal;
      await work().catch((error: unknown) => this.#modules.onTrouble(error));
      if (signal.aborted) return;
      const waiting = AbortSignal.any([signal, wake]);
      await this.#modules.clock.wait(this.#beatMs(), waiting).catch(() => undefined);
    }
  }

  /** What waits to be signed is signed as soon as its minute begins. */
  #beatMs(): number {
    const minuteMs = 1_000 * LOOKUP_HEAD_S;
    const leftMs = minuteMs - (this.#modules.clock.nowMs() % minuteMs);
    return this.#unsigned.size === 0 ? BEAT_MS : Math.min(BEAT_MS, leftMs);
  }

  /** Ends what is over, and signs anew what is still so. */
  async #tend(): Promise<void> {
    const nowS = this.#nowS();
    const { clock, keys } = this.#modules;
    const isAsked = clock.runMs() - this.#startedMs >= ASKING_MS;
    // What a clock that has run ahead destroyed would have to be announced anew, by the root.
    const pastS = this.#modules.surelyPastS();
    if (isAsked && pastS !== undefined) await keys.destroyOver(pastS);
    const days = [...this.#tables.keys(), ...this.#unsigned.keys(), ...this.#evaluator.sizes.keys()];
    for (const day of days) if (isOver(day, nowS)) this.#drop(day);
    await this.#turns.take('sign', () => this.#signAll());
  }

  #drop(day: number): void {
    this.#tables.delete(day);
    this.#unsigned.delete(day);
    this.#before.delete(day);
    this.#evaluator.destroy(day);
    this.#prepared.delete(day);
  }

  /**
   * Signs what is so now, once in a minute: tables that say the list in force, by the key that is announced. One that says an earlier list, or is by a key
   * in whose place another was announced, keeps the time at which that was so, and grows old by it, whatever keeps the next one from being made.
   */
  async #signAll(): Promise<void> {
    const { numbers, timeStanding, isSilent } = this.#modules;
    const nowS = this.#nowS();
    if (isSilent() || timeStanding() === 'astray') return;
    const version = (await numbers.inForce())?.version;
    const tables = [...new Map<number, UnsignedTable>([...this.#tables, ...this.#unsigned]).values()];
    const due: UnsignedTable[] = [];
    for (const table of tables)
      if (table.version === version && this.#isDue(table.day, nowS) && (await this.#isAnnounced(table)))
        due.push(table);
    if (due.length === 0 || !(await this.#minutes.take(nowS))) return;
    for (const table of due) {
      const { day, root } = table;
      const signed = { ...table, ...this.#sign(table, nowS) };
      const before = this.#tables.get(day);
      if (before !== undefined && before.root !== root) this.#before.set(day, before);
      this.#tables.set(day, signed);
      if (this.#unsigned.get(day)?.root === root) this.#unsigned.delete(day);
    }
  }

  #isDue(day: number, nowS: number): boolean {
    const table = this.#tables.get(day);
    return table === undefined || this.#unsigned.has(day) || nowS - table.atS >= LOOKUP_HEAD_S;
  }

  async #isAnnounced({ day, publicKey }: UnsignedTable): Promise<boolean> {
    const pair = await this.#modules.keys.announcedPair(day);
    return pair !== undefined && equalBytes(pair.publicKey, publicKey);
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
      const pair = await keys.announcedPair(day);
      if (pair === undefined) continue;
      const made = this.#unsigned.get(day) ?? this.#tables.get(day);
      const isMade = made?.version === list.version && equalBytes(made.publicKey, pair.publicKey);
      if (!isMade) await this.#press(day, pair, list);
    }
  }

  async #press(day: number, pair: LookupKeyPair, list: NumberList): Promise<void> {
    const { numbers, random, sha256 } = this.#modules;
    const rows = await numbers.rows(list);
    // Another list is in force by now: that one is pressed next.
    if (rows === undefined) return;
    const names = rows.map(({ number }) => number);
    const secrets = await this.#evaluator.evaluate(day, pair, names);
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
    const { capacity, bucket } = planTable(entries, { bits, step: CAPACITY_STEP }, random);
    const buckets: Uint8Array[] = [];
    const leaves: Uint8Array[] = [];
    for (let i = 0; i < 2 ** bits; i++) {
      if (i % BUCKETS_TOGETHER === BUCKETS_TOGETHER - 1 && (await this.#isEnded())) return;
      const bytes = bucket(i);
      buckets.push(bytes);
      leaves.push(leafHash(sha256, bytes));
    }
    const { root, pathOf } = treeOfLeaves(sha256, leaves);
    this.#unsigned.set(day, {
      day,
      version: list.version,
      publicKey: pair.publicKey,
      root,
      bits,
      capacity,
      salt,
      bucket: (at: number) => ({ bytes: buckets[at] as Uint8Array, path: pathOf(at) }),
    });
    await this.#turns.take('sign', () => this.#signAll());
  }

  #sign(
    { day, bits, root, capacity, salt }: UnsignedTable,
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
