import assert from 'node:assert/strict';
import { logIdAt, logInUse, nextInUse } from '../../../node/issuing/month-logs.ts';

const AT_S = Date.UTC(2026, 10, 27) / 1_000;

/** A state that has announced these logs. */
const announced = (...logs: readonly string[]) => ({
  log: (log: string) => (logs.includes(log) ? { log, minimum: 0 } : undefined),
});

describe('month-logs', () => {
  it('logIdAt is the month in UTC', () => {
    assert.equal(logIdAt(Date.UTC(2026, 11, 1) / 1_000), '2026-12');
    assert.equal(logIdAt(Date.UTC(2026, 11, 1) / 1_000 - 1), '2026-11');
  });

  it('logInUse is the newest that was announced for the month', () => {
    assert.equal(logInUse(announced('2026-10.3', '2026-11', '2026-12.1'), AT_S), '2026-11');
    assert.equal(logInUse(announced('2026-11', '2026-11.1', '2026-11.2'), AT_S), '2026-11.2');
    assert.equal(logInUse(announced(), AT_S), '2026-11');
  });

  it('nextInUse takes the place of that, until the month has had all', () => {
    assert.equal(nextInUse(announced('2026-11'), AT_S), '2026-11.1');
    assert.equal(nextInUse(announced('2026-11', '2026-11.1'), AT_S), '2026-11.2');
    assert.equal(nextInUse(announced(), AT_S), '2026-11.1');
    assert.equal(nextInUse(announced('2026-11.9'), AT_S), undefined);
  });
});
