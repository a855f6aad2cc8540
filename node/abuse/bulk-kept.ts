/**
 * What is kept of the counts of colours that changed. A row of counts must never keep a region from starting: whatever of it cannot be read, be it
 * damaged or of another version, is left out and named, and the rest is taken up.
 *
 *   abuse/changes   the counts and the alarms
 *   abuse/bulk      those of an older version, by the clock hour; removed with the first write of the other
 */
import { z } from 'zod';
import { type Bucket, bucketSchema, type SlidingSpan } from './sliding-count.ts';

/**
 * `stricter`: yellow and red codes that were issued; `revoked`: indexes; `override`: people whose colour no rule gave; `told`: yellow and red codes
 * that rest on what one operator told alone, as facts of an order or by hand; `numbersStricter` and `numbersLooser`: numbers that a list of the local system
 * turned.
 */
export const BULK_KINDS = [
  'stricter',
  'revoked',
  'override',
  'told',
  'numbersStricter',
  'numbersLooser',
] as const;
export type BulkKind = (typeof BULK_KINDS)[number];

/** Within 60 minutes, and at most one more; within 24 hours, and at most one more. */
export const BULK_SPANS = {
  hour: { bucketMs: 60_000, buckets: 61 },
  day: { bucketMs: 3_600_000, buckets: 25 },
} as const satisfies Record<string, SlidingSpan>;
export type BulkSpan = keyof typeof BULK_SPANS;
export const SPAN_NAMES = ['hour', 'day'] as const satisfies readonly BulkSpan[];

export const CHANGES_KEY = 'abuse/changes';
export const OLDER_KEY = 'abuse/bulk';

const HOUR_S = 3_600;

const alarmSchema = z.strictObject({
  kind: z.enum(BULK_KINDS),
  span: z.enum(SPAN_NAMES),
  /** When it was raised, seconds since 1970. */
  atS: z.int(),
  /** The most that came within the span, while that in which it was raised lasted. */
  count: z.int(),
  limit: z.int(),
});
export type BulkAlarm = Readonly<z.infer<typeof alarmSchema>>;

export interface KeptCounts {
  readonly kind: BulkKind;
  readonly span: BulkSpan;
  readonly buckets: readonly Bucket[];
}

export interface KeptChanges {
  readonly counts: readonly KeptCounts[];
  /** The newest first. */
  readonly alarms: readonly BulkAlarm[];
  /** Parts of it that cannot be read. */
  readonly unread: number;
}

const countsSchema = z.strictObject({
  kind: z.enum(BULK_KINDS),
  span: z.enum(SPAN_NAMES),
  buckets: z.array(bucketSchema),
});
const keptSchema = z.object({ counts: z.array(z.unknown()), alarms: z.array(z.unknown()) });
const olderAlarmSchema = z
  .object({ kind: z.enum(BULK_KINDS), hour: z.int(), count: z.int(), limit: z.int() })
  .transform(({ hour, ...alarm }): BulkAlarm => ({ ...alarm, span: 'hour', atS: hour * HOUR_S }));
const olderSchema = z.object({
  hour: z.int().min(0),
  counts: z.record(z.string(), z.unknown()),
  alarms: z.array(z.unknown()),
});

const MINUTES_OF_HOUR = 60;
const NOTHING = { counts: [], alarms: [], unread: 1 } as const;

export function encodeChanges({ counts, alarms }: Omit<KeptChanges, 'unread'>): Uint8Array {
  return Buffer.from(JSON.stringify({ counts, alarms }));
}

/** What a value of `CHANGES_KEY` says. Total. */
export function readChanges(bytes: Uint8Array): KeptChanges {
  const { data } = keptSchema.safeParse(jsonOf(bytes));
  if (data === undefined) return NOTHING;
  const counts = data.counts.flatMap((one) => countsSchema.safeParse(one).data ?? []);
  const alarms = data.alarms.flatMap((one) => alarmSchema.safeParse(one).data ?? []);
  const given = data.counts.length + data.alarms.length;
  return { counts, alarms, unread: given - counts.length - alarms.length };
}

/** The same of `OLDER_KEY`: nobody knows when in that hour it was, so it counts for as long as it may. Total. */
export function readOlder(bytes: Uint8Array): KeptChanges {
  const { data } = olderSchema.safeParse(jsonOf(bytes));
  if (data === undefined) return NOTHING;
  const counts: KeptCounts[] = [];
  let unread = 0;
  for (const [name, count] of Object.entries(data.counts)) {
    if (count === 0) continue;
    const lastMinute = data.hour * MINUTES_OF_HOUR + MINUTES_OF_HOUR - 1;
    for (const [span, number] of [['hour', lastMinute] as const, ['day', data.hour] as const]) {
      const kept = countsSchema.safeParse({ kind: name, span, buckets: [[number, count]] }).data;
      if (kept !== undefined) counts.push(kept);
      else if (span === 'hour') unread++;
    }
  }
  const alarms = data.alarms.flatMap((one) => olderAlarmSchema.safeParse(one).data ?? []);
  return { counts, alarms, unread: unread + data.alarms.length - alarms.length };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
