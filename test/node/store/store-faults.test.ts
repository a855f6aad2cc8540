import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { type Store } from '../../../node/store/store.ts';
import { type FaultyMedium, type PlannedFault } from '../../support/faulty-disk.ts';
import { settled } from '../../support/manual-clock.ts';
import { seeded } from '../../support/seeded.ts';
import { hurriedClock, medium, put, startedStore, storeOn, textAt } from '../../support/store-fixture.ts';

const STEPS = 12;
const WRITERS = 3;
const TRIES_MAX = 20;

/** What a process was told: per writer, the last step acknowledged. */
type Acknowledged = number[];

/**
 * Three writers, each step two keys that belong together: a new entry and the writer's own head. A write whose outcome
 * is unknown is repeated, as the rule is.
 */
async function work(store: Store, acknowledged: Acknowledged, from: readonly number[]): Promise<void> {
  await Promise.all(
    from.map(async (first, writer) => {
      for (let step = first; step <= STEPS; step++) {
        await repeat(() =>
          store.write([
            put(`entry/${writer}/${step}`, `content ${step}`),
            put(`head/${writer}`, String(step)),
          ]),
        );
        acknowledged[writer] = step;
      }
    }),
  );
}

async function repeat(write: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (!isNodeError(error) || !error.retry || tries === TRIES_MAX) throw error;
      await settled();
    }
  }
}

/** Opens a copy as a new process, and holds what is there against what was acknowledged. Returns the heads. */
async function audit(
  on: FaultyMedium,
  acknowledged: Acknowledged,
  before: readonly number[] = acknowledged,
): Promise<number[]> {
  const copy = medium();
  copy.restore(on.snapshot());
  const store = await startedStore(copy);
  const heads: number[] = [];
  for (let writer = 0; writer < WRITERS; writer++) {
    const head = Number((await textAt(store, `head/${writer}`)) ?? 0);
    heads.push(head);
    const told = acknowledged[writer] ?? 0;
    assert.ok(head >= told, `writer ${writer}: acknowledged ${told}, kept ${head}`);
    const startedFrom = Math.max(told, before[writer] ?? 0);
    assert.ok(
      head <= startedFrom + 1,
      `writer ${writer}: kept ${head}, though no more than ${startedFrom + 1} began`,
    );
    for (let step = 1; step <= STEPS + 1; step++) {
      const expected = step <= head ? `content ${step}` : undefined;
      assert.equal(await textAt(store, `entry/${writer}/${step}`), expected, `entry ${step}, head ${head}`);
    }
  }
  await store.stop();
  return heads;
}

/** Runs the work under faults, over as many processes as crashes make of it, with an audit after each. */
async function run(on: FaultyMedium, faults: readonly PlannedFault[]): Promise<void> {
  for (const fault of faults) on.plan(fault);
  const acknowledged: Acknowledged = Array.from({ length: WRITERS }, () => 0);
  let heads: number[] = acknowledged.slice();
  for (let processes = 0; processes <= faults.length; processes++) {
    const crashed = new Promise<'crashed'>((resolve) => on.onCrash(() => resolve('crashed')));
    const store = storeOn(on, {}, hurriedClock);
    const worked = async (): Promise<'done'> => {
      await store.start();
      await work(
        store,
        acknowledged,
        heads.map((head) => head + 1),
      );
      await store.stop();
      return 'done';
    };
    const outcome = await Promise.race([worked(), crashed]);
    heads = await audit(on, acknowledged, heads);
    if (outcome === 'done') return;
  }
}

/** Writes that the work takes without a fault. */
async function writesNeeded(): Promise<number> {
  const on = medium();
  await run(on, []);
  return on.counters.writes;
}

describe('Store fails at every write', () => {
  for (const what of ['DISK_IO', 'DISK_FULL', 'crash'] as const) {
    for (const when of ['before', 'after'] as const) {
      it(`${what} ${when} it lands, at each write in turn: reopened, nothing acknowledged is lost or half done`, async () => {
        const writes = await writesNeeded();
        assert.ok(writes > STEPS, String(writes));
        for (let write = 1; write <= writes; write++) {
          const on = medium({ random: seeded(write) });
          await run(on, [{ write, when, what }]);
          const { failedBefore, failedAfter, crashes, lost } = on.counters;
          assert.equal(failedBefore + failedAfter + crashes, 1, `write ${write} was not reached`);
          assert.equal(lost, 0);
        }
      });
    }
  }

  it('two faults at every pair of neighbouring writes', async () => {
    const writes = await writesNeeded();
    const kinds = [
      { what: 'DISK_IO', when: 'before' },
      { what: 'DISK_IO', when: 'after' },
      { what: 'crash', when: 'before' },
      { what: 'crash', when: 'after' },
    ] as const;
    for (let write = 1; write <= writes; write++) {
      for (const [number, first] of kinds.entries()) {
        for (const second of kinds) {
          await run(medium({ random: seeded(number) }), [
            { write, ...first },
            { write: write + 1, ...second },
          ]);
        }
      }
    }
  });

  it('random crashes in the midst of writes on their way', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = seeded(seed);
      const on = medium({ random });
      const acknowledged: Acknowledged = [0, 0, 0];
      const store = await startedStore(on);
      void work(store, acknowledged, [1, 1, 1]).catch(() => undefined);
      for (let turns = Math.floor(random() * 60); turns > 0; turns--) await Promise.resolve();
      on.crash();
      await audit(on, acknowledged);
    }
  });

  it('the audit finds what a disk loses that does not sync, and what one loses that is not reopened', async () => {
    let found = 0;
    for (let seed = 0; seed < 20; seed++) {
      const on = medium({ random: seeded(seed), syncs: false });
      const acknowledged: Acknowledged = [0, 0, 0];
      const store = await startedStore(on);
      await work(store, acknowledged, [1, 1, 1]);
      on.crash();
      await audit(on, acknowledged).catch(() => found++);
    }
    assert.ok(found > 10, String(found));

    const on = medium();
    const bare = on.disk();
    await bare.open();
    on.plan({ write: 1, when: 'before', what: 'DISK_FULL' });
    await assert.rejects(bare.write([put('a', '1')]));
    await bare.write([put('b', '1')]);
    assert.ok((await bare.getMany(['b']))[0], 'it is read as long as the disk is open');
    await bare.close();
    await bare.open();
    assert.deepEqual(await bare.getMany(['b']), [undefined]);
    assert.equal(on.counters.lost, 1);
  });
});
