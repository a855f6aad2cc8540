import assert from 'node:assert/strict';
import { leafHash, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { LogView } from '../../../node/log/log-view.ts';
import { isNodeError, NodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import {
  assertLogged,
  audit,
  Machine,
  NOW_MS,
  ORIGIN,
  startLog,
  TextWork,
} from '../../support/log-fixture.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { sha256 } from '../../support/primitives.ts';

const rejectsWith = (promise: Promise<unknown>, code: NodeErrorCode, retry?: boolean) =>
  assert.rejects(promise, (error) => {
    assert.ok(isNodeError(error, code), String(error));
    assert.ok((error.hint ?? '').length > 0, 'says what to do');
    if (retry !== undefined) assert.equal(error.retry, retry);
    return true;
  });

const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`);

describe('Sequencer', () => {
  it('gives each item a receipt whose entry is proven by the checkpoint in it', async () => {
    const machine = new Machine();
    const { sequencer, tree, stop } = await startLog(machine);
    const receipts = await Promise.all(words(300).map((item) => sequencer.submit(item)));
    const later = await Promise.all(words(7).map((item) => sequencer.submit(item)));
    const view = new LogView(tree, { sha256 });
    for (const { index, entry, checkpoint } of [...receipts, ...later].slice(295)) {
      const { size, root } = checkpoint;
      const path = await view.inclusionProof({ index, size });
      verifyInclusion(sha256, { index, size, root, path, leafHash: leafHash(sha256, entry) });
    }
    await stop();
    const entries = await audit(machine);
    assert.equal(entries.length, 307);
    assertLogged(entries, [...receipts, ...later]);
  });

  it('T9: remembers nothing of a larger tree that was on its way, once it has signed its own', async () => {
    const { sequencer, tree, stop } = await startLog(new Machine());
    const ahead = { note: Uint8Array.of(1), path: [] };
    await tree.change({ ahead });
    await sequencer.submit('one');
    assert.equal(tree.head.ahead, undefined);
    await tree.change({ ahead });
    await sequencer.seal();
    assert.equal(tree.head.ahead, undefined);
    await stop();
  });

  it('logs what comes from many submitters at any time, each item once', async () => {
    const machine = new Machine();
    const { sequencer, stop } = await startLog(machine, { batchMax: 16 });
    const submitter = async (name: number) => {
      const receipts = [];
      for (let i = 0; i < 20; i++) {
        receipts.push(await sequencer.submit(`s${name}-${i}`));
        if (machine.random() < 0.3) await settled();
      }
      return receipts;
    };
    const receipts = (await Promise.all(words(12).map((_, name) => submitter(name)))).flat();
    await stop();
    const entries = await audit(machine);
    assert.equal(entries.length, 240);
    assertLogged(entries, receipts);
  });

  it('waits for others as long as it is told, and no longer than for a full batch', async () => {
    const machine = new Machine();
    const clock = new ManualClock(NOW_MS);
    const batches: number[] = [];
    const work = new TextWork(machine);
    const recording = {
      prepare: (...args: Parameters<TextWork['prepare']>) => {
        batches.push(args[0].length);
        return work.prepare(...args);
      },
      finish: (draft: Uint8Array) => work.finish(draft),
    };
    const { sequencer, stop } = await startLog(
      machine,
      { gatherMs: 50, batchMax: 4 },
      { clock, work: recording },
    );
    const first = sequencer.submit('a');
    await clock.advance(49);
    assert.deepEqual(batches, []);
    const second = sequencer.submit('b');
    await clock.advance(1);
    await Promise.all([first, second]);
    assert.deepEqual(batches, [2]);
    await Promise.all(words(4).map((item) => sequencer.submit(item)));
    assert.deepEqual(batches, [2, 4]);
    const five = words(5).map((item) => sequencer.submit(item));
    await Promise.all(five);
    assert.deepEqual(batches, [2, 4, 4, 1], 'who came with a full batch has waited long enough');
    await stop();
  });

  it('refuses alone what the work refuses, and passes its reason on', async () => {
    const machine = new Machine();
    const { sequencer, stop } = await startLog(machine);
    const [good, bad] = await Promise.allSettled([sequencer.submit('good'), sequencer.submit('!bad')]);
    assert.equal(good.status, 'fulfilled');
    assert.ok(bad.status === 'rejected' && bad.reason instanceof RangeError);
    const only = await Promise.allSettled([sequencer.submit('!bad')]);
    assert.equal(only[0].status, 'rejected');
    await stop();
    assert.equal((await audit(machine)).length, 1);
  });

  it('refuses the whole batch if the work throws, and goes on', async () => {
    const machine = new Machine();
    const work = new TextWork(machine);
    let isBroken = true;
    const { sequencer, stop } = await startLog(
      machine,
      {},
      {
        work: {
          prepare: (items, place) => {
            if (isBroken) throw new TypeError('broken');
            return work.prepare(items, place);
          },
          finish: (draft) => work.finish(draft),
        },
      },
    );
    await assert.rejects(sequencer.submit('a'), TypeError);
    isBroken = false;
    assert.equal((await sequencer.submit('a')).index, 0);
    await stop();
  });

  it('turns away what exceeds its queue with LOG_BUSY', async () => {
    const machine = new Machine();
    const { sequencer, stop } = await startLog(machine, { queueMax: 3 });
    const waiting = words(3).map((item) => sequencer.submit(item));
    await rejectsWith(sequencer.submit('one more'), 'LOG_BUSY', true);
    await Promise.all(waiting);
    await sequencer.submit('later');
    await stop();
  });

  it('tells of many together what came of each, once that is known of all', async () => {
    const machine = new Machine();
    const { sequencer, stop } = await startLog(machine, { queueMax: 3, batchMax: 2 });
    const outcomes = await sequencer.submitAll(['a', '!bad', 'b', 'c']);
    const [a, bad, b, busy] = outcomes.map((outcome) =>
      'error' in outcome ? outcome.error : outcome.receipt.index,
    );
    assert.deepEqual([a, b], [0, 1]);
    assert.ok(bad instanceof RangeError);
    assert.ok(isNodeError(busy, 'LOG_BUSY'));
    assert.deepEqual(await sequencer.submitAll([]), []);
    await stop();
    const [late] = await sequencer.submitAll(['d']);
    assert.ok(late !== undefined && 'error' in late && isNodeError(late.error, 'LOG_STOPPED'));
    assert.equal((await audit(machine)).length, 2);
  });

  it('serves only between start and stop, and finishes the batch in hand', async () => {
    const machine = new Machine();
    const { sequencer, stop } = await startLog(machine, { batchMax: 2 });
    const results = words(5).map((item) => sequencer.submit(item));
    const first = await results[0];
    const stopped = stop();
    await Promise.all([stopped, sequencer.stop()]);
    await rejectsWith(sequencer.submit('late'), 'LOG_STOPPED');
    const settledResults = await Promise.allSettled(results);
    const logged = settledResults.filter(({ status }) => status === 'fulfilled').length;
    assert.ok(first !== undefined && logged >= 2 && logged < 5);
    for (const result of settledResults.slice(logged)) {
      assert.ok(result.status === 'rejected' && isNodeError(result.reason, 'LOG_STOPPED'));
    }
    assert.equal((await audit(machine)).length, logged);
  });

  it('T15 refuses to sign while the clock is before the newest entry, and goes on when it is not', async () => {
    const machine = new Machine();
    const { sequencer, tree, stop } = await startLog(machine);
    await sequencer.submit('a');
    machine.clock.nowAtMs = NOW_MS - 1000;
    await rejectsWith(sequencer.submit('b'), 'CLOCK_BEHIND', true);
    assert.equal(tree.size, 1);
    machine.clock.nowAtMs = NOW_MS;
    await sequencer.submit('c');
    await stop();
    // Neither does a later process.
    machine.clock.nowAtMs = NOW_MS - 1;
    const again = await startLog(machine);
    await rejectsWith(again.sequencer.submit('d'), 'CLOCK_BEHIND', true);
    await again.stop();
    assert.equal((await audit(machine)).length, 2);
  });

  it('T15 refuses to sign while the clock is out of the bounds that others signed', async () => {
    const machine = new Machine();
    const nowS = NOW_MS / 1000;
    let bounds: { fromS: number; untilS: number } | undefined = { fromS: nowS + 1, untilS: nowS + 9 };
    const { sequencer, stop } = await startLog(machine, {}, { timeBounds: () => bounds });
    await rejectsWith(sequencer.submit('a'), 'CLOCK_ASTRAY', true);
    bounds = { fromS: nowS - 9, untilS: nowS - 1 };
    await rejectsWith(sequencer.submit('a'), 'CLOCK_ASTRAY', true);
    for (bounds of [{ fromS: nowS, untilS: nowS + 9 }, { fromS: nowS - 9, untilS: nowS }, undefined]) {
      await sequencer.submit('a');
    }
    await stop();
  });

  it('publishes each checkpoint once it is in both places, and the newest again at a start', async () => {
    const machine = new Machine();
    const { sequencer, published, stop } = await startLog(machine);
    const first = await sequencer.submit('a');
    const second = await sequencer.submit('b');
    assert.deepEqual(published, [first.checkpoint, second.checkpoint]);
    assert.deepEqual(machine.secondPlace.marks.get(ORIGIN)?.size, 2);
    await stop();
    const again = await startLog(machine);
    assert.deepEqual(
      again.published.map(({ size }) => size),
      [2],
    );
    await again.stop();
  });

  it('signs the present tree anew on demand, and the empty one too', async () => {
    const machine = new Machine();
    const { sequencer, tree, stop } = await startLog(machine);
    assert.equal((await sequencer.refresh()).size, 0);
    const { checkpoint } = await sequencer.submit('a');
    assert.deepEqual(await sequencer.refresh(), checkpoint);
    assert.deepEqual(tree.head.signed, checkpoint);
    await stop();
    await rejectsWith(sequencer.refresh(), 'LOG_STOPPED');
    await audit(machine);
  });

  it('seals: later items are LOG_SEALED, in later processes too', async () => {
    const machine = new Machine();
    const { sequencer, stop } = await startLog(machine);
    await sequencer.submit('a');
    assert.equal((await sequencer.seal()).size, 1);
    await rejectsWith(sequencer.submit('b'), 'LOG_SEALED', false);
    await stop();
    const again = await startLog(machine);
    await rejectsWith(again.sequencer.submit('b'), 'LOG_SEALED', false);
    await again.stop();
    assert.equal((await audit(machine)).length, 1);
  });

  it('recovers by itself when signing anew fails', async () => {
    const machine = new Machine();
    const { sequencer, stop } = await startLog(machine, { retryMs: 10 });
    await sequencer.submit('a');
    machine.medium.plan({ write: machine.medium.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(sequencer.refresh(), 'STORE_WRITE_UNKNOWN', true);
    assert.equal((await sequencer.submit('b')).index, 1);
    await stop();
    await audit(machine);
  });

  it('publishes nothing that its own key did not sign well: SIGNER_FAULTY, and the same batch later', async () => {
    const machine = new Machine();
    const faulty = { ...machine.signer, sign: () => new Uint8Array(64) };
    const { sequencer, published, stop } = await startLog(machine, {}, { checkpointKey: () => faulty });
    await rejectsWith(sequencer.submit('a'), 'LOG_UNSETTLED', true);
    assert.ok(isNodeError(sequencer.trouble, 'SIGNER_FAULTY') && sequencer.trouble.fatal);
    await rejectsWith(sequencer.submit('b'), 'SIGNER_FAULTY', false);
    assert.deepEqual(published, []);
    await stop();
    const again = await startLog(machine);
    assert.equal(again.tree.size, 1);
    await again.stop();
    assert.match(String((await audit(machine))[0]), /^a\/0\//);
  });

  it('tries again until the key is there that it lacks, and finishes what it staged', async () => {
    const machine = new Machine();
    let hasKey = false;
    const checkpointKey = () => {
      if (hasKey) return machine.checkpointKey;
      throw new NodeError('KEY_NOT_IN_FORCE', 'no checkpoint key', { hint: 'Bring one.' });
    };
    const { sequencer, tree, stop } = await startLog(machine, { retryMs: 10 }, { checkpointKey });
    await rejectsWith(sequencer.submit('a'), 'LOG_UNSETTLED', true);
    await rejectsWith(sequencer.submit('b'), 'KEY_NOT_IN_FORCE');
    assert.equal(tree.size, 0);
    hasKey = true;
    while (sequencer.trouble !== undefined) await settled();
    assert.equal(tree.size, 1);
    await sequencer.submit('c');
    await stop();
    assert.equal((await audit(machine)).length, 2);
  });

  it('takes an error that it does not know for a defect, and stops', async () => {
    const machine = new Machine();
    const checkpointKey = () => {
      throw new TypeError('defect');
    };
    const { sequencer, stop } = await startLog(machine, {}, { checkpointKey });
    await rejectsWith(sequencer.submit('a'), 'LOG_UNSETTLED');
    assert.ok(isNodeError(sequencer.trouble, 'LOG_FAILED') && sequencer.trouble.fatal);
    await stop();
  });

  it('refuses while the disk is full, with the reason, and goes on when there is space', async () => {
    const machine = new Machine();
    const { sequencer, store, stop } = await startLog(machine, { retryMs: 10 }, {}, { retryMs: 5 });
    await sequencer.submit('a');
    machine.medium.setCapacity(0);
    await assert.rejects(sequencer.submit('b'), (error) => isNodeError(error) && error.retry);
    machine.medium.setCapacity(1e6);
    for (let i = 0; i < 100 && store.condition.state !== 'serving'; i++) await settled();
    await assert.doesNotReject(async () => {
      for (let i = 0; ; i++) {
        try {
          return await sequencer.submit('c');
        } catch (error) {
          if (i === 50 || !isNodeError(error) || !error.retry) throw error;
          await settled();
        }
      }
    });
    await stop();
    assert.equal((await audit(machine)).length, 2);
  });
});

describe('Sequencer F6', () => {
  it('fails closed if the second place is ahead of the store, and says what to do', async () => {
    const machine = new Machine();
    const before = await startLog(machine);
    await before.sequencer.submit('a');
    await before.stop();
    const backup = machine.medium.snapshot();
    const after = await startLog(machine);
    await after.sequencer.submit('b');
    await after.stop();
    machine.medium.restore(backup);
    await assert.rejects(startLog(machine), (error) => {
      assert.ok(isNodeError(error, 'LOG_BEHIND') && error.fatal);
      assert.match(error.message, /the store has 1 entries, this node has signed 2/);
      assert.match(error.hint ?? '', /catch up from peers/);
      return true;
    });
  });

  it('fails closed if the store holds another log than the one that was signed', async () => {
    const one = new Machine();
    const log = await startLog(one);
    await log.sequencer.submit('a');
    await log.stop();
    for (const more of [0, 2]) {
      const other = new Machine({ seed: 2 });
      const otherLog = await startLog(other);
      await otherLog.sequencer.submit('b');
      for (let i = 0; i < more; i++) await otherLog.sequencer.submit('c');
      await otherLog.stop();
      const mark = one.secondPlace.marks.get(ORIGIN);
      assert.ok(mark);
      other.secondPlace.marks.set(ORIGIN, mark);
      await rejectsWith(startLog(other), 'LOG_CONTRADICTED', false);
    }
  });

  it('finishes a batch that an earlier process staged, byte for byte as that would have', async () => {
    const reference = new Machine();
    const whole = await startLog(reference);
    await Promise.all(['a', 'b'].map((item) => whole.sequencer.submit(item)));
    await whole.stop();
    const machine = new Machine();
    const half = await startLog(machine);
    machine.medium.plan({ write: machine.medium.counters.writes + 2, when: 'before', what: 'crash' });
    void Promise.all(['a', 'b'].map((item) => half.sequencer.submit(item)));
    await machine.crashed;
    const again = await startLog(machine);
    assert.equal(again.tree.size, 2);
    await again.stop();
    assert.deepEqual(await audit(machine), await audit(reference));
  });
});
