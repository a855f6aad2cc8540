import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const RULES = `id: de
version: 1
base: { id: baseline, version: 1 }
region: DE
from: 2026-01-01
until: 2027-01-01
zone: Europe/Berlin
examples:
  - name: nobody is green without a declaration
    at: 2026-03-01T09:00:00Z
    facts: {}
    expect: { open: [declared, consent] }
`;
const DECLARATIONS = `subject,declaration.day,declaration.consent,declaration.symptoms
Person 00001,2026-11-10,true,false
Person 00002,2026-11-10,true,true
Person 00003,2026-11-10,true,false
`;
const CONTROL = 'subject,control.level,control.since\nPerson 00003,key,2026-11-09\n';

interface Judged {
  readonly outcome: string;
  readonly colour: string;
  readonly measure?: { readonly untilS: number };
  readonly rule: { readonly id: string; readonly version: number };
}

describe('entente issue --rules', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let region: string;

  beforeEach(async () => {
    cli = new TestCli(folder());
    region = cli.path('DE');
    await cli.json('init', 'DE', '--dir', region);
    await cli.json('rules', 'activate', region, file('rules.yaml', RULES));
  });

  function file(name: string, text: string): string {
    writeFileSync(cli.path(name), text);
    return cli.path(name);
  }

  const judged = (code: string) => cli.json<Judged>('verify', '--region', region, code);
  const codeOf = (err: string) => /\[([A-Z_]+)\]/.exec(err)?.[1];

  it('a declaration turns green, symptoms yellow, a name on the control list red, by rules that the code names', async () => {
    const lists = ['--list', file('control.csv', CONTROL)];
    const { exit, out } = await cli.run(
      'issue',
      region,
      file('people.csv', DECLARATIONS),
      '--rules',
      'de',
      ...lists,
      '--json',
    );
    assert.equal(exit, 0);
    const issued = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { subject: string; code: string });
    const colours: Record<string, string> = {};
    for (const { subject, code } of issued) {
      const verdict = await judged(code);
      colours[subject] = verdict.colour;
      assert.deepEqual(verdict.rule, { id: 'de', version: 1 });
      if (verdict.colour === 'red')
        assert.equal(verdict.measure?.untilS, Date.parse('2026-11-23T00:00:00+01:00') / 1_000);
    }
    assert.deepEqual(colours, { 'Person 00001': 'green', 'Person 00002': 'yellow', 'Person 00003': 'red' });
  });

  it('one person by a file of facts; a fortnight later green again', async () => {
    const facts = file(
      'facts.json',
      '{"declaration":{"day":"2026-11-10","consent":true},"control":{"level":"key","since":"2026-11-10"}}',
    );
    const issue = ['issue', region, '--subject', 'Person 00009', '--rules', 'de', '--facts', facts];
    const red = await cli.json<{ code: string }>(...issue);
    assert.equal((await judged(red.code)).outcome, 'stop');
    cli.nowS += 14 * 86_400;
    const green = await cli.json<{ code: string }>(...issue);
    assert.deepEqual(
      [(await judged(green.code)).outcome, (await judged(green.code)).colour],
      ['pass', 'green'],
    );
  });

  it('who gets no colour stops the file, and is told with line and rule; --leave-open issues to the others', async () => {
    const people = file('people.csv', `${DECLARATIONS}Person 00004,,,\n`);
    const refused = await cli.run('issue', region, people, '--rules', 'de');
    assert.deepEqual([refused.exit, refused.out, codeOf(refused.err)], [1, '', 'UNDECIDED']);
    assert.match(refused.err, /line 5: declared: green needs what is not known; consent: /);
    const out = cli.path('codes.csv');
    const left = await cli.run('issue', region, people, '--rules', 'de', '--leave-open', '--out', out);
    assert.equal(left.exit, 0);
    assert.match(left.err, /1 row of .*people\.csv got no colour and no code:\n {2}line 5/);
    assert.equal(readFileSync(out, 'utf8').trim().split('\n').length, 4);
  });

  for (const [name, people, list, code] of [
    ['a list whose header is wrong', DECLARATIONS, 'subject,level\nPerson 00003,key\n', 'PEOPLE_INVALID'],
    [
      'a list that says of one person two things',
      DECLARATIONS,
      `${CONTROL}Person 00003,watch,2026-11-09\n`,
      'PEOPLE_INVALID',
    ],
    [
      'a list that contradicts a declaration',
      'subject,control.level\nPerson 00003,watch\n',
      CONTROL,
      'PEOPLE_INVALID',
    ],
    ['an empty list', DECLARATIONS, '', 'PEOPLE_INVALID'],
    [
      'a bad row among good ones',
      `${DECLARATIONS}Person 00005,2026-02-30,true,\n`,
      CONTROL,
      'PEOPLE_INVALID',
    ],
    [
      'everybody without a colour',
      'subject\nPerson 00001\n',
      'subject,control.level\nX,watch\n',
      'UNDECIDED',
    ],
  ] as const) {
    it(`B69: ${name} issues nothing`, async () => {
      const before = await cli.run('codes', region);
      const args = ['--rules', 'de', '--leave-open', '--list', file('list.csv', list)];
      const { exit, out, err } = await cli.run('issue', region, file('people.csv', people), ...args);
      assert.deepEqual([exit, out, codeOf(err)], [1, '', code], err);
      assert.deepEqual(await cli.run('codes', region), before);
    });
  }

  it('verify --rules goes by them at a place: its profile, the role, and a recorded reason', async () => {
    const symptoms = file(
      'facts.json',
      '{"declaration":{"day":"2026-11-10","consent":true,"symptoms":true}}',
    );
    const issue = ['issue', region, '--subject', 'P', '--rules', 'de', '--facts', symptoms];
    const { code } = await cli.json<{ code: string }>(...issue);
    const at = (place: string, ...args: string[]) =>
      cli.run('verify', '--region', region, '--rules', 'de', '--place', place, ...args, code);
    const station = await at('kind=station');
    assert.equal(station.exit, 3);
    assert.match(station.out, /^ACT[\s\S]*RULE_ASKS .*Note where the person is going/);
    assert.match((await at('kind=school')).out, /^STOP[\s\S]*RULE_STOPS .*schools and care homes/);
    const resident = await at('kind=care-home', '--role', 'resident');
    assert.match(resident.out, /^ACT[\s\S]*GRADE_TOO_LOW/);
    assert.doesNotMatch((await at('kind=care-home,grade=static', '--role', 'resident')).out, /GRADE_TOO_LOW/);
    const unknown = await cli.run('verify', '--region', region, '--rules', 'none', code);
    assert.deepEqual([unknown.exit, codeOf(unknown.err)], [1, 'NOT_FOUND']);
  });

  it('goes by rules of the trust log alone, and in their time', async () => {
    const people = file('people.csv', DECLARATIONS);
    const unknown = await cli.run('issue', region, people, '--rules', 'baseline');
    assert.deepEqual([unknown.exit, codeOf(unknown.err)], [1, 'NOT_FOUND']);
    cli.nowS = Date.parse('2027-01-01T00:00:00+01:00') / 1_000;
    const over = await cli.run('issue', region, people, '--rules', 'de');
    assert.deepEqual([over.exit, codeOf(over.err)], [1, 'RULES_NOT_IN_FORCE']);
  });

  it('tells of those on a list who are not among the people', async () => {
    const list = file('control.csv', `${CONTROL}Person 00077,key,2026-11-09\n`);
    const { exit, err } = await cli.run(
      'issue',
      region,
      file('people.csv', DECLARATIONS),
      '--rules',
      'de',
      '--list',
      list,
    );
    assert.equal(exit, 0);
    assert.match(err, /1 person of the lists is not among those in .*people\.csv/);
  });

  for (const args of [
    ['--subject', 'A', '--colour', 'green', '--rules', 'de'],
    ['people.csv', '--list', 'control.csv'],
    ['people.csv', '--leave-open'],
    ['people.csv', '--rules', 'de', '--facts', 'facts.json'],
    ['--subject', 'A', '--colour', 'green', '--facts', 'facts.json'],
  ]) {
    it(`refuses ${args.join(' ')}`, async () => {
      assert.equal((await cli.run('issue', region, ...args)).exit, 2);
    });
  }
});
