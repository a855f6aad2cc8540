import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { clearTables, countRows, moveTables } from '../../../node/registry/moving.ts';
import { requireHere, whereabouts } from '../../../node/registry/whereabouts.ts';
import { type Store } from '../../../node/store/store.ts';
import { Machine } from '../../support/log-fixture.ts';
import { MemoryTables } from '../../support/memory-tables.ts';

const NAMES = [
  'life/person/1',
  'list/control/head',
  'once/2026-11-26/a',
  'registry/check',
  'registry/page/x',
];
const ROWS = NAMES.flatMap((name) => Array.from({ length: 300 }, (_, i) => `${name}/${1_000 + i}`));
const isCode = (code: string) => (error: unknown) => isNodeError(error) && error.code === code;

describe('moveTables', () => {
  let store: Store;
  let postgres: MemoryTables;
  beforeEach(async () => {
    store = await new Machine().openStore();
    postgres = new MemoryTables();
    await store.write(
      [...ROWS, 'log/x', 'handover/x', 'lisu'].map((put) => ({ put, value: Buffer.from(put) })),
    );
  });
  afterEach(() => store.stop());

  const to = (place: 'store' | 'postgres', isReplacing = false) =>
    moveTables({ to: place, isReplacing }, { store, postgres });
  const isWhole = async (tables: Store | MemoryTables) => {
    for (const name of ROWS) assert.equal(Buffer.from((await tables.get(name)) ?? []).toString(), name);
    assert.equal(await countRows(tables), ROWS.length);
  };

  it('copies all that is private and nothing else, there and back', async () => {
    assert.equal(await to('postgres'), ROWS.length);
    await isWhole(postgres);
    assert.equal(await postgres.get('log/x'), undefined);
    assert.equal(await whereabouts(store), 'postgres');
    await clearTables(store);
    assert.equal(await countRows(store), 0);
    assert.ok((await store.get('log/x')) && (await store.get('handover/x')) && (await store.get('lisu')));
    assert.equal(await to('postgres'), 0);
    assert.equal(await to('store'), ROWS.length);
    await isWhole(store);
    assert.equal(await whereabouts(store), 'store');
  });

  it('counts in the old place until all is copied, and goes on where it broke off', async () => {
    let copied = 0;
    for (let write = 1; copied === 0; write++) {
      postgres.plan({ write: postgres.writes + 3, when: write % 2 === 0 ? 'before' : 'after', what: 'away' });
      await to('postgres').then(
        (rows) => (copied = rows),
        () => undefined,
      );
      if (copied === 0) assert.equal(await whereabouts(store), 'store');
      assert.ok(write < 20);
    }
    assert.ok(copied < ROWS.length, 'the last run had less to copy');
    await isWhole(postgres);
  });

  it('begins anew where a node ran in between', async () => {
    postgres.plan({ write: 3, when: 'after', what: 'away' });
    await assert.rejects(to('postgres'), isCode('REGISTRY_AWAY'));
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

  it('a node takes the one place that counts', async () => {
    await requireHere(store, store);
    await assert.rejects(requireHere(store, postgres), isCode('REGISTRY_ELSEWHERE'));
    await to('postgres');
    await requireHere(store, postgres);
    await assert.rejects(requireHere(store, store), isCode('REGISTRY_ELSEWHERE'));
  });
});
