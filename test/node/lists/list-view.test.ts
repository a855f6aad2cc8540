import assert from 'node:assert/strict';
import { parseIdentity } from '../../../node/lists/identity.ts';
import { columnsOf, FACT_NAMES } from '../../../node/lists/kinds.ts';
import { SOUGHT_MAX } from '../../../node/lists/list-view.ts';
import { type Sought } from '../../../node/lists/matching.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { LISTS_NOW_S, ListsFixture, passport } from '../../support/lists-fixture.ts';

const PAPERS = 'id_type,id_country,id_number,full_name,birth_date';

function sought(row: string, isNameShared = false): Sought {
  const cells = row.split(',').map((cell, i) => [PAPERS.split(',')[i] ?? '', cell] as const);
  const { identity, faults } = parseIdentity(
    Object.fromEntries(cells.filter(([, cell]) => cell !== '')),
    0,
    30_000,
  );
  assert.deepEqual(faults, []);
  return { identity, isNameShared };
}

describe('ListView', () => {
  let fixture: ListsFixture;
  beforeEach(async () => (fixture = await ListsFixture.open()));
  afterEach(() => fixture.store.stop());

  async function found(row: string, isNameShared = false) {
    const [one] = await (await fixture.lists.view()).find([sought(row, isNameShared)]);
    return one ?? assert.fail();
  }

  it('finds by document, and by name and day of birth, over all lists in force', async () => {
    await fixture.import(
      'control',
      `${PAPERS},level,since\n${passport(1)},Person Sample,1990-05-17,key,2026-11-20\n`,
    );
    await fixture.import(
      'tests',
      `full_name,birth_date,result,day\nPERSON  sample,1990-05-17,negative,2026-11-21\n`,
    );
    const { matched, doubts } = await found(`${passport(1)},Person Sample,1990-05-17`);
    assert.deepEqual(doubts, []);
    assert.deepEqual(matched, [
      {
        list: 'control',
        by: 'document',
        line: 2,
        facts: { 'control.level': 'key', 'control.since': '2026-11-20' },
      },
      { list: 'tests', by: 'name', line: 2, facts: { 'test.negative': '2026-11-21' } },
    ]);
    assert.deepEqual((await found(`${passport(2)},Person Sample,1990-05-18`)).matched, []);
    assert.deepEqual((await found(`${passport(2)},Person Sampel,1990-05-17`)).matched, []);
    const other = await found(`${passport(2)},Person Sample,1990-05-17`);
    assert.deepEqual(other.doubts, [{ list: 'control', doubt: 'OTHER_DOCUMENT', lines: [2] }]);
    assert.deepEqual(
      other.matched.map(({ list }) => list),
      ['tests'],
    );
    const shared = await found(`,,,Person Sample,1990-05-17`, true);
    assert.deepEqual(
      shared.doubts.map(({ list, doubt }) => [list, doubt]),
      [
        ['control', 'NAME_SHARED'],
        ['tests', 'NAME_SHARED'],
      ],
    );
  });

  it('finds the number of a resident whatever type either side gives it', async () => {
    const number = '11010519491231002X';
    const row = (type: string) => `${type},CN,${number},,`;
    for (const [i, type] of ['resident', 'identity-card'].entries()) {
      const file = `${PAPERS},level,since\n${row(type)},key,2026-11-20\n`;
      await fixture.import('control', file, { asOfS: LISTS_NOW_S + i });
      for (const other of ['resident', 'identity-card', 'other'])
        assert.equal((await found(row(other))).matched[0]?.by, 'document', `${type}, ${other}`);
      // As it was kept, or comes over HTTP, from before one was made of them.
      const identity = { document: { type: 'identity-card', country: 'CN', number } } as const;
      const [kept] = await (await fixture.lists.view()).find([{ identity, isNameShared: false }]);
      assert.equal(kept?.matched[0]?.by, 'document');
    }
  });

  it('finds by name whoever is named in a later row about the document alone, however far behind', async () => {
    const person = `${passport(1)},Person Sample,1990-05-17,close,2026-11-24\n`;
    for (const [i, between] of [0, 1_100].entries()) {
      const others = Array.from({ length: between }, (_, n) => `${passport(n + 2)},,,close,2026-11-01\n`);
      const file = `${PAPERS},contact,day\n${passport(1)},,,close,2026-11-20\n${others.join('')}${person}`;
      await fixture.import('contacts', file, { asOfS: LISTS_NOW_S + i });
      const { matched } = await found('identity-card,DE,L01X00T47,Person Sample,1990-05-17');
      assert.deepEqual(matched, [
        { list: 'contacts', by: 'name', line: 2, facts: { 'contact.close': '2026-11-24' } },
      ]);
    }
  });

  it('an area is the same in other capitals, full-width characters and blanks', async () => {
    await fixture.import(
      'areas',
      'area,risk,since\nCN-42,high,2026-11-01\nNeustadt an der Aisch,medium,2026-11-01\n',
    );
    const stays = ['cn-42', 'ＣＮ-42', 'NEUSTADT  an der aisch'];
    const rows = stays.map((area, i) => `${passport(i)},,,${area},2026-11-20\n`);
    await fixture.import('travel', `${PAPERS},area,day\n${rows.join('')}`);
    for (const [i, name] of ['travel.high', 'travel.high', 'travel.medium'].entries()) {
      const { matched } = await found(`${passport(i)},,`);
      assert.deepEqual(matched[0]?.facts, { [name]: '2026-11-20' });
    }
  });

  it('refuses to say what stood in lists that have been replaced twice since, and says it after once', async () => {
    const file = (level: string) => `${PAPERS},level,since\n${passport(1)},,,${level},2026-11-20\n`;
    const replace = (level: string, asOfS: number) => fixture.import('control', file(level), { asOfS });
    await replace('key', LISTS_NOW_S);
    const view = await fixture.lists.view();
    await replace('watch', LISTS_NOW_S + 1);
    const [one] = await view.find([sought(`${passport(1)},,`)]);
    assert.equal(one?.matched[0]?.facts['control.level'], 'key');
    await replace('key', LISTS_NOW_S + 2);
    await assert.rejects(view.find([sought(`${passport(1)},,`)]), (error) => isNodeError(error, 'REFUSED'));
  });

  it('of stays those count that were in an area of that risk since its risk began', async () => {
    const travel = [
      'CN-42,2026-11-19',
      'CN-42,2026-11-20',
      'CN-11,2026-11-22',
      'CN-33,2026-11-23',
      'CN-44,2026-11-24',
    ];
    const stays = `id_type,id_country,id_number,area,day\n${travel.map((stay, i) => `${passport(i)},${stay}\n`).join('')}${passport(0)},CN-11,2026-11-01\n`;
    const areas = 'area,risk,since\nCN-42,high,2026-11-20\nCN-11,medium,2026-11-01\nCN-33,low,2026-11-01\n';
    await fixture.import('areas', areas);
    await fixture.import('travel', stays);
    // Older versions of the program took stays alone.
    await fixture.shelf.enforce('areas', []);
    await assert.rejects(fixture.lists.view(), (error) => isNodeError(error, 'REFUSED'));
    await fixture.import('areas', areas);
    const facts = [];
    for (const i of travel.keys()) facts.push((await found(`${passport(i)},,`)).matched[0]?.facts);
    assert.deepEqual(facts, [
      { 'travel.medium': '2026-11-01' },
      { 'travel.high': '2026-11-20' },
      { 'travel.medium': '2026-11-22' },
      {},
      {},
    ]);
  });

  it('FACT_NAMES has every fact that comes of a list, and no other', async () => {
    const rows = {
      control: 'key,2026-11-20',
      contacts: 'close,2026-11-20',
      tests: 'negative,2026-11-20',
      vaccination: '2,2026-11-20',
      travel: 'CN-42,2026-11-20',
    };
    const more = {
      contacts: 'secondary,2026-11-20',
      tests: 'positive,2026-11-20',
      travel: 'CN-11,2026-11-20',
    };
    await fixture.import('areas', 'area,risk,since\nCN-42,high,2026-11-20\nCN-11,medium,2026-11-01\n');
    for (const [kind, row] of Object.entries(rows) as [keyof typeof rows, string][]) {
      const head = `id_type,id_country,id_number,${columnsOf(kind).slice(-2).join(',')}`;
      const second = kind in more ? `${passport(1)},${more[kind as keyof typeof more]}\n` : '';
      await fixture.import(kind, `${head}\n${passport(1)},${row}\n${second}`);
    }
    for (const { list, facts } of (await found(`${passport(1)},,`)).matched)
      assert.deepEqual(Object.keys(facts).sort(), [...FACT_NAMES[list]].sort(), list);
  });

  it('answers by the lists of its moment, whatever is imported meanwhile', async () => {
    const list = (level: string) =>
      `id_type,id_country,id_number,level,since\n${passport(1)},${level},2026-11-20\n`;
    await fixture.import('control', list('key'), { asOfS: LISTS_NOW_S - 1 });
    const view = await fixture.lists.view();
    await fixture.import('control', list('watch'));
    const [before] = await view.find([sought(`${passport(1)},,`)]);
    assert.equal(before?.matched[0]?.facts['control.level'], 'key');
    assert.equal((await found(`${passport(1)},,`)).matched[0]?.facts['control.level'], 'watch');
  });

  it('finds past rows that rotted on the disk: whoever they may be about is in doubt, and they are told of once', async () => {
    const rows = ['1,Person One', '2,Person Two'].map((row) => {
      const [number, name] = row.split(',');
      return `${passport(Number(number))},${name},1990-05-17,key,2026-11-20\n`;
    });
    await fixture.import('control', `${PAPERS},level,since\n${rows.join('')}`);
    await fixture.import('areas', 'area,risk,since\nCN-42,high,2026-11-01\n');
    const rotten: string[] = [];
    for (const table of ['control/00000001/name', 'areas/00000001/by'])
      rotten.push(fixture.machine.medium.flipBit(`list/${table}/`) ?? assert.fail());
    const named = [sought(`,,,Person One,1990-05-17`), sought(`,,,Person Two,1990-05-17`)];
    const all = await (await fixture.lists.view()).find(named);
    const lines = all.map(({ matched, doubts }) => [...matched, ...doubts].map((one) => ({ ...one })));
    const inDoubt = lines.findIndex(([one]) => one !== undefined && 'doubt' in one);
    assert.deepEqual(lines[inDoubt], [{ list: 'control', doubt: 'ENTRY_UNREAD', lines: [] }]);
    assert.equal(all[1 - inDoubt]?.matched.length, 1);
    const view = await fixture.lists.view();
    const area = { list: 'travel', doubt: 'AREA_UNREAD', lines: [] };
    assert.deepEqual([view.doubtsOfStays(['cn-42']), view.doubtsOfStays(['CN-11'])], [[area], []]);
    assert.deepEqual((await fixture.lists.unread()).toSorted(), rotten.toSorted());
    assert.equal(fixture.troubles.length, 2);
    // The rows of a version are removed, whatever became of them.
    for (const version of [2, 3])
      await fixture.import('areas', 'area,risk,since\nCN-42,high,2026-11-01\n', {
        asOfS: LISTS_NOW_S + version,
      });
    const page = await fixture.store.page('list/areas/00000001/', 'list/areas/00000001~', { limit: 9 });
    assert.deepEqual(page, []);
    assert.deepEqual(await fixture.lists.unread(), rotten.slice(0, 1));
  });

  it('answers for 1,024 people at once, in their order, and no more', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => `${passport(2 * i)},key,2026-11-20\n`).join('');
    await fixture.import('control', `id_type,id_country,id_number,level,since\n${rows}`);
    const view = await fixture.lists.view();
    const people = Array.from({ length: SOUGHT_MAX }, (_, i) => sought(`${passport(i)},,`));
    const all = await view.find(people);
    all.forEach(({ matched }, i) =>
      assert.equal(matched.length, i % 2 === 0 && i < 1_000 ? 1 : 0, String(i)),
    );
    await assert.rejects(view.find([...people, sought(`${passport(1)},,`)]), RangeError);
    assert.deepEqual(await view.find([]), []);
  });
});
