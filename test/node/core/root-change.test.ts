import assert from 'node:assert/strict';
import { dropRegion, settleRoot } from '../../../node/core/root-change.ts';
import { encodeEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { LogKeys } from '../../../node/log/log-keys.ts';
import { FileSecondPlace } from '../../../node/store/second-place.ts';
import { ORIGIN_CHARS_MAX } from '../../../node/sync/messages.ts';
import { leavingsPlace, witnessPlace } from '../../../node/witness/witness.ts';
import { recordPlace } from '../../../node/writer/writer-memory.ts';
import { attestationLogOrigin } from '../../../protocol/log/origin.ts';
import { Machine } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const markOf = (size: number) => ({ size, root: new Uint8Array(32).fill(size), note: Uint8Array.of(size) });
const PLACES = [
  'AT.test/trust',
  'witness:AT.test/trust',
  'witness:AT.test/attest/2026-11',
  'writer:AT.test/trust',
];

describe('settleRoot', () => {
  const folder = temporaryFolders();
  const held = new RegionFixture({ region: 'AT' });
  const anew = new RegionFixture({ region: 'AT', rootKeys: 2 });
  const under = ({ fingerprint }: RegionFixture) => ({ region: 'AT', network: 'test', fingerprint });

  /** What is stored of a region and its namesakes, and the marks of all that. */
  async function machineWith(region: RegionFixture) {
    const machine = new Machine();
    const store = await machine.openStore();
    for (const origin of [`AT.test/trust`, `AT.test/attest/2026-11`, `AT-1.test/trust`, `AT.test2/trust`]) {
      const keys = new LogKeys(origin);
      await store.write([
        { put: keys.run(0), value: encodeEntryBundle(region.entries.slice(0, 1)) },
        { put: keys.head, value: Uint8Array.of(1) },
        { put: `trust/${origin}/base`, value: Uint8Array.of(1) },
        { put: `fork/${origin}/x`, value: Uint8Array.of(1) },
        { put: `unproven/${origin}/x`, value: Uint8Array.of(1) },
        { put: `witness/${origin}`, value: Uint8Array.of(1) },
        { put: `witness-left/${origin}`, value: Uint8Array.of(1) },
        { put: `writer/${origin}`, value: Uint8Array.of(1) },
      ]);
      for (const place of [origin, `witness:${origin}`, `writer:${origin}`])
        await machine.secondPlace.raise(place, markOf(3));
    }
    return { machine, store, ...on(machine, store) };
  }

  function on(machine: Machine, store: Awaited<ReturnType<Machine['openStore']>>) {
    const modules = { store, secondPlace: machine.secondPlace, sha256 };
    return {
      modules,
      settle: (region: RegionFixture) => settleRoot(under(region), modules),
      /** Keys of the region that a node reads. */
      live: async () =>
        (await store.inspect('', 10_000))
          .map(({ key }) => key)
          .filter((key) => /^[\w-]+\/AT\.test\//.test(key)),
      marks: () =>
        [...machine.secondPlace.marks.keys()]
          .filter((name) => /^(witness:|writer:)?AT\.test\//.test(name))
          .sort(),
    };
  }

  it('puts away all of that region in that network under the root before, and nothing of another one', async () => {
    const { machine, store, settle, live, marks } = await machineWith(held);
    const others = async () =>
      (await store.inspect('', 10_000)).filter(({ key }) => !key.includes('AT.test/')).length;
    const before = await others();
    await settle(anew);
    assert.deepEqual(await live(), ['root/AT.test/trust']);
    assert.deepEqual(marks(), []);
    assert.equal(await others(), before);
    for (const name of ['AT-1.test/trust', 'witness:AT.test2/trust'])
      assert.ok(machine.secondPlace.marks.has(name));
    await store.stop();
  });

  it('T9: finds again what was seen under a root when it comes back to it, and what was seen meanwhile under the other', async () => {
    const { machine, store, settle, live, marks } = await machineWith(held);
    const { secondPlace } = machine;
    const before = marks();
    await settle(anew);
    await secondPlace.raise('witness:AT.test/trust', markOf(9));
    await store.write([{ put: 'fork/AT.test/trust/y', value: Uint8Array.of(2) }]);
    await settle(held);
    assert.deepEqual(marks(), before);
    assert.equal(secondPlace.marks.get('witness:AT.test/trust')?.size, 3);
    const evidence = ['fork/AT.test/attest/2026-11/x', 'fork/AT.test/trust/x'];
    const all = await live();
    for (const kind of ['log', 'trust', 'unproven', 'witness', 'witness-left', 'writer'])
      assert.ok(
        all.some((key) => key.startsWith(`${kind}/`)),
        kind,
      );
    assert.deepEqual(
      all.filter((key) => key.startsWith('fork/')),
      evidence,
    );
    // Under this root it goes on; then back again.
    await secondPlace.raise('witness:AT.test/trust', markOf(5));
    await settle(anew);
    assert.equal(secondPlace.marks.get('witness:AT.test/trust')?.size, 9);
    assert.deepEqual(
      (await live()).filter((key) => key.startsWith('fork/')),
      ['fork/AT.test/trust/y'],
    );
    await settle(held);
    assert.equal(secondPlace.marks.get('witness:AT.test/trust')?.size, 5);
    await store.stop();
  });

  it('finds again the marks of the log with the longest name, in files too', async () => {
    const [region, network] = ['CN-330', 'n'.repeat(32)];
    const origin = attestationLogOrigin(region, network, '2026-11.9');
    assert.equal(origin.length, ORIGIN_CHARS_MAX);
    const store = await new Machine().openStore();
    const modules = { store, secondPlace: new FileSecondPlace({ directory: folder() }), sha256 };
    const settle = ({ fingerprint }: RegionFixture) => settleRoot({ region, network, fingerprint }, modules);
    await settle(held);
    const places = [origin, witnessPlace(origin), leavingsPlace(origin), recordPlace(origin)];
    for (const place of places) await modules.secondPlace.raise(place, markOf(3));
    await settle(anew);
    for (const place of places) assert.equal(await modules.secondPlace.read(place), undefined, place);
    await settle(held);
    for (const place of places) assert.deepEqual(await modules.secondPlace.read(place), markOf(3), place);
    await store.stop();
  });

  it('leaves all as it is that is of the root that is followed', async () => {
    const { store, settle, live, marks } = await machineWith(anew);
    const [keys, before] = [await live(), marks()];
    for (let i = 0; i < 3; i++) await settle(anew);
    assert.deepEqual(await live(), [...keys, 'root/AT.test/trust'].sort());
    assert.deepEqual(marks(), before);
    await store.stop();
  });

  it('T9: keeps the marks of the root that is followed where the store alone was put back from before it', async () => {
    const { machine, store, settle, marks } = await machineWith(held);
    await settle(held);
    await settle(anew);
    for (const place of PLACES) await machine.secondPlace.raise(place, markOf(11));
    const backup = await machineWith(held);
    const again = on(machine, backup.store);
    await again.settle(anew);
    assert.deepEqual(await again.live(), ['root/AT.test/trust']);
    assert.deepEqual(marks(), [...PLACES].sort());
    for (const place of PLACES) assert.equal(machine.secondPlace.marks.get(place)?.size, 11, place);
    for (const one of [store, backup.store]) await one.stop();
  });

  it('T9: puts the marks away too where the store was put back from before it knew the region', async () => {
    const { machine, store, settle, marks } = await machineWith(held);
    await settle(held);
    const empty = await new Machine().openStore();
    const again = on(machine, empty);
    await again.settle(anew);
    assert.deepEqual(marks(), []);
    await again.settle(held);
    assert.deepEqual(marks(), [...PLACES, 'AT.test/attest/2026-11', 'writer:AT.test/attest/2026-11'].sort());
    for (const one of [store, empty]) await one.stop();
  });

  it('T9: takes a store that lost what said of which root it is for one of the root that the second place names', async () => {
    const { store, settle, live } = await machineWith(held);
    await settle(held);
    await store.write([{ del: 'root/AT.test/trust' }, { del: new LogKeys('AT.test/trust').run(0) }]);
    await settle(anew);
    assert.deepEqual(await live(), ['root/AT.test/trust']);
    await settle(held);
    assert.ok((await live()).includes('fork/AT.test/trust/x'));
    await store.stop();
  });

  it('dropRegion deletes copies, and keeps evidence where it counts against no root', async () => {
    const { store, live } = await machineWith(held);
    await dropRegion(under(held), store);
    assert.deepEqual(await live(), []);
    const kept = (await store.inspect('~', 100)).map(({ key }) => key.replace(/^~0{32}~/, ''));
    const both = (kind: string) => [`${kind}/AT.test/attest/2026-11/x`, `${kind}/AT.test/trust/x`];
    assert.deepEqual(kept, [...both('fork'), ...both('unproven')]);
    await store.stop();
  });

  it('F1: goes on after an interruption at any write, of the store and of the second place', async () => {
    const whole = await machineWith(held);
    const start = { writes: whole.machine.medium.counters.writes, raises: whole.machine.secondPlace.raises };
    await whole.settle(anew);
    await whole.settle(held);
    const expected = [await whole.live(), whole.marks()];
    const writes = whole.machine.medium.counters.writes - start.writes;
    const raises = whole.machine.secondPlace.raises - start.raises;
    assert.ok(writes >= 6 && raises >= 10);
    await whole.store.stop();
    for (const when of ['before', 'after'] as const) {
      for (let step = 1; step <= writes + raises; step++) {
        const { machine, store, settle, live, marks } = await machineWith(held);
        const { medium, secondPlace } = machine;
        if (step <= writes) medium.plan({ write: medium.counters.writes + step, when, what: 'DISK_IO' });
        else secondPlace.plan({ raise: secondPlace.raises + step - writes, when, what: 'DISK_IO' });
        for (const region of [anew, anew, held, held]) await settle(region).catch(() => undefined);
        assert.deepEqual([await live(), marks()], expected, `${when} ${step}`);
        await store.stop();
      }
    }
  });
});
