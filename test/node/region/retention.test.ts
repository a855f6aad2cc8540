import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { editConfig } from '../../../node/config/config-file.ts';
import { Retention } from '../../../node/log/retention.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { Machine, ORIGIN } from '../../support/log-fixture.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { copyRegion } from '../../support/region-templates.ts';
import { Clock, DAY_S, inRegion, requests, START_S } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** The first second in which a log of November is given up that is kept for 31 days. */
const DUE_S = Date.UTC(2027, 0, 1) / 1_000;

describe('storage.keepAttestationDays', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let path: string;
  beforeEach(async () => {
    clock = new Clock();
    path = await copyRegion(folder(), 'DE');
    await inRegion(path, clock.modules, ({ node }) => node.issueAll(requests(300, clock.nowS)));
  });
  const keep = (days: number) =>
    editConfig(join(path, 'entente.yaml'), [{ at: ['storage', 'keepAttestationDays'], value: days }]);
  const isPublished = () => existsSync(join(path, 'public/attest/2026-11/checkpoint'));
  /** How many codes of November can still be made again. */
  const left = () =>
    inRegion(path, clock.modules, async ({ node }) => {
      await node.tend();
      let count = 0;
      for await (const held of node.heldCodes.ofLog('2026-11')) count += held.log === '2026-11' ? 1 : 0;
      return count;
    });

  /** The trust-log key signs something, as that of a node that runs does every few days. */
  const sign = () => inRegion(path, clock.modules, ({ node }) => node.commitState());

  it('gives up the entries of a month so many days after it by its trust log, and goes on issuing', async () => {
    await keep(31);
    clock.nowS = DUE_S - 1;
    await sign();
    // It counts the colours of the day in its trust log, too.
    assert.equal(await left(), 300);
    clock.nowS = DUE_S;
    assert.equal(await left(), 300);
    assert.ok(isPublished());
    await sign();
    assert.equal(await left(), 44);
    assert.ok(!isPublished());
    const [issued] = await inRegion(path, clock.modules, ({ node }) =>
      node.issueAll(requests(1, clock.nowS)),
    );
    assert.equal(issued?.log, '2027-01');
    assert.ok(existsSync(join(path, 'public/attest/2027-01/checkpoint')));
  });

  describe('with a clock that ran ahead', () => {
    const nothingIsLost = async () => {
      clock.nowS = START_S;
      assert.equal(await left(), 300);
      assert.ok(isPublished());
    };

    it('loses nothing by a year: what reads gives nothing up, and no key signs then', async () => {
      await keep(31);
      clock.nowS += 365 * DAY_S;
      await inRegion(path, clock.modules, async ({ node }) => {
        const issued = node.issueAll(requests(1, clock.nowS));
        await assert.rejects(issued, (error) => isNodeError(error, 'KEY_NOT_IN_FORCE'));
        await assert.rejects(node.tend(), (error) => isNodeError(error, 'KEY_NOT_IN_FORCE'));
      });
      await inRegion(path, clock.modules, () => Promise.resolve());
      await nothingIsLost();
    });

    it('loses nothing by what it signs itself while its keys are good', async () => {
      await keep(31);
      clock.nowS = DUE_S;
      await inRegion(path, clock.modules, async ({ node }) => {
        await node.commitState();
        await node.issueAll(requests(1, clock.nowS));
      });
      clock.nowS = START_S;
      await inRegion(path, clock.modules, async ({ node }) => {
        await node.tend().catch(() => undefined);
        assert.equal(node.log('DE.demo/attest/2026-11')?.head.minimum, 0);
      });
      assert.ok(isPublished());
    });
  });

  it('gives up what is due although the registry cannot be counted for a tally', async () => {
    await keep(31);
    clock.nowS = DUE_S;
    await sign();
    const directory = join(path, 'store');
    const store = storeInDirectory({ owner: 'DE.demo', directory }, { clock: systemClock });
    await store.start();
    await store.write([{ put: 'registry/uncounted/2026-11/0000000000005', value: new Uint8Array(40) }]);
    await store.stop();
    await inRegion(path, clock.modules, async ({ node }) => {
      await assert.rejects(node.tend(), (error) => isNodeError(error, 'REGISTRY_CORRUPT'));
      assert.equal(node.log('DE.demo/attest/2026-11')?.head.minimum, 256);
    });
  });

  it('leaves given up what is, although more days are to be kept later', async () => {
    await keep(31);
    clock.nowS = DUE_S;
    await sign();
    assert.equal(await left(), 44);
    await keep(400);
    assert.equal(await left(), 44);
    assert.ok(!isPublished());
  });

  it('keeps them for good without it', async () => {
    clock.nowS = DUE_S + 20 * DAY_S;
    assert.equal(await left(), 300);
    assert.ok(isPublished());
  });

  it('is refused below the 31 days in which codes of the month may be revoked', async () => {
    await assert.rejects(keep(30), (error) => isNodeError(error, 'CONFIG_INVALID'));
  });
});

describe('Retention', () => {
  const reference = ReferenceTree.ofSize(700);

  async function grown(machine: Machine) {
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    const growth = tree.grow();
    for (const entry of reference.entries) growth.append(entry);
    await tree.write(growth, { signed: { size: 700, root: growth.root(), note: new Uint8Array(1) } });
    const opened: string[] = [];
    const openTree = (origin: string) => {
      opened.push(origin);
      return Promise.resolve(tree);
    };
    const retentionOf = (region: string, lastAtS?: number) =>
      new Retention(
        { region, keepAttestationDays: 31 },
        {
          store,
          clock: machine.clock,
          stateOf: (of) => (of === 'DE' && lastAtS !== undefined ? { lastAtS } : undefined),
          openTree,
        },
      );
    return { store, tree, retentionOf, retention: retentionOf('DE'), opened };
  }

  it('keeps the head, the root and the last bundle, and looks at no log again that is done', async () => {
    const machine = new Machine();
    const { store, tree, retention, opened } = await grown(machine);
    machine.clock.nowAtMs = DUE_S * 1_000;
    await retention.tend(DUE_S);
    await retention.tend(DUE_S);
    assert.deepEqual([opened, tree.head.minimum], [[ORIGIN], 512]);
    assert.deepEqual(Buffer.from(tree.head.root), Buffer.from(reference.root()));
    const last: Uint8Array[] = [];
    for await (const entry of tree.reader.entries(512, 700)) last.push(entry);
    assert.equal(last.length, 188);
    await store.stop();
  });

  it('leans on the newest statement of the own trust log, and on the clock where that is behind it', async () => {
    const machine = new Machine();
    const { store, tree, retention, opened } = await grown(machine);
    machine.clock.nowAtMs = (DUE_S + 365 * DAY_S) * 1_000;
    await retention.tend(DUE_S - 1);
    machine.clock.nowAtMs = (DUE_S - 1) * 1_000;
    await retention.tend(DUE_S + 365 * DAY_S);
    assert.deepEqual([opened, tree.head.minimum], [[], 0]);
    await store.stop();
  });

  it("leans, for a mirror, on the mirrored region's trust log, and keeps what is of no region that it follows", async () => {
    const machine = new Machine();
    const { store, retentionOf, opened } = await grown(machine);
    machine.clock.nowAtMs = DUE_S * 1_000;
    await retentionOf('FR').tend(DUE_S);
    await retentionOf('FR', DUE_S - 1).tend(DUE_S);
    assert.deepEqual(opened, []);
    await retentionOf('FR', DUE_S).tend(0);
    assert.deepEqual(opened, [ORIGIN]);
    await store.stop();
  });

  it('goes on after an interruption at any write', async () => {
    for (let write = 1; write <= 4; write++) {
      const machine = new Machine();
      const { store, tree, retention } = await grown(machine);
      machine.clock.nowAtMs = DUE_S * 1_000;
      machine.medium.plan({ write: machine.medium.counters.writes + write, when: 'before', what: 'DISK_IO' });
      await retention.tend(DUE_S).catch(() => undefined);
      await tree.reload();
      await retention.tend(DUE_S);
      const prefix = `log/${ORIGIN}/`;
      const keys = (await store.inspect(prefix, 100)).map(({ key }) => key.slice(prefix.length));
      assert.deepEqual(
        keys.filter((key) => /^(entries|tile)/.test(key)),
        ['entries/0000000000000512', 'tile/0/0000000000000002', 'tile/1/0000000000000000'],
      );
      await store.stop();
    }
  });
});
