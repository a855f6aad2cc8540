import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestCli } from '../../support/cli.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { type RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const ONE = ['--subject', 'One', '--full-name', 'Person One', '--birth-date', '1990-05-17'];

describe('entente declare', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let world: PeopleWorld;
  let cli: TestCli;
  let region: string;
  let node: RunningNode | undefined;

  beforeEach(async () => {
    world = await PeopleWorld.found(folder());
    ({ cli, region } = world);
  });
  afterEach(async () => {
    await node?.end('SIGKILL');
    node = undefined;
  });

  for (const how of ['by its directory', 'by the node that runs on it'])
    it(`stores what people say, and issue --rules decides by it, of a region ${how}`, async () => {
      if (how.includes('node')) node = await world.run();
      const file = world.declarations('One', 'Two:symptoms');
      assert.deepEqual(await cli.json('declare', region, file), {
        outcome: 'taken',
        added: 2,
        replaced: 0,
        unchanged: 0,
        older: 0,
        ...(how.includes('node') && { updateInS: 5 }),
      });
      assert.equal((await cli.json<{ unchanged: number }>('declare', region, file)).unchanged, 2);
      const people = world.file('people.csv', 'subject\nOne\nTwo\n');
      const { out, err, exit } = await cli.run('issue', region, people, '--rules', 'de', '--json');
      assert.equal(exit, 0, err);
      assert.deepEqual(await world.coloursOf(out), { One: 'green', Two: 'yellow' });
      const papers = ['--id-type', 'passport', '--id-country', 'DE', '--id-number', 'C01X00T47'];
      const declare = (...subject: readonly string[]) =>
        cli.run('declare', region, ...ONE, ...papers, '--no-symptoms', '--consent', ...subject);
      assert.equal((await declare('--subject', 'Three')).exit, 0);
      const refused = await declare('--subject', 'Four');
      assert.equal(refused.exit, 1);
      assert.match(refused.err, /id_number: is of a document that another reference has.*\(it has Three\)/);
      const { code } = await cli.json<{ code: string }>('issue', region, '--subject', 'Two', '--rules', 'de');
      assert.equal((await cli.json<{ colour: string }>('verify', '--region', region, code)).colour, 'yellow');
    });

  it('takes one person by flags, and nothing without consent', async () => {
    const without = await cli.run('declare', region, ...ONE, '--no-symptoms');
    assert.equal(without.exit, 2);
    assert.match(without.err, /nothing is stored without --consent/);
    const { added } = await cli.json<{ added: number }>('declare', region, ...ONE, '--symptoms', '--consent');
    assert.equal(added, 1);
    const issued = await cli.run('issue', region, '--subject', 'One', '--rules', 'de');
    assert.equal(issued.exit, 0, issued.err);
  });

  it('a person who never declared gets no colour, and a row that declares itself takes nothing back of an older declaration', async () => {
    const strange = await cli.run('issue', region, '--subject', 'Nobody', '--rules', 'de', '--json');
    assert.match(strange.err, /"code":"UNDECIDED"/);
    await cli.json('declare', region, ...ONE, '--symptoms', '--consent');
    const file = world.file(
      'people.csv',
      `subject,declaration.day,declaration.consent\nOne,${world.today},true\n`,
    );
    const refused = await cli.run('issue', region, file, '--rules', 'de', '--json');
    assert.match(refused.err, /the region knows of the person itself the rules give a stricter colour/);
    cli.nowS += 15 * 86_400;
    const later = world.file(
      'later.csv',
      `subject,declaration.day,declaration.consent\nOne,${world.today},true\n`,
    );
    const { out } = await cli.run('issue', region, later, '--rules', 'de', '--json');
    assert.deepEqual(await world.coloursOf(out), { One: 'green' });
  });

  it('tells line, column, reason and the right form of rows that are wrong, and what a flag lacks', async () => {
    const file = world.file('bad.csv', 'subject,full_name,birth_date,declared_at,consent,symptoms\n,,,,,\n');
    const { exit, err } = await cli.run('declare', region, file);
    assert.equal(exit, 1);
    assert.match(err, /line 2, subject: is empty, expected as in P-00001/);
    assert.match(err, /entente declare --example/);
    for (const args of [
      [],
      [region],
      [region, 'missing.csv'],
      [region, file, '--consent'],
      [region, ...ONE, '--consent'],
      [region, ...ONE, '--consent', '--no-symptoms', '--contact', 'yesterday'],
      [region, ...ONE, '--consent', '--no-symptoms', '--source', ''],
    ])
      assert.equal((await cli.run('declare', ...args)).exit, 2, args.join(' '));
  });

  it('T25 forget destroys a declaration, also of somebody without a code', async () => {
    await cli.json('declare', region, ...ONE, '--symptoms', '--consent');
    await cli.json('forget', region, '--subject', 'One');
    const again = await cli.run('forget', region, '--subject', 'One', '--json');
    assert.match(again.err, /"code":"NOT_FOUND"/);
    assert.equal(
      (await cli.json<{ added: number }>('declare', region, ...ONE, '--symptoms', '--consent')).added,
      1,
    );
  });

  it('prints an example that it takes', async () => {
    const { out } = await cli.run('declare', '--example');
    writeFileSync(cli.path('example.csv'), out.replaceAll(/2026-11-\d\d/g, '2026-01-05'));
    assert.equal((await cli.json<{ added: number }>('declare', region, cli.path('example.csv'))).added, 2);
  });
});
