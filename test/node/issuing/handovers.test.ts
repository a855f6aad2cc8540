import assert from 'node:assert/strict';
import { Handovers } from '../../../node/issuing/handovers.ts';
import { HeldCodes, type Wanted } from '../../../node/issuing/held-codes.ts';
import { pruneLog } from '../../../node/log/prune.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { greenFields, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { LOG_ID } from '../../support/region-fixture.ts';

const requests = (count: number, toHandOver = true) =>
  Array.from({ length: count }, (_, i) => ({ subject: `person ${i}`, fields: greenFields(), toHandOver }));

describe('Handovers', () => {
  it('F1: lists a batch from before its first signature until somebody confirms that the codes arrived', async () => {
    const machine = new RegionMachine();
    let seen: unknown;
    const first = await startRegion(
      machine,
      {},
      {
        onSigned: (index) => {
          if (index === 0) seen = new Handovers(first).open();
        },
      },
    );
    const batch = [{ log: LOG_ID, index: 0, count: 5 }];
    const issued = await first.issuer.issueAll(requests(5));
    assert.deepEqual(await seen, batch);
    assert.deepEqual(
      issued.map(({ log }) => log),
      Array.from({ length: 5 }, () => LOG_ID),
    );
    assert.equal(issued[0]?.checkpoint.size, 5, 'one batch');
    await first.stop();
    const second = await startRegion(machine);
    const handovers = new Handovers(second);
    assert.deepEqual(await handovers.open(), batch);
    await second.issuer.issueAll(requests(2));
    await handovers.close(batch);
    assert.deepEqual(await handovers.open(), [{ log: LOG_ID, index: 5, count: 2 }]);
    await handovers.close([]);
    await second.stop();
  });

  it('does not list what nobody wants to have handed over', async () => {
    const machine = new RegionMachine();
    const { store, issuer, stop } = await startRegion(machine);
    await issuer.issueAll(requests(3, false));
    assert.deepEqual(await new Handovers({ store }).open(), []);
    await stop();
  });

  it('refuses a value that counts nothing', async () => {
    const machine = new RegionMachine();
    const { store, stop } = await startRegion(machine);
    for (const value of [[], [0], [0x61, 0x61]]) {
      await store.write([{ put: `handover/${LOG_ID}/0000000000000000`, value: Uint8Array.from(value) }]);
      await assert.rejects(new Handovers({ store }).open(), (error) => isNodeError(error, 'LOG_CORRUPT'));
    }
    await stop();
  });
});

describe('HeldCodes.ofLog', () => {
  it('gives each record with its own leaf, over pages and past leaves of nobody', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, openTree, treeOf, stop } = await startRegion(machine);
    await issuer.issueAll(requests(70));
    await issuer.issue({ subject: 'in company', fields: greenFields(), isReplacement: true });
    await issuer.issueAll(requests(3));
    const held = new HeldCodes(machine.region, { registry, openTree });
    const leaves = [];
    for await (const leaf of (await treeOf(LOG_ID)).reader.entries(0, 105)) leaves.push(leaf);
    const indexes: number[] = [];
    for await (const { index, attestation } of held.ofLog(LOG_ID)) {
      assert.deepEqual(attestation, leaves[index]);
      indexes.push(index);
    }
    assert.equal(indexes.length, 74);
    assert.deepEqual(
      indexes,
      indexes.toSorted((a, b) => a - b),
    );
    await stop();
  });
});

describe('HeldCodes.of', () => {
  it('says first how many of a log are given up, for a person, a log and all, and opens no log that is not there', async () => {
    const machine = new RegionMachine();
    const { issuer, registry, openTree, treeOf, store, stop } = await startRegion(machine);
    const issued = await issuer.issueAll(requests(260));
    const tree = await treeOf(LOG_ID);
    await pruneLog(tree.size, { tree, store });
    const opened: string[] = [];
    const held = new HeldCodes(machine.region, {
      registry,
      openTree: (origin) => {
        opened.push(origin);
        return openTree(origin);
      },
    });
    const found = async (wanted: Wanted) => {
      const all = [];
      for await (const one of held.of(wanted)) all.push('givenUp' in one ? one : one.index);
      return all;
    };
    const givenUp = (count: number) => ({ log: LOG_ID, givenUp: count });
    for (const wanted of [{}, { log: LOG_ID }]) {
      assert.deepEqual(await found(wanted), [givenUp(256), 256, 257, 258, 259]);
    }
    const subjectAt = (index: number) =>
      requests(260)[issued.findIndex((one) => one.index === index)]?.subject;
    assert.deepEqual(await found({ subject: subjectAt(255) }), [givenUp(1)]);
    assert.deepEqual(await found({ subject: subjectAt(256), log: LOG_ID }), [256]);
    assert.deepEqual(await found({ subject: subjectAt(255), log: '2026-12' }), []);
    opened.length = 0;
    assert.deepEqual([await found({ log: '2026-12' }), opened], [[], []]);
    await stop();
  });
});
