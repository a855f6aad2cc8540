import assert from 'node:assert/strict';
import { giveUpOldRoot } from '../../../node/core/old-root.ts';
import { encodeEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { LogKeys } from '../../../node/log/log-keys.ts';
import { Machine } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture } from '../../support/region-fixture.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

const mark = { size: 3, root: new Uint8Array(32), note: new Uint8Array(0) };

function marksOf({ secondPlace }: Machine): string[] {
  return [...secondPlace.marks.keys()].filter((name) => name.includes('AT.test/'));
}

describe('giveUpOldRoot', () => {
  const held = new RegionFixture({ region: 'AT' });
  const anew = new RegionFixture({ region: 'AT', rootKeys: 2 });
  const recognised = { region: 'AT', network: 'test', fingerprint: anew.fingerprint, version: 2 };

  async function machineWith(region: RegionFixture) {
    const machine = new Machine();
    const store = await machine.openStore();
    const names = [`AT.test/trust`, `AT.test/attest/2026-11`, `AT-1.test/trust`, `AT.test2/trust`];
    for (const origin of names) {
      const keys = new LogKeys(origin);
      await store.write([
        { put: keys.run(0), value: encodeEntryBundle(region.entries.slice(0, 1)) },
        { put: keys.head, value: Uint8Array.of(1) },
        { put: `trust/${origin}/base`, value: Uint8Array.of(1) },
        { put: `fork/${origin}/x`, value: Uint8Array.of(1) },
        { put: `witness/${origin}`, value: Uint8Array.of(1) },
      ]);
      for (const place of [origin, `witness:${origin}`]) await machine.secondPlace.raise(place, mark);
    }
    // More than go in one write.
    const many = Array.from({ length: 1_200 }, (_, i) => new LogKeys('AT.test/trust').run(i + 1));
    await store.write(many.map((key) => ({ put: key, value: Uint8Array.of(1) })));
    const modules = { store, secondPlace: machine.secondPlace, sha256 };
    const left = async () => {
      const page = await store.inspect('', 10_000);
      return page.map(({ key }) => key).filter((key) => key.includes('AT.test/'));
    };
    return { machine, store, modules, left };
  }

  it('forgets all of that region in that network, and nothing of another one', async () => {
    const { machine, store, modules, left } = await machineWith(held);
    const others = (await store.inspect('', 10_000)).length - (await left()).length;
    await giveUpOldRoot(recognised, modules);
    assert.deepEqual(await left(), []);
    assert.equal((await store.inspect('', 10_000)).length, others);
    assert.deepEqual(marksOf(machine), ['root:AT.test/trust']);
    assert.equal(machine.secondPlace.marks.size, 5);
    await store.stop();
  });

  it('T9: forgets the marks too where the store was put back from before it knew the region', async () => {
    const { machine, store, modules } = await machineWith(anew);
    await giveUpOldRoot({ ...recognised, fingerprint: held.fingerprint, version: 1 }, modules);
    await store.stop();
    const places = [`AT.test/trust`, `witness:AT.test/trust`, `witness:AT.test/attest/2026-11`];
    for (const place of places) await machine.secondPlace.raise(place, mark);
    const empty = await new Machine().openStore();
    await giveUpOldRoot(recognised, { ...modules, store: empty });
    assert.deepEqual(marksOf(machine), ['root:AT.test/trust']);
    assert.deepEqual(machine.secondPlace.marks.get('root:AT.test/trust')?.root, anew.fingerprint);
    await empty.stop();
  });

  it('T9: keeps the marks that were made under the root that is recognised, where the store alone was put back', async () => {
    const { machine, store, modules, left } = await machineWith(held);
    await machine.secondPlace.raise('root:AT.test/trust', { ...mark, size: 2, root: anew.fingerprint });
    const before = marksOf(machine);
    await giveUpOldRoot(recognised, modules);
    assert.deepEqual(await left(), []);
    assert.deepEqual(marksOf(machine), before);
    await store.stop();
  });

  it('T9: forgets nothing for a store that does not know yet which root is recognised', async () => {
    const { machine, store, modules, left } = await machineWith(held);
    await giveUpOldRoot(recognised, modules);
    const before = marksOf(machine);
    for (const version of [1, 2]) {
      const former = { ...recognised, fingerprint: held.fingerprint, version };
      await rejectsWith(giveUpOldRoot(former, modules), 'LOG_CONTRADICTED', /another root/);
    }
    assert.deepEqual(await left(), []);
    assert.deepEqual(marksOf(machine), before);
    await store.stop();
  });

  it('leaves all as it is that is of the root that is recognised', async () => {
    const { machine, store, modules, left } = await machineWith(anew);
    const before = await left();
    const marks = marksOf(machine);
    for (const version of [2, 2, 3]) await giveUpOldRoot({ ...recognised, version }, modules);
    assert.deepEqual(await left(), before);
    assert.deepEqual(marksOf(machine), [...marks, 'root:AT.test/trust']);
    await store.stop();
  });

  it('F1: goes on after an interruption at any write', async () => {
    for (let write = 1; write <= 6; write++) {
      const { machine, store, modules, left } = await machineWith(held);
      machine.medium.plan({ write: machine.medium.counters.writes + write, when: 'before', what: 'DISK_IO' });
      await giveUpOldRoot(recognised, modules).catch(() => undefined);
      await giveUpOldRoot(recognised, modules);
      assert.deepEqual(await left(), [], `write ${write}`);
      assert.deepEqual(marksOf(machine), ['root:AT.test/trust']);
      await store.stop();
    }
  });
});
