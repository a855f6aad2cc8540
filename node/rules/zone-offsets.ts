/** Offsets of a time zone from the zone database of this machine, to be written into rules once and for all. */
import { type Zone, type ZoneOffset } from '../../protocol/rules/zone.ts';

const DAY_S = 86_400;
const FIXED = /^([+-])(\d{2}):(\d{2})$/;
const SHOWN = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/;

/**
 * The offsets of a zone of the IANA database, or of a fixed one such as `+08:00`, that hold at some time from `fromS` to `untilS`.
 * Undefined for a zone that there is not. Looks at each day once: of clocks that change twice within a day it misses both.
 */
export function zoneOffsets(zone: string, fromS: number, untilS: number): Zone | undefined {
  const fixed = FIXED.exec(zone);
  if (fixed !== null) {
    const offsetS = secondsOf(fixed);
    return Math.abs(offsetS) < DAY_S ? [{ fromS: 0, offsetS }] : undefined;
  }
  const offsetAt = offsetsOf(zone);
  if (offsetAt === undefined) return undefined;
  const first: ZoneOffset = { fromS: 0, offsetS: offsetAt(fromS) };
  const later: ZoneOffset[] = [];
  let { offsetS } = first;
  for (let timeS = fromS; timeS < untilS; timeS += DAY_S) {
    const nextS = Math.min(timeS + DAY_S, untilS);
    const next = offsetAt(nextS);
    if (next === offsetS) continue;
    later.push({ fromS: changeBetween(offsetAt, timeS, nextS), offsetS: next });
    offsetS = next;
  }
  return [first, ...later];
}

/** The first second at which the offset is no longer that of `fromS`. */
function changeBetween(offsetAt: (timeS: number) => number, fromS: number, untilS: number): number {
  const before = offsetAt(fromS);
  let [low, high] = [fromS, untilS];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function offsetsOf(zone: string): ((timeS: number) => number) | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return (timeS) => {
    const part = format.formatToParts(timeS * 1_000).find(({ type }) => type === 'timeZoneName');
    const shown = SHOWN.exec(part?.value ?? '');
    if (shown === null) throw new TypeError(`no offset of ${zone} is known`);
    return secondsOf(shown);
  };
}

function secondsOf([, sign, hours = '0', minutes = '0', seconds = '0']: RegExpExecArray): number {
  const size = 3_600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
  return sign === '-' ? -size : size;
}
