import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { requireNoneDamaged, requireNoneHeldOn } from '../../../cli/commands/update.ts';
import { CliError } from '../../../cli/exit.ts';
import { type AskedList } from '../../../node/lists/asked-lists.ts';
import { type UpdateFigures } from '../../../node/life/update-figures.ts';
import { type TestCli } from '../../support/cli.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { type RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const DAY_S = 86_400;

describe('requireNoneHeldOn', () => {
  it('tells what the hour has no revocation left for from what is in no log yet, and says what to do', () => {
    const endOf = (figures: Partial<UpdateFigures>) => {
      try {
        requireNoneHeldOn(figures);
        return undefined;
      } catch (error) {
        assert.ok(error instanceof CliError);
        return [error.exit, error.code, error.hint?.slice(0, 27)];
      }
    };
    assert.equal(endOf({ worse: 3 }), undefined);
    assert.deepEqual(endOf({ unlogged: 1 }), [4, 'LOG_UNSETTLED', 'Run it again in a moment: i']);
    const inAnHour = [1, 'REVOCATIONS_EXCEEDED', 'Run it again in the next ho'];
    assert.deepEqual(endOf({ waiting: 1 }), inAnHour);
    assert.deepEqual(endOf({ waiting: 1, unlogged: 1 }), inAnHour);
    assert.deepEqual(endOf({ waiting: 1, unread: 1 }), [
      5,
      'REGISTRY_CORRUPT',
      'The log of the node names w',
    ]);
  });
});

interface Told {
  readonly subject: string;
  readonly code: string;
  readonly notice: readonly string[];
}

describe('requireNoneDamaged', () => {
  it('ends with 5 and names rows where what is kept of somebody cannot be read', () => {
    requireNoneDamaged({ unchanged: 1, damaged: 0 }, []);
    assert.throws(
      () => requireNoneDamaged({ damaged: 3 }, ['life/person/00ff']),
      (error) =>
        error instanceof CliError &&
        error.exit === 5 &&
        error.code === 'REGISTRY_CORRUPT' &&
        error.message.endsWith('life/person/00ff, and 2 more'),
    );
  });
});

describe('entente update, holder and object', function () {
  this.timeout(90_000);
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

  /** The figures that are not nothing. */
  const update = async (...args: readonly string[]): Promise<Partial<UpdateFigures>> => {
    const { figures } = await cli.json<{ figures: UpdateFigures }>('update', region, ...args);
    return Object.fromEntries(Object.entries(figures).filter(([, count]) => count > 0));
  };

  const toldIn = (file: string): Map<string, Told> => {
    const lines = readFileSync(cli.path(file), 'utf8').trim().split('\n');
    return new Map(lines.map((line) => JSON.parse(line) as Told).map((one) => [one.subject, one]));
  };

  for (const how of ['by its directory', 'by the node that runs on it'])
    it(`a declaration turns green, a name on the control list red, the command says why, and a correction is handed out, of a region ${how}`, async () => {
      if (how.includes('node')) node = await world.run('--set', 'life.everyMinutes=0');
      await cli.json('declare', region, world.declarations('One', 'Two'));
      assert.deepEqual(await update('--dry-run'), { first: 2 });
      const { out: lacking } = await cli.run('update', region, '--dry-run');
      assert.match(
        lacking,
        /WARNING: No list of control is in force, although the rules ask for control\.level/,
      );
      assert.deepEqual(await update('--out', cli.path('first.jsonl')), { first: 2 });
      assert.equal(statSync(cli.path('first.jsonl')).mode & 0o777, 0o600);
      const first = toldIn('first.jsonl').get('Two') ?? assert.fail();
      assert.equal(await world.colourOf(first.code), 'green');

      await world.control('Two');
      const later = new Date((cli.nowS + 2 * DAY_S + 1) * 1_000).toISOString();
      const { lackingLists } = await cli.json<{ lackingLists: AskedList[] }>(
        ...['update', region, '--dry-run', '--at', later],
      );
      assert.deepEqual(
        lackingLists.map(({ list, isOld }) => [list, isOld]),
        [
          ['control', true],
          ['contacts', false],
          ['tests', false],
          ['travel', false],
          ['areas', false],
        ],
      );
      assert.deepEqual(await update('--out', cli.path('second.csv')), { unchanged: 1, worse: 1 });
      assert.equal((await cli.run('verify', '--region', region, first.code)).exit, 3);
      assert.match(
        readFileSync(cli.path('second.csv'), 'utf8'),
        /^Two,.*,worse,red,"The health code of DE is RED/m,
      );
      const { out } = await cli.run('holder', region, '--subject', 'Two', '--explain');
      for (const said of [
        /The health code of DE is RED\. You are isolated\./,
        /Why: The person stands on the control list of key persons\./,
        /Rule: control-list of de, version 1/,
        /the list control, version 1, line 2, by name and day of birth, from\s+Office/,
        /To object: the office that issued this code\. It is decided within 7\s+days\./,
        /update would say: unchanged/,
        /control\.level key, from the list control/,
        /control-list holds/,
        /green, first: No rule gives another colour/,
      ])
        assert.match(out, said);
      assert.equal((await cli.run('status', region, '--explain', ' Two')).out, out);

      await cli.json('object', 'open', region, '--subject', 'Two', '--text', 'Somebody else is meant.');
      assert.match(
        (await cli.run('object', 'list', region)).out,
        /Two\n +1 open, to be decided by .*: Somebody/,
      );
      const decide = ['object', 'decide', region, '--subject', 'Two', '--number', '1'];
      await cli.json(...decide, '--uphold', '--answer', 'So it is.');
      cli.nowS += 1;
      await world.control('Nobody');
      assert.deepEqual(await update('--out', cli.path('third.jsonl')), { unchanged: 1, better: 1 });
      const corrected = toldIn('third.jsonl').get('Two') ?? assert.fail();
      assert.equal(await world.colourOf(corrected.code), 'green');
      assert.match(corrected.notice.join('\n'), /This corrects your objection 1\./);
      assert.deepEqual(await cli.json('object', 'list', region), { objections: [] });
      assert.deepEqual(await update('--out', cli.path('fourth.jsonl')), { unchanged: 2 });
      assert.equal(readFileSync(cli.path('fourth.jsonl'), 'utf8'), '');

      await cli.json('revoke', region, '--subject', 'Two', '--why', 'The phone was lost.');
      assert.deepEqual(await update('--out', cli.path('fifth.jsonl')), { unchanged: 1, withdrawn: 1 });
      const revoked = toldIn('fifth.jsonl');
      assert.deepEqual([...revoked.keys()], ['Two']);
      assert.match(
        revoked.get('Two')?.notice.join('\n') ?? '',
        /is revoked[^]*Why: It was revoked by hand\. \(The phone was lost\.\)[^]*To object: /,
      );
      assert.deepEqual(await update('--out', cli.path('sixth.jsonl')), { unchanged: 1, withdrawn: 1 });
      assert.equal(readFileSync(cli.path('sixth.jsonl'), 'utf8'), '');
    });

  it('explains a code that an order gave as one of an update: what was told with it, by which rule, before an update and after it', async () => {
    await cli.json('declare', region, world.declarations('One', 'Two'));
    await update();
    const facts = `{"declaration":{"day":"${world.today}","consent":true},"contact":{"close":"${world.today}"}}`;
    const order = ['--subject', 'One', '--rules', 'de', '--facts', world.file('facts.json', facts)];
    const { log, index } = await cli.json<{ log: string; index: number }>('issue', region, ...order);
    const explain = async () => (await cli.run('status', region, '--explain', 'One')).out;
    const before = await explain();
    assert.deepEqual(await update(), { unchanged: 1, overridden: 1 });
    assert.equal(await explain(), before);
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;
    for (const said of [
      /^The health code of DE is RED\. You are isolated\./,
      /Why: The person was a close contact of somebody infected\./,
      /Rule: close-contact of de, version 1/,
      new RegExp(`Known from: what was told with the order of ${time}, and that\\s+alone`),
      new RegExp(`order by rules gave the code ${log} ${index}, as de, version 1, decided at`),
      /on what\s+was told with it alone:\n {2}contact\.close \d{4}-\d\d-\d\d\n/,
      /\nRED, isolated to the end of [^]*close-contact holds: The person was a close contact/,
      /update would say: overridden\):\n[^]*NO OTHER CODE: a stricter one/,
    ])
      assert.match(before, said);
    assert.doesNotMatch((await cli.run('status', region, '--explain', 'Two')).out, /order/);
  });

  it('explains somebody in doubt without the headline of a code that does not come', async () => {
    const head = 'subject,full_name,birth_date,declared_at,consent,symptoms\n';
    const rows = ['One', 'Two'].map((one) => `${one},Person One,1990-05-17,${world.timeText},true,false\n`);
    await cli.json('declare', region, world.file('twins.csv', head + rows.join('')));
    await world.control('One');
    assert.deepEqual(await update(), { ambiguous: 2 });
    const { out } = await cli.run('holder', region, '--subject', 'One', '--explain');
    assert.match(
      out,
      /^NO OTHER CODE: entries of lists may be about them, or about another\n {2}but for that: GREEN/m,
    );
    assert.doesNotMatch(out, /^GREEN/m);
  });

  it('a fortnight later red is over, and as a dry run tells it before', async () => {
    await cli.json('declare', region, world.declarations('Two'));
    await world.control('Two');
    assert.deepEqual(await update(), { first: 1 });
    const later = cli.nowS + 14 * DAY_S;
    assert.deepEqual(await update('--dry-run', '--at', String(later)), { better: 1 });
    cli.nowS = later;
    assert.deepEqual(await update(), { better: 1 });
    assert.match(
      (await cli.run('holder', region, '--subject', 'Two')).out,
      /is GREEN[^]*Before that:[^]*red, first/,
    );
  });

  it('a node that runs tells its last update and its objections in its status, and who opened one does not uphold it', async () => {
    const as = (name: string) => ['--operator', cli.path(`${name}.key`)];
    for (const name of ['anna', 'bert']) {
      const order = ['--name', name, '--scopes', 'issue', '--out', cli.path(`${name}.key`)];
      await cli.json('operator', 'add', region, ...order);
    }
    const decide = (subject: string, name: string) => {
      const said = ['--number', '1', '--uphold', '--answer', 'Yes.'];
      return cli.run('object', 'decide', region, ...as(name), '--subject', subject, ...said);
    };
    const open = (subject: string) => {
      const said = ['--subject', subject, '--text', 'Why green?'];
      return cli.json('object', 'open', region, ...as('anna'), ...said);
    };
    await cli.json('declare', region, ...as('anna'), world.declarations('One', 'Two'));
    await update(...as('anna'));
    await open('Two');
    assert.match((await decide('Two', 'anna')).err, /who opened an objection cannot uphold it \[REFUSED\]/);
    assert.equal((await decide('Two', 'bert')).exit, 0);
    node = await world.run();
    await update(...as('anna'));
    await open('One');
    const { out } = await cli.run('status', region);
    assert.match(out, /colours +2 unchanged/);
    assert.match(out, /objections +1 open, 0 upheld\n/);
    assert.match((await decide('One', 'anna')).err, /who opened an objection cannot uphold it \[REFUSED\]/);
    assert.equal((await decide('One', 'bert')).exit, 0);
  });

  it('writes who has no colour, and why', async () => {
    await cli.json('declare', region, world.declarations('One', 'Two'));
    cli.nowS += 31 * DAY_S;
    assert.deepEqual(await update('--report', cli.path('open.csv')), { open: 2 });
    assert.match(
      readFileSync(cli.path('open.csv'), 'utf8'),
      /^subject,list,list_lines,reason\n(One|Two),,,declared: green needs what is not known\n/,
    );
  });

  it('without rules for people, or with an unknown person, says so and what to do', async () => {
    const bare = cli.path('FR');
    await cli.json('init', 'FR', '--dir', bare);
    assert.match((await cli.run('update', bare)).err, /no rules that know of declarations.*\[NOT_FOUND\]/s);
    assert.match((await cli.run('update', region, '--rules', 'strange')).err, /no rules strange/);
    assert.match((await cli.run('holder', region, '--subject', 'Nobody')).err, /\[NOT_FOUND\]/);
    for (const [of, who, exit, message] of [
      [region, ['Nobody'], 1, /\[NOT_FOUND\]/],
      [region, ['ENT1:RRQM1'], 2, /this is a code[^]*entente verify --region \S+ --explain CODE/],
      [region, ['One', '--live'], 2, /give one of them/],
      ['http://127.0.0.1:9', ['One'], 2, /region of your own/],
    ] as const) {
      const refused = await cli.run('status', of, '--explain', ...who);
      assert.equal(refused.exit, exit, who[0]);
      assert.match(refused.err, message);
    }
    assert.deepEqual(await update(), {});
  });

  it('judges by the rules of the region alone, and shows what others would change', async () => {
    await world.activateLax();
    await cli.json('declare', region, world.declarations('One:symptoms', 'Two'));
    const undecided = await cli.run('update', region);
    assert.match(undecided.err, /2 sets of rules.*\[REFUSED\].*life\.rules is one of de, lax/s);
    node = await world.run('--set', 'life.everyMinutes=0', '--set', 'life.rules=de');
    const refused = await cli.run('update', region, '--rules', 'lax');
    assert.deepEqual([refused.exit, /judged by the rules de here.*REFUSED/s.test(refused.err)], [1, true]);
    assert.deepEqual(await update('--rules', 'lax', '--dry-run'), { first: 2 });
    assert.deepEqual(await update('--rules', 'de', '--out', cli.path('codes.jsonl')), { first: 2 });
    assert.equal(await world.colourOf(toldIn('codes.jsonl').get('One')?.code ?? ''), 'yellow');
    assert.deepEqual(await update('--rules', 'lax', '--dry-run'), { unchanged: 1, better: 1 });
  });

  for (const args of [
    ['--at', '2026-11-26T08:00:00Z'],
    ['--dry-run', '--out', 'codes.csv'],
    ['--dry-run', '--at', 'tomorrow'],
  ])
    it(`refuses update ${args.join(' ')}`, async () => {
      assert.equal((await cli.run('update', region, ...args)).exit, 2);
      assert.ok(!existsSync('codes.csv'));
    });

  it('refuses objections without a text, decisions without an outcome, and numbers that are none', async () => {
    for (const args of [
      ['open', region, '--subject', 'One', '--text', '  '],
      ['open', region, '--subject', 'One', '--text', 'x'.repeat(1_001)],
      ['decide', region, '--subject', 'One', '--number', '1', '--answer', 'Yes.'],
      ['decide', region, '--subject', 'One', '--number', '1', '--answer', 'Yes.', '--uphold', '--reject'],
      ['decide', region, '--subject', 'One', '--number', '0', '--answer', 'Yes.', '--uphold'],
    ])
      assert.equal((await cli.run('object', ...args)).exit, 2, args.join(' '));
  });
});
