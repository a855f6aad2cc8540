/**
 * Sees when many colours change at once, and raises an alarm that stays to be seen: whoever turns a thousand people red has to be
 * asked why, whether rules did it or somebody's hand. Counts of the running hour are kept with each alarm and when the node stops.
 */
import { z } from 'zod';
import { type Clock } from '../ports.ts';
import { type Store } from '../store/store.ts';

/**
 * `stricter`: yellow and red codes that were issued; `revoked`: indexes; `override`: people whose colour no rule gave; `told`: yellow and red codes
 * that rest on what one operator told alone, as facts of an order or by hand.
 */
export const BULK_KINDS = ['stricter', 'revoked', 'override', 'told'] as const;
export type BulkKind = (typeof BULK_KINDS)[number];

export type BulkLimits = Readonly<Record<BulkKind, number>>;
export const BULK_LIMITS: BulkLimits = { stricter: 1_000, revoked: 1_000, override: 10, told: 50 };
const NONE: Readonly<Record<BulkKind, number>> = { stricter: 0, revoked: 0, override: 0, told: 0 };

const alarmSchema = z.strictObject({
  kind: z.enum(BULK_KINDS),
  hour: z.int(),
  count: z.int(),
  limit: z.int(),
});
export type BulkAlarm = Readonly<z.infer<typeof alarmSchema>>;
const keptSchema = z.strictObject({
  hour: z.int(),
  // Older software knows fewer kinds.
  counts: z.partialRecord(z.enum(BULK_KINDS), z.int()),
  alarms: z.array(alarmSchema),
});

export interface BulkReport {
  /** Of the hour (UTC) that runs. */
  readonly counts: Readonly<Record<BulkKind, number>>;
  /** The newest first: one for each kind and hour, with how many it came to. */
  readonly alarms: readonly BulkAlarm[];
}

export interface BulkWatchModules {
  readonly store: Pick<Store, 'get' | 'write'>;
  readonly clock: Clock;
  /** Told of each alarm once. Must not throw. */
  readonly onAlarm?: (alarm: BulkAlarm) => void;
}

const KEY = 'abuse/bulk';
const HOUR_MS = 3_600_000;
/** A month of an alarm an hour would be more than anybody reads. */
const ALARMS_MAX = 100;

export class BulkWatch {
  readonly #limits: BulkLimits;
  readonly #modules: BulkWatchModules;
  #hour = 0;
  #counts: Record<BulkKind, number> = { ...NONE };
  #alarms: readonly BulkAlarm[] = [];
  #isChanged = false;

  constructor(limits: Partial<BulkLimits>, modules: BulkWatchModules) {
    this.#limits = { ...BULK_LIMITS, ...limits };
    this.#modules = modules;
  }

  /** Takes up what an earlier process counted. Rejects as the store does. */
  async start(): Promise<void> {
    const bytes = await this.#modules.store.get(KEY);
    if (bytes === undefined) return;
    const { hour, counts, alarms } = keptSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
    this.#hour = hour;
    this.#counts = { ...NONE, ...counts };
    this.#alarms = alarms;
  }

  /** Keeps what was counted. Rejects as the store does. */
  async stop(): Promise<void> {
    if (this.#isChanged) await this.#keep();
  }

  /** Counts; by the time that it resolves an alarm that this raised is kept. Rejects as the store does. */
  async note(kind: BulkKind, count: number): Promise<void> {
    if (count === 0) return;
    this.#turn();
    this.#counts[kind] += count;
    this.#isChanged = true;
    const now = { kind, hour: this.#hour, count: this.#counts[kind], limit: this.#limits[kind] };
    if (now.count <= now.limit) return;
    const isSame = (one: BulkAlarm) => one.kind === kind && one.hour === this.#hour;
    const isNew = !this.#alarms.some(isSame);
    this.#alarms = [now, ...this.#alarms.filter((one) => !isSame(one))].slice(0, ALARMS_MAX);
    if (!isNew) return;
    this.#modules.onAlarm?.(now);
    await this.#keep();
  }

  get report(): BulkReport {
    this.#turn();
    return { counts: { ...this.#counts }, alarms: this.#alarms };
  }

  #turn(): void {
    const hour = Math.floor(this.#modules.clock.nowMs() / HOUR_MS);
    if (hour === this.#hour) return;
    this.#hour = hour;
    this.#counts = { ...NONE };
  }

  async #keep(): Promise<void> {
    this.#isChanged = false;
    const kept = { hour: this.#hour, counts: this.#counts, alarms: [...this.#alarms] };
    await this.#modules.store.write([{ put: KEY, value: Buffer.from(JSON.stringify(kept)) }]);
  }
}
