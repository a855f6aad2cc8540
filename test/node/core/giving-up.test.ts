import assert from 'node:assert/strict';
import { GivingUp } from '../../../node/core/giving-up.ts';
import { type Store } from '../../../node/store/store.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { encodeWriterAnswer, parseWriterRequest } from '../../../node/writer/writer-messages.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

describe('GivingUp.show', () => {
  /** Shows what gives the checkpoint key up while the log grows so often. Gives the indexes of what witnesses are shown, and what the log has. */
  async function showWhile(growing: number) {
    const region = new RegionFixture();
    const fresh = region.key('fresh checkpoint');
    const entries = [
      region.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      region.compromise(region.keys.checkpoint, { trust: region.cutOff() }),
    ].map((statement) => region.entryOf(statement));
    let growths = growing;
    const home = {
      fold: {
        get size() {
          return region.fold.size;
        },
        statements: () => region.fold.statements(),
        stateAfter: (added: readonly Uint8Array[]) => {
          const all = [...region.entries, ...added];
          const after = region.fold.fork((index) => all.slice(index));
          for (const entry of added) after.append(entry);
          if (growths-- > 0)
            region.admit([{ key: region.key(`checkpoint ${region.fold.size}`), role: 'checkpoint' }]);
          return Promise.resolve(after.state);
        },
      },
      get state() {
        return region.state;
      },
    } as unknown as TrustKeeper;
    const shown: number[][] = [];
    const giving = new GivingUp(region.origin, {
      ...trustModules,
      clock: new ManualClock(START_S * 1_000),
      store: {} as Store,
      regionOf: (peer) => peer,
      client: {
        peers: () => ['FR'],
        request: (_peer, _protocol, bytes) => {
          const request = parseWriterRequest(bytes);
          if (request.kind !== 'given-up') assert.fail(request.kind);
          shown.push(request.statements.map(({ index }) => index));
          return Promise.resolve(encodeWriterAnswer({ kind: 'record', permits: [] }));
        },
        blaming: (_peer, work) => work(),
      },
      home: () => home,
      witnesses: () => ['FR'],
      named: () => Promise.resolve([]),
    });
    await giving.show(entries);
    return { shown, size: region.fold.size, given: giving.state?.size };
  }

  it('T14: shows what the log has grown by meanwhile before the entries, and goes by a state that has it', async () => {
    for (const growing of [0, 1, 3]) {
      const { shown, size, given } = await showWhile(growing);
      const [indexes = [], ...more] = shown;
      assert.equal(more.length, 0);
      assert.deepEqual(indexes.slice(-2), [size, size + 1]);
      assert.equal(given, size + 2);
    }
  });

  it('T14: gives up on a log that never stops to grow', async () => {
    await rejectsWith(showWhile(Infinity), 'LOG_BUSY');
  });
});
