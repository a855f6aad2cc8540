import assert from 'node:assert/strict';
import { dayText, parseDay } from '../../../protocol/rules/calendar.ts';
import { dayStartS } from '../../../protocol/rules/zone.ts';
import { zoneOffsets } from '../../../node/rules/zone-offsets.ts';

const secondsOf = (text: string) => Date.parse(text) / 1_000;
const YEAR = [secondsOf('2026-01-01T00:00:00Z'), secondsOf('2027-01-01T00:00:00Z')] as const;
const hoursOf = (zone: string) =>
  zoneOffsets(zone, ...YEAR)?.map(({ fromS, offsetS }) => [
    fromS === 0 ? '' : new Date(1_000 * fromS).toISOString(),
    offsetS / 3_600,
  ]);

describe('zoneOffsets', () => {
  it('gives one offset for a zone without changes, and for a fixed one', () => {
    assert.deepEqual(hoursOf('Asia/Shanghai'), [['', 8]]);
    assert.deepEqual(hoursOf('+08:00'), [['', 8]]);
    assert.deepEqual(hoursOf('-03:30'), [['', -3.5]]);
    assert.deepEqual(hoursOf('UTC'), [['', 0]]);
    assert.deepEqual(hoursOf('Asia/Kathmandu'), [['', 5.75]]);
  });

  it('finds each change to the second, north and south', () => {
    assert.deepEqual(hoursOf('Europe/Berlin'), [
      ['', 1],
      ['2026-03-29T01:00:00.000Z', 2],
      ['2026-10-25T01:00:00.000Z', 1],
    ]);
    assert.deepEqual(hoursOf('Australia/Lord_Howe'), [
      ['', 11],
      ['2026-04-04T15:00:00.000Z', 10.5],
      ['2026-10-03T15:30:00.000Z', 11],
    ]);
  });

  it('days then begin at the midnights of the zone, also where midnight is left out', () => {
    const zone = zoneOffsets('America/Havana', ...YEAR) ?? assert.fail();
    const startOf = (text: string) => new Date(1_000 * dayStartS(zone, parseDay(text) ?? NaN)).toISOString();
    assert.equal(startOf('2026-03-08'), '2026-03-08T05:00:00.000Z');
    assert.equal(startOf('2026-03-09'), '2026-03-09T04:00:00.000Z');
    assert.equal(dayText(20_520), '2026-03-08');
  });

  it('knows a zone that there is not', () => {
    for (const zone of ['Mars/Olympus', '', '+24:00', '+8', '../etc/passwd'])
      assert.equal(zoneOffsets(zone, ...YEAR), undefined, zone);
  });
});
