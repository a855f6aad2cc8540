import assert from 'node:assert/strict';
import { BULK_KINDS, type BulkKind } from '../../../node/abuse/bulk-kept.ts';
import { BULK_LIMITS, BulkWatch, type BulkWatchModules } from '../../../node/abuse/bulk-watch.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { type Change, type Clock } from '../../../node/ports.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_HOUR = 1_000;
const KEY = 'abuse/changes';
const OLDER_KEY = 'abuse/bulk';

/** A store of one table, and a clock that is put. */
function world() {
  const values = new Map<string, Uint8Array>();
  const store = {
    get: (key: string) => Promise.resolve(values.get(key)),
    write: (changes: readonly Change[]) => {
      for (const change of changes)
        if ('put' in change) values.set(change.put, change.value);
        else values.delete(change.del);
      return Promise.resolve();
    },
  };
  const at = { ms: START_HOUR * HOUR_MS };
  const clock = { nowMs: () => at.ms } as Clock;
  const told: string[] = [];
  const troubles: NodeError[] = [];
  const modules: BulkWatchModules = {
    store,
    clock,
    onAlarm: ({ kind, span, count }) => void told.push(`${kind} ${span} ${count}`),
    onTrouble: (error) => void (error instanceof NodeError && troubles.push(error)),
  };
  const watchOf = (perHour: Partial<Record<BulkKind, number>>, dayTimes = BULK_LIMITS.dayTimes) =>
    new BulkWatch({ perHour: { ...BULK_LIMITS.perHour, ...perHour }, dayTimes }, modules);
  const started = async (perHour: Partial<Record<BulkKind, number>> = {}) => {
    const watch = watchOf(perHour);
    await watch.start();
    return watch;
  };
  return { values, at, told, troubles, watchOf, started, modules };
}

const none = Object.fromEntries(BULK_KINDS.map((kind) => [kind, 0]));

describe('BulkWatch', () => {
  it('raises one alarm for each kind while what raised it counts, above its limit, with how many it came to', async () => {
    const { at, told, watchOf } = world();
    const watch = watchOf({ stricter: 10 });
    await watch.note('stricter', 10);
    assert.deepEqual(watch.report.alarms, []);
    await watch.note('stricter', 1);
    await watch.note('stricter', 5);
    await watch.note('override', 11);
    assert.deepEqual(told, ['stricter hour 11', 'override hour 11']);
    assert.deepEqual(
      watch.report.alarms.map(({ kind, count, limit }) => [kind, count, limit]),
      [
        ['override', 11, 10],
        ['stricter', 16, 10],
      ],
    );
    at.ms += HOUR_MS + MINUTE_MS;
    assert.deepEqual(watch.report.counts, none);
    await watch.note('stricter', 11);
    assert.equal(watch.report.alarms.length, 3);
  });

  it('no hour of the clock parts what comes within sixty minutes, and what is older counts no more', async () => {
    const { at, told, watchOf } = world();
    const watch = watchOf({});
    at.ms += 59 * MINUTE_MS;
    await watch.note('stricter', 900);
    at.ms += 2 * MINUTE_MS;
    await watch.note('stricter', 417);
    assert.deepEqual(told, ['stricter hour 1317']);
    // Within the same sixty minutes, to their last, an alarm is the same.
    at.ms += 58 * MINUTE_MS;
    await watch.note('stricter', 1);
    assert.deepEqual([watch.report.counts.stricter, watch.report.alarms[0]?.count], [1_318, 1_318]);
    at.ms += MINUTE_MS;
    assert.equal(watch.report.counts.stricter, 418);
    assert.equal(told.length, 1);
  });

  it('raises an alarm for a day of what no hour is too much of, once, and none beside that of the hour', async () => {
    const { at, told, watchOf } = world();
    const watch = watchOf({ revoked: 10 });
    for (let hour = 0; hour < 6; hour++) {
      await watch.note('revoked', 9);
      at.ms += 2 * HOUR_MS;
    }
    assert.deepEqual(told, ['revoked day 45']);
    assert.deepEqual([watch.report.counts.revoked, watch.report.ofDay.revoked], [0, 54]);
    await watch.note('stricter', 50_000);
    assert.deepEqual(told.slice(1), ['stricter hour 50000']);
    at.ms += 25 * HOUR_MS;
    assert.deepEqual(watch.report.ofDay, none);
  });

  it('a clock that is set back leaves no count and no alarm in the future', async () => {
    const { at, told, watchOf } = world();
    const watch = watchOf({ revoked: 10 });
    at.ms += 1_000 * HOUR_MS;
    await watch.note('revoked', 11);
    at.ms -= 1_000 * HOUR_MS;
    assert.equal(watch.report.counts.revoked, 11);
    await watch.note('revoked', 1);
    assert.equal(told.length, 2);
    at.ms += HOUR_MS + MINUTE_MS;
    assert.equal(watch.report.counts.revoked, 0);
  });

  it('alarms stay, and the hour goes on, with the next process', async () => {
    const { at, started } = world();
    const first = await started({ revoked: 10 });
    await first.note('revoked', 8);
    await first.stop();
    at.ms += 59 * MINUTE_MS;
    const second = await started({ revoked: 10 });
    await second.note('revoked', 3);
    // It ends without a word, as by a loss of power: the alarm is kept all the same.
    const third = await started({ revoked: 10 });
    assert.deepEqual(
      third.report.alarms.map(({ kind, count }) => [kind, count]),
      [['revoked', 11]],
    );
    assert.deepEqual([third.report.counts.revoked, third.report.ofDay.revoked], [11, 11]);
  });

  const older = {
    hour: START_HOUR,
    counts: { stricter: 1, revoked: 0, override: 2 },
    alarms: [] as unknown[],
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));

  it('takes up what older software kept by the clock hour, which knew fewer kinds, and removes it', async () => {
    const { values, at, troubles, started } = world();
    const alarm = { kind: 'override', hour: START_HOUR, count: 12, limit: 10 };
    values.set(OLDER_KEY, json({ ...older, alarms: [alarm] }));
    const watch = await started();
    assert.deepEqual(watch.report.counts, { ...none, stricter: 1, override: 2 });
    assert.deepEqual(watch.report.alarms, [
      { kind: 'override', span: 'hour', atS: START_HOUR * 3_600, count: 12, limit: 10 },
    ]);
    at.ms += 2 * HOUR_MS;
    await watch.note('stricter', 5);
    await watch.stop();
    assert.deepEqual([...values.keys()], [KEY]);
    assert.equal((await started()).report.ofDay.stricter, 6);
    assert.deepEqual(troubles, []);
  });

  const good = { kind: 'stricter', span: 'hour', buckets: [[START_HOUR * 60, 7]] };
  const alarm = { kind: 'told', span: 'hour', atS: START_HOUR * 3_600, count: 51, limit: 50 };
  const kept = (counts: unknown[], alarms: unknown[] = [alarm]) => json({ counts, alarms });
  const SPOILT: readonly [string, string, Uint8Array, number, number][] = [
    ['no JSON', KEY, Buffer.from('{"counts":'), 0, 0],
    ['no counts', KEY, json({ hour: 1 }), 0, 0],
    ['nothing', KEY, Buffer.alloc(0), 0, 0],
    ['a kind of newer software', KEY, kept([good, { ...good, kind: 'elsewhere' }]), 7, 1],
    ['a member of newer software', KEY, kept([good, { ...good, kind: 'told', who: 'x' }]), 7, 1],
    ['a count below nothing', KEY, kept([good, { ...good, kind: 'told', buckets: [[1, -5]] }]), 7, 1],
    ['an alarm of another form', KEY, kept([good], [alarm, { ...alarm, span: 'week' }]), 7, 1],
    ['no JSON of older software', OLDER_KEY, Buffer.from('x'), 0, 0],
    ['an unknown kind of older software', OLDER_KEY, json({ ...older, counts: { stricter: 7, x: 1 } }), 7, 0],
    ['an alarm of older software', OLDER_KEY, json({ ...older, counts: { stricter: 7 }, alarms: [1] }), 7, 0],
  ];
  for (const [what, key, value, stricter, alarms] of SPOILT)
    it(`starts with ${what}: it is told, what can be read counts, and the rest is counted anew`, async () => {
      const { values, troubles, started } = world();
      values.set(key, value);
      const watch = await started({ revoked: 1 });
      assert.deepEqual(
        troubles.map((trouble) => [trouble.code, trouble.key]),
        [['VALUE_CORRUPT', key]],
      );
      assert.deepEqual([watch.report.counts.stricter, watch.report.alarms.length], [stricter, alarms]);
      await watch.note('revoked', 2);
      const next = await started();
      assert.equal(troubles.length, 1);
      assert.deepEqual([next.report.counts.revoked, next.report.counts.stricter], [2, stricter]);
    });

  it('starts with a value that is damaged on the disk, and with no other trouble of the store', async () => {
    const { modules, troubles } = world();
    const refusing = (code: 'VALUE_CORRUPT' | 'STORE_DOWN') => ({
      ...modules.store,
      get: (key: string) => Promise.reject(new NodeError(code, 'refused', { key })),
    });
    const damaged = new BulkWatch(BULK_LIMITS, { ...modules, store: refusing('VALUE_CORRUPT') });
    await damaged.start();
    assert.deepEqual(damaged.report.counts, none);
    assert.deepEqual(
      troubles.map(({ key }) => key),
      [KEY, OLDER_KEY],
    );
    const down = new BulkWatch(BULK_LIMITS, { ...modules, store: refusing('STORE_DOWN') });
    await assert.rejects(down.start(), (error) => isNodeError(error, 'STORE_DOWN'));
  });
});
