import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { columnsOf, exampleFile, LIST_KINDS, type ListKind } from '../../../node/lists/kinds.ts';
import { type ImportReport, Lists } from '../../../node/lists/lists.ts';
import { requireRead } from '../../../node/lists/unread-rows.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { bytesOf, LISTS_NOW_S, ListsFixture, passport } from '../../support/lists-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { describeOnAllTables } from '../../support/tables.ts';

const CONTROL = 'id_type,id_country,id_number,level,since\n';
const NO_ROWS =
  '0  the file has no rows: where nobody stands on the list any more, say so by --empty (empty=true over HTTP)';
const TESTS = 'id_type,id_country,id_number,result,day\n';

function faultsOf(report: ImportReport): string[] {
  assert.equal(report.outcome, 'refused');
  return report.faults.map(({ line, column = '', reason }) => `${line} ${column} ${reason}`);
}

const isRefused = (error: unknown) => isNodeError(error, 'REFUSED');

describeOnAllTables('Lists', () => {
  let fixture: ListsFixture;
  beforeEach(async () => (fixture = await ListsFixture.open()));
  afterEach(() => fixture.store.stop());

  for (const kind of LIST_KINDS)
    it(`takes the example of ${kind}, as CSV and as JSON lines`, async () => {
      const [header = '', row = ''] = exampleFile(kind).split('\n');
      if (kind === 'travel') await fixture.import('areas', exampleFile('areas'));
      assert.equal((await fixture.import(kind, exampleFile(kind))).outcome, 'imported');
      const csv = await fixture.inForce(kind);
      const members = header.split(',').map((name, i) => [name, row.split(',')[i]]);
      const json = JSON.stringify(Object.fromEntries(members));
      const later = { format: 'jsonl', asOfS: LISTS_NOW_S + 1 } as const;
      assert.equal((await fixture.import(kind, json, later)).outcome, 'imported');
      assert.deepEqual([...(await fixture.inForce(kind)).values()], [...csv.values()]);
    });

  it('refuses stays while no list of areas is in force, with words on what to import first, and takes them then', async () => {
    const refused = (error: unknown) =>
      isNodeError(error, 'REFUSED') && /areas at risk first/.test(error.hint ?? '');
    await assert.rejects(fixture.import('travel', exampleFile('travel')), refused);
    assert.deepEqual([...(await fixture.lists.inForce()).keys()], []);
    await fixture.lists.view();
    await fixture.import('areas', exampleFile('areas'));
    assert.equal((await fixture.import('travel', exampleFile('travel'))).outcome, 'imported');
  });

  it('counts versions, remembers them, and keeps the rows of the one in force and of the one before', async () => {
    for (let version = 1; version <= 4; version++) {
      const report = await fixture.import('control', `${CONTROL}${passport(version)},key,2026-11-20\n`, {
        asOfS: LISTS_NOW_S - 10 + version,
        source: `office ${version}`,
      });
      assert.ok(report.outcome === 'imported' && report.list.version === version);
    }
    const versions = await fixture.lists.versions('control');
    assert.deepEqual(
      versions.map(({ version, source, rows, entries }) => [version, source, rows, entries]),
      [4, 3, 2, 1].map((version) => [version, `office ${version}`, 1, 1]),
    );
    assert.deepEqual(
      (await fixture.names()).map((name) => name.split('/')[2]),
      ['00000003', '00000004', 'head'],
    );
    assert.deepEqual([...(await fixture.lists.inForce()).keys()], ['control']);
  });

  it('keeps who imported a version, and not who brings the same file again', async () => {
    const file = `${CONTROL}${passport(1)},key,2026-11-20\n`;
    const anna = { name: 'anna', keyId: '00112233445566aa' };
    await fixture.import('control', file, { operator: anna, asOfS: LISTS_NOW_S - 10 });
    await fixture.import('control', file, { operator: { ...anna, name: 'bert' }, asOfS: LISTS_NOW_S - 10 });
    await fixture.import('control', file + `${passport(2)},key,2026-11-20\n`, { asOfS: LISTS_NOW_S });
    const versions = await fixture.lists.versions('control');
    assert.deepEqual(
      versions.map(({ operator }) => operator),
      [undefined, anna],
    );
  });

  it('B69: the same file again changes nothing', async () => {
    const file = `${CONTROL}${passport(1)},key,2026-11-20\n`;
    await fixture.import('control', file);
    const before = await fixture.names();
    const again = await fixture.import('control', file, { source: 'another' });
    assert.ok(again.outcome === 'unchanged' && again.list.source === 'office');
    assert.deepEqual(await fixture.names(), before);
  });

  it('B69: refuses a list older than the one in force, another one of the same moment, and one of the future', async () => {
    const file = (level: string) => `${CONTROL}${passport(1)},${level},2026-11-20\n`;
    await fixture.import('control', file('key'));
    const before = await fixture.names();
    await assert.rejects(fixture.import('control', file('key'), { asOfS: LISTS_NOW_S - 1 }), isRefused);
    await assert.rejects(fixture.import('control', file('watch')), isRefused);
    await assert.rejects(fixture.import('control', file('watch'), { asOfS: LISTS_NOW_S + 121 }), isRefused);
    assert.deepEqual(await fixture.names(), before);
    assert.equal(
      (await fixture.import('control', file('watch'), { asOfS: LISTS_NOW_S + 120 })).outcome,
      'imported',
    );
  });

  it('puts together what a list says of a person: of days under one name the newest', async () => {
    const rows = ['negative,2026-11-01', 'positive,2026-11-03', 'negative,2026-11-20', 'negative,2026-11-10'];
    await fixture.import('tests', TESTS + rows.map((row) => `${passport(1)},${row}\n`).join(''));
    assert.deepEqual(
      [...(await fixture.inForce('tests'))],
      [[2, { negative: '2026-11-20', positive: '2026-11-03' }]],
    );
  });

  it('takes a row that stands there twice once', async () => {
    const row = `${passport(1)},key,2026-11-20\n`;
    const report = await fixture.import('control', CONTROL + row + row);
    assert.ok(report.outcome === 'imported' && report.list.rows === 2 && report.list.entries === 1);
  });

  const contradictory: readonly [string, ListKind, readonly string[], string][] = [
    [
      'two levels',
      'control',
      ['P,key,2026-11-20', 'P,watch,2026-11-20'],
      '3 level says otherwise than line 2',
    ],
    [
      'two days of a level',
      'control',
      ['P,key,2026-11-20', 'P,key,2026-11-21'],
      '3 since says otherwise than line 2',
    ],
    [
      'two days of one dose',
      'vaccination',
      ['P,1,2026-01-20', 'P,2,2026-02-20', 'P,2,2026-02-21'],
      '4 day says otherwise than line 3',
    ],
  ];
  for (const [what, kind, rows, fault] of contradictory)
    it(`B69: refuses ${what} of one person, and names both lines`, async () => {
      const own = columnsOf(kind).slice(-2).join(',');
      const text = rows.map((row) => `${row.replace('P', passport(1))}\n`).join('');
      const report = await fixture.import(kind, `id_type,id_country,id_number,${own}\n${text}`);
      assert.deepEqual(faultsOf(report), [fault]);
      assert.deepEqual(await fixture.names(), []);
    });

  it('B69: refuses one document of two names or days of birth, however far apart the rows stand', async () => {
    const header = 'id_type,id_country,id_number,full_name,birth_date,result,day\n';
    const others = Array.from(
      { length: 3_000 },
      (_, i) => `${passport(i + 10)},,,negative,2026-11-20\n`,
    ).join('');
    const one = (more: string) => `${passport(1)},${more},negative,2026-11-20\n`;
    const first = one('Person One,1990-05-17');
    const born = await fixture.import('tests', header + first + others + one('Person One,1990-05-18'));
    assert.deepEqual(faultsOf(born), ['3003 birth_date is another one than in line 2']);
    const named = await fixture.import('tests', header + first + others + one('Person Two,1990-05-17'));
    assert.deepEqual(faultsOf(named), ['3003 full_name is another one than in line 2']);
    const written = await fixture.import('tests', header + first + others + one(' person  one,1990-05-17'));
    assert.equal(written.outcome, 'imported');
  });

  it('takes the last name off a list where that is said, and by a header alone', async () => {
    await fixture.import('control', `${CONTROL}${passport(1)},key,2026-11-20\n`);
    const later = { asOfS: LISTS_NOW_S + 1, empty: true };
    assert.deepEqual(faultsOf(await fixture.import('control', '', later)), [
      '0  the file is empty, without a header too',
    ]);
    const cut = await fixture.import('control', 'id_type,id_country,id_number,level\n', later);
    assert.deepEqual(faultsOf(cut), ['1  column since is missing']);
    assert.equal((await fixture.inForce('control')).size, 1);
    const report = await fixture.import('control', CONTROL, later);
    assert.ok(report.outcome === 'imported' && report.list.rows === 0 && report.list.version === 2);
    assert.equal((await fixture.inForce('control')).size, 0);
    assert.equal((await fixture.lists.inForce()).get('control')?.asOfS, LISTS_NOW_S + 1);
    assert.equal((await fixture.import('control', CONTROL, later)).outcome, 'unchanged');
    const lines = { ...later, asOfS: LISTS_NOW_S + 2, format: 'jsonl' } as const;
    assert.equal((await fixture.import('control', '', lines)).outcome, 'imported');
  });

  it('B69: refuses two risks of one area', async () => {
    const report = await fixture.import(
      'areas',
      'area,risk,since\nCN-42,high,2026-11-20\nCN-42,low,2026-11-20\n',
    );
    assert.deepEqual(faultsOf(report), ['3 risk says otherwise than line 2']);
  });

  const unreadable: readonly [string, string | Uint8Array, string][] = [
    ['an empty file', '', '0  the file is empty, without a header too'],
    ['a header alone', CONTROL, NO_ROWS],
    ['a column that is missing', 'id_type,id_country,id_number,level\n', '1  column since is missing'],
    ['UTF-16', Buffer.from(`\ufeff${CONTROL}`, 'utf16le'), '0  the file is UTF-16: save it as UTF-8'],
    [
      'a quotation mark that is not closed',
      `${CONTROL}"passport,DE`,
      '2  a quotation mark is opened and not closed',
    ],
    [
      'a quotation mark that is not closed, by the row in which it is opened',
      `${CONTROL}"passport",DE,C00000001,key,2026-11-20\n"passport,DE,C00000002\n\npassport,DE,C3\npassport,DE,C4\n`,
      '3  a quotation mark is opened and not closed',
    ],
    ['a level that is none', `${CONTROL}${passport(1)},Key,2026-11-20\n`, '2 level is none of key, watch'],
    ['an empty cell', `${CONTROL}${passport(1)},key,\n`, '2 since is empty'],
    [
      'a day of after the list',
      `${CONTROL}${passport(1)},key,2026-11-28\n`,
      '2 since is after the day of the list itself',
    ],
    [
      'a NUL',
      `${CONTROL}passport,DE,C01\0X,key,2026-11-20\n`,
      '2 id_number does not hold 4 to 32 letters and digits',
    ],
  ];
  for (const [what, file, fault] of unreadable)
    it(`B69: refuses ${what}`, async () => {
      assert.deepEqual(faultsOf(await fixture.import('control', file)), [fault]);
      assert.deepEqual(await fixture.names(), []);
    });

  it('B69: a single line of 64 MiB is refused before it is held', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      yield Buffer.from(`${CONTROL}passport,DE,`);
      for (; taken < 1_024; taken++) yield Buffer.alloc(65_536, 'A');
    }
    const order = {
      kind: 'control',
      source: 'office',
      asOfS: LISTS_NOW_S,
      format: 'csv',
      encoding: 'utf-8',
    } as const;
    const report = await fixture.lists.import(order, endless());
    assert.match(faultsOf(report).join(), /more than 4096 bytes/);
    assert.ok(taken < 16);
  });

  it('B69: one bad row at the end of many, and nothing is changed; at most 20 faults are told', async () => {
    const good = Array.from({ length: 5_000 }, (_, i) => `${passport(i)},key,2026-11-20\n`).join('');
    await fixture.import('control', CONTROL + good, { asOfS: LISTS_NOW_S - 1 });
    const before = await fixture.names();
    const bad = await fixture.import('control', `${CONTROL}${good}${passport(1)},key,2026-02-30\n`);
    assert.equal(faultsOf(bad).length, 1);
    assert.match(faultsOf(bad)[0] ?? '', /^5002 since /);
    assert.deepEqual(await fixture.names(), before);
    const all = await fixture.import('control', `${CONTROL}${good.replaceAll('key', 'no')}`);
    assert.equal(faultsOf(all).length, 20);
  });

  it('B69: reads names in GB18030', async () => {
    const row = Buffer.concat([
      Buffer.from('full_name,birth_date,level,since\n'),
      Buffer.from('d5c5c8fd', 'hex'),
      Buffer.from(',1990-05-17,key,2026-11-20\n'),
    ]);
    assert.deepEqual(faultsOf(await fixture.import('control', row)), [
      '2 full_name is not UTF-8: save the file as UTF-8, or name its encoding where that is taken (--encoding gb18030)',
    ]);
    assert.equal((await fixture.import('control', row, { encoding: 'gb18030' })).outcome, 'imported');
    const entries = [];
    for await (const row of fixture.shelf.all('control', 1)) entries.push(requireRead(row).identity);
    assert.deepEqual(entries, [{ name: '张三', birthDate: '1990-05-17' }]);
  });

  it('two imports of one kind that race take turns', async () => {
    const file = (level: string) => `${CONTROL}${passport(1)},${level},2026-11-20\n`;
    const outcomes = await Promise.allSettled([
      fixture.import('control', file('key'), { asOfS: LISTS_NOW_S - 1 }),
      fixture.import('control', file('watch')),
      fixture.import('control', file('key'), { asOfS: LISTS_NOW_S - 1 }),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    );
    assert.deepEqual(
      [...(await fixture.inForce('control')).values()],
      [{ level: 'watch', since: '2026-11-20' }],
    );
  });
});

describe('Lists on a disk that fails', () => {
  const rows = (level: string) =>
    CONTROL + Array.from({ length: 2_500 }, (_, i) => `${passport(i)},${level},2026-11-20\n`).join('');

  for (const what of ['crash', 'DISK_FULL', 'DISK_IO'] as const)
    it(`B69: ${what} at every write: the list before or the new one, whole; and the command again mends it`, async function () {
      this.timeout(60_000);
      for (let nth = 1, isThrough = false; !isThrough; nth++) {
        const fixture = await ListsFixture.open();
        await fixture.import('control', rows('key'), { asOfS: LISTS_NOW_S - 1 });
        const { medium } = fixture.machine;
        const from = medium.counters.writes;
        medium.plan({ write: from + nth, when: nth % 2 === 0 ? 'after' : 'before', what });
        fixture.machine.watch();
        const importing = fixture.import('control', rows('watch')).then(
          () => 'done' as const,
          () => 'failed' as const,
        );
        const end = await Promise.race([importing, fixture.machine.crashed.then(() => 'crashed' as const)]);
        if (end !== 'crashed') await fixture.store.stop();
        isThrough = end === 'done' && medium.counters.writes < from + nth;
        if (isThrough) break;
        const next = await ListsFixture.open(fixture.machine);
        const said = new Set([...(await next.inForce('control')).values()].map(({ level }) => level));
        assert.equal(said.size, 1, `write ${nth}`);
        assert.equal((await next.inForce('control')).size, 2_500);
        await next.import('control', rows('watch'));
        const after = await next.inForce('control');
        assert.ok([...after.values()].every(({ level }) => level === 'watch') && after.size === 2_500);
        await next.store.stop();
      }
    });
});

describe('Lists at rest', () => {
  const folder = temporaryFolders();

  it('T23 tell nothing of a person, of a source or of a file without the key', async () => {
    const directory = folder();
    const store = storeInDirectory({ owner: 'DE.test', directory, reserveBytes: 0 }, { clock: systemClock });
    await store.start();
    const lists = new Lists(
      { key: REGISTRY_KEY },
      { tables: store, random: systemRandom(), clock: systemClock },
    );
    const file =
      'id_type,id_country,id_number,full_name,birth_date,level,since\npassport,DE,C01X00T47,Verysecret Person,1990-05-17,watch,2020-01-20\n';
    const order = {
      kind: 'control',
      source: 'Secretoffice',
      asOfS: 1_600_000_000,
      format: 'csv',
      encoding: 'utf-8',
    } as const;
    await lists.import(order, bytesOf(file));
    await store.stop();
    const stored = Buffer.concat(
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    ).toString('latin1');
    assert.ok(stored.includes('list/control/'));
    for (const secret of ['C01X00T47', 'SECRET', '1990-05-17', 'watch', 'office', '2020-01-20'])
      assert.ok(!stored.toLowerCase().includes(secret.toLowerCase()), secret);
  });
});
