import assert from 'node:assert/strict';
import { DossierShelf } from '../../../node/life/dossier-shelf.ts';
import { Shelf } from '../../../node/lists/shelf.ts';
import { isNodeError, type NodeError } from '../../../node/node-error.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../../node/registry/sealer.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables } from '../../support/tables.ts';

/** P1 to P3 declared and are green; P1 stands on the list by a document too. */
describeOnAllTables('a row of a list in force that cannot be read', () => {
  const PAPERS = 'id_type,id_country,id_number,full_name,birth_date';
  let region: LivingRegion;
  beforeEach(async () => {
    region = await LivingRegion.open();
    await region.tell({ id_type: 'passport', id_country: 'DE', id_number: 'C01X00T47' });
    await region.declare([2, 3]);
  });
  afterEach(() => region.process.stop());

  const control = (level: string) =>
    region.list(
      'control',
      `${PAPERS},level,since\npassport,DE,C01X00T47,Person 1,1990-05-17,${level},${region.today}\n,,,Person 2,1990-05-17,watch,${region.today}\n`,
    );
  const rowsOf = async (table: string) => {
    const page = await region.process.tables.page(`list/${table}`, `list/${table}~`, { limit: 99 });
    return page.map(([name]) => name);
  };
  const damage = (names: readonly string[]) =>
    region.process.tables.write(names.map((put) => ({ put, value: Buffer.alloc(300, 7) })));
  const doubts = async () => {
    const found: string[] = [];
    for await (const news of region.life.update({ dry: { atS: region.nowS } }))
      if ('unsettled' in news)
        for (const { list, doubt, lines } of news.unsettled.doubts)
          found.push(`${news.unsettled.subject} ${list} ${doubt} ${lines.length}`);
    return found;
  };
  const all = () => Promise.all([1, 2, 3].map((n) => region.codesOf(n)));

  it('makes whoever it may be about ambiguous: they get nothing looser, nobody else is concerned, and it is told once', async () => {
    await control('key');
    assert.deepEqual(await region.update(), { first: 3 });
    assert.deepEqual(await all(), ['red', 'yellow', 'green']);
    const { length: before } = region.troubles;
    // All that says that P1 and P2 are not green.
    const rows = await rowsOf('control/00000001/');
    await damage(rows);
    await region.tell({ symptoms: 'false', declared_at: region.textOf(region.nowS + 60) });
    region.later(0.05);
    await region.declare([3], { symptoms: true });
    assert.deepEqual(await doubts(), ['P1 control ENTRY_UNREAD 0', 'P2 control ENTRY_UNREAD 0']);
    assert.deepEqual(await region.update(), { ambiguous: 2, worse: 1 });
    assert.deepEqual(await region.update(), { ambiguous: 2, unchanged: 1 });
    assert.deepEqual(await all(), ['red', 'yellow', '(green) yellow']);
    const told = region.troubles.slice(before);
    assert.equal(told.length, rows.length);
    for (const row of rows)
      assert.ok(told.some((one) => isCorrupted(one) && one.message.includes(row) && one.hint !== undefined));
    const { unreadRows, trouble } = await region.life.updates();
    assert.deepEqual([unreadRows?.toSorted(), trouble], [rows.toSorted(), undefined]);
    // Nor where the red code is gone.
    await region.revokeAll(1);
    assert.deepEqual(await region.update(), { ambiguous: 2, unchanged: 1 });
    assert.equal(await region.codesOf(1), '(red)');
    // Orders by rules for who never declared, in one request.
    const stranger = { name: 'PERSON 2', birthDate: '1990-05-17' };
    const other = { name: 'PERSON 4', birthDate: '1990-05-17' };
    assert.deepEqual(
      await region.weighed([
        { n: 4, identity: other },
        { n: 5, identity: stranger },
      ]),
      ['green', 'ambiguous'],
    );
  });

  it('is nothing any more once the list is imported again, and its rows are removed with the version', async () => {
    await region.update();
    await control('watch');
    await damage(await rowsOf('control/00000001/'));
    assert.deepEqual(await region.update(), { ambiguous: 2, unchanged: 1 });
    const orders = [{ n: 1 }, { n: 2 }, { n: 3 }];
    assert.deepEqual(await region.weighed(orders), ['ambiguous', 'ambiguous', 'green']);
    for (const version of [2, 3]) {
      region.later(0.01);
      await control('watch');
      const figures = await region.update();
      assert.deepEqual(figures, version === 2 ? { worse: 2, unchanged: 1 } : { unchanged: 3 });
    }
    assert.equal((await region.life.updates()).unreadRows, undefined);
    assert.deepEqual(await rowsOf('control/00000001/'), []);
  });

  it('of an area concerns who stayed there, whether a list tells it or they did', async () => {
    const area = (name: string) => `${name},high,${region.today}\n`;
    await region.list('areas', `area,risk,since\n${area('CN-42')}${area('CN-11')}`);
    const row = async (name: string) => {
      const shelf = new Shelf(
        { key: REGISTRY_KEY },
        { tables: region.process.tables, random: region.machine.bytes },
      );
      return (await rowsOf('areas/00000001/by/')).filter((one) => one.endsWith(shelf.areaOf(name)));
    };
    const damaged = await row('CN-42');
    assert.equal(damaged.length, 1);
    await damage(damaged);
    await region.list(
      'travel',
      `full_name,birth_date,area,day\nPerson 2,1990-05-17,cn-42,${region.today}\nPerson 3,1990-05-17,CN-11,${region.today}\n`,
    );
    await region.tell({ travel: `CN-42 ${region.today}`, declared_at: region.textOf(region.nowS + 60) });
    assert.deepEqual(await doubts(), ['P1 travel AREA_UNREAD 0', 'P2 travel AREA_UNREAD 0']);
    const figures = await region.update();
    assert.equal(figures.ambiguous, 2);
    assert.deepEqual((await all()).slice(0, 2), ['', '']);
    assert.notEqual(await region.codesOf(3), 'green');
  });

  it('of which lists are in force stops everybody', async () => {
    await control('key');
    await damage(['list/control/head']);
    await assert.rejects(region.update(), isCorrupted);
    await assert.rejects(region.weighed([{ n: 3 }]), isCorrupted);
    assert.deepEqual(await all(), ['', '', '']);
  });
});

function isCorrupted(error: unknown): error is NodeError {
  return isNodeError(error, 'REGISTRY_CORRUPT');
}

describeOnAllTables('a dossier that cannot be read', () => {
  let region: LivingRegion;
  let shelf: DossierShelf;
  beforeEach(async () => {
    region = await LivingRegion.open();
    const { process, machine } = region;
    shelf = new DossierShelf({ key: REGISTRY_KEY }, { tables: process.tables, random: machine.bytes });
  });
  afterEach(() => region.process.stop());

  const rowOf = (n: number) => `life/person/${shelf.pseudonymOf(`P${n}`)}`;
  const put = (name: string, value: Uint8Array) => region.process.tables.write([{ put: name, value }]);
  const damage = (n: number) => put(rowOf(n), Buffer.alloc(300, 7));
  const sealed = (table: string, name: string, text: string) =>
    new Sealer(derivedKey(REGISTRY_KEY, table)).seal(
      name,
      Buffer.from(text),
      region.machine.bytes(NONCE_BYTES),
    );
  const isCorrupt = (error: unknown) => isNodeError(error, 'REGISTRY_CORRUPT');
  const damagedRows = async () => (await region.life.updates()).damaged;
  const forget = (n: number) =>
    region.life.forget(`P${n}`, { require: () => Promise.resolve(), onFound: () => Promise.resolve() });
  const later = () => region.later(0.05);

  it('is an error of its person alone, told once by its row: others are updated, and its codes stay as they are', async () => {
    await region.declare([1, 2, 3, 4]);
    await region.update();
    await damage(1);
    await put(rowOf(2), sealed('life/person', rowOf(2), '{"newer":true}'));
    later();
    await region.declare([3], { symptoms: true });
    for (let times = 0; times < 2; times++) {
      const figures = await region.update();
      assert.deepEqual(
        figures,
        times === 0 ? { unchanged: 1, worse: 1, damaged: 2 } : { unchanged: 2, damaged: 2 },
      );
    }
    assert.deepEqual(await Promise.all([1, 2, 3].map((n) => region.codesOf(n))), [
      'green',
      'green',
      '(green) yellow',
    ]);
    assert.deepEqual(await damagedRows(), [rowOf(1), rowOf(2)].sort());
    assert.equal((await region.life.updates()).trouble, undefined);
    const told = region.troubles.map((error) => isCorrupt(error) && error instanceof Error && error.message);
    assert.equal(told.length, 2);
    for (const n of [1, 2]) assert.ok(told.some((text) => text !== false && text.includes(rowOf(n))));
    await assert.rejects(region.life.holder('P1', false), isCorrupt);
  });

  it('gives its person nothing looser than red by rules, and red', async () => {
    await region.declare([1]);
    await region.update();
    await damage(1);
    assert.deepEqual(await region.claims([1], GREEN), ['open']);
    // Which counts where operators are named.
    assert.equal((await region.claims([1], { ...ISOLATED, untilS: region.nowS + 86_400 }))[0], 'told');
    await region.override(1, 'red', 2);
    assert.equal(await region.codesOf(1), '(green) red');
  });

  it('is replaced by a declaration after an update that saw it, under the same name, and beside nothing that it makes looser', async () => {
    const declares = (options = {}) => region.declare([1], options);
    await region.declare([1], { symptoms: true });
    await region.update();
    later();
    await declares();
    await damage(1);
    await assert.rejects(declares(), /declared_at/);
    later();
    assert.deepEqual(await region.update(), { damaged: 1 });
    await assert.rejects(declares({ name: () => 'Person Else' }), /full_name/);
    await declares();
    assert.equal(await damagedRows(), undefined);
    // What was told with the yellow code counts on.
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal(await region.codesOf(1), 'yellow');
  });

  it('is not replaced where a stricter code was revoked, or by what other software wrote; forgetting takes all of it', async () => {
    await region.declare([1, 2], { symptoms: true });
    await region.update();
    await region.revoke(1);
    await damage(1);
    await put(rowOf(2), sealed('life/person', rowOf(2), '{}'));
    await region.update();
    later();
    for (const n of [1, 2]) await assert.rejects(region.declare([n]), /subject/);
    for (const n of [1, 2]) assert.equal(await forget(n), true);
    // Of the region, and of nobody: when its last update was, and that the documents of all who declared are kept by names.
    for await (const [name] of region.process.tables.entries('life/', 'life0'))
      assert.ok(['life/borne', 'life/updated'].includes(name), name);
    assert.equal(await forget(1), false);
    await region.declare([1]);
    assert.equal(await damagedRows(), undefined);
  });

  it('is noted no more once it can be read again', async () => {
    await region.declare([1]);
    const [kept = assert.fail()] = await region.process.tables.getMany([rowOf(1)]);
    await damage(1);
    await region.update();
    assert.deepEqual(await damagedRows(), [rowOf(1)]);
    await put(rowOf(1), kept);
    assert.deepEqual(await region.update(), { first: 1 });
    assert.deepEqual(await shelf.marksOf(shelf.pseudonymOf('P1')), new Set(['untold']));
  });

  for (const [what, text] of [
    ['damaged', undefined],
    ['of another form', '{"newer":true}'],
  ] as const)
    it(`a head of an intake that is ${what} keeps nobody from anything: what is staged is taken, but for what is damaged`, async () => {
      await region.declare([1]);
      const { tables } = region.process;
      const staged = (n: number) => `life/staged/${shelf.pseudonymOf(`P${n}`)}`;
      const dossier = (await shelf.ofSubject('P1')) ?? assert.fail();
      const { declaration } = dossier;
      const two = { ...declaration, subject: 'P2' };
      await tables.write([
        {
          put: staged(2),
          value: sealed('life/intake', staged(2), JSON.stringify({ line: 2, declaration: two })),
        },
        { put: staged(3), value: Buffer.alloc(40) },
        {
          put: 'life/intake',
          value: text === undefined ? Buffer.alloc(40) : sealed('life/intake', 'life/intake', text),
        },
      ]);
      await region.declare([4]);
      assert.deepEqual(await region.update(), { first: 3 });
      assert.equal((await shelf.ofSubject('P2'))?.source, 'unknown');
      assert.deepEqual(region.troubles.map(isCorrupt), [true, true]);
      assert.ok(region.troubles.some((error) => error instanceof Error && error.message.includes(staged(3))));
      assert.equal(await forget(2), true);
    });
});
