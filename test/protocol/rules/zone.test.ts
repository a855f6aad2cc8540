import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dayText, parseDay } from '../../../protocol/rules/calendar.ts';
import { dayStartS, localDay, localHour, type Zone } from '../../../protocol/rules/zone.ts';

const HOUR_S = 3_600;
const secondsOf = (text: string) => Date.parse(text) / 1_000;
const day = (text: string) => parseDay(text) ?? assert.fail(text);
const utc = (timeS: number) => new Date(timeS * 1_000).toISOString().replace('.000Z', 'Z');

const shanghai: Zone = [{ fromS: 0, offsetS: 8 * HOUR_S }];
const berlin: Zone = [
  { fromS: 0, offsetS: HOUR_S },
  { fromS: secondsOf('2026-03-29T01:00:00Z'), offsetS: 2 * HOUR_S },
  { fromS: secondsOf('2026-10-25T01:00:00Z'), offsetS: HOUR_S },
];
/** Clocks go from midnight to one, as in Havana in spring. */
const withoutMidnight: Zone = [
  { fromS: 0, offsetS: -5 * HOUR_S },
  { fromS: secondsOf('2026-03-08T05:00:00Z'), offsetS: -4 * HOUR_S },
];
/** Clocks go from one minute past midnight to one minute past eleven. */
const withTwoMidnights: Zone = [
  { fromS: 0, offsetS: -2 * HOUR_S },
  { fromS: secondsOf('2026-11-01T02:01:00Z'), offsetS: -3 * HOUR_S },
];
/** A whole day is left out, as in Samoa at the end of 2011. */
const withoutADay: Zone = [
  { fromS: 0, offsetS: -10 * HOUR_S },
  { fromS: secondsOf('2011-12-30T10:00:00Z'), offsetS: 14 * HOUR_S },
];

describe('zone', () => {
  for (const [name, zone, text, start] of [
    ['a zone without changes', shanghai, '2026-11-26', '2026-11-25T16:00:00Z'],
    ['before the first change', berlin, '2026-03-29', '2026-03-28T23:00:00Z'],
    ['the day after clocks went forward', berlin, '2026-03-30', '2026-03-29T22:00:00Z'],
    ['the day after clocks went back', berlin, '2026-10-26', '2026-10-25T23:00:00Z'],
    ['before all changes', berlin, '1999-12-31', '1999-12-30T23:00:00Z'],
    ['a day without midnight', withoutMidnight, '2026-03-08', '2026-03-08T05:00:00Z'],
    ['a day with two midnights', withTwoMidnights, '2026-11-01', '2026-11-01T03:00:00Z'],
    ['a day that is left out', withoutADay, '2011-12-30', '2011-12-30T10:00:00Z'],
    ['the day after one that is left out', withoutADay, '2011-12-31', '2011-12-30T10:00:00Z'],
  ] as const) {
    it(`dayStartS: ${name}`, () => assert.equal(utc(dayStartS(zone, day(text))), start));
  }

  it('localDay and localHour change at midnight and not a second before', () => {
    const midnightS = secondsOf('2026-11-25T16:00:00Z');
    assert.deepEqual(
      [-1, 0].map((s) => [dayText(localDay(shanghai, midnightS + s)), localHour(shanghai, midnightS + s)]),
      [
        ['2026-11-25', 23],
        ['2026-11-26', 0],
      ],
    );
    assert.equal(localHour([{ fromS: 0, offsetS: -HOUR_S }], 0), 23);
  });

  it('days of a change have 23 and 25 hours', () => {
    const hours = (text: string) =>
      (dayStartS(berlin, day(text) + 1) - dayStartS(berlin, day(text))) / HOUR_S;
    assert.deepEqual([hours('2026-03-29'), hours('2026-10-25'), hours('2026-10-26')], [23, 25, 24]);
  });

  it('from the start of a day on it is that day or a later one, and just before an earlier one', () => {
    const offset = fc.integer({ min: -48, max: 56 }).map((quarters) => (quarters * HOUR_S) / 4);
    const zones = fc
      .array(fc.record({ fromS: fc.integer({ min: 0, max: 40 * 86_400 }), offsetS: offset }), {
        minLength: 1,
        maxLength: 4,
      })
      .map((list) => list.toSorted((a, b) => a.fromS - b.fromS))
      .filter((list) => list.every(({ fromS }, i) => i === 0 || fromS > (list[i - 1]?.fromS ?? 0)));
    fc.assert(
      fc.property(zones, fc.integer({ min: -2, max: 42 }), (list, day) => {
        const zone = list as unknown as Zone;
        const startS = dayStartS(zone, day);
        assert.ok(localDay(zone, startS - 1) < day);
        for (const { fromS } of zone) {
          for (const timeS of [startS, fromS - 1, fromS])
            if (timeS >= startS) assert.ok(localDay(zone, timeS) >= day);
        }
      }),
    );
  });
});
