import assert from 'node:assert/strict';
import { attestationLogOrigin } from '../../../protocol/log/origin.ts';
import { HeldCodes } from '../../../node/issuing/held-codes.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { storeError } from '../../../node/store/store-error.ts';
import { greenFields, RegionMachine, startRegion } from '../../support/issuing-fixture.ts';
import { LOG_ID } from '../../support/region-fixture.ts';

describe('HeldCodes.logged', () => {
  const OTHER = '2026-10';

  async function issuing() {
    const machine = new RegionMachine();
    const process = await startRegion(machine);
    const { issuer, registry, openTree } = process;
    await issuer.issueAll(['a', 'b'].map((subject) => ({ subject, fields: greenFields() })));
    return { machine, process, held: new HeldCodes(machine.region, { registry, openTree }) };
  }

  it('gives what a log has, and what it had before its store went back, by the second place or the root', async () => {
    const { machine, process, held } = await issuing();
    const places = [0, 1, 2, 4, 5].map((index) => ({ log: LOG_ID, index }));
    const logged = async () => (await held.logged(places)).map(({ index }) => index);
    assert.deepEqual(await logged(), [0, 1]);
    const tree = await process.treeOf(LOG_ID);
    const { signed = assert.fail() } = tree.head;
    await machine.secondPlace.raise(tree.origin, { ...signed, size: 5 });
    await tree.reload();
    assert.deepEqual([tree.size, tree.shortfall?.size], [2, 5]);
    assert.deepEqual(await logged(), [0, 1, 2, 4]);
    assert.equal(await held.isLogged({ log: LOG_ID, index: 4 }), true);
    assert.equal(await held.isLogged({ log: LOG_ID, index: 5 }), false);
    const { registry, openTree } = process;
    for (const [size, reached] of [
      [6, 6],
      [3, 5],
    ] as const) {
      const named = (origin: string) => (origin === tree.origin ? size : 0);
      const known = new HeldCodes(machine.region, { registry, openTree, named });
      assert.equal(await known.isLogged({ log: LOG_ID, index: reached - 1 }), true, 'by the root');
      assert.equal(await known.isLogged({ log: LOG_ID, index: reached }), false);
    }
    await process.stop();
  });

  it('gives nothing of a log that is in trouble, and what is in another; a disk that fails is no such log', async () => {
    const { machine, process, held } = await issuing();
    const { region, network } = machine.region;
    const tree = await process.openTree(attestationLogOrigin(region, network, OTHER));
    await process.store.write([{ put: tree.keys.head, value: Uint8Array.of(0) }]);
    await assert.rejects(tree.reload());
    assert.ok(tree.trouble);
    const [sound, troubled] = [LOG_ID, OTHER].map((log) => ({ log, index: 0 }));
    assert.ok(sound && troubled);
    assert.deepEqual(await held.logged([troubled, sound]), [sound]);
    await assert.rejects(held.isLogged(troubled));
    const { registry } = process;
    const openTree = () => Promise.reject(storeError('DISK_IO', 'planned'));
    const failing = new HeldCodes(machine.region, { registry, openTree });
    await assert.rejects(failing.logged([sound]), (error) => isNodeError(error, 'DISK_IO'));
    await process.stop();
  });
});
