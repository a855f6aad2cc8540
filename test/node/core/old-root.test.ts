import assert from 'node:assert/strict';
import { giveUpOldRoot } from '../../../node/core/old-root.ts';
import { encodeEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { LogKeys } from '../../../node/log/log-keys.ts';
import { Machine } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture } from '../../support/region-fixture.ts';

const mark = { size: 3, root: new Uint8Array(32), note: new Uint8Array(0) };

describe('giveUpOldRoot', () => {
  const held = new RegionFixture({ region: 'AT' });
  const anew = new RegionFixture({ region: 'AT', rootKeys: 2 });
  const recognised = { region: 'AT', network: 'test', fingerprint: anew.fingerprint };

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
    assert.deepEqual(
      [...machine.secondPlace.marks.keys()].filter((name) => name.includes('AT.test/')),
      [],
    );
    assert.equal(machine.secondPlace.marks.size, 4);
    await store.stop();
  });

  it('leaves all as it is that is of the root that is recognised', async () => {
    const { store, modules, left } = await machineWith(anew);
    const before = await left();
    await giveUpOldRoot(recognised, modules);
    assert.deepEqual(await left(), before);
    await store.stop();
  });

  it('F1: goes on after an interruption at any write', async () => {
    for (let write = 1; write <= 6; write++) {
      const { machine, store, modules, left } = await machineWith(held);
      machine.medium.plan({ write: machine.medium.counters.writes + write, when: 'before', what: 'DISK_IO' });
      await giveUpOldRoot(recognised, modules).catch(() => undefined);
      await giveUpOldRoot(recognised, modules);
      assert.deepEqual(await left(), [], `write ${write}`);
      await store.stop();
    }
  });
});
