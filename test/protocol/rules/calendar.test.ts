import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  dateOf,
  DAY_MAX,
  DAY_MIN,
  dayOf,
  daysInMonth,
  dayText,
  parseDay,
} from '../../../protocol/rules/calendar.ts';

const DAY_MS = 86_400_000;
const anyDay = fc.integer({ min: DAY_MIN, max: DAY_MAX });

describe('calendar', () => {
  it('agrees with the calendar of the language on every day of ten years and on random ones', () => {
    const check = (day: number) => {
      const text = new Date(day * DAY_MS).toISOString().slice(0, 10);
      assert.equal(dayText(day), text);
      assert.equal(parseDay(text), day);
      assert.equal(dayOf(dateOf(day)), day);
    };
    for (let day = 18_000; day < 21_653; day++) check(day);
    fc.assert(fc.property(anyDay, check));
    for (const day of [DAY_MIN, DAY_MAX, -1, 0]) check(day);
  });

  it('daysInMonth knows leap years and centuries', () => {
    const februaries = [1900, 2000, 2020, 2021, 2100, 2400].map((year) => daysInMonth(year, 2));
    assert.deepEqual(februaries, [28, 29, 29, 28, 28, 29]);
    assert.deepEqual(
      [4, 12].map((month) => daysInMonth(2021, month)),
      [30, 31],
    );
  });

  for (const text of [
    '2021-02-29',
    '2021-02-30',
    '1900-02-29',
    '2021-04-31',
    '2021-00-10',
    '2021-13-01',
    '2021-01-00',
    '2021-1-01',
    '21-01-01',
    '+2021-01-01',
    '2021-01-01 ',
    ' 2021-01-01',
    '２０２１-01-01',
    '04/01/2022',
    '',
  ]) {
    it(`B69: parseDay refuses ${JSON.stringify(text)}`, () => assert.equal(parseDay(text), undefined));
  }

  it('dayText refuses days outside of four-digit years', () => {
    for (const day of [DAY_MIN - 1, DAY_MAX + 1, 0.5, NaN]) assert.throws(() => dayText(day), RangeError);
  });
});
