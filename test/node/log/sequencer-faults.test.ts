import assert from 'node:assert/strict';
import { type Receipt } from '../../../node/log/log-work.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { assertLogged, audit, Machine, startLog } from '../../support/log-fixture.ts';

/** Batches of several items and of a single one; one item is refused by the work. */
const BATCHES = [['a', 'b', 'c'], ['d'], ['e', 'f', '!g', 'h'], ['i', 'j']];
const ITEMS = BATCHES.flat().filter((item) => !item.startsWith('!')).length;

interface Outcome {
  readonly receipts: Receipt[];
  readonly refusals: unknown[];
}

/** `apart`: each batch when the one before is logged. `together`: all at once, so that one is staged while another is signed. */
type Pace = 'apart' | 'together';

/** Submits all batches until done or the machine dies. */
async function run(machine: Machine, outcome: Outcome, pace: Pace): Promise<void> {
  const options = { retryMs: 10, ...(pace === 'together' && { batchMax: 2 }) };
  const process = await startLog(machine, options, {}, { openDelaysMs: [0, 1], retryMs: 5 });
  for (const batch of pace === 'apart' ? BATCHES : [BATCHES.flat()]) {
    const results = await Promise.allSettled(batch.map((item) => process.sequencer.submit(item)));
    for (const result of results) {
      if (result.status === 'fulfilled') outcome.receipts.push(result.value);
      else outcome.refusals.push(result.reason);
    }
  }
  await process.stop();
}

/** Runs until the end or a crash, then again in a new process, and audits all. */
async function survive(machine: Machine, pace: Pace): Promise<Outcome> {
  const outcome: Outcome = { receipts: [], refusals: [] };
  await Promise.race([
    run(machine, outcome, pace).catch((error) => outcome.refusals.push(error)),
    machine.crashed,
  ]);
  const before = { receipts: [...outcome.receipts], refusals: [...outcome.refusals] };
  machine.watch();
  const again = await startLog(machine);
  const last = await again.sequencer.submit('last');
  await again.stop();
  const entries = await audit(machine);
  assertLogged(entries, [...before.receipts, last]);
  await assertPrivateSide(machine, entries);
  return before;
}

/** What was staged together with the drafts is there for each entry, and for nothing else. */
async function assertPrivateSide(machine: Machine, entries: readonly Uint8Array[]): Promise<void> {
  const store = await machine.openStore();
  let found = 0;
  for await (const [key, value] of store.entries('private/', 'private0')) {
    const entry = entries[Number(key.slice('private/'.length))] ?? Buffer.alloc(0);
    assert.ok(Buffer.from(entry).subarray(0, value.length).equals(value), key);
    found++;
  }
  assert.equal(found, entries.length);
  await store.stop();
}

async function count(pace: Pace): Promise<{ writes: number; raises: number; batches: number }> {
  const machine = new Machine();
  await run(machine, { receipts: [], refusals: [] }, pace);
  const { writes } = machine.medium.counters;
  return { writes, raises: machine.secondPlace.raises, batches: pace === 'apart' ? 4 : 5 };
}

describe('Sequencer under faults', () => {
  for (const pace of ['apart', 'together'] as const) {
    for (const when of ['before', 'after'] as const) {
      for (const what of ['DISK_IO', 'DISK_FULL', 'crash'] as const) {
        it(`A31 ${what} ${when} each single write, batches ${pace}: all receipts are honoured, nothing is signed twice`, async () => {
          const { writes, batches } = await count(pace);
          assert.ok(writes >= batches);
          let unacknowledged = 0;
          for (let write = 1; write <= writes; write++) {
            const machine = new Machine({ seed: write });
            machine.medium.plan({ write, when, what });
            const { receipts } = await survive(machine, pace);
            unacknowledged += ITEMS - receipts.length;
          }
          if (what === 'crash') assert.ok(unacknowledged > 0, 'no crash came in between');
        });

        it(`A31 ${what} ${when} each single raise of the second place, batches ${pace}: all receipts are honoured`, async () => {
          const { raises, batches } = await count(pace);
          assert.equal(raises, batches);
          for (let raise = 1; raise <= raises; raise++) {
            const machine = new Machine({ seed: raise });
            machine.secondPlace.plan({ raise, when, what });
            const { receipts, refusals } = await survive(machine, pace);
            if (what === 'crash') assert.ok(receipts.length < ITEMS);
            // The store has it all: the second place is tried again, and nobody hears of it.
            else assert.deepEqual([receipts.length, refusals.length], [ITEMS, 1]);
          }
        });
      }
    }
  }

  it('A31 several faults of all kinds in one run, 60 seeds', async () => {
    const reached = { failed: 0, crashes: 0, unsettled: 0 };
    for (let seed = 1; seed <= 60; seed++) {
      const machine = new Machine({ seed });
      const draw = (bound: number) => Math.floor(machine.random() * bound);
      for (let i = 0; i < 3; i++) {
        const when = draw(2) === 0 ? 'before' : 'after';
        const what = (['DISK_IO', 'DISK_FULL', 'crash'] as const)[draw(3)] ?? 'crash';
        machine.medium.plan({ write: 1 + draw(12), when, what });
        machine.secondPlace.plan({ raise: 1 + draw(5), when, what });
      }
      if (draw(3) === 0) machine.medium.refuse('open', 1 + draw(3));
      if (draw(3) === 0) machine.medium.refuse('read', 1 + draw(2));
      const outcome: Outcome = { receipts: [], refusals: [] };
      // As many processes as it takes: each either ends or is ended.
      for (let attempt = 0; attempt < 8; attempt++) {
        const pace = draw(2) === 0 ? 'apart' : 'together';
        const ended = run(machine, outcome, pace).catch((error) => outcome.refusals.push(error));
        await Promise.race([ended, machine.crashed]);
        machine.watch();
      }
      const entries = await audit(machine);
      assertLogged(entries, outcome.receipts);
      await assertPrivateSide(machine, entries);
      reached.crashes += machine.medium.counters.crashes;
      reached.failed += machine.medium.counters.failedBefore + machine.medium.counters.failedAfter;
      reached.unsettled += outcome.refusals.filter((error) => isNodeError(error, 'LOG_UNSETTLED')).length;
    }
    for (const [name, times] of Object.entries(reached)) assert.ok(times > 0, `no seed reached: ${name}`);
  });

  it('A31 a death while one batch is staged and another is being signed: both are finished as they were staged', async () => {
    // Signing so many takes several turns, and by then the next batch is staged.
    const items = Array.from({ length: 600 }, (_, i) => `w${i}`);
    const submitAll = async (machine: Machine) => {
      const { sequencer, stop } = await startLog(machine, { batchMax: 300 });
      await Promise.allSettled(items.map((item) => sequencer.submit(item)));
      await stop();
    };
    const whole = new Machine();
    await submitAll(whole);
    const expected = await audit(whole);
    let stagedTwice = 0;
    for (let write = 1; write <= 5; write++) {
      const machine = new Machine();
      machine.medium.plan({ write, when: 'before', what: 'crash' });
      await Promise.race([submitAll(machine), machine.crashed]);
      const { entries } = machine.medium.snapshot();
      const staged = entries.filter(([key]) => key.includes('/staged/')).length;
      const again = await startLog(machine);
      await again.stop();
      const logged = await audit(machine);
      assert.deepEqual(logged, expected.slice(0, logged.length));
      if (staged === 2) assert.equal(logged.length, 600);
      stagedTwice += staged === 2 ? 1 : 0;
    }
    assert.ok(stagedTwice > 0, 'no death came in between');
  });
});
