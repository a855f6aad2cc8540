/**
 * Sees when many colours change at once, and raises an alarm that stays to be seen: whoever turns a thousand people red has to be
 * asked why, whether rules did it or somebody's hand. It counts what came within the last hour, and the last day, and not by the hour of the clock, in
 * two of which somebody could do the double. Counts are kept with each alarm and when the node stops.
 */
import { isNodeError, NodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';
import {
  BULK_KINDS,
  BULK_SPANS,
  type BulkAlarm,
  type BulkKind,
  type BulkSpan,
  CHANGES_KEY,
  encodeChanges,
  type KeptChanges,
  OLDER_KEY,
  readChanges,
  readOlder,
  SPAN_NAMES,
} from './bulk-kept.ts';
import { SlidingCount } from './sliding-count.ts';

export interface BulkLimits {
  readonly perHour: Readonly<Record<BulkKind, number>>;
  /** A day may have so many times what an hour may. */
  readonly dayTimes: number;
}
export const BULK_LIMITS: BulkLimits = {
  perHour: {
    stricter: 1_000,
    revoked: 1_000,
    override: 10,
    told: 50,
    numbersStricter: 1_000,
    numbersLooser: 1_000,
  },
  dayTimes: 4,
};

export type BulkCounts = Readonly<Record<BulkKind, number>>;

export interface BulkReport {
  /** Within the last hour. */
  readonly counts: BulkCounts;
  /** Within the last day. */
  readonly ofDay: BulkCounts;
  /** The newest first: one for each kind and span, with how many it came to. */
  readonly alarms: readonly BulkAlarm[];
}

export interface BulkWatchModules {
  readonly store: Pick<Store, 'get' | 'write'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told of each alarm once. Must not throw. */
  readonly onAlarm?: (alarm: BulkAlarm) => void;
  /** Told of what was kept and cannot be read, and so is counted anew. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** A month of an alarm an hour would be more than anybody reads. */
const ALARMS_MAX = 100;

type Counts = Readonly<Record<BulkSpan, SlidingCount>>;

export class BulkWatch {
  readonly #limits: BulkLimits;
  readonly #modules: BulkWatchModules;
  readonly #counts: Record<BulkKind, Counts> = ofKinds(() => countsOf({ hour: [], day: [] }));
  #alarms: readonly BulkAlarm[] = [];
  #isChanged = false;
  #hasOlder = false;

  constructor(limits: BulkLimits, modules: BulkWatchModules) {
    this.#limits = limits;
    this.#modules = modules;
  }

  /** Takes up what an earlier process counted, as far as that can be read. Rejects as the store does, but for a value that is damaged. */
  async start(): Promise<void> {
    const changes = await this.#read(CHANGES_KEY, readChanges);
    const older = await this.#read(OLDER_KEY, readOlder);
    this.#hasOlder = older !== undefined;
    const kept = changes ?? older;
    if (kept === undefined) return;
    for (const kind of BULK_KINDS) {
      const bucketsOf = (span: BulkSpan) =>
        kept.counts.find((one) => one.kind === kind && one.span === span)?.buckets ?? [];
      this.#counts[kind] = countsOf({ hour: bucketsOf('hour'), day: bucketsOf('day') });
    }
    this.#alarms = kept.alarms.slice(0, ALARMS_MAX);
  }

  /** Keeps what was counted. Rejects as the store does. */
  async stop(): Promise<void> {
    if (this.#isChanged) await this.#keep();
  }

  /** Counts; by the time that it resolves an alarm that this raised is kept. Rejects as the store does. */
  async note(kind: BulkKind, count: number): Promise<void> {
    if (count === 0) return;
    const nowMs = this.#modules.clock.nowMs();
    for (const span of SPAN_NAMES) this.#counts[kind][span].add(count, nowMs);
    this.#isChanged = true;
    const isNew = SPAN_NAMES.map((span) => this.#raise(kind, span, nowMs));
    if (isNew.includes(true)) await this.#keep();
  }

  get report(): BulkReport {
    const nowMs = this.#modules.clock.nowMs();
    const total = (span: BulkSpan) => ofKinds((kind) => this.#counts[kind][span].total(nowMs));
    return { counts: total('hour'), ofDay: total('day'), alarms: this.#alarms };
  }

  /** Whether there is an alarm now that was not. One that is raised runs until nothing counts any more of what raised it. */
  #raise(kind: BulkKind, span: BulkSpan, nowMs: number): boolean {
    const perHour = this.#limits.perHour[kind];
    const limit = span === 'hour' ? perHour : perHour * this.#limits.dayTimes;
    const count = this.#counts[kind][span].total(nowMs);
    if (count <= limit) return false;
    const running = this.#running(kind, span, nowMs);
    if (running !== undefined) {
      const more = { ...running, count: Math.max(running.count, count) };
      this.#alarms = this.#alarms.map((one) => (one === running ? more : one));
      return false;
    }
    // Of what is told already nobody is told again.
    if (span === 'day' && this.#running(kind, 'hour', nowMs) !== undefined) return false;
    const alarm = { kind, span, atS: Math.floor(nowMs / 1_000), count, limit };
    this.#alarms = [alarm, ...this.#alarms].slice(0, ALARMS_MAX);
    this.#modules.onAlarm?.(alarm);
    return true;
  }

  #running(kind: BulkKind, span: BulkSpan, nowMs: number): BulkAlarm | undefined {
    const newest = this.#alarms.find((one) => one.kind === kind && one.span === span);
    const reaches = newest && this.#counts[kind][span].reaches(newest.atS * 1_000, nowMs);
    return reaches === true ? newest : undefined;
  }

  async #read(key: string, read: (bytes: Uint8Array) => KeptChanges): Promise<KeptChanges | undefined> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#modules.store.get(key);
    } catch (error) {
      if (!isNodeError(error, 'VALUE_CORRUPT')) throw error;
      this.#modules.onTrouble?.(unread(key, error));
      return { counts: [], alarms: [], unread: 1 };
    }
    const kept = bytes && read(bytes);
    if (kept !== undefined && kept.unread > 0) this.#modules.onTrouble?.(unread(key));
    return kept;
  }

  async #keep(): Promise<void> {
    const nowMs = this.#modules.clock.nowMs();
    const counts = BULK_KINDS.flatMap((kind) =>
      SPAN_NAMES.map((span) => ({ kind, span, buckets: this.#counts[kind][span].kept(nowMs) })),
    ).filter(({ buckets }) => buckets.length > 0);
    this.#isChanged = false;
    const value = encodeChanges({ counts, alarms: this.#alarms });
    const older = this.#hasOlder ? [{ del: OLDER_KEY }] : [];
    await this.#modules.store.write([{ put: CHANGES_KEY, value }, ...older]);
    this.#hasOlder = false;
  }
}

/** Counts what a list of numbers turned. As `BulkWatch.note`. */
export async function noteTurned(
  watch: Pick<BulkWatch, 'note'>,
  { stricter, looser }: { readonly stricter: number; readonly looser: number },
): Promise<void> {
  await watch.note('numbersStricter', stricter);
  await watch.note('numbersLooser', looser);
}

function ofKinds<T>(of: (kind: BulkKind) => T): Record<BulkKind, T> {
  return Object.fromEntries(BULK_KINDS.map((kind) => [kind, of(kind)])) as Record<BulkKind, T>;
}

function countsOf(kept: Readonly<Record<BulkSpan, ConstructorParameters<typeof SlidingCount>[1]>>): Counts {
  return {
    hour: new SlidingCount(BULK_SPANS.hour, kept.hour),
    day: new SlidingCount(BULK_SPANS.day, kept.day),
  };
}

function unread(key: string, cause?: unknown): NodeError {
  const message = `of the counts of colours that changed (${key}) not all can be read: what is missing is counted anew`;
  return new NodeError('VALUE_CORRUPT', message, {
    key,
    ...(cause !== undefined && { cause }),
    hint: 'Nothing has to be done, unless alarms are missed: `entente trail show` says what was ordered before.',
  });
}
