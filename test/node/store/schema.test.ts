import assert from 'node:assert/strict';
import { encodeIdentity, parseIdentity, SCHEMA_VERSION } from '../../../node/store/identity.ts';
import { openValue, sealValue } from '../../../node/store/sealed.ts';
import { type FaultyMedium, type PlannedFault } from '../../support/faulty-disk.ts';
import { medium, OWNER, put, startedStore, storeOn, textAt } from '../../support/store-fixture.ts';

const KEY = 'store/identity';

describe('a store of schema 1', () => {
  async function olderStore(): Promise<FaultyMedium> {
    const on = medium();
    const store = await startedStore(on);
    await store.write([put('a', '1')]);
    await store.stop();
    const disk = on.disk();
    await disk.open();
    await disk.write([{ put: KEY, value: sealValue(KEY, encodeIdentity({ schema: 1, owner: OWNER })) }]);
    await disk.close();
    return on;
  }

  function schemaOf(on: FaultyMedium): number {
    const stored = new Map(on.snapshot().entries).get(KEY) ?? assert.fail();
    return parseIdentity(openValue(KEY, stored)).schema;
  }

  /** The writes of an opening and of one batch after it. */
  async function opened(on: FaultyMedium): Promise<'opened'> {
    const store = await startedStore(on);
    assert.equal(await textAt(store, 'a'), '1');
    await store.write([put('b', '2')]).catch(() => undefined);
    await store.stop();
    return 'opened';
  }

  it('says the schema of this program once it is open, before an owner is asked or anything else is written', async () => {
    const on = await olderStore();
    assert.equal(schemaOf(on), 1);
    const store = storeOn(on);
    const seen: number[] = [];
    store.addCheck(() => Promise.resolve(void seen.push(schemaOf(on))));
    await store.start();
    assert.deepEqual(seen, [SCHEMA_VERSION]);
    assert.equal(await textAt(store, 'a'), '1');
    await store.stop();
    const { writes } = on.counters;
    await (await startedStore(on)).stop();
    assert.equal(on.counters.writes, writes, 'and is not written again');
  });

  for (const what of ['DISK_IO', 'DISK_FULL', 'crash'] as const) {
    for (const when of ['before', 'after'] as const) {
      it(`is of one schema or the other after ${what} ${when} each write, never of the lower one with something newer in it`, async () => {
        for (const nth of [1, 2]) {
          const on = await olderStore();
          const fault: PlannedFault = { write: on.counters.writes + nth, when, what };
          on.plan(fault);
          const crashed = new Promise<'crashed'>((resolve) => on.onCrash(() => resolve('crashed')));
          const outcome = await Promise.race([opened(on), crashed]);
          assert.equal(outcome, what === 'crash' ? 'crashed' : 'opened');
          const isWritten = new Map(on.snapshot().entries).has('b');
          const isRaised = schemaOf(on) === SCHEMA_VERSION;
          assert.ok(isRaised || !isWritten, `${what} ${when} write ${nth}`);
          if (nth === 2) assert.ok(isRaised);
          assert.equal(await opened(on), 'opened');
          assert.equal(schemaOf(on), SCHEMA_VERSION);
        }
      });
    }
  }

  it('of another owner, or whose disk went back behind its mark, is refused as it is', async () => {
    const on = await olderStore();
    await assert.rejects(storeOn(on, { owner: 'DE.example' }).start());
    assert.equal(schemaOf(on), 1);
    on.restore({ ...on.snapshot(), commits: 9 });
    await assert.rejects(storeOn(on).start());
    assert.equal(schemaOf(on), 1);
  });
});
