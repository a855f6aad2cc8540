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
import { threeRegions } from '../../support/http-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
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

  it('RegionNode.vouchedAtS is what the clocks of others say, and nothing where nobody else vouches', async () => {
    const world = await threeRegions();
    world.machine('DE').clockError.aheadMs = 20 * 1_000 * DAY_S;
    await world.pass(60);
    const { vouchedAtS = 0 } = world.node('DE');
    assert.ok(Math.abs(vouchedAtS - world.nowS) <= 300, `${vouchedAtS - world.nowS}`);
    await world.stop();
    const alone = new NodeWorld();
    await alone.found('DE');
    await alone.pass(60);
    assert.equal(alone.node('DE').vouchedAtS, undefined);
    await alone.stop();
  });

  describe('while it runs', () => {
    let time: ManualClock;
    let standing: NodeStatus['clock']['standing'];
    let writing: NodeStatus['writing'];
    let vouchedAtS: number | undefined;
    let asked: { readonly endedS: number; readonly isNeeded: boolean }[];
    let troubles: unknown[];
    let spent: SpentKeys;
    beforeEach(() => {
      time = new ManualClock(1_000 * START_S);
      [standing, writing, asked, troubles] = ['agrees', 'writing', [], []];
      vouchedAtS = START_S + DAY_S;
      const keys: Pick<RegionKeys, 'destroySpent'> = {
        destroySpent: (endedS, isNeeded) => {
          asked.push({ endedS, isNeeded: isNeeded('needed') });
          return Promise.resolve([]);
        },
      };
      const node = {
        attestKeysNeeded: () => Promise.resolve(new Set(['needed'])),
        get vouchedAtS() {
          return vouchedAtS;
        },
        get status() {
          return { writing, clock: { standing } };
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
      assert.deepEqual(asked, [{ endedS: START_S + 300 - HOUR_S, isNeeded: true }]);
      await time.advance(1_000 * HOUR_S);
      assert.deepEqual(asked.at(-1), { endedS: START_S + 300, isNeeded: true });
      assert.deepEqual(troubles, []);
    });

    it('destroys nothing on a machine that does not write or whose clock is astray, and a week later while it is doubted', async () => {
      writing = 'standby';
      await time.advance(400_000);
      [writing, standing] = ['astray', 'astray'];
      await time.advance(1_000 * HOUR_S);
      assert.deepEqual(asked, []);
      [writing, standing] = ['writing', 'doubtful'];
      await time.advance(1_000 * HOUR_S);
      assert.deepEqual(asked, [{ endedS: START_S + 300 + HOUR_S - 7 * DAY_S, isNeeded: true }]);
    });

    it('destroys no key whose window no other region says to be over, whatever its own clock says', async () => {
      [standing, vouchedAtS] = ['doubtful', START_S];
      await time.advance(20 * 1_000 * DAY_S);
      assert.equal(asked.at(-1)?.endedS, START_S);
      assert.ok(asked.every(({ endedS }) => endedS <= START_S));
      const rounds = asked.length;
      // Nobody else has ever told the time.
      [standing, vouchedAtS] = ['alone', undefined];
      await time.advance(1_000 * HOUR_S);
      assert.equal(asked.length, rounds);
    });
  });
});
