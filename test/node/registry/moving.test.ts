import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { adoptTables, clearLeft, countRows, moveTables } from '../../../node/registry/moving.ts';
import { PaperRows } from '../../../node/registry/paper-rows.ts';
import { requireHere, whereabouts } from '../../../node/registry/whereabouts.ts';
import { type Store } from '../../../node/store/store.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { Machine } from '../../support/log-fixture.ts';
import { MemoryTables } from '../../support/memory-tables.ts';

const NAMES = [
  'life/person/1',
  'list/control/head',
  'once/2026-11-26/a',
  'override/1',
  'registry/bearer',
  'registry/check',
  'registry/page/x',
  'registry/papers',
];
const ROWS = NAMES.flatMap((name) => Array.from({ length: 300 }, (_, i) => `${name}/${1_000 + i}`));
const isCode = (code: string) => (error: unknown) => isNodeError(error) && error.code === code;

describe('moveTables', () => {
  let store: Store;
  let postgres: MemoryTables;
  let drawn = 0;
  beforeEach(async () => {
    store = await new Machine().openStore();
    postgres = new MemoryTables();
    await store.write(
      [...ROWS, 'log/x', 'handover/x', 'lisu', 'signed/minute'].map((put) => ({
        put,
        value: Buffer.from(put),
      })),
    );
  });
  afterEach(() => store.stop());

  const to = (place: 'store' | 'postgres', isReplacing = false) =>
    moveTables({ to: place, isReplacing }, { store, postgres, random });
  const random = (bytes: number) => new Uint8Array(bytes).fill(++drawn);
  const breakOff = async (place: 'store' | 'postgres', write = 4) => {
    postgres.plan({ write: postgres.writes + write, when: 'after', what: 'away' });
    await assert.rejects(to(place), isCode('REGISTRY_AWAY'));
  };
  const at = async () => (await whereabouts(store)).at;
  const isWhole = async (tables: Store | MemoryTables) => {
    for (const name of ROWS) assert.equal(Buffer.from((await tables.get(name)) ?? []).toString(), name);
    assert.equal(await countRows(tables), ROWS.length);
  };

  it('copies all that is private and nothing else, there and back', async () => {
    assert.equal(await to('postgres'), ROWS.length);
    await isWhole(postgres);
    assert.equal(await postgres.get('log/x'), undefined);
    assert.equal(await at(), 'postgres');
    await clearLeft({ store, postgres });
    assert.equal(await countRows(store), 0);
    assert.ok(
      (await store.get('log/x')) &&
        (await store.get('handover/x')) &&
        (await store.get('lisu')) &&
        (await store.get('signed/minute')),
    );
    assert.equal(await to('postgres'), 0);
    assert.equal(await to('store'), ROWS.length);
    await isWhole(store);
    assert.equal(await at(), 'store');
    await clearLeft({ store, postgres });
    await isWhole(store);
    assert.equal(await countRows(postgres), 0);
    assert.equal(await to('store'), 0);
    assert.equal(await to('postgres'), ROWS.length);
  });

  it('takes along under which papers people were issued to, and whose papers these are', async () => {
    const rowsIn = (tables: Store | MemoryTables) => new PaperRows(REGISTRY_KEY, { tables, random });
    const names = rowsIn(store).namesOf({
      document: { type: 'passport', country: 'DE', number: 'C01X00T47' },
    });
    const document = names.document ?? assert.fail();
    const person = 'ab'.repeat(16);
    const kept = new Map([[person, { ...names, sinceHour: 7 }]]);
    assert.ok(await rowsIn(store).keep(kept, new Map([[document, person]]), new Set([person])));
    for (const place of ['postgres', 'store'] as const) {
      await to(place);
      await clearLeft({ store, postgres });
      const [here, left] = place === 'store' ? [store, postgres] : [postgres, store];
      const [taken] = await rowsIn(here).keptOf([person]);
      assert.ok(typeof taken === 'object');
      assert.deepEqual([taken.document, taken.sinceHour], [document, 7]);
      assert.deepEqual(await rowsIn(here).bearersOf([document]), [person]);
      assert.deepEqual(await rowsIn(left).keptOf([person]), [undefined]);
      assert.deepEqual(await rowsIn(left).bearersOf([document]), [undefined]);
    }
  });

  it('counts in the old place until all is copied, and goes on where it broke off', async () => {
    let copied: number | undefined;
    for (let write = 1; copied === undefined; write++) {
      postgres.plan({ write: postgres.writes + 3, when: write % 2 === 0 ? 'before' : 'after', what: 'away' });
      copied = await to('postgres').catch(() => undefined);
      if (copied === undefined) assert.equal(await at(), 'store');
      assert.ok(write < 20);
    }
    assert.ok(copied < ROWS.length, 'the last run had less to copy');
    await isWhole(postgres);
  });

  it('lets an older store adopt what the database holds, unless something lies there that would go', async () => {
    await to('postgres');
    await store.write([{ del: 'private/at' }, { del: 'private/left' }]);
    const adopt = (isReplacing = false) => adoptTables({ isReplacing }, { store, postgres });
    await assert.rejects(adopt(), isCode('REFUSED'));
    assert.equal(await at(), 'store');
    await assert.rejects(
      adoptTables({ isReplacing: true }, { store, postgres: new MemoryTables() }),
      isCode('REGISTRY_ELSEWHERE'),
    );
    assert.equal(await adopt(true), true);
    await requireHere(store, postgres);
    await isWhole(postgres);
    assert.equal(await countRows(store), 0);
    assert.equal(await adopt(), false);
    await store.write([{ del: 'private/at' }, { put: 'registry/check', value: Buffer.of(1) }]);
    assert.equal(
      await adopt(),
      true,
      'by which key an empty one would be sealed is nothing that could be lost',
    );
  });

  it('goes on after any of its writes into the database', async () => {
    for (let write = 1, isThrough = false; !isThrough; write++) {
      postgres = new MemoryTables();
      const when = write % 2 === 0 ? 'before' : 'after';
      postgres.plan({ write, when, what: 'away' });
      isThrough = await to('postgres').then(
        () => true,
        () => false,
      );
      if (!isThrough) await to('postgres');
      await isWhole(postgres);
      await store.write(['at', 'left'].map((name) => ({ del: `private/${name}` })));
    }
  });

  it('begins anew where a node ran in between', async () => {
    await breakOff('postgres');
    await requireHere(store, store);
    await store.write([{ del: ROWS[0] ?? '' }, { put: 'life/person/1/0', value: Buffer.from('new') }]);
    assert.equal(await to('postgres'), ROWS.length);
    assert.equal(await postgres.get(ROWS[0] ?? ''), undefined);
    assert.ok(await postgres.get('life/person/1/0'));
  });

  it('refuses rows of this region that no move has left, unless they are to go', async () => {
    await postgres.write([{ put: 'registry/page/other', value: Buffer.from('x') }]);
    await assert.rejects(to('postgres'), isCode('REFUSED'));
    assert.ok(await postgres.get('registry/page/other'));
    assert.equal(await to('postgres', true), ROWS.length);
    await isWhole(postgres);
  });

  it('begins anew in another database than the one that it was begun with', async () => {
    await breakOff('postgres');
    const first = postgres;
    postgres = new MemoryTables();
    assert.equal(await to('postgres'), ROWS.length);
    await isWhole(postgres);
    assert.ok((await countRows(first)) < ROWS.length);
  });

  it('is called off by a move to where all lies, and begins anew after that', async () => {
    await breakOff('postgres');
    assert.equal(await to('store'), 0);
    await clearLeft({ store, postgres });
    assert.equal(await countRows(postgres), 0);
    await isWhole(store);
    assert.equal(await to('postgres'), ROWS.length);
    await clearLeft({ store, postgres });
    await isWhole(postgres);
    await breakOff('store', 1);
    assert.equal(await to('postgres'), 0);
    await clearLeft({ store, postgres });
    await isWhole(postgres);
    assert.equal(await to('store'), ROWS.length);
    await isWhole(store);
  });

  it('counts nowhere else until the copy is the same, row by row', async () => {
    await breakOff('postgres');
    await postgres.write([{ del: ROWS[1] ?? '' }, { put: ROWS[2] ?? '', value: Buffer.from('other') }]);
    await assert.rejects(to('postgres'), isCode('REFUSED'));
    assert.equal(await at(), 'store');
    await isWhole(store);
    assert.equal(await to('postgres'), ROWS.length);
    await isWhole(postgres);
  });

  it('removes nothing from a database for a store that is older than the move there', async () => {
    await to('postgres');
    await store.stop();
    store = await new Machine().openStore();
    await assert.rejects(to('store'), isCode('REFUSED'));
    await clearLeft({ store, postgres });
    await assert.rejects(to('postgres'), isCode('REFUSED'));
    await isWhole(postgres);
  });

  it('removes nothing from a database for a store of the middle of the move there', async () => {
    await breakOff('postgres');
    const note = (await store.get('private/moving')) ?? assert.fail();
    await to('postgres');
    await store.stop();
    store = await new Machine().openStore();
    await store.write([{ put: 'private/moving', value: note }]);
    await assert.rejects(to('postgres'), isCode('REFUSED'));
    await assert.rejects(to('store'), isCode('REFUSED'));
    await isWhole(postgres);
  });

  it('removes what it has left from no other database', async () => {
    await to('postgres');
    await clearLeft({ store, postgres });
    await to('store');
    const other = new MemoryTables();
    await other.write([{ put: 'registry/page/other', value: Buffer.from('x') }]);
    await assert.rejects(clearLeft({ store, postgres: other }), isCode('REFUSED'));
    assert.equal(await countRows(other), 1);
    await clearLeft({ store, postgres });
    assert.equal(await countRows(postgres), 0);
    await isWhole(store);
  });

  it('takes no other database for the one where the registry counts', async () => {
    await to('postgres');
    await clearLeft({ store, postgres });
    const other = new MemoryTables();
    const modules = { store, postgres: other, random };
    for (const place of ['postgres', 'store'] as const)
      await assert.rejects(
        moveTables({ to: place, isReplacing: true }, modules),
        isCode('REGISTRY_ELSEWHERE'),
      );
    await assert.rejects(requireHere(store, other), isCode('REGISTRY_ELSEWHERE'));
    const late = new MemoryTables();
    late.isAway = true;
    await requireHere(store, late);
    late.isAway = false;
    await assert.rejects(late.write([{ del: 'a' }]), isCode('REGISTRY_ELSEWHERE'));
    assert.equal(other.writes + late.writes, 0);
    await isWhole(postgres);
  });

  it('a node takes the one place that counts', async () => {
    await requireHere(store, store);
    await assert.rejects(requireHere(store, postgres), isCode('REGISTRY_ELSEWHERE'));
    await to('postgres');
    await requireHere(store, postgres);
    await assert.rejects(requireHere(store, store), isCode('REGISTRY_ELSEWHERE'));
  });
});
