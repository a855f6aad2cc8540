import assert from 'node:assert/strict';
import { parseEntry } from '../../../protocol/trust/statement.ts';
import { type StatementOf } from '../../../protocol/trust/statement-schema.ts';
import { type TrustLogItem } from '../../../node/log/trust-log-work.ts';
import { logError } from '../../../node/log/log-error.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { HourBudget, REVOKED_IN_HOUR } from '../../../node/revoking/hour-budget.ts';
import { isRevocable } from '../../../node/revoking/revocable.ts';
import { Revoker } from '../../../node/revoking/revoker.ts';
import { type StoreReader } from '../../../node/store/reader.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { RegionMachine, type RegionProcess, startRegion } from '../../support/issuing-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { HOUR_S, LOG_ID } from '../../support/region-fixture.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** The revocations that the trust log of a process holds, in order. */
async function statementsOf({ openTree }: RegionProcess, { region }: RegionMachine) {
  const tree = await openTree(region.origin);
  const found: StatementOf<'revocation'>[] = [];
  for await (const entry of tree.reader.entries(0, tree.size)) {
    const { statement } = parseEntry(entry);
    if (statement.kind === 'revocation') found.push(statement);
  }
  return found;
}

function limitedTo(revocationsPerHour: number): RegionMachine {
  const machine = new RegionMachine();
  const { region } = machine;
  region.add({ kind: 'limits', version: 1, revocationsPerHour });
  return machine;
}

const isExceeded = (retry: boolean) => (error: unknown) => {
  assert.ok(isNodeError(error, 'REVOCATIONS_EXCEEDED'), String(error));
  assert.equal(error.retry, retry);
  assert.match(error.hint ?? '', /root/);
  return true;
};

describeOnAllTables('Revoker', () => {
  it('revokes by the trust log: many calls, one statement for each log', async () => {
    const machine = new RegionMachine();
    const process = await startRegion(machine);
    await Promise.all([
      process.revoker.revoke({ log: LOG_ID, indexes: [5, 3] }),
      process.revoker.revoke({ log: LOG_ID, indexes: [3, 2 ** 40 - 1] }),
      process.revoker.revoke({ log: '2026-12', indexes: [7] }),
      process.revoker.revoke({ log: LOG_ID, indexes: [] }),
    ]);
    const { state } = machine.region;
    assert.deepEqual([...(state.revoked(LOG_ID) ?? [])], [3, 5, 2 ** 40 - 1]);
    assert.deepEqual([...(state.revoked('2026-12') ?? [])], [7]);
    const statements = await statementsOf(process, machine);
    assert.deepEqual(
      statements.map(({ log }) => log),
      [LOG_ID, '2026-12'],
    );
    assert.ok(statements.every(({ at, effective }) => at === effective));
    await process.stop();
  });

  it('refuses with LOG_OVER from 31 days after the month on, by the clock or by the trust log, and signs nothing', async () => {
    const machine = new RegionMachine();
    const process = await startRegion(machine);
    const isOver = (error: unknown) => isNodeError(error, 'LOG_OVER');
    const lastS = Date.UTC(2027, 0, 1) / 1_000;
    assert.deepEqual(
      [isRevocable(LOG_ID, { lastAtS: 0 }, lastS), isRevocable(LOG_ID, { lastAtS: lastS }, 0)],
      [true, true],
    );
    assert.equal(isRevocable(LOG_ID, { lastAtS: lastS + 1 }, 0), false);
    await assert.rejects(process.revoker.revoke({ log: '2026-09', indexes: [1] }), isOver);
    machine.clock.nowAtMs = (lastS + 1) * 1_000;
    await assert.rejects(process.revoker.revoke({ log: LOG_ID, indexes: [1] }), isOver);
    assert.deepEqual(await statementsOf(process, machine), []);
    await process.stop();
  });

  it('makes no statement of what is revoked already', async () => {
    const machine = new RegionMachine();
    const process = await startRegion(machine);
    await process.revoker.revoke({ log: LOG_ID, indexes: [1, 2] });
    await process.revoker.revoke({ log: LOG_ID, indexes: [2, 1] });
    assert.equal((await statementsOf(process, machine)).length, 1);
    await process.revoker.revoke({ log: LOG_ID, indexes: [2, 3] });
    assert.equal(machine.region.state.revoked(LOG_ID)?.count, 3);
    await process.stop();
  });

  it('waits for others as long as it is told, unless it has 1,024 indexes', async () => {
    const machine = new RegionMachine();
    const process = await startRegion(machine);
    const clock = new ManualClock(machine.clock.nowMs());
    const sizes: number[] = [];
    const revoker = new Revoker(
      { gatherMs: 100 },
      {
        store: process.store,
        clock,
        trust: () => machine.region.state,
        submit: (item: TrustLogItem) => {
          sizes.push(clock.nowMs() - machine.clock.nowMs());
          return process.trustLog.submit(item);
        },
      },
    );
    await revoker.start();
    const first = revoker.revoke({ log: LOG_ID, indexes: [1] });
    await clock.advance(99);
    assert.deepEqual(sizes, []);
    const second = revoker.revoke({ log: LOG_ID, indexes: [2] });
    await clock.advance(1);
    await Promise.all([first, second]);
    assert.deepEqual(sizes, [100]);
    // Many indexes take along what waits, and nobody waits for the clock.
    const few = revoker.revoke({ log: LOG_ID, indexes: range(3, 1_026) });
    await Promise.all([few, revoker.revoke({ log: LOG_ID, indexes: range(1_026, 2_050) })]);
    assert.deepEqual(sizes, [100, 100]);
    const fewer = revoker.revoke({ log: LOG_ID, indexes: range(2_050, 3_073) });
    await clock.advance(99);
    assert.deepEqual(sizes, [100, 100]);
    await clock.advance(1);
    await fewer;
    assert.deepEqual(sizes, [100, 100, 200]);
    await revoker.stop();
    await process.stop();
  });

  it('refuses what exceeds the hour, tells how much is left, and takes what fits', async () => {
    const machine = limitedTo(10);
    const process = await startRegion(machine);
    await process.revoker.revoke({ log: LOG_ID, indexes: range(0, 8) });
    const [three, two, one] = await Promise.allSettled([
      process.revoker.revoke({ log: LOG_ID, indexes: range(20, 23) }),
      process.revoker.revoke({ log: LOG_ID, indexes: range(30, 32) }),
      process.revoker.revoke({ log: LOG_ID, indexes: [40] }),
    ]);
    assert.equal(two.status, 'fulfilled');
    assert.ok(three.status === 'rejected' && one.status === 'rejected');
    isExceeded(true)(three.reason);
    assert.match(String(three.reason), /2 of 10 revocations are left in this hour, 3 were asked for/);
    assert.match(String(one.reason), /0 of 10 revocations are left/);
    await process.revoker.revoke({ log: LOG_ID, indexes: [0, 31] });
    await assert.rejects(process.revoker.revoke({ log: LOG_ID, indexes: range(50, 61) }), isExceeded(false));
    assert.equal(machine.region.state.revoked(LOG_ID)?.count, 10);
    machine.clock.nowAtMs += HOUR_S * 1_000;
    await process.revoker.revoke({ log: LOG_ID, indexes: range(50, 60) });
    assert.equal(machine.region.state.revoked(LOG_ID)?.count, 20);
    await process.stop();
  });

  it('counts on after a restart: what was revoked in this hour is not forgotten', async () => {
    const machine = limitedTo(10);
    const before = await startRegion(machine);
    await before.revoker.revoke({ log: LOG_ID, indexes: range(0, 8) });
    await before.stop();
    const process = await startRegion(machine);
    await assert.rejects(process.revoker.revoke({ log: LOG_ID, indexes: range(20, 23) }), isExceeded(true));
    await process.revoker.revoke({ log: LOG_ID, indexes: range(20, 22) });
    await process.stop();
  });

  it('does not count what was not revoked', async () => {
    const machine = limitedTo(10);
    const process = await startRegion(machine);
    machine.medium.plan({ write: machine.medium.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await assert.rejects(
      process.revoker.revoke({ log: LOG_ID, indexes: range(0, 8) }),
      (error) => isNodeError(error, 'LOG_NOT_WRITTEN') && error.retry,
    );
    await process.revoker.revoke({ log: LOG_ID, indexes: range(0, 8) });
    assert.equal(machine.region.state.revoked(LOG_ID)?.count, 8);
    await process.stop();
  });

  it('keeps counting what may yet be revoked', async () => {
    const machine = limitedTo(10);
    const { store, clock, region } = {
      ...(await startRegion(machine)),
      clock: machine.clock,
      region: machine.region,
    };
    const revoker = new Revoker(
      { gatherMs: 0 },
      {
        store,
        clock,
        trust: () => region.state,
        submit: (item) => {
          if ('build' in item) item.build({ index: 9, atS: Math.floor(clock.nowMs() / 1_000) });
          machine.medium.refuse('read', 1);
          return Promise.reject(logError('LOG_UNSETTLED', 'planned'));
        },
      },
    );
    await revoker.start();
    const isUnsettled = (error: unknown) => isNodeError(error, 'LOG_UNSETTLED');
    await assert.rejects(revoker.revoke({ log: LOG_ID, indexes: range(0, 8) }), isUnsettled);
    await assert.rejects(revoker.revoke({ log: LOG_ID, indexes: range(8, 16) }), isExceeded(true));
    await revoker.stop();
  });

  it('parts what is too much for one statement, and none has more than gossip carries', async () => {
    const machine = new RegionMachine();
    const process = await startRegion(machine);
    // As thinly spread as a month of a large region may be.
    const indexes = range(0, 40_000).map((i) => i * 9_973);
    await process.revoker.revoke({ log: LOG_ID, indexes });
    assert.equal(machine.region.state.revoked(LOG_ID)?.count, 40_000);
    const statements = await statementsOf(process, machine);
    assert.equal(statements.length, 3);
    assert.ok(statements.every(({ set }) => set.length < 60_000));
    await process.stop();
  });

  it('refuses what is no log or index, and serves only until it is stopped', async () => {
    const machine = new RegionMachine();
    const process = await startRegion(machine);
    for (const bad of [
      { log: 'trust', indexes: [1] },
      { log: '2026-13', indexes: [1] },
      { log: LOG_ID, indexes: [2 ** 40] },
      { log: LOG_ID, indexes: [-1] },
      { log: LOG_ID, indexes: [0.5] },
    ]) {
      await assert.rejects(process.revoker.revoke(bad), RangeError);
    }
    const waiting = process.revoker.revoke({ log: LOG_ID, indexes: [1] });
    const stopped = process.revoker.stop();
    const late = process.revoker.revoke({ log: LOG_ID, indexes: [2] });
    const isStopped = (error: unknown) => isNodeError(error, 'LOG_STOPPED');
    await assert.rejects(late, isStopped);
    await Promise.all([stopped, waiting.catch((error) => assert.ok(isStopped(error)))]);
    await process.stop();
  });
});

describe('HourBudget.load', () => {
  it('says which row does not say how many were revoked in this hour', async () => {
    for (const bytes of [
      encodeCbor([1]),
      encodeCbor([1, -1]),
      encodeCbor([1, 2, 3]),
      Buffer.of(0xff),
      Buffer.alloc(33),
    ]) {
      const reader = { get: () => Promise.resolve(bytes) } as unknown as StoreReader;
      const isTold = (error: unknown) =>
        isNodeError(error, 'DATA_INCONSISTENT') && error.key === REVOKED_IN_HOUR && error.hint !== undefined;
      await assert.rejects(new HourBudget().load(reader), isTold);
    }
  });
});
