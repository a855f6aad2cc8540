import assert from 'node:assert/strict';
import { Handovers } from '../../../node/issuing/handovers.ts';
import { HeldCodes } from '../../../node/issuing/held-codes.ts';
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
