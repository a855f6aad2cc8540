/**
 * Days of a region by a table of its offsets from UTC that stands in its rules: everybody counts the same days,
 * whatever zone database a machine has. Spec: SPEC.md 16.3.
 */

const DAY_S = 86_400;
const HOUR_S = 3_600;

/** From `fromS` on clocks show UTC and `offsetS` seconds; the first holds before it too. */
export interface ZoneOffset {
  readonly fromS: number;
  readonly offsetS: number;
}

/** At least one, by strictly ascending `fromS`. */
export type Zone = readonly [ZoneOffset, ...ZoneOffset[]];

/** The day since 1970 that a time falls into. */
export function localDay(zone: Zone, timeS: number): number {
  return Math.floor((timeS + offsetAt(zone, timeS)) / DAY_S);
}

/** 0 to 23. */
export function localHour(zone: Zone, timeS: number): number {
  const localS = timeS + offsetAt(zone, timeS);
  return Math.floor((localS - DAY_S * Math.floor(localS / DAY_S)) / HOUR_S);
}

/**
 * The first second from which on no clock shows an earlier day again: midnight, the next moment where clocks go from
 * before midnight to after it, the second midnight where they go back over it.
 */
export function dayStartS(zone: Zone, day: number): number {
  for (let i = zone.length - 1; ; i--) {
    const { fromS, offsetS } = zone[i] as ZoneOffset;
    const midnightS = day * DAY_S - offsetS;
    const endS = zone[i + 1]?.fromS ?? Infinity;
    if (i === 0 || midnightS > fromS) return Math.min(midnightS, endS);
    // At the beginning of this offset it is that day already. Did an earlier offset show an earlier day just before?
    if (localDay(zone, fromS - 1) < day) return fromS;
  }
}

function offsetAt(zone: Zone, timeS: number): number {
  let { offsetS } = zone[0];
  for (const { fromS, offsetS: next } of zone) {
    if (fromS > timeS) break;
    offsetS = next;
  }
  return offsetS;
}
