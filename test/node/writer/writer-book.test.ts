import assert from 'node:assert/strict';
import { WRITER_KEYS_MAX } from '../../../protocol/limits.ts';
import { parseOrigin } from '../../../protocol/log/origin.ts';
import { settleRoot } from '../../../node/core/root-change.ts';
import { putAway } from '../../../node/store/put-away.ts';
import { WriterBook } from '../../../node/writer/writer-book.ts';
import { recordKey, recordPlace } from '../../../node/writer/writer-memory.ts';
import { logKey, testKey, verifySignature } from '../../support/keys.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { type FaultyMedium } from '../../support/faulty-disk.ts';
import { medium, rejectsWith, storeOn } from '../../support/store-fixture.ts';
import { ATTEST, claimOf, permitOf, TRUST } from '../../support/writer-words.ts';

async function open(
  on: FaultyMedium,
  secondPlace: MemorySecondPlace,
  keys = [logKey(TRUST, 1).key],
  onShared: (record: Uint8Array) => void = () => undefined,
) {
  const store = storeOn(on);
  await store.start();
  const ground = { keys };
  const share = (_origin: string, record: Uint8Array) => Promise.resolve(onShared(record));
  const isNamed = () => false;
  const modules = { store, secondPlace, sha256, verifySignature, keysOf: () => ground.keys, isNamed };
  const book = new WriterBook({ ...modules, share });
  return { book, store, ground };
}

describe('WriterBook', () => {
  it('F1: what it granted is there after a restart, and it grants that epoch to nobody else', async () => {
    const on = medium();
    const place = new MemorySecondPlace();
    const { book, store } = await open(on, place);
    assert.ok((await book.claim(claimOf({ epoch: 3 }))).granted);
    assert.ok(
      (await book.permit(claimOf({ epoch: 3 }), permitOf({ epoch: 3 }, { from: 0, size: 4 }))).granted,
    );
    await store.stop();
    const { book: again } = await open(on, place);
    const record = await again.record(TRUST);
    assert.equal(record.claim?.word.epoch, 3);
    assert.equal(record.permits.get(TRUST)?.word.size, 4);
    assert.ok(!(await again.claim(claimOf({ epoch: 3, machine: 2 }))).granted);
  });

  it('T9: a store that was restored from a backup takes no promise back', async () => {
    const place = new MemorySecondPlace();
    const { book } = await open(medium(), place);
    await book.claim(claimOf({ epoch: 3 }));
    await book.permit(claimOf({ epoch: 3 }), permitOf({ epoch: 3 }, { from: 0, size: 4 }));
    const { book: restored } = await open(medium(), place);
    const other = permitOf({ epoch: 3 }, { from: 0, size: 4, tree: 9 });
    assert.ok(!(await restored.permit(claimOf({ epoch: 3 }), other)).granted);
    assert.ok(!(await restored.claim(claimOf({ epoch: 2 }))).granted);
  });

  it('T9: where store and second place have gone on without each other, what either promised is promised', async () => {
    const permitted = (epoch: number, from: number, size: number) => permitOf({ epoch }, { from, size });
    for (const isStoreAhead of [true, false]) {
      const [old, on] = [new MemorySecondPlace(), medium()];
      const first = await open(medium(), old);
      await first.book.claim(claimOf({ epoch: 3 }));
      if (!isStoreAhead)
        for (const from of [0, 4])
          await first.book.permit(claimOf({ epoch: 3 }), permitted(3, from, from + 4));
      const { book, store } = await open(on, new MemorySecondPlace());
      await book.permit(claimOf({ epoch: 2 }), permitted(2, 0, 6));
      if (isStoreAhead) await book.permit(claimOf({ epoch: 2 }), permitted(2, 6, 7));
      await store.stop();
      const { book: joined, store: last } = await open(on, old);
      const { claim, permits } = await joined.record(TRUST);
      assert.equal(claim?.word.epoch, 3);
      assert.equal(permits.get(TRUST)?.word.size, isStoreAhead ? 7 : 8);
      await last.stop();
      const { book: again } = await open(medium(), old);
      assert.equal((await again.record(TRUST)).claim?.word.epoch, 3);
      assert.equal((await again.record(TRUST)).permits.get(TRUST)?.word.size, isStoreAhead ? 7 : 8);
    }
  });

  it('T9: an old backup of either place, from before all keys were others, takes no promise back', async () => {
    const numbers = Array.from({ length: 2 * WRITER_KEYS_MAX }, (_, i) => i + 1);
    const keys = numbers.map((n) => logKey(TRUST, n).key);
    for (const isStoreOld of [true, false]) {
      const [on, place] = [medium(), new MemorySecondPlace()];
      const { book, store } = await open(on, place, keys);
      const claims = numbers.map((n) => claimOf({ epoch: n }, {}, testKey(n)));
      for (const claim of claims.slice(0, WRITER_KEYS_MAX)) assert.ok((await book.claim(claim)).granted);
      const [backup, marks] = [on.snapshot(), new Map(place.marks)];
      for (const claim of claims.slice(WRITER_KEYS_MAX)) assert.ok((await book.claim(claim)).granted);
      await store.stop();
      if (isStoreOld) on.restore(backup);
      else for (const [name, mark] of marks) place.marks.set(name, mark);
      for (let i = 0; i < 2; i++) {
        const again = await open(on, place, keys);
        const fenced = claimOf({ epoch: WRITER_KEYS_MAX + 1, machine: 2 }, {}, testKey(2 * WRITER_KEYS_MAX));
        const decision = await again.book.claim(fenced);
        assert.ok(!decision.granted && decision.refusal === 'fenced');
        await again.store.stop();
      }
    }
  });

  it('T9: promises by nothing that both places have no more, once it is told, and shares what it promises then', async () => {
    const place = new MemorySecondPlace();
    let shared = 0;
    const { book, store } = await open(medium(), place, undefined, () => void shared++);
    assert.ok((await book.claim(claimOf({ epoch: 3 }))).granted);
    await store.write([{ del: recordKey(TRUST) }]);
    await place.forget(recordPlace(TRUST));
    await book.reread(TRUST);
    assert.ok((await book.claim(claimOf({ epoch: 1, machine: 2 }))).granted);
    assert.equal(shared, 2);
  });

  it('F2: answers nothing that the second place did not take, and asking again tells what holds', async () => {
    const place = new MemorySecondPlace();
    const { book } = await open(medium(), place);
    place.plan({ raise: 1, when: 'before', what: 'DISK_IO' });
    await rejectsWith(book.claim(claimOf({ epoch: 3 })), 'DISK_IO');
    const other = await book.claim(claimOf({ epoch: 3, machine: 2 }));
    assert.ok(!other.granted, 'the store has the first claim');
    assert.ok((await book.claim(claimOf({ epoch: 3 }))).granted);
    const { book: restored } = await open(medium(), place);
    assert.equal((await restored.record(TRUST)).claim?.word.epoch, 3, 'the second place has it as well');
    assert.ok((await book.claim(claimOf({ epoch: 4, machine: 2 }))).granted);
    assert.equal(place.marks.size, 1);
  });

  it('F1: what was stored before the process died is in the second place before the next answer, or there is none', async () => {
    const on = medium();
    const place = new MemorySecondPlace();
    const { book, store } = await open(on, place);
    place.plan({ raise: 1, when: 'before', what: 'DISK_IO' });
    place.plan({ raise: 2, when: 'before', what: 'DISK_FULL' });
    await rejectsWith(book.claim(claimOf({ epoch: 3 })), 'DISK_IO');
    await store.stop();
    const { book: next } = await open(on, place);
    await rejectsWith(next.record(TRUST), 'DISK_FULL');
    assert.ok((await next.claim(claimOf({ epoch: 3 }))).granted);
    const { book: restored } = await open(medium(), place);
    assert.ok(!(await restored.claim(claimOf({ epoch: 3, machine: 2 }))).granted);
  });

  it('T11: the last epoch claimed by a stolen key binds nobody once that key is given up', async () => {
    const { book, ground } = await open(medium(), new MemorySecondPlace());
    assert.ok((await book.claim(claimOf({ epoch: Number.MAX_SAFE_INTEGER }))).granted);
    assert.ok(!(await book.claim(claimOf({ epoch: 2, machine: 2 }))).granted);
    ground.keys = [logKey(TRUST, 2).key];
    assert.equal((await book.record(TRUST)).claim, undefined);
    assert.ok((await book.claim(claimOf({ epoch: 1, machine: 2 }, {}, testKey(2)))).granted);
  });

  it('T11: a stolen key takes nothing back that another key has signed: once the root gives it up, that is what counts', async () => {
    const on = medium();
    const place = new MemorySecondPlace();
    const [stolen, good, fresh] = [1, 2, 3].map(testKey);
    const { book, store } = await open(on, place, [logKey(TRUST, 1).key, logKey(TRUST, 2).key]);
    const [own, thief] = [{ epoch: 5 }, { epoch: Number.MAX_SAFE_INTEGER, machine: 9 }];
    assert.ok((await book.permit(claimOf(own, {}, good), permitOf(own, { from: 0, size: 4 }, good))).granted);
    const bogus = permitOf(thief, { from: 0, size: 10 ** 9 }, stolen);
    assert.ok((await book.permit(claimOf(thief, {}, stolen), bogus)).granted);
    assert.equal((await book.record(TRUST)).permits.get(TRUST)?.word.size, 10 ** 9);
    assert.ok(!(await book.claim(claimOf({ epoch: 6 }, {}, good))).granted);
    const said = {
      givenUp: [stolen?.publicKey ?? assert.fail()],
      named: [fresh?.publicKey ?? assert.fail()],
    };
    const after = await book.heed(TRUST, said);
    assert.deepEqual([after.claim?.word.epoch, after.permits.get(TRUST)?.word.size], [5, 4]);
    await store.stop();
    // After a restart, and from a store that was put back, it is the same.
    for (const from of [on, medium()]) {
      const { book: again, store: reopened } = await open(from, place, [
        logKey(TRUST, 1).key,
        logKey(TRUST, 2).key,
      ]);
      assert.deepEqual(await again.claim(claimOf({ ...thief, machine: 8 }, {}, stolen)), {
        granted: false,
        refusal: 'unsigned',
      });
      const refused = await again.claim(claimOf({ epoch: 4 }, {}, fresh));
      assert.ok(!refused.granted && refused.refusal === 'fenced');
      assert.ok((await again.claim(claimOf({ epoch: 6, machine: 2 }, {}, fresh))).granted);
      assert.equal((await again.record(TRUST)).permits.get(TRUST)?.word.size, 4);
      await reopened.stop();
    }
  });

  it('decides one at a time: of many claims to one epoch one is granted', async () => {
    const { book } = await open(medium(), new MemorySecondPlace());
    const claims = Array.from({ length: 20 }, (_, machine) => book.claim(claimOf({ epoch: 7, machine })));
    const granted = (await Promise.all(claims)).filter((decision) => decision.granted);
    assert.equal(granted.length, 1);
  });

  it('T9: gives each record to its standby before it answers, and that takes over all and nothing back', async () => {
    const standby = await open(medium(), new MemorySecondPlace());
    const shared: Uint8Array[] = [];
    const { book } = await open(medium(), new MemorySecondPlace(), undefined, (record) =>
      shared.push(record),
    );
    await book.permit(claimOf({ epoch: 3 }), permitOf({ epoch: 3 }, { from: 0, size: 4 }));
    assert.equal(shared.length, 1);
    // It has promised more than the other machine knows, at another time.
    await standby.book.permit(
      claimOf({ epoch: 2 }),
      permitOf({ epoch: 2 }, { from: 0, size: 9, origin: ATTEST }),
    );
    for (let i = 0; i < 2; i++) await standby.book.follow(TRUST, shared[0] ?? assert.fail());
    const { claim, permits, changes } = await standby.book.record(TRUST);
    assert.deepEqual([claim?.word.epoch, changes], [3, 2]);
    assert.deepEqual([permits.get(TRUST)?.word.size, permits.get(ATTEST)?.word.size], [4, 9]);
    assert.ok(!(await standby.book.claim(claimOf({ epoch: 3, machine: 2 }))).granted);
    await book.permit(claimOf({ epoch: 3 }), permitOf({ epoch: 3 }, { from: 4, size: 5 }));
    await standby.book.claim(claimOf({ epoch: 4, machine: 2 }));
    await standby.book.follow(TRUST, shared[1] ?? assert.fail());
    const after = await standby.book.record(TRUST);
    assert.deepEqual([after.claim?.word.epoch, after.permits.get(TRUST)?.word.size], [4, 5]);
    await rejectsWith(standby.book.follow(TRUST, Uint8Array.of(1)), 'LOG_CORRUPT');
  });

  it('T9: keeps apart what the other machine has promised under a root that is not followed here, until it is', async () => {
    const shared: Uint8Array[] = [];
    const { book } = await open(medium(), new MemorySecondPlace(), undefined, (record) =>
      shared.push(record),
    );
    const words = [
      { from: 0, size: 4 },
      { from: 4, size: 5 },
    ].map((tree) => permitOf({ epoch: 3 }, tree));
    for (const permit of words) await book.permit(claimOf({ epoch: 3 }), permit);
    const place = new MemorySecondPlace();
    const { book: standby, store } = await open(medium(), place);
    await standby.claim(claimOf({ epoch: 1, machine: 2 }));
    const fingerprint = new Uint8Array(32).fill(7);
    for (const record of shared) await standby.follow(TRUST, record, putAway(fingerprint));
    assert.equal((await standby.record(TRUST)).claim?.word.epoch, 1);
    const { region, network } = parseOrigin(TRUST);
    const modules = { store, secondPlace: place, sha256 };
    await settleRoot({ region, network, fingerprint: new Uint8Array(32).fill(6) }, modules);
    await settleRoot({ region, network, fingerprint }, modules);
    await standby.reread(TRUST);
    const { claim, permits } = await standby.record(TRUST);
    assert.deepEqual([claim?.word.epoch, permits.get(TRUST)?.word.size], [3, 5]);
    assert.deepEqual(await store.get(recordKey(TRUST)), place.marks.get(recordPlace(TRUST))?.note);
  });

  it('T9: gives its standby what a process promised that died before it could, once it is asked again', async () => {
    const on = medium();
    const place = new MemorySecondPlace();
    const words = [claimOf({ epoch: 3 }), permitOf({ epoch: 3 }, { from: 0, size: 4 })] as const;
    const died = await open(on, place, undefined, () => assert.fail('it dies here'));
    await assert.rejects(died.book.permit(...words));
    await died.store.stop();
    const shared: Uint8Array[] = [];
    const { book } = await open(on, place, undefined, (record) => shared.push(record));
    for (let i = 0; i < 2; i++) assert.ok((await book.permit(...words)).granted);
    assert.equal(shared.length, 1);
    const standby = await open(medium(), new MemorySecondPlace());
    await standby.book.follow(TRUST, shared[0] ?? assert.fail());
    assert.equal((await standby.book.record(TRUST)).permits.get(TRUST)?.word.size, 4);
  });
});
