import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { TestCli } from '../../support/cli.ts';
import { passport } from '../../support/lists-fixture.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'];

describe('entente issue --rules by lists in force', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let region: string;
  let today: string;
  let node: RunningNode | undefined;

  beforeEach(async () => {
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1_000);
    today = new Date(cli.nowS * 1_000).toISOString().slice(0, 10);
    region = cli.path('DE');
    await cli.json('init', 'DE', '--dir', region);
    const year = Number(today.slice(0, 4));
    const rules = `id: de\nversion: 1\nbase: { id: baseline, version: 1 }\nregion: DE\nfrom: ${year}-01-01\nuntil: ${year + 1}-12-31\nexamples:\n  - { name: open, at: ${today}T00:00:00Z, facts: {}, expect: { open: [declared, consent] } }\n`;
    await cli.json('rules', 'activate', region, file('rules.yaml', rules));
  });
  afterEach(async () => {
    await node?.end('SIGKILL');
    node = undefined;
  });

  function file(name: string, text: string): string {
    writeFileSync(cli.path(name), text);
    return cli.path(name);
  }

  async function list(kind: string, text: string): Promise<void> {
    const asOf = new Date(cli.nowS * 1_000).toISOString().replace('.000', '');
    await cli.json(
      'lists',
      'import',
      region,
      kind,
      file('list.csv', text),
      '--source',
      'Office',
      '--as-of',
      asOf,
    );
  }

  const HEAD =
    'subject,id_type,id_country,id_number,full_name,birth_date,declaration.day,declaration.consent\n';
  const person = (subject: string, papers: string) => `${subject},${papers},${today},true\n`;
  const control = (papers: string) =>
    `id_type,id_country,id_number,full_name,birth_date,level,since\n${papers},key,${today}\n`;

  async function coloursOf(out: string): Promise<Record<string, string>> {
    const colours: Record<string, string> = {};
    for (const line of out.trim().split('\n')) {
      const { subject, code } = JSON.parse(line) as { subject: string; code: string };
      colours[subject] = (await cli.json<{ colour: string }>('verify', '--region', region, code)).colour;
    }
    return colours;
  }

  for (const how of ['by its directory', 'by the node that runs on it'])
    it(`a name on the control list turns red, others green, of a region ${how}`, async () => {
      if (how.includes('node')) {
        node = await RunningNode.start(region, ...FREE);
        await node.ready();
      }
      const byHand = ['issue', region, '--subject', 'Two', '--colour', 'green'];
      const { code: before } = await cli.json<{ code: string }>(...byHand);
      await list('control', control(`${passport(2)},Person Two,1990-05-17`));
      const people =
        HEAD +
        person('One', `${passport(1)},Person One,1990-05-17`) +
        person('Two', `${passport(2)},Person Two,1990-05-17`);
      const { exit, out, err } = await cli.run(
        'issue',
        region,
        file('people.csv', people),
        '--rules',
        'de',
        '--json',
      );
      assert.equal(exit, 0, err);
      assert.deepEqual(await coloursOf(out), { One: 'green', Two: 'red' });
      const { out: stopped } = await cli.run('verify', '--region', region, before);
      assert.match(stopped, /REVOKED/, 'worse news revoke at once what passes');
      const { logs } = await cli.json<{ logs: { size: number }[] }>('audit', 'replay', `${region}/public`);
      assert.ok(
        logs.some(({ size }) => size >= 33),
        'and stand among 31 others',
      );
      const otherwise = file('other.csv', HEAD + person('Two', `${passport(3)},Person Three,1990-05-17`));
      const looser = await cli.run('issue', region, otherwise, '--rules', 'de');
      assert.notEqual(looser.exit, 0);
      assert.match(looser.err, /the papers are not those of this reference/);
      assert.match(err, /control, version 1, \d+ s old: 1 person of 1 on the list found here/);
      assert.match(
        err,
        /No list of contacts is in force, although the rules ask for contact.close and contact.secondary/,
      );
      assert.ok(!err.includes('No list of control'));
      const papers = ['--id-type', 'passport', '--id-country', 'DE', '--id-number'];
      const found = await cli.run('lists', 'find', region, ...papers, 'c 00000002');
      assert.equal(found.out, `control, line 2, by document: control.level key, control.since ${today}\n`);
      const nobody = await cli.run('lists', 'find', region, ...papers, 'C00000003');
      assert.equal(nobody.out, 'No list in force has an entry that could be about them.\n');
      const named = await cli.run(
        'lists',
        'find',
        region,
        ...papers,
        'C00000003',
        '--full-name',
        'Person Two',
        '--birth-date',
        '1990-05-17',
      );
      assert.match(named.out, /^IN DOUBT control, line 2: /);
    });

  it('a code on paper is that of the person: by its document alone lists find them, and rows that tell two are refused', async () => {
    await list('control', `id_type,id_country,id_number,level,since\n${passport(2)},key,${today}\n`);
    const head = HEAD.replace('birth_date', 'birth_date,document_country,document_number');
    const [, , number] = passport(2).split(',');
    const people = (papers: string) =>
      file('paper.csv', head + person('One', `${papers},Person One,1990-05-17,DE,${number}`));
    const issue = (papers: string) => cli.run('issue', region, people(papers), '--rules', 'de', '--json');
    const two = await issue(passport(1));
    assert.notEqual(two.exit, 0);
    assert.match(two.err, /document_number.*another document than id_country and id_number tell/);
    const { exit, out, err } = await issue(',,');
    assert.equal(exit, 0, err);
    assert.deepEqual(await coloursOf(out), { One: 'red' });
  });

  it('B69: who may be on a list gets no colour, and stands in the report; others get theirs', async () => {
    await list('control', control(',,,Person Same,1990-05-17'));
    const people =
      HEAD +
      person('One', `${passport(1)},Person Same,1990-05-17`) +
      person('Two', `${passport(2)},Person Same,1990-05-17`) +
      person('=Three', `${passport(3)},Person Three,1990-05-17`);
    const args = [
      'issue',
      region,
      file('people.csv', people),
      '--rules',
      'de',
      '--report',
      cli.path('report.csv'),
    ];
    const whole = await cli.run(...args);
    assert.equal(whole.exit, 1);
    assert.match(
      whole.err,
      /2 rows .* got no colour, nothing was issued:\n {2}line 2: control, line 2: .*somebody else/,
    );
    const rows = readFileSync(cli.path('report.csv'), 'utf8').trim().split('\n').slice(1);
    assert.deepEqual(
      rows.map((row) => row.split(',').slice(0, 4)),
      [
        ['2', 'One', 'control', '2'],
        ['3', 'Two', 'control', '2'],
      ],
    );
    const { exit, out } = await cli.run(...args.slice(0, -2), '--leave-open', '--json');
    assert.equal(exit, 0);
    assert.deepEqual(await coloursOf(out), { '=Three': 'green' });
  });

  it('B69: a doubt does not keep anybody from the red that is known', async () => {
    await list('control', control(',,,Person Same,1990-05-17'));
    await list('tests', `id_type,id_country,id_number,result,day\n${passport(1)},positive,${today}\n`);
    const people = ['1', '2'].map((n) => person(n, `${passport(Number(n))},Person Same,1990-05-17`)).join('');
    const { exit, out } = await cli.run(
      'issue',
      region,
      file('people.csv', HEAD + people),
      '--rules',
      'de',
      '--leave-open',
      '--json',
    );
    assert.equal(exit, 0);
    assert.deepEqual(await coloursOf(out), { '1': 'red' });
  });

  it('B69: nobody gets a code who cannot be held against the lists in force', async () => {
    const facts = [
      '--facts',
      file('facts.json', JSON.stringify({ declaration: { day: today, consent: true } })),
    ];
    const one = ['issue', region, '--subject', 'One', '--rules', 'de', ...facts];
    assert.equal((await cli.run(...one)).exit, 0);
    await list('control', control(`${passport(2)},Person Two,1990-05-17`));
    const papers = ['--id-type', 'passport', '--id-country', 'DE', '--id-number', 'C00000002'];
    for (const [more, exit] of [
      [[], 1],
      [papers, 1],
      [[...papers, '--full-name', 'Person Two'], 1],
      [[...papers, '--full-name', 'Person Two', '--birth-date', '1990-02-30'], 2],
      [[...papers.slice(2), '--full-name', 'Person Two', '--birth-date', '1990-05-17'], 2],
    ] as const)
      assert.equal((await cli.run(...one, ...more)).exit, exit, more.join(' '));
    const { out } = await cli.run(
      ...one,
      ...papers,
      '--full-name',
      'Person Two',
      '--birth-date',
      '1990-05-17',
      '--json',
    );
    assert.deepEqual(await coloursOf(JSON.stringify({ subject: 'One', ...(JSON.parse(out) as object) })), {
      One: 'red',
    });
    const unnamed = file('people.csv', HEAD + person('One', `${passport(1)},,`));
    const { exit, err } = await cli.run('issue', region, unnamed, '--rules', 'de');
    assert.equal(exit, 1);
    assert.match(err, /line 2, full_name: is empty, and is needed/);
  });

  it('areas alone ask nobody for papers, and lists find asks for some', async () => {
    await list('areas', `area,risk,since\nCN-42,high,${today}\n`);
    const people = file('people.csv', `subject,declaration.day,declaration.consent\nOne,${today},true\n`);
    assert.equal((await cli.run('issue', region, people, '--rules', 'de')).exit, 0);
    assert.equal((await cli.run('lists', 'find', region)).exit, 2);
    assert.equal((await cli.run('lists', 'find', region, '--full-name', 'One')).exit, 2);
  });

  it('papers go with --rules, and those of a file into its columns', async () => {
    const people = file('people.csv', 'subject,colour\nA,green\n');
    for (const args of [
      [people, '--full-name', 'x'],
      [people, '--report', cli.path('report.csv')],
      [people, '--rules', 'de', '--full-name', 'x'],
    ])
      assert.equal((await cli.run('issue', region, ...args)).exit, 2, args.join(' '));
  });
});
