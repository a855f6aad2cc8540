import assert from 'node:assert/strict';
import { BulkWatch } from '../../../node/abuse/bulk-watch.ts';
import { type Change, type Clock } from '../../../node/ports.ts';

/** A store of one table, and a clock that is put. */
function world() {
  const values = new Map<string, Uint8Array>();
  const store = {
    get: (key: string) => Promise.resolve(values.get(key)),
    write: (changes: readonly Change[]) => {
      for (const change of changes) if ('put' in change) values.set(change.put, change.value);
      return Promise.resolve();
    },
  };
  const at = { ms: 1_000 * 3_600_000 };
  const clock = { nowMs: () => at.ms } as Clock;
  return { store, clock, at };
}

describe('BulkWatch', () => {
  it('raises one alarm an hour for each kind, above its limit, with how many it came to', async () => {
    const { store, clock, at } = world();
    const told: string[] = [];
    const onAlarm = ({ kind, count }: { kind: string; count: number }) => void told.push(`${kind} ${count}`);
    const watch = new BulkWatch({ stricter: 10 }, { store, clock, onAlarm });
    await watch.note('stricter', 10);
    assert.deepEqual(watch.report.alarms, []);
    await watch.note('stricter', 1);
    await watch.note('stricter', 5);
    await watch.note('override', 11);
    assert.deepEqual(told, ['stricter 11', 'override 11']);
    assert.deepEqual(
      watch.report.alarms.map(({ kind, count, limit }) => [kind, count, limit]),
      [
        ['override', 11, 10],
        ['stricter', 16, 10],
      ],
    );
    at.ms += 3_600_000;
    assert.deepEqual(watch.report.counts, { stricter: 0, revoked: 0, override: 0, told: 0 });
    await watch.note('stricter', 11);
    assert.equal(watch.report.alarms.length, 3);
  });

  it('takes up what older software kept, which knew fewer kinds', async () => {
    const { store, clock } = world();
    const kept = { hour: 1_000, counts: { stricter: 1, revoked: 0, override: 2 }, alarms: [] };
    await store.write([{ put: 'abuse/bulk', value: Buffer.from(JSON.stringify(kept)) }]);
    const watch = new BulkWatch({}, { store, clock });
    await watch.start();
    assert.deepEqual(watch.report.counts, { stricter: 1, revoked: 0, override: 2, told: 0 });
  });

  it('alarms stay, and the running hour goes on, with the next process', async () => {
    const { store, clock } = world();
    const first = new BulkWatch({ revoked: 10 }, { store, clock });
    await first.note('revoked', 8);
    await first.stop();
    const second = new BulkWatch({ revoked: 10 }, { store, clock });
    await second.start();
    await second.note('revoked', 3);
    // It ends without a word, as by a loss of power: the alarm is kept all the same.
    const third = new BulkWatch({ revoked: 10 }, { store, clock });
    await third.start();
    assert.deepEqual(
      third.report.alarms.map(({ kind, count }) => [kind, count]),
      [['revoked', 11]],
    );
  });
});
