/** Dates and times as CertLogic reads them and adds to them. Spec: SPEC.md 16.2. */
import { DAY_MAX, DAY_MIN, dateOf, dayOf, daysInMonth, parseDay } from './calendar.ts';

export const TIME_UNITS = ['year', 'month', 'day', 'hour'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Fractions of a second beyond the third digit are dropped; a time without a zone is in UTC. */
const TIME = /^T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{1,2})(?::?(\d{2}))?)?$/;
const MONTH_ALONE = /^(\d{4})-(\d{2})$/;
const YEAR_ALONE = /^\d{4}$/;

/** A point in time. Only operations on dates take one; it is neither true nor false. */
export class DateTime {
  /** Whole milliseconds since 1970, within the years 0 to 9999. */
  readonly ms: number;

  private constructor(ms: number) {
    this.ms = ms;
  }

  /** Undefined outside the years 0 to 9999. */
  static at(ms: number): DateTime | undefined {
    const isWithin = ms >= DAY_MIN * DAY_MS && ms < (DAY_MAX + 1) * DAY_MS;
    return isWithin ? new DateTime(ms) : undefined;
  }

  /** The point in time that a text names: a date is its midnight in UTC, a month or year alone its last day. Undefined for any other text. */
  static parse(text: string): DateTime | undefined {
    const birthDay = DateTime.parseDateOfBirth(text);
    if (birthDay !== undefined) return birthDay;
    const day = parseDay(text.slice(0, 10));
    const timeMs = day === undefined ? undefined : parseTimeMs(text.slice(10));
    return day === undefined || timeMs === undefined ? undefined : DateTime.at(day * DAY_MS + timeMs);
  }

  /** The same for a date, a month or a year without a time of day. */
  static parseDateOfBirth(text: string): DateTime | undefined {
    const day = parseDay(text) ?? lastDayOf(text);
    return day === undefined ? undefined : DateTime.at(day * DAY_MS);
  }

  /** Later by a safe integer of units, earlier if that is negative. A day that its new month does not have runs on into the next. */
  plus(amount: number, unit: TimeUnit): DateTime | undefined {
    switch (unit) {
      case 'hour':
        return DateTime.at(this.ms + amount * HOUR_MS);
      case 'day':
        return DateTime.at(this.ms + amount * DAY_MS);
      case 'month':
        return this.#plusMonths(amount);
      case 'year':
        return this.#plusMonths(12 * amount);
    }
  }

  #plusMonths(amount: number): DateTime | undefined {
    const days = Math.floor(this.ms / DAY_MS);
    const { year, month, day } = dateOf(days);
    const months = 12 * year + (month - 1) + amount;
    // Far out of range, where numbers are no longer exact.
    if (Math.abs(months) > 12 * 20_000) return undefined;
    const newYear = Math.floor(months / 12);
    const newDay = dayOf({ year: newYear, month: months - 12 * newYear + 1, day });
    return DateTime.at(newDay * DAY_MS + (this.ms - days * DAY_MS));
  }
}

/** The time of day less the offset of its zone, in milliseconds. */
function parseTimeMs(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, hour, minute, second, fraction = '', sign, zoneHour = '0', zoneMinute = '0'] = match;
  const [h, m, s, zh, zm] = [hour, minute, second, zoneHour, zoneMinute].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (h > 23 || m > 59 || s > 59 || zh > 23 || zm > 59) return undefined;
  const ofDay = h * HOUR_MS + m * MINUTE_MS + s * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
  const zone = zh * HOUR_MS + zm * MINUTE_MS;
  return sign === '-' ? ofDay + zone : ofDay - zone;
}

function lastDayOf(text: string): number | undefined {
  if (YEAR_ALONE.test(text)) return dayOf({ year: Number(text), month: 12, day: 31 });
  const match = MONTH_ALONE.exec(text);
  if (match === null) return undefined;
  const [year, month] = match.slice(1).map(Number) as [number, number];
  if (month < 1 || month > 12) return undefined;
  return dayOf({ year, month, day: daysInMonth(year, month) });
}
