import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DECLARATION_COLUMNS, declarationsExample } from '../../../node/life/declaration.ts';
import { Bearing } from '../../../node/life/bearing.ts';
import { DossierShelf } from '../../../node/life/dossier-shelf.ts';
import {
  type DeclarationOrder,
  Intake,
  type IntakeModules,
  type IntakeReport,
} from '../../../node/life/intake.ts';
import { PaperRows } from '../../../node/registry/paper-rows.ts';
import { type PrivateTables } from '../../../node/registry/private-tables.ts';
import { type Store } from '../../../node/store/store.ts';
import { storeInDirectory } from '../../../node/store/store-directory.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { Turns } from '../../../node/turns.ts';
import { HeldFile } from '../../support/held-file.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { bytesOf, LISTS_NOW_S } from '../../support/lists-fixture.ts';
import { Machine } from '../../support/log-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { describeOnAllTables, describeOnPostgres } from '../../support/tables.ts';

const random = systemRandom();
const HEAD = 'subject,full_name,birth_date,declared_at,consent,symptoms\n';
const row = (subject: string, symptoms = 'false', at = '2026-11-26T08:00:00Z') =>
  `${subject},Person ${subject},1990-05-17,${at},true,${symptoms}\n`;

/** Where nothing else goes on. */
const ALONE: Pick<IntakeModules, 'isRevoked' | 'registry' | 'updatedAtS' | 'zone' | 'turn'> = {
  isRevoked: () => false,
  registry: () => ({ runningOf: (subjects) => Promise.resolve(subjects.map(() => [])) }),
  updatedAtS: () => Promise.resolve(0),
  zone: () => undefined,
  turn: (work) => work(),
};

const bearingOf = (tables: PrivateTables, shelf: DossierShelf, papers = papersOf(tables)) =>
  new Bearing({ tables, shelf, registry: () => ({ papers }) });
const papersOf = (tables: PrivateTables) => new PaperRows(REGISTRY_KEY, { tables, random });

/** What a process of a region has of declarations. */
class Process {
  readonly store: Store;
  readonly tables: PrivateTables;
  readonly shelf: DossierShelf;
  readonly papers: PaperRows;
  readonly bearing: Bearing;
  readonly #intake: Intake;
  readonly #turns = new Turns();

  private constructor(machine: Machine, store: Store) {
    machine.clock.nowAtMs = LISTS_NOW_S * 1_000;
    this.store = store;
    this.tables = machine.tables ?? store;
    this.shelf = new DossierShelf({ key: REGISTRY_KEY }, { tables: this.tables, random });
    this.papers = papersOf(this.tables);
    this.bearing = bearingOf(this.tables, this.shelf, this.papers);
    this.#intake = new Intake(
      { key: REGISTRY_KEY },
      {
        tables: this.tables,
        random,
        clock: machine.clock,
        shelf: this.shelf,
        bearing: this.bearing,
        ...ALONE,
        turn: (work) => this.#turns.take('life', work),
      },
    );
  }

  static async open(machine = new Machine()): Promise<Process> {
    return new Process(machine, await machine.openStore({ openDelaysMs: [0, 1], retryMs: 5 }));
  }

  take(file: string | Uint8Array, order: Partial<DeclarationOrder> = {}): Promise<IntakeReport> {
    return this.#intake.take({ source: 'office', format: 'csv', encoding: 'utf-8', ...order }, bytesOf(file));
  }

  takeStream(file: AsyncIterable<Uint8Array>): Promise<IntakeReport> {
    return this.#intake.take({ source: 'office', format: 'csv', encoding: 'utf-8' }, file);
  }

  finish(): Promise<void> {
    return this.#turns.take('life', () => this.#intake.finish());
  }

  /** What is known of everybody: the subject and whether they told of symptoms. */
  async known(): Promise<Map<string, boolean>> {
    const known = new Map<string, boolean>();
    for (let after = ''; ;) {
      const { persons, last } = await this.shelf.page(after, 512);
      for (const { dossier } of persons)
        known.set(dossier.declaration.subject, dossier.declaration.said.symptoms);
      if (last === undefined) return known;
      after = last;
    }
  }

  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const [name] of this.tables.entries('life/', 'life0')) names.push(name);
    return names;
  }
}

function faultsOf(report: IntakeReport): string[] {
  assert.equal(report.outcome, 'refused');
  return report.faults.map(({ line, column = '', reason }) => `${line} ${column} ${reason}`);
}

describeOnAllTables('Intake', () => {
  let region: Process;
  beforeEach(async () => (region = await Process.open()));
  afterEach(() => region.store.stop());

  it('takes its own example, as CSV and as JSON lines, and the second time changes nothing', async () => {
    const example = declarationsExample();
    assert.deepEqual(await region.take(example), {
      outcome: 'taken',
      added: 2,
      replaced: 0,
      unchanged: 0,
      older: 0,
    });
    const [header = '', ...rows] = example.trim().split('\n');
    const members = header.split(',');
    const lines = rows.map((cells) =>
      JSON.stringify(Object.fromEntries(cells.split(',').map((cell, i) => [members[i], cell]))),
    );
    assert.deepEqual(await region.take(lines.join('\n'), { format: 'jsonl' }), {
      outcome: 'taken',
      added: 0,
      replaced: 0,
      unchanged: 2,
      older: 0,
    });
    const dossier = await region.shelf.ofSubject('P-00001');
    assert.deepEqual(dossier?.declaration.said.stays, [
      { area: 'CN-42', day: '2026-11-19' },
      { area: 'CN-11', day: '2026-11-21' },
    ]);
    assert.ok(members.every((name) => DECLARATION_COLUMNS.some((column) => column === name)));
  });

  it('lets a newer declaration take the place of an older, and never the reverse', async () => {
    await region.take(HEAD + row('One'));
    const later = await region.take(HEAD + row('One', 'true', '2026-11-26T09:00:00Z'));
    assert.equal(later.outcome === 'taken' && later.replaced, 1);
    const earlier = await region.take(HEAD + row('One', 'false', '2026-11-25T09:00:00Z'));
    assert.equal(earlier.outcome === 'taken' && earlier.older, 1);
    assert.deepEqual([...(await region.known())], [['One', true]]);
  });

  it('keeps who handed a declaration in, also of a long file, and of one that comes late beside the newest', async () => {
    const [anna, bert] = [{ name: 'anna', keyId: '00112233445566aa' }, { name: 'desk' }];
    const kept = async () => {
      const { operator, earlier } = (await region.shelf.ofSubject('One')) ?? assert.fail();
      return [operator, earlier?.symptoms?.operator];
    };
    const many = Array.from({ length: 1_100 }, (_, i) => row(`P${i}`));
    await region.take(HEAD + row('One', 'true') + many.join(''), { operator: anna });
    assert.deepEqual(await kept(), [anna, undefined]);
    // What is known already was brought in by who did so first.
    await region.take(HEAD + row('One', 'true'), { operator: bert });
    assert.deepEqual(await kept(), [anna, undefined]);
    await region.take(HEAD + row('One', 'false', '2026-11-26T09:00:00Z'), { operator: bert });
    assert.deepEqual(await kept(), [bert, anna]);
    // Where nobody is named nobody is, and not who came before.
    await region.take(HEAD + row('One', 'false', '2026-11-26T10:00:00Z'));
    assert.deepEqual(await kept(), [undefined, anna]);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['an empty file', '', /0 {2}the file is empty/],
    ['a header alone', HEAD, /0 {2}the file has no rows/],
    ['a missing column', 'subject,full_name\nOne,Person\n', /1 {2}column .*consent.* is missing/],
    ['a strange column', `colour,${HEAD}green,${row('One')}`, /1 {2}column 1 is unknown/],
    ['consent that is not given', HEAD + row('One').replace('true,', 'false,'), /2 consent is not true/],
    ['consent left empty', HEAD + row('One').replace('true,', ','), /2 consent is empty/],
    ['symptoms of a third kind', HEAD + row('One', 'maybe'), /2 symptoms is neither true nor false/],
    ['no subject', HEAD + row(''), /2 subject is empty/],
    ['a subject of 65 bytes', HEAD + row('x'.repeat(65)), /2 subject has more than 64 bytes/],
    ['no name', HEAD + row('One').replace('Person One', ''), /tells nobody/],
    ['30 February', HEAD + row('One').replace('1990-05-17', '2021-02-30'), /2 birth_date is not a day/],
    ['a date of either order', HEAD + row('One').replace('1990-05-17', '04/01/2022'), /2 birth_date/],
    ['a time without a zone', HEAD + row('One', 'false', '2026-11-26T08:00:00'), /2 declared_at is no time/],
    [
      'a time that is still to come',
      HEAD + row('One', 'false', '2026-11-27T08:00:00Z'),
      /2 declared_at is still/,
    ],
    [
      'one person twice',
      HEAD + row('One') + row('Two') + row('One', 'true'),
      /4 subject is the same person as in line 2/,
    ],
    ['a quote that is not closed', `${HEAD}"${row('One')}`, /quotation mark/],
    ['a line of 5,000 bytes', HEAD + row('x'.repeat(5_000)), /more than 4096 bytes/],
    [
      'NUL in a name',
      HEAD + row('One').replace('Person One', 'Per\0son'),
      /2 full_name holds a control character/,
    ],
  ];
  for (const [what, file, reason] of wrong)
    it(`B69 refuses ${what}, and stores nothing of the file`, async () => {
      const faults = faultsOf(await region.take(file));
      assert.ok(
        faults.some((fault) => reason.test(fault)),
        faults.join('\n'),
      );
      assert.deepEqual(await region.names(), []);
    });

  it('refuses stays and contacts of other forms, each with an example', async () => {
    const head = HEAD.replace('\n', ',contact,travel\n');
    const of = (contact: string, travel: string) => `${row('One').trimEnd()},${contact},${travel}\n`;
    for (const [contact, travel, reason] of [
      ['yesterday', '', /contact is not a day/],
      ['2026-11-28', '', /contact is after the day/],
      ['', 'CN-42', /travel does not name/],
      ['', 'CN-42 2026-02-30', /travel is not a day/],
      ['', Array.from({ length: 17 }, () => 'CN-42 2026-11-20').join(';'), /more than 16 stays/],
    ] as const)
      assert.match(faultsOf(await region.take(head + of(contact, travel)))[0] ?? '', reason);
    const report = await region.take(head + of('yesterday', ''));
    assert.equal(report.outcome === 'refused' && report.faults[0]?.example, '2026-11-20');
  });

  it('B69 takes nothing where row 2,999 of 3,000 is wrong', async () => {
    const rows = Array.from({ length: 3_000 }, (_, i) => row(`P${i}`, i === 2_997 ? 'x' : 'false'));
    assert.match(faultsOf(await region.take(HEAD + rows.join('')))[0] ?? '', /^2999 symptoms/);
    assert.deepEqual(await region.names(), []);
  });

  it('refuses what contradicts an earlier declaration: another day of birth, or another of the same moment', async () => {
    await region.take(HEAD + row('One'));
    assert.match(
      faultsOf(await region.take(HEAD + row('One').replace('1990', '1991')))[0] ?? '',
      /2 birth_date is another one/,
    );
    assert.match(
      faultsOf(await region.take(HEAD + row('One', 'true')))[0] ?? '',
      /2 declared_at is the moment/,
    );
    assert.deepEqual([...(await region.known())], [['One', false]]);
  });

  it('B69 reads GB18030 where it is said, and refuses UTF-16', async () => {
    // 张三, in GB18030.
    const named = Buffer.concat([
      Buffer.from(`${HEAD}One,`),
      Buffer.from('d5c5c8fd', 'hex'),
      Buffer.from(',1990-05-17,2026-11-26T08:00:00Z,true,false\n'),
    ]);
    assert.equal((await region.take(named, { encoding: 'gb18030' })).outcome, 'taken');
    assert.equal((await region.shelf.ofSubject('One'))?.declaration.identity.name, '张三');
    assert.match(faultsOf(await region.take(Buffer.from(`\ufeff${HEAD}`, 'utf16le')))[0] ?? '', /UTF-16/);
  });

  const many = (count: number) => Array.from({ length: count }, (_, i) => row(`P${i}`)).join('');

  it('keeps nobody waiting for a file that comes slowly, and takes all of it whatever goes on meanwhile', async () => {
    const file = new HeldFile(HEAD + many(1_100), row('One'));
    const taking = region.takeStream(file);
    await file.reached;
    assert.equal((await region.take(HEAD + row('Two'))).outcome, 'taken');
    await region.finish();
    const another = region.take(HEAD + many(1_030).replaceAll('P', 'Q'));
    file.goOn();
    const report = await taking;
    assert.deepEqual([report.outcome, report.outcome === 'taken' && report.added], ['taken', 1_101]);
    const next = await another;
    assert.deepEqual([next.outcome, next.outcome === 'taken' && next.added], ['taken', 1_030]);
    assert.equal((await region.known()).size, 1_101 + 1 + 1_030);
  });

  it('refuses a file beside which somebody of it declared otherwise while it was read', async () => {
    const file = new HeldFile(HEAD + row('One') + many(1_100), row('Two'));
    const taking = region.takeStream(file);
    await file.reached;
    await region.take(HEAD + row('One').replace('1990', '1991'));
    file.goOn();
    assert.match(faultsOf(await taking)[0] ?? '', /^2 birth_date is another one/);
    assert.deepEqual([...(await region.known()).keys()], ['One']);
    assert.equal((await region.names()).length, 2);
  });

  it('clears away what a file left that broke off, and takes the next one', async () => {
    async function* breaking() {
      yield* bytesOf(HEAD + many(1_100));
      throw new Error('the line is dead');
    }
    await assert.rejects(region.takeStream(breaking()), /the line is dead/);
    assert.ok((await region.names()).length > 0);
    await region.finish();
    assert.deepEqual(await region.names(), []);
    assert.equal((await region.take(HEAD + many(1_100))).outcome, 'taken');
  });

  it('knows whether somebody else has the name and day of birth, also once a name is another', async () => {
    await region.take(HEAD + row('One') + row('Two').replace('Person Two', 'Person One'));
    const { identity } = (await region.shelf.ofSubject('One'))?.declaration ?? assert.fail();
    assert.equal(await region.shelf.isNameShared(identity, region.shelf.pseudonymOf('One')), true);
    await region.take(HEAD + row('Two', 'false', '2026-11-26T10:00:00Z'));
    assert.equal(await region.shelf.isNameShared(identity, region.shelf.pseudonymOf('One')), false);
  });

  const HEAD_OF_PAPERS = HEAD.replace('full_name', 'id_type,id_country,id_number,full_name');
  const bearing = (subject: string, number: number, at?: string, type = 'passport') =>
    row(subject, 'false', at).replace(',', `,${type},DE,${String(number).padStart(8, 'C0000000')},`);
  const documents = (count: number) => Array.from({ length: count }, (_, i) => bearing(`P${i}`, i)).join('');
  const bearers = async () => {
    const page = await region.tables.page('registry/bearer/', 'registry/bearer0', { limit: 4_096 });
    return page.length;
  };
  const OTHERS = /id_number is of a document that another reference has/;

  it('a document is that of one reference: now, under earlier papers, and whatever kind it is told to be', async () => {
    await region.take(HEAD_OF_PAPERS + bearing('One', 1));
    await region.take(HEAD_OF_PAPERS + bearing('One', 2, '2026-11-26T08:30:00Z'));
    const file =
      HEAD_OF_PAPERS + bearing('Two', 1) + bearing('Three', 3) + bearing('Four', 2, undefined, 'other');
    const report = await region.take(file);
    const [two = '', four = ''] = faultsOf(report);
    assert.match(two, OTHERS);
    assert.match(four, OTHERS);
    assert.deepEqual(
      report.outcome === 'refused' && report.faults.map(({ line, bearer }) => [line, bearer]),
      [
        [2, 'One'],
        [4, 'One'],
      ],
    );
    assert.deepEqual([[...(await region.known()).keys()], await bearers()], [['One'], 2]);
    for (const own of [bearing('One', 1, '2026-11-26T09:00:00Z'), bearing('One', 1, '2026-11-26T09:00:00Z')])
      assert.equal((await region.take(HEAD_OF_PAPERS + own)).outcome, 'taken');
    await region.bearing.forget('One');
    await region.shelf.forget('One');
    assert.equal(await bearers(), 0);
    assert.equal((await region.take(file.replace(',00000002,', ',00000004,'))).outcome, 'taken');
  });

  it('refuses all rows of a file that tell the same document of different people, however long it is', async () => {
    const twice = bearing('One', 7) + bearing('Two', 8) + bearing('Three', 7);
    assert.deepEqual(
      faultsOf(await region.take(HEAD_OF_PAPERS + twice)).map((fault) => fault.slice(0, 54)),
      [
        '2 id_number is of the document that line 4 tells of ano',
        '4 id_number is of the document that line 2 tells of ano',
      ].map((fault) => fault.slice(0, 54)),
    );
    const faults = faultsOf(await region.take(HEAD_OF_PAPERS + documents(1_100) + bearing('Two', 3)));
    assert.deepEqual(
      faults.map((fault) => fault.split(' is of ')[0]),
      ['5 id_number', '1102 id_number'],
    );
    assert.deepEqual([await region.names(), await bearers()], [[], 0]);
    const report = await region.take(HEAD_OF_PAPERS + documents(1_100));
    assert.equal(report.outcome === 'taken' && report.added, 1_100);
    assert.equal(await bearers(), 1_100);
    assert.ok((await region.names()).every((name) => /^life\/(person|name)\//.test(name)));
  });

  it('refuses a long file beside which others declared, or were issued to, under documents of it', async () => {
    for (const isDeclared of [true, false]) {
      const file = new HeldFile(HEAD_OF_PAPERS + documents(1_100), bearing('Last', 5_000));
      const taking = region.takeStream(file);
      await file.reached;
      if (isDeclared) await region.take(HEAD_OF_PAPERS + bearing('Other', 7));
      else await ordered('Ordered', 9);
      file.goOn();
      const report = await taking;
      assert.match(faultsOf(report)[0] ?? '', OTHERS);
      assert.deepEqual(
        report.outcome === 'refused' && report.faults.map(({ line, bearer }) => `${line} ${bearer}`),
        [isDeclared ? '9 Other' : '11 Ordered'],
      );
      assert.equal((await region.known()).size, isDeclared ? 1 : 0);
      await region.bearing.forget('Other');
      await region.shelf.forget('Other');
    }
  });

  it('a bearer that cannot be read is that of who declared it before, and of nobody else', async () => {
    await region.take(HEAD_OF_PAPERS + bearing('One', 1));
    const [[name] = assert.fail()] = await region.tables.page('registry/bearer/', 'registry/bearer0', {
      limit: 1,
    });
    await region.tables.write([{ put: name, value: Buffer.of(1) }]);
    assert.match(faultsOf(await region.take(HEAD_OF_PAPERS + bearing('Two', 1)))[0] ?? '', OTHERS);
    assert.equal(
      (await region.take(HEAD_OF_PAPERS + bearing('One', 1, '2026-11-26T09:00:00Z'))).outcome,
      'taken',
    );
    assert.equal((await region.tables.get(name))?.length, 16);
  });

  /** As an order keeps whose document it is. */
  async function ordered(subject: string, number: number): Promise<void> {
    const { papers, shelf } = region;
    const document = {
      type: 'passport',
      country: 'DE',
      number: String(number).padStart(8, 'C0000000'),
    } as const;
    const names = papers.namesOf({ document });
    const pseudonym = shelf.pseudonymOf(subject);
    const kept = new Map([[pseudonym, { ...names, sinceHour: 0, subject }]]);
    assert.ok(await papers.keep(kept, new Map([[names.document ?? '', pseudonym]]), new Set([pseudonym])));
  }

  it('T25 leaves nothing under any name of somebody who is forgotten', async () => {
    await region.take(HEAD + row('One') + row('Two'));
    assert.equal(await region.shelf.forget('One'), true);
    assert.equal(await region.shelf.forget('One'), false);
    assert.deepEqual([...(await region.known()).keys()], ['Two']);
    assert.equal((await region.names()).length, 2);
  });
});

describeOnPostgres('Intake of two processes', () => {
  it('a document is that of whoever another process kept it for meanwhile', async () => {
    const region = await Process.open();
    const { papers, shelf, tables } = region;
    const other = papersOf(tables);
    const bearersOf = papers.bearersOf.bind(papers);
    let isFirst = true;
    papers.bearersOf = async (names) => {
      const found = await bearersOf(names);
      const theirs = new Map(names.map((name) => [name, shelf.pseudonymOf('Another')]));
      if (isFirst) assert.ok(await other.write([], theirs));
      isFirst = false;
      return found;
    };
    const file = HEAD.replace('full_name', 'id_type,id_country,id_number,full_name');
    const report = await region.take(file + row('One').replace(',', ',passport,DE,C01X00T47,'));
    assert.match(faultsOf(report)[0] ?? '', /^2 id_number is of a document that another reference has/);
    assert.equal((await region.known()).size, 0);
    await region.store.stop();
  });
});

describe('Intake on a disk that fails', () => {
  const rows = (symptoms: string, at: string) =>
    HEAD.replace('full_name', 'id_type,id_country,id_number,full_name') +
    Array.from({ length: 1_100 }, (_, i) =>
      row(`P${i}`, symptoms, at).replace(',', `,passport,DE,${1_000 + i},`),
    ).join('');

  for (const what of ['crash', 'DISK_FULL', 'DISK_IO'] as const)
    it(`B69: ${what} at every write: the declarations before or the new ones, all of them`, async function () {
      this.timeout(60_000);
      const newer = rows('true', '2026-11-26T09:00:00Z');
      for (let nth = 1, isThrough = false; !isThrough; nth++) {
        const machine = new Machine();
        const region = await Process.open(machine);
        await region.take(rows('false', '2026-11-26T08:00:00Z'));
        const { medium } = machine;
        const from = medium.counters.writes;
        medium.plan({ write: from + nth, when: nth % 2 === 0 ? 'after' : 'before', what });
        machine.watch();
        const taking = region.take(newer).then(
          () => 'done' as const,
          () => 'failed' as const,
        );
        const end = await Promise.race([taking, machine.crashed.then(() => 'crashed' as const)]);
        if (end !== 'crashed') await region.store.stop();
        isThrough = end === 'done' && medium.counters.writes < from + nth;
        if (isThrough) break;
        const next = await Process.open(machine);
        await next.finish();
        const known = await next.known();
        assert.equal(new Set(known.values()).size, 1, `write ${nth}`);
        assert.equal(known.size, 1_100);
        await next.take(newer);
        assert.deepEqual(new Set((await next.known()).values()), new Set([true]));
        assert.ok((await next.names()).every((name) => /^life\/(person|name)\//.test(name)));
        await next.store.stop();
      }
    });
});

describe('Declarations at rest', () => {
  const folder = temporaryFolders();

  it('T23 tell nothing of a person without the key', async () => {
    const directory = folder();
    const store = storeInDirectory({ owner: 'DE.test', directory, reserveBytes: 0 }, { clock: systemClock });
    await store.start();
    const shelf = new DossierShelf({ key: REGISTRY_KEY }, { tables: store, random });
    const intake = new Intake(
      { key: REGISTRY_KEY },
      { tables: store, random, clock: systemClock, shelf, bearing: bearingOf(store, shelf), ...ALONE },
    );
    const file = `${HEAD.replace('\n', ',address\n')}Verysecret,Secret Name,1990-05-17,2020-01-20T08:00:00Z,true,true,Secretstreet 1\n`;
    await intake.take({ source: 'Secretoffice', format: 'csv', encoding: 'utf-8' }, bytesOf(file));
    await store.stop();
    const stored = Buffer.concat(
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    ).toString('latin1');
    assert.ok(stored.includes('life/person/'));
    for (const secret of ['secret', '1990-05-17', 'symptoms'])
      assert.ok(!stored.toLowerCase().includes(secret), secret);
  });

  it('T25 are in no file any more once their person is forgotten: neither as they came nor under the names of before', async () => {
    const directory = folder();
    const store = storeInDirectory({ owner: 'DE.test', directory, reserveBytes: 0 }, { clock: systemClock });
    await store.start();
    const shelf = new DossierShelf({ key: REGISTRY_KEY }, { tables: store, random });
    const intake = new Intake(
      { key: REGISTRY_KEY },
      { tables: store, random, clock: systemClock, shelf, bearing: bearingOf(store, shelf), ...ALONE },
    );
    const order = { source: 'office', format: 'csv', encoding: 'utf-8' } as const;
    const declared = row('One', 'false', '2020-01-20T08:00:00Z');
    await intake.take(order, bytesOf(HEAD + declared));
    const later = row('One', 'false', '2020-01-21T08:00:00Z').replace('Person One', 'Person Two');
    await intake.take(order, bytesOf(HEAD + later));
    const compacted: string[] = [];
    const compact = store.compact.bind(store);
    store.compact = (from, to) => {
      compacted.push(from);
      return compact(from, to);
    };
    const pseudonym = shelf.pseudonymOf('One');
    await shelf.forget('One');
    await store.stop();
    assert.ok(compacted.includes(`life/staged/${pseudonym}`));
    assert.equal(compacted.filter((key) => key.startsWith('life/name/')).length, 2);
    const stored = Buffer.concat(
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    ).toString('latin1');
    assert.ok(!stored.includes(pseudonym));
  });
});
