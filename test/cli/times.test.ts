import assert from 'node:assert/strict';
import { parseSpan, parseTime, spanText, timeText } from '../../cli/times.ts';
import { CliError, EXIT } from '../../cli/exit.ts';

const isUsage = (error: unknown): boolean => error instanceof CliError && error.exit === EXIT.usage;

describe('parseTime', () => {
  it('takes RFC 3339 with a zone and seconds since 1970', () => {
    assert.equal(parseTime('1970-01-01T00:01:00Z'), 60);
    assert.equal(parseTime('2026-11-23T15:00+01:00'), Date.UTC(2026, 10, 23, 14) / 1000);
    assert.equal(parseTime('2028-02-29 00:00:00.999Z'), Date.UTC(2028, 1, 29) / 1000);
    assert.equal(parseTime('0'), 0);
    assert.equal(parseTime('253402300799'), 253_402_300_799);
  });

  for (const text of [
    '',
    'now',
    '-1',
    '1.5',
    '253402300800',
    '2026-11-23',
    '2026-11-23T15:00',
    '04/01/2022',
    '2021-02-30T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-23T25:00:00Z',
    '1e3',
    ' 1',
  ]) {
    it(`B69: refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseTime(text), isUsage);
    });
  }
});

describe('parseSpan', () => {
  it('takes seconds, minutes, hours and days', () => {
    const bounds = { from: '90s', to: '7d' };
    assert.deepEqual(
      ['90s', '15m', '12h', '7d'].map((text) => parseSpan(text, bounds)),
      [90, 900, 43_200, 604_800],
    );
  });

  for (const text of ['', '7', 'd', '-1d', '1.5h', '7 d', '7w', '1234567890s']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSpan(text, { from: '0s', to: '999999999d' }), isUsage);
    });
  }
});

describe('parseSpan with bounds', () => {
  for (const text of ['59s', '8d', '604801s', '99999999d', '999999999d']) {
    it(`B69: refuses ${text} where 1m to 7d are asked for, and says so`, () => {
      assert.throws(
        () => parseSpan(text, { from: '1m', to: '7d' }),
        (error) => isUsage(error) && /of 1m to 7d/.test((error as Error).message),
      );
    });
  }
});

describe('spanText and timeText', () => {
  it('use the largest fitting unit', () => {
    assert.deepEqual([119, 120, 7_199, 7_200, 172_799, 172_800].map(spanText), [
      '119 s',
      '2 min',
      '120 min',
      '2 h',
      '48 h',
      '2 days',
    ]);
  });

  it('give UTC, and the bare number beyond the year 9999', () => {
    assert.equal(timeText(0), '1970-01-01 00:00:00 UTC');
    assert.equal(timeText(Number.MAX_SAFE_INTEGER), 'second 9007199254740991');
  });
});
