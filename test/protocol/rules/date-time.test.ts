import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DateTime, type TimeUnit } from '../../../protocol/rules/date-time.ts';

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
const plus = (text: string, amount: number, unit: TimeUnit) =>
  iso(DateTime.parse(text)?.plus(amount, unit)?.ms);

describe('DateTime', () => {
  for (const [text, expected] of [
    ['2021-06-01', '2021-06-01T00:00:00.000Z'],
    ['2021-06-01T12:34:56Z', '2021-06-01T12:34:56.000Z'],
    ['2021-06-01T12:34:56', '2021-06-01T12:34:56.000Z'],
    ['2021-06-01T12:34:56.7899999Z', '2021-06-01T12:34:56.789Z'],
    ['2021-06-01T00:30:00+02:00', '2021-05-31T22:30:00.000Z'],
    ['2021-06-01T00:30:00+0200', '2021-05-31T22:30:00.000Z'],
    ['2021-06-01T00:30:00+2', '2021-05-31T22:30:00.000Z'],
    ['2021-12-31T23:30:00-05:45', '2022-01-01T05:15:00.000Z'],
    ['2021', '2021-12-31T00:00:00.000Z'],
    ['2020-02', '2020-02-29T00:00:00.000Z'],
  ] as const) {
    it(`parse takes ${text}`, () => assert.equal(iso(DateTime.parse(text)?.ms), expected));
  }

  for (const text of [
    '2021-02-30T00:00:00Z',
    '2021-06-01T24:00:00Z',
    '2021-06-01T12:60:00Z',
    '2021-06-01T12:00:60Z',
    '2021-06-01T12:00',
    '2021-06-01 12:00:00Z',
    '2021-06-01T12:00:00+24:00',
    '2021-06-01T12:00:00+02:60',
    '2021-06-01T12:00:00.Z',
    '2021-13',
    '20211',
    '0000-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    'now',
    '',
  ]) {
    it(`parse refuses ${JSON.stringify(text)}`, () => assert.equal(DateTime.parse(text), undefined));
  }

  for (const [text, amount, unit, expected] of [
    ['2021-01-31', 1, 'month', '2021-03-03T00:00:00.000Z'],
    ['2020-01-31', 1, 'month', '2020-03-02T00:00:00.000Z'],
    ['2021-03-31', -1, 'month', '2021-03-03T00:00:00.000Z'],
    ['2021-12-15', 1, 'month', '2022-01-15T00:00:00.000Z'],
    ['2021-01-15', -13, 'month', '2019-12-15T00:00:00.000Z'],
    ['2020-02-29', 1, 'year', '2021-03-01T00:00:00.000Z'],
    ['2020-02-29', -1, 'year', '2019-03-01T00:00:00.000Z'],
    ['2020-02-29', 4, 'year', '2024-02-29T00:00:00.000Z'],
    ['2020-02-28T23:30:00Z', 1, 'day', '2020-02-29T23:30:00.000Z'],
    ['2020-02-28T23:30:00Z', 1, 'hour', '2020-02-29T00:30:00.000Z'],
    ['1970-01-01', -1, 'hour', '1969-12-31T23:00:00.000Z'],
  ] as const) {
    it(`plus: ${text} and ${amount} ${unit}`, () => assert.equal(plus(text, amount, unit), expected));
  }

  it('plus agrees with the calendar of the language', () => {
    const setters = {
      hour: (date: Date, amount: number) => date.setUTCHours(date.getUTCHours() + amount),
      day: (date: Date, amount: number) => date.setUTCDate(date.getUTCDate() + amount),
      month: (date: Date, amount: number) => date.setUTCMonth(date.getUTCMonth() + amount),
      year: (date: Date, amount: number) => date.setUTCFullYear(date.getUTCFullYear() + amount),
    };
    const start = fc.date({ min: new Date('1000-01-01'), max: new Date('8000-01-01'), noInvalidDate: true });
    const unit = fc.constantFrom<TimeUnit>('hour', 'day', 'month', 'year');
    fc.assert(
      fc.property(start, fc.integer({ min: -900, max: 900 }), unit, (date, amount, unit) => {
        const expected = new Date(date);
        setters[unit](expected, amount);
        assert.equal(plus(date.toISOString(), amount, unit), expected.toISOString());
      }),
    );
  });

  it('plus gives nothing beyond four-digit years, however far', () => {
    for (const unit of ['year', 'month', 'day', 'hour'] as const) {
      assert.equal(plus('2021-06-01', Number.MAX_SAFE_INTEGER, unit), undefined);
      assert.equal(plus('2021-06-01', Number.MIN_SAFE_INTEGER, unit), undefined);
    }
    assert.equal(plus('9999-12-31T23:00:00Z', 1, 'hour'), undefined);
    assert.equal(plus('0000-01-01', -1, 'day'), undefined);
  });
});
