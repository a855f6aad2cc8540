import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isNodeError, type NodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { type StoreCondition } from '../../../node/store/condition.ts';
import { encodeIdentity, SCHEMA_VERSION } from '../../../node/store/identity.ts';
import { VALUE_BYTES_MAX } from '../../../node/store/sealed-change.ts';
import { sealValue } from '../../../node/store/sealed.ts';
import { Store } from '../../../node/store/store.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import {
  hurriedClock,
  medium,
  OWNER,
  put,
  rejectsWith,
  startedStore,
  storeOn,
  textAt,
} from '../../support/store-fixture.ts';

describe('Store', () => {
  it('keeps what it acknowledged over stop and start, in order of keys', async () => {
    const on = medium();
    const first = await startedStore(on);
    await first.write([put('b', '2'), put('a', '1'), put('c', '3')]);
    await first.write([{ del: 'c' }, put('d', '4')]);
    await first.stop();
    const second = await startedStore(on);
    const found: string[] = [];
    for await (const [key, value] of second.entries('a', 'd'))
      found.push(`${key}=${Buffer.from(value).toString()}`);
    assert.deepEqual(found, ['a=1', 'b=2']);
    assert.equal(await textAt(second, 'd'), '4');
    assert.equal(await second.get('c'), undefined);
  });

  it('F4 entries leaves out what is damaged where somebody is told of it, and else ends there', async () => {
    const on = medium();
    const store = await startedStore(on);
    const keys = Array.from({ length: 9 }, (_, i) => `k${i}`);
    await store.write(keys.map((key) => put(key, 'what was written')));
    for (const key of ['k0', 'k4', 'k5', 'k8']) assert.equal(on.flipBit(key), key);
    const whole = ['k1', 'k2', 'k3', 'k6', 'k7'];
    for (const reverse of [false, true])
      for (const pageSize of [1, 3, 256]) {
        const [found, damaged]: [string[], unknown[]] = [[], []];
        const onDamaged = ({ key }: NodeError) => void damaged.push(key);
        for await (const [key] of store.entries('k', 'l', { reverse, pageSize, onDamaged })) found.push(key);
        assert.deepEqual(found, reverse ? whole.toReversed() : whole);
        assert.deepEqual(damaged.sort(), ['k0', 'k4', 'k5', 'k8']);
      }
    await assert.rejects(
      async () => {
        for await (const [key] of store.entries('k1', 'l')) assert.ok(whole.includes(key));
      },
      (error) => isNodeError(error, 'VALUE_CORRUPT') && error.key === 'k4',
    );
    await store.stop();
  });

  it('behaves as a map under random changes and restarts', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const change = fc.oneof(
      fc.record({ put: key, value: fc.uint8Array({ maxLength: 20 }) }),
      fc.record({ del: key }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 8 }), async (writes) => {
        const on = medium();
        const model = new Map<string, Uint8Array>();
        for (const changes of writes) {
          const store = await startedStore(on);
          await store.write(changes);
          await store.stop();
          for (const made of changes as Change[]) {
            if ('put' in made) model.set(made.put, made.value);
            else model.delete(made.del);
          }
        }
        const store = await startedStore(on);
        const found: [string, Uint8Array][] = [];
        for await (const [name, value] of store.entries('a', 'e', { pageSize: 1 })) {
          found.push([name, new Uint8Array(value)]);
        }
        assert.deepEqual(
          found,
          [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('entries reverse, and pages that end early only because they are full', async () => {
    const store = await startedStore(medium());
    await store.write(['a', 'b', 'c', 'd', 'e'].map((key) => put(key, key)));
    const keys: string[] = [];
    for await (const [key] of store.entries('b', 'e', { reverse: true, pageSize: 2 })) keys.push(key);
    assert.deepEqual(keys, ['d', 'c', 'b']);
    assert.deepEqual(
      (await store.page('a', 'z', { limit: 2 })).map(([key]) => key),
      ['a', 'b'],
    );
    assert.deepEqual(await store.page('x', 'z', { limit: 2 }), []);
  });

  it('write copies values at once', async () => {
    const store = await startedStore(medium());
    const value = Uint8Array.of(1);
    const written = store.write([{ put: 'a', value }]);
    value[0] = 2;
    await written;
    assert.deepEqual([...((await store.get('a')) ?? [])], [1]);
  });

  it('write takes keys of 1 to 200 printable ASCII characters outside store/, and values up to the bound', async () => {
    const store = await startedStore(medium());
    const value = new Uint8Array(VALUE_BYTES_MAX);
    await store.write([
      { put: 'k'.repeat(200), value },
      { put: '!~', value: new Uint8Array(0) },
    ]);
    const bad = ['', 'k'.repeat(201), 'a b', 'a\n', 'é', 'store/x'];
    for (const key of bad) {
      await assert.rejects(store.write([put(key, '')]), RangeError, key);
      await assert.rejects(store.write([{ del: key }]), RangeError, key);
    }
    await assert.rejects(store.write([{ put: 'k', value: new Uint8Array(VALUE_BYTES_MAX + 1) }]), RangeError);
  });

  it('B72: another owner, a newer schema and a held lock are refused, and nothing is changed', async () => {
    const on = medium();
    const holder = await startedStore(on);
    await rejectsWith(storeOn(on).start(), 'STORE_LOCKED');
    await holder.write([put('a', '1')]);
    await holder.stop();
    await rejectsWith(
      storeOn(on, { owner: 'DE.example' }).start(),
      'STORE_FOREIGN',
      /CN-33\.example.*DE\.example/,
    );
    const before = on.snapshot();
    const disk = on.disk();
    await disk.open();
    const newer = sealValue('store/identity', encodeIdentity({ schema: SCHEMA_VERSION + 1, owner: OWNER }));
    await disk.write([{ put: 'store/identity', value: newer }]);
    await disk.close();
    await rejectsWith(storeOn(on).start(), 'SCHEMA_NEWER', /schema 3/);
    on.restore(before);
    assert.equal(await textAt(await startedStore(on), 'a'), '1');
  });

  it('data without an identity, and a damaged identity, are refused', async () => {
    const on = medium();
    const disk = on.disk();
    await disk.open();
    await disk.write([{ put: 'a', value: sealValue('a', Uint8Array.of(1)) }]);
    await disk.close();
    await rejectsWith(storeOn(on).start(), 'STORE_CORRUPT', /whose/);
    await disk.open();
    await disk.write([{ put: 'store/identity', value: new Uint8Array(30) }]);
    await disk.close();
    await rejectsWith(storeOn(on).start(), 'VALUE_CORRUPT', /store\/identity/);
  });

  it('F6 a disk that went back behind its mark is refused with both counts', async () => {
    const on = medium();
    const store = await startedStore(on);
    await store.write([put('a', '1')]);
    const yesterday = on.snapshot();
    await store.write([put('a', '2')]);
    await store.write([put('a', '3')]);
    await store.stop();
    on.restore({ ...yesterday, commits: on.snapshot().commits });
    await rejectsWith(storeOn(on).start(), 'STORE_CORRUPT', /1 batches of the 3/);
  });

  it('F4 a flipped bit is VALUE_CORRUPT on get, getMany and page, and no other key suffers', async () => {
    const on = medium();
    const store = await startedStore(on);
    await store.write([put('a', 'one'), put('b', 'two')]);
    assert.equal(on.flipBit('a'), 'a');
    await rejectsWith(store.get('a'), 'VALUE_CORRUPT', /"a"/);
    await rejectsWith(store.getMany(['b', 'a']), 'VALUE_CORRUPT');
    await rejectsWith(store.page('a', 'c', { limit: 5 }), 'VALUE_CORRUPT');
    assert.equal(await textAt(store, 'b'), 'two');
    assert.equal(store.condition.state, 'serving');
    assert.deepEqual(
      (await store.inspect('a', 2)).map(({ key, intact }) => [key, intact]),
      [
        ['a', false],
        ['b', true],
      ],
    );
  });

  it('stop finishes what waits, refuses what comes, and may be called twice and before start', async () => {
    const on = medium();
    const store = await startedStore(on);
    const writes = Array.from({ length: 50 }, (_, i) => store.write([put(`k${i}`, 'v')]));
    const stopped = store.stop();
    await rejectsWith(store.write([put('late', 'v')]), 'STORE_CLOSED');
    await Promise.all([...writes, stopped, store.stop()]);
    await rejectsWith(store.get('k1'), 'STORE_CLOSED');
    await assert.rejects(store.start(), TypeError);
    const again = await startedStore(on);
    assert.equal((await again.page('k', 'l', { limit: 100 })).length, 50);
    await storeOn(medium()).stop();
    await rejectsWith(storeOn(medium()).get('a'), 'STORE_CLOSED');
  });
});

describe('Store after a failed write', () => {
  it('tells all writers, reopens, asks every check before it serves, and goes on', async () => {
    const on = medium();
    const store = await startedStore(on);
    const seen: string[] = [];
    const remove = store.addCheck(() => Promise.reject(new Error('removed')));
    remove();
    store.addCheck(async (reader) => {
      seen.push(`${store.condition.state} ${await textAt(reader, 'a')}`);
    });
    await store.write([put('a', '1')]);
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    const failing = [store.write([put('b', '1')]), store.write([put('c', '1')])];
    await Promise.all(failing.map((write) => rejectsWith(write, 'STORE_WRITE_UNKNOWN')));
    await store.write([put('d', '1')]);
    assert.deepEqual(seen, ['recovering 1']);
    assert.equal(store.counters.opens, 2);
    assert.equal(await store.get('b'), undefined);
    assert.equal(await textAt(store, 'd'), '1');
    await store.stop();
    assert.equal(await textAt(await startedStore(on), 'd'), '1');
  });

  it('a write that landed unheard is there afterwards, and repeating it is harmless', async () => {
    const on = medium();
    const store = await startedStore(on);
    on.plan({ write: on.counters.writes + 1, when: 'after', what: 'DISK_IO' });
    await rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
    assert.equal(await textAt(store, 'a'), '1');
    await store.write([put('a', '1')]);
    await store.stop();
    assert.equal(await textAt(await startedStore(on), 'a'), '1');
  });

  it('reads and writes that come meanwhile wait and are served', async () => {
    const clock = new ManualClock();
    const on = medium();
    const store = storeOn(on, { openDelaysMs: [10, 10] }, clock);
    const started = store.start();
    await clock.advance(10);
    await started;
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    const failing = rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
    await failing;
    assert.equal(store.condition.state, 'recovering');
    on.refuse('open', 1);
    const read = textAt(store, 'b');
    const written = store.write([put('b', '2')]);
    await clock.advance(10);
    assert.equal(store.condition.state, 'recovering');
    await clock.advance(10);
    await written;
    assert.ok([undefined, '2'].includes(await read));
    assert.equal(await textAt(store, 'b'), '2');
  });

  it('a read under way when the disk is closed is repeated once it is open again', async () => {
    const pauses: Promise<void>[] = [];
    const held = (): (() => void) => {
      let release = (): void => undefined;
      pauses.push(new Promise((resolve) => (release = resolve)));
      return release;
    };
    const on = medium({ pause: () => pauses.shift() ?? Promise.resolve() });
    const store = await startedStore(on);
    await store.write([put('a', '1')]);
    const letRead = held();
    const read = textAt(store, 'a');
    pauses.push(Promise.resolve(), Promise.resolve()); // of the write, and of the closing
    const letOpen = held();
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(store.write([put('b', '1')]), 'STORE_WRITE_UNKNOWN');
    await settled();
    letRead();
    await settled();
    letOpen();
    assert.equal(await read, '1');
    assert.equal(store.counters.opens, 2);
  });

  it('a failed read fails alone: it leaves nothing unknown', async () => {
    const on = medium();
    const store = await startedStore(on);
    await store.write([put('a', '1')]);
    on.refuse('read', 1);
    await rejectsWith(store.get('a'), 'DISK_IO');
    assert.equal(await textAt(store, 'a'), '1');
    assert.equal(store.counters.opens, 1);
  });

  it('failuresMax failures in a row, no fewer, make it read-only; a success between starts the count anew', async () => {
    const on = medium();
    const store = await startedStore(on, { failuresMax: 2 });
    const fail = async (): Promise<void> => {
      on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
      await rejectsWith(store.write([put('x', 'x')]), 'STORE_WRITE_UNKNOWN');
      await settled();
    };
    await store.write([put('a', '1')]);
    await fail();
    await store.write([put('a', '2')]);
    await fail();
    assert.equal(store.condition.state, 'serving');
    await fail();
    assert.equal(store.condition.state, 'read-only');
    await rejectsWith(store.write([put('a', '3')]), 'STORE_READ_ONLY');
    assert.equal(await textAt(store, 'a'), '2');
    await store.stop();
  });

  it('a rejecting check makes it read-only with its reason; writers that waited are refused', async () => {
    const on = medium();
    const store = await startedStore(on);
    const reason = new Error('the log contradicts its checkpoint');
    store.addCheck(() => Promise.reject(reason));
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
    await rejectsWith(store.write([put('a', '2')]), 'STORE_READ_ONLY');
    assert.equal(store.condition.reason?.cause, reason);
  });

  it('a disk that will not open is down, tried again every retryMs, and back by itself', async () => {
    const clock = new ManualClock();
    const on = medium();
    const conditions: string[] = [];
    const options = {
      openDelaysMs: [0],
      retryMs: 100,
      onCondition: ({ state }: StoreCondition) => void conditions.push(state),
    };
    const store = storeOn(on, options, clock);
    await store.start();
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    on.refuse('open', 2);
    await rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
    await settled();
    await rejectsWith(store.get('a'), 'STORE_DOWN');
    await rejectsWith(store.write([put('a', '1')]), 'STORE_DOWN');
    await clock.advance(100);
    assert.equal(store.condition.state, 'down');
    await clock.advance(100);
    await store.write([put('a', '1')]);
    assert.deepEqual(conditions, [
      'recovering',
      'serving',
      'recovering',
      'down',
      'recovering',
      'down',
      'recovering',
      'serving',
    ]);
    await store.stop();
    assert.equal(clock.waiting, 0);
  });

  it('a disk whose close fails is opened anew all the same', async () => {
    const on = medium();
    const store = await startedStore(on);
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    on.refuse('close', 1);
    await rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
    await store.write([put('a', '2')]);
    assert.equal(await textAt(store, 'a'), '2');
  });

  it('damage found on reopening is final: down with STORE_CORRUPT, and not tried again', async () => {
    const clock = new ManualClock();
    const on = medium();
    const store = storeOn(on, {}, clock);
    await store.start();
    await store.write([put('a', '1')]);
    on.flipBit();
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(store.write([put('b', '1')]), 'STORE_WRITE_UNKNOWN');
    await clock.advance(1_000_000);
    await rejectsWith(store.get('b'), 'STORE_DOWN', /a block is not what was written/);
    assert.equal(store.condition.reason?.code, 'STORE_CORRUPT');
    assert.equal(clock.waiting, 0);
  });

  it('stop during a recovery ends it and refuses the writers that wait', async () => {
    const clock = new ManualClock();
    const on = medium();
    const store = storeOn(on, { openDelaysMs: [0, 1_000] }, clock);
    await store.start();
    on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    on.refuse('open', 1);
    await rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
    const waiting = rejectsWith(store.write([put('b', '1')]), 'STORE_CLOSED');
    await settled();
    await store.stop();
    await waiting;
    assert.equal(store.condition.state, 'closed');
  });

  it('a mark that cannot be noted fails the next batch, and the store recovers', async () => {
    const on = medium();
    let failing = false;
    const mark = on.mark();
    const store = new Store(
      { owner: OWNER },
      {
        disk: on.disk(),
        mark: { ...mark, note: (n) => (failing ? Promise.reject(new Error('EIO')) : mark.note(n)) },
        clock: hurriedClock,
      },
    );
    await store.start();
    failing = true;
    await store.write([put('a', '1')]);
    await rejectsWith(store.write([put('b', '1')]), 'STORE_WRITE_UNKNOWN');
    failing = false;
    await store.write([put('c', '1')]);
    assert.equal(await textAt(store, 'b'), '1');
  });
});

describe('Store on a full disk', () => {
  const value = new Uint8Array(1_000);
  const full = { capacityBytes: 20_000, reserveBytes: 5_000 };

  it('F3 gives up the reserve, only reads, and serves again by itself once there is space for it', async () => {
    const clock = new ManualClock();
    const on = medium(full);
    const store = storeOn(on, { retryMs: 100 }, clock);
    await store.start();
    const acknowledged: string[] = [];
    const refused: string[] = [];
    for (let i = 0; i < 30; i++) {
      const key = `k${String(i).padStart(3, '0')}`;
      const code = await store.write([{ put: key, value }]).then(
        () => (acknowledged.push(key), undefined),
        (error: NodeError) => error.code,
      );
      if (code !== undefined) refused.push(code);
      await settled();
    }
    assert.deepEqual(new Set(refused), new Set(['STORE_WRITE_UNKNOWN', 'STORE_FULL']));
    assert.equal(refused[0], 'STORE_WRITE_UNKNOWN');
    assert.ok(acknowledged.length >= 13, String(acknowledged.length));
    assert.equal(store.condition.state, 'full');
    assert.ok(await store.get('k000'));
    await clock.advance(1_000);
    assert.equal(store.condition.state, 'full');
    on.setCapacity(24_000);
    await clock.advance(1_000);
    assert.equal(store.condition.state, 'full', 'room for the reserve alone is not room enough');
    on.setCapacity(60_000);
    await clock.advance(100);
    assert.equal(store.condition.state, 'serving');
    for (let i = 30; i < 40; i++) {
      await store.write([{ put: `k${String(i).padStart(3, '0')}`, value }]);
      acknowledged.push(`k${String(i).padStart(3, '0')}`);
    }
    await store.stop();
    const again = await startedStore(on);
    const kept = new Set((await again.page('k', 'l', { limit: 100 })).map(([key]) => key));
    assert.deepEqual(
      acknowledged.filter((key) => !kept.has(key)),
      [],
    );
    assert.equal(on.counters.lost, 0);
  });

  it('any number of full disks in a row does not make it read-only for good', async () => {
    const clock = new ManualClock();
    const on = medium(full);
    const store = storeOn(on, { retryMs: 100, failuresMax: 2 }, clock);
    await store.start();
    for (let i = 0; i < 5; i++) {
      on.plan({ write: on.counters.writes + 1, when: 'before', what: 'DISK_FULL' });
      await rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
      await clock.advance(100);
      assert.equal(store.condition.state, 'serving');
    }
  });

  it('starts on a disk too full for the reserve, to be read', async () => {
    const on = medium({ ...full, reserveBytes: 0 });
    const store = await startedStore(on);
    await store.write([{ put: 'k', value }]);
    await store.stop();
    const crowded = medium({ capacityBytes: 3_000, reserveBytes: 5_000 });
    crowded.restore(on.snapshot());
    const clock = new ManualClock();
    const reading = storeOn(crowded, {}, clock);
    await reading.start();
    assert.equal(reading.condition.state, 'full');
    assert.ok(await reading.get('k'));
    await rejectsWith(reading.write([put('a', '1')]), 'STORE_FULL');
    await reading.stop();
  });

  it('a disk that cannot even be opened until there is space is down until then', async () => {
    const clock = new ManualClock();
    const on = medium({ capacityBytes: 20_000 });
    const store = storeOn(on, { retryMs: 100, openDelaysMs: [0] }, clock);
    await store.start();
    await store.write([{ put: 'k', value }]);
    on.setCapacity(0);
    await rejectsWith(store.write([put('a', '1')]), 'STORE_WRITE_UNKNOWN');
    await clock.advance(250);
    await rejectsWith(store.get('k'), 'STORE_DOWN');
    on.setCapacity(20_000);
    await clock.advance(100);
    assert.equal(store.condition.state, 'full', 'opened to be read first');
    assert.ok(await store.get('k'));
    await clock.advance(100);
    assert.equal(store.condition.state, 'serving');
  });
});
