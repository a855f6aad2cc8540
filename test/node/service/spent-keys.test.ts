import assert from 'node:assert/strict';
import { type NodeStatus } from '../../../node/core/node-status.ts';
import { neededAttestKeys } from '../../../node/issuing/needed-keys.ts';
import { LogKeys } from '../../../node/log/log-keys.ts';
import { stagingChanges } from '../../../node/log/staged-batch.ts';
import { keyNamesIn } from '../../../node/region/key-file.ts';
import { type RegionKeys } from '../../../node/region/region-keys.ts';
import { SpentKeys } from '../../../node/service/spent-keys.ts';
import { AttestationTemplate } from '../../../protocol/code/attestation-template.ts';
import { logMonth } from '../../../protocol/trust/log-month.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Clock, DAY_S, inRegion, makeRegion, requests, START_S } from '../../support/regions.ts';
import { medium, startedStore } from '../../support/store-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const HOUR_S = 3_600;

describe('SpentKeys', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let path: string;
  before(async () => {
    clock = new Clock();
    path = await makeRegion(folder(), 'DE', clock.modules);
  });

  const filesOf = async (role = 'attest') =>
    (await keyNamesIn(`${path}/keys`)).flatMap((name) => (name.role === role ? [name.keyId] : [])).toSorted();

  it('RegionKeys.destroySpent destroys attest keys that are over and not needed, and nothing else', async () => {
    const before = await filesOf();
    const others = await Promise.all(['registry', 'checkpoint', 'trust-log', 'witness', 'root'].map(filesOf));
    clock.nowS = START_S + 14 * DAY_S;
    await inRegion(path, clock.modules, async ({ keys, state, node }) => {
      const over = state
        .keysWithRole('attest')
        .filter(({ untilS }) => untilS <= clock.nowS)
        .map(({ keyId }) => keyId);
      assert.equal(over.length, 2);
      const [needed = '', spent] = over;
      const isNeeded = (keyId: string) => keyId === needed;
      assert.deepEqual(await keys.destroySpent(clock.nowS, isNeeded), [spent]);
      assert.deepEqual(
        await filesOf(),
        before.filter((keyId) => keyId !== spent),
      );
      assert.ok(keys.attest.withId(needed) !== undefined && keys.attest.withId(spent ?? '') === undefined);
      assert.deepEqual(await node.attestKeysNeeded(), new Set());
      assert.deepEqual(await keys.destroySpent(clock.nowS, () => false), [needed]);
      assert.deepEqual(await keys.destroySpent(clock.nowS, () => false), []);
    });
    assert.deepEqual(
      await Promise.all(['registry', 'checkpoint', 'trust-log', 'witness', 'root'].map(filesOf)),
      others,
    );
    // The region goes on without them.
    await inRegion(path, clock.modules, ({ node }) => node.issueAll(requests(1, clock.nowS)));
  });

  it('neededAttestKeys names the keys of all batches that are staged', async () => {
    const store = await startedStore(medium());
    const origins = ['DE.demo/attest/2026-11', 'DE.demo/attest/2026-12'];
    const ids = ['00112233445566aa', '00112233445566bb'];
    for (const [i, origin] of origins.entries()) {
      const log = origin.slice(-7);
      const template = new AttestationTemplate(
        { region: 'DE', log, hour: logMonth(log).fromS / HOUR_S },
        ids[i] ?? '',
        'demo',
      );
      const drafts = [3, 4].map((index) => template.draft(index, new Uint8Array(32)));
      await store.write(stagingChanges(new LogKeys(origin), { index: 3, atS: START_S, drafts }));
    }
    assert.deepEqual(await neededAttestKeys(origins, store), new Set(ids));
    assert.deepEqual(await neededAttestKeys(origins.slice(1), store), new Set(ids.slice(1)));
    await store.stop();
  });

  describe('while it runs', () => {
    let time: ManualClock;
    let writing: NodeStatus['writing'];
    let pastS: number | undefined;
    let asked: { readonly endedS: number; readonly isNeeded: boolean }[];
    let troubles: unknown[];
    let spent: SpentKeys;
    beforeEach(() => {
      time = new ManualClock(1_000 * START_S);
      [writing, asked, troubles] = ['writing', [], []];
      pastS = START_S;
      const keys: Pick<RegionKeys, 'destroySpent'> = {
        destroySpent: (endedS, isNeeded) => {
          asked.push({ endedS, isNeeded: isNeeded('needed') });
          return Promise.resolve([]);
        },
      };
      const node = {
        attestKeysNeeded: () => Promise.resolve(new Set(['needed'])),
        get surelyPastS() {
          return pastS;
        },
        get status() {
          return { writing };
        },
      };
      spent = new SpentKeys({
        region: { keys, node },
        clock: time,
        log: { info: () => undefined },
        onTrouble: (error) => void troubles.push(error),
      });
      spent.start();
    });
    afterEach(() => spent.stop());

    it('looks five minutes after the start and every hour, and leaves each key an hour and what is needed', async () => {
      await time.advance(290_000);
      assert.deepEqual(asked, []);
      await time.advance(20_000);
      assert.deepEqual(asked, [{ endedS: START_S - HOUR_S, isNeeded: true }]);
      pastS = START_S + DAY_S;
      await time.advance(1_000 * HOUR_S);
      assert.deepEqual(asked.at(-1), { endedS: START_S + DAY_S - HOUR_S, isNeeded: true });
      assert.deepEqual(troubles, []);
    });

    it('T15 destroys nothing on a machine that does not write, and none whose window is over by its own clock alone', async () => {
      writing = 'standby';
      await time.advance(400_000);
      [writing, pastS] = ['writing', undefined];
      await time.advance(20 * 1_000 * DAY_S);
      assert.deepEqual(asked, []);
      pastS = START_S;
      await time.advance(1_000 * HOUR_S);
      assert.deepEqual(asked, [{ endedS: START_S - HOUR_S, isNeeded: true }]);
    });
  });
});
