import assert from 'node:assert/strict';
import {
  AHEAD_S,
  firstGap,
  missingLogs,
  missingWindows,
  successionOf,
} from '../../../node/region/key-schedule.ts';
import { type KeyRole, type TrustKey, type TrustState } from '../../../protocol/trust/trust-state.ts';
import { DAY_S, START_S } from '../../support/regions.ts';

const HOUR_START_S = START_S - (START_S % 3_600);

function stateWith(
  keys: readonly (Pick<TrustKey, 'role' | 'fromS' | 'untilS' | 'compromise'> & Partial<TrustKey>)[],
  logs: readonly string[] = [],
): TrustState {
  const part: Pick<TrustState, 'log'> & { keysWithRole: (role: KeyRole) => readonly unknown[] } = {
    keysWithRole: (role) => keys.filter((key) => key.role === role),
    log: (log) => (logs.includes(log) ? { log, minimum: 0 } : undefined),
  };
  return part as TrustState;
}

describe('missingWindows', () => {
  it('covers 90 days from the hour at hand, each role in windows of its length', () => {
    const windows = missingWindows(stateWith([]), START_S);
    for (const [role, count] of [
      ['attest', 15],
      ['checkpoint', 3],
      ['trust-log', 3],
      ['witness', 3],
    ] as const) {
      const ofRole = windows.filter((window) => window.role === role);
      assert.equal(ofRole.length, count);
      assert.equal(ofRole[0]?.fromS, HOUR_START_S);
      assert.equal(ofRole.at(-1)?.untilS, HOUR_START_S + AHEAD_S);
      ofRole.slice(1).forEach(({ fromS }, i) => assert.equal(fromS, ofRole[i]?.untilS));
    }
  });

  it('goes on where keys in force end, and does not count a compromised one', () => {
    const key = { role: 'witness', fromS: HOUR_START_S - DAY_S, untilS: HOUR_START_S + 80 * DAY_S } as const;
    const only = (state: TrustState) =>
      missingWindows(state, START_S).filter(({ role }) => role === 'witness');
    assert.deepEqual(only(stateWith([key])), [
      { role: 'witness', fromS: key.untilS, untilS: HOUR_START_S + AHEAD_S },
    ]);
    const compromised = { ...key, compromise: { version: 1, cutOffs: new Map<string, never>() } };
    assert.equal(only(stateWith([compromised]))[0]?.fromS, HOUR_START_S);
    const later = { ...key, fromS: HOUR_START_S + DAY_S };
    assert.equal(only(stateWith([later]))[0]?.fromS, HOUR_START_S);
  });
});

describe('firstGap', () => {
  const window = (fromS: number, untilS: number) => ({ fromS, untilS });

  it('is the first moment that no window holds, whatever their order and however they overlap', () => {
    const of = window(10, 20);
    for (const [others, gap] of [
      [[], 10],
      [[window(0, 10)], 10],
      [[window(0, 20)], undefined],
      [[window(0, 19)], 19],
      [[window(15, 30), window(0, 15)], undefined],
      [[window(16, 30), window(0, 15)], 15],
      [[window(11, 30)], 10],
      // Empty, as of a key that was retired before it began.
      [[window(0, 12), window(12, 12), window(14, 5)], 12],
    ] as const)
      assert.equal(firstGap(of, others), gap);
  });

  it('is none in an empty window', () => {
    assert.equal(firstGap(window(20, 20), []), undefined);
  });
});

describe('successionOf', () => {
  const key = (keyId: string, fromDay: number, untilDay: number) =>
    ({
      keyId,
      role: 'checkpoint',
      fromS: HOUR_START_S + fromDay * DAY_S,
      untilS: HOUR_START_S + untilDay * DAY_S,
    }) as const;

  it('is as long as its role has windows, and tells what it takes over from and what follows', () => {
    const state = stateWith([key('a', -10, 20), key('b', 20, 50), { ...key('w', -10, 20), role: 'witness' }]);
    const { fromS, untilS, inPlaceOf, next } = successionOf(state, 'checkpoint', HOUR_START_S);
    assert.deepEqual([fromS, untilS, inPlaceOf], [HOUR_START_S, HOUR_START_S + 30 * DAY_S, ['a']]);
    assert.deepEqual(next, { keyId: 'b', fromS: HOUR_START_S + 20 * DAY_S });
  });

  it('ends an hour after all that are in force by then, since the one that ends last signs', () => {
    const again = stateWith([key('a', -10, 20), key('fresh', 0, 30)]);
    const { untilS, inPlaceOf, next } = successionOf(again, 'checkpoint', HOUR_START_S);
    assert.deepEqual([untilS, inPlaceOf], [HOUR_START_S + 30 * DAY_S + 3_600, ['a', 'fresh']]);
    assert.equal(next, undefined);
  });

  it('leaves out keys that are over or given up', () => {
    const compromise = { version: 1, cutOffs: new Map<string, never>() };
    const state = stateWith([key('over', -30, 0), { ...key('stolen', -1, 30), compromise }]);
    assert.deepEqual(successionOf(state, 'checkpoint', HOUR_START_S).inPlaceOf, []);
  });
});

describe('missingLogs', () => {
  it('names this month and those that begin within 90 days', () => {
    assert.deepEqual(missingLogs(stateWith([]), START_S), ['2026-11', '2026-12', '2027-01', '2027-02']);
    assert.deepEqual(missingLogs(stateWith([], ['2026-11', '2027-01']), START_S), ['2026-12', '2027-02']);
    assert.deepEqual(missingLogs(stateWith([]), Date.UTC(2026, 11, 31, 23, 59, 59) / 1_000).slice(0, 2), [
      '2026-12',
      '2027-01',
    ]);
  });
});
