/** Times and spans as people write them: RFC 3339 with a zone or seconds since 1970; 90s, 15m, 12h, 7d. */
import { usageError } from './exit.ts';
import { printable } from './printable.ts';

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})$/;
const SPAN = /^(\d{1,9})([smhd])$/;
const SECONDS_OF = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** The year 9999, beyond which RFC 3339 has no words. */
const TIME_MAX_S = 253_402_300_799;

/** A time in whole seconds. Dates without a time or zone are refused: they mean different times in two places. */
export function parseTime(text: string): number {
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : secondsOfDate(text);
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= TIME_MAX_S) return seconds;
  throw usageError(
    `expected a time, not ${printable(text)}`,
    'Write it as 2026-11-23T14:00:00Z, with a zone, or as seconds since 1970.',
  );
}

/** A time at which windows of keys begin and end. @throws {CliError} USAGE for one within an hour; as `parseTime`. */
export function wholeHour(text: string): number {
  const timeS = parseTime(text);
  const before = timeS - (timeS % 3_600);
  if (before === timeS) return timeS;
  throw usageError(
    `windows of keys begin and end at whole hours, and ${timeText(timeS)} is none`,
    `Name ${rfc3339(before)} or ${rfc3339(before + 3_600)}.`,
  );
}

/** Which spans a caller takes, both ends included, in the words that people write. */
export interface SpanBounds {
  readonly from: string;
  readonly to: string;
}

/** A span in whole seconds. @throws {CliError} for what is none, or is out of bounds. */
export function parseSpan(text: string, { from, to }: SpanBounds): number {
  const seconds = secondsOfSpan(text);
  if (seconds === undefined) {
    throw usageError(`expected a span of time, not ${printable(text)}`, 'Write it as 90s, 15m, 12h or 7d.');
  }
  if (seconds >= (secondsOfSpan(from) ?? 0) && seconds <= (secondsOfSpan(to) ?? 0)) return seconds;
  throw usageError(`expected a span of ${from} to ${to}, not ${printable(text)}`);
}

/** As options take a time. */
export function rfc3339(timeS: number): string {
  return timeText(timeS).replace(' UTC', 'Z').replace(' ', 'T');
}

/** `2026-11-23 14:00:05 UTC` */
export function timeText(timeS: number): string {
  if (timeS > TIME_MAX_S) return `second ${timeS}`;
  return `${new Date(timeS * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A span in its largest fitting unit: `45 s`, `10 min`, `26 h`, `3 days`. */
export function spanText(spanS: number): string {
  const size = Math.abs(spanS);
  if (size < 120) return `${spanS} s`;
  if (size < 7_200) return `${Math.round(spanS / 60)} min`;
  if (size < 172_800) return `${Math.round(spanS / 3_600)} h`;
  return `${Math.round(spanS / 86_400)} days`;
}

function secondsOfSpan(text: string): number | undefined {
  const [, count, unit] = SPAN.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * SECONDS_OF[unit as keyof typeof SECONDS_OF];
}

function secondsOfDate(text: string): number {
  if (!RFC_3339.test(text)) return NaN;
  const milliseconds = Date.parse(text.replace(' ', 'T'));
  // JavaScript reads 2021-02-30 as 2 March; a real date keeps its day.
  const day = Number(text.slice(8, 10));
  const daysInMonth = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return day > daysInMonth ? NaN : Math.floor(milliseconds / 1000);
}
