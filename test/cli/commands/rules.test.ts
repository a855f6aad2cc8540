import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { profileText } from '../../../node/rules/profiles.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const NOON = '2026-03-01T12:00:00Z';
const overlay = (changes = '', examples = EXAMPLES) => `id: de
version: 1
base: { id: baseline, version: 1 }
region: DE
${changes}
examples:
${examples}`;
const EXAMPLES = `  - name: nobody is green without a declaration
    at: ${NOON}
    facts: {}
    expect: { open: [declared, consent] }
`;

interface Explained {
  readonly status?: { readonly colour: string };
  readonly rule?: string;
  readonly open: readonly { readonly code: string; readonly rule?: string }[];
  readonly trace: readonly { readonly rule: string; readonly because: string }[];
}

describe('entente rules', () => {
  const folder = temporaryFolders();
  let cli: TestCli;

  beforeEach(() => {
    cli = new TestCli(folder());
  });

  function file(name: string, text: string | Uint8Array): string {
    writeFileSync(cli.path(name), text);
    return cli.path(name);
  }

  describe('show', () => {
    it('lists the profiles, and prints one that can be used as it is', async () => {
      const list = await cli.json<{ profile: string }[]>('rules', 'show');
      assert.ok(list.some(({ profile }) => profile === 'baseline'));
      const { out } = await cli.run('rules', 'show', 'baseline');
      assert.equal(out, profileText('baseline'));
      assert.equal((await cli.run('rules', 'check', file('copy.yaml', out))).exit, 0);
    });

    it('knows no profile by another name', async () => {
      const { exit, err } = await cli.run('rules', 'show', '../baseline');
      assert.equal(exit, 2);
      assert.match(err, /The profiles are baseline/);
    });
  });

  describe('check', () => {
    it('tells what it is that can be used, with its hash', async () => {
      const checked = await cli.json<Record<string, unknown>>('rules', 'check', file('de.yaml', overlay()));
      assert.deepEqual(
        [checked['rules'], checked['version'], checked['region'], checked['examples']],
        ['de', 1, 'DE', 1],
      );
      assert.match(String(checked['hash']), /^[0-9a-f]{64}$/);
      assert.match((await cli.run('rules', 'check', 'baseline')).out, /8 issuing rules/);
    });

    it('tells line, rule and reason of what is wrong', async () => {
      const path = file('de.yaml', overlay('green: { days: 31 }\nissuing: [{ id: symptoms, days: x }]'));
      const { exit, err } = await cli.run('rules', 'check', path);
      assert.equal(exit, 1);
      assert.match(err, /line 5, green\.days: .*30/);
      assert.match(err, /line 6, issuing\.symptoms\.when/);
      const { err: json } = await cli.run('rules', 'check', path, '--json');
      const { error } = JSON.parse(json) as { error: { code: string; details: { line: number }[] } };
      assert.equal(error.code, 'RULES_INVALID');
      assert.ok(error.details.every(({ line }) => line === 5 || line === 6));
    });

    it('refuses an overlay that drops all that green needs', async () => {
      const issuing =
        'symptoms, positive-test, control-list, close-contact, secondary-contact, watch-list, high-risk-travel, medium-risk-travel';
      const drop = `drop: { requires: [declared, consent], issuing: [${issuing}] }`;
      const green = EXAMPLES.replace('facts: {}', 'facts: { control: { level: key } }').replace(
        'open: [declared, consent]',
        'colour: green',
      );
      const { exit, err } = await cli.run('rules', 'check', file('de.yaml', overlay(drop, green)));
      assert.equal(exit, 1);
      assert.match(err, /requires: asks for nothing/);
    });

    for (const [name, text] of [
      ['an empty file', ''],
      ['bytes that are no UTF-8', Uint8Array.of(0xff, 0xfe, 0x00)],
      ['escape sequences', 'title: "\\e[2J"\n\u202e: 1\n'],
    ] as const) {
      it(`B69: refuses ${name} without a control character in what it prints`, async () => {
        const { exit, err } = await cli.run('rules', 'check', file('x.yaml', text));
        assert.equal(exit, 1);
        assert.doesNotMatch(err, /[\u0000-\u0009\u000b-\u001f\u202e]/);
      });
    }

    it('says of a file that is too long how long it is, and may be', async () => {
      const { exit, err } = await cli.run('rules', 'check', file('long.yaml', '#'.repeat(262_145)));
      assert.equal(exit, 1);
      assert.match(
        err.replaceAll(/\s+/g, ' '),
        /262,145 bytes, and no file of rules more than 262,144[^]*RULES_INVALID/,
      );
      assert.equal((await cli.run('rules', 'check', file('x.yaml', '#'.repeat(262_144)))).exit, 1);
    });

    it('a file that is not there is a mistake at the command line', async () => {
      assert.equal((await cli.run('rules', 'check', cli.path('none.yaml'))).exit, 2);
      assert.equal((await cli.run('rules', 'check', cli.path())).exit, 2);
    });
  });

  describe('test', () => {
    it('runs the examples, and fails with what came instead', async () => {
      assert.deepEqual(await cli.run('rules', 'test', file('good.yaml', overlay())), {
        exit: 0,
        out: 'de, version 1: 1 passed, 0 failed\n',
        err: '',
      });
      const bad = file(
        'bad.yaml',
        overlay('', EXAMPLES.replace('open: [declared, consent]', 'colour: green')),
      );
      const { exit, out } = await cli.run('rules', 'test', bad);
      assert.equal(exit, 1);
      assert.match(out.replaceAll(/\s+/g, ' '), /expected green, came no colour: declared, consent/);
    });

    it('fails without examples, since nothing was shown', async () => {
      const { exit, err } = await cli.run('rules', 'test', file('none.yaml', overlay('', '  []')));
      assert.equal(exit, 1);
      assert.match(err, /NO_EXAMPLES/);
    });
  });

  describe('explain', () => {
    const facts = (json: unknown) => file('facts.json', JSON.stringify(json));
    const listed = { control: { level: 'key', since: '2026-02-27' } };

    it('a name on the control list is red for a fortnight, and says why; then green again', async () => {
      const path = facts({ ...listed, declaration: { day: '2026-03-01', consent: true } });
      const explain = ['rules', 'explain', 'baseline', '--facts', path, '--at'];
      const red = await cli.json<Explained>(...explain, '2026-03-12T23:59:59Z');
      assert.deepEqual([red.status?.colour, red.rule], ['red', 'control-list']);
      assert.equal(red.trace.find(({ rule }) => rule === 'control-list')?.because, 'control.level is key');
      const green = await cli.json<Explained>(...explain, '2026-03-13T00:00:00Z');
      assert.equal(green.status?.colour, 'green');
      const { out } = await cli.run(...explain, NOON);
      assert.match(out, /RED, isolated to the end of 2026-03-12/);
      assert.match(out, /control-list holds: The person stands on the control list/);
      assert.match(out, /14 days from 2026-02-27 on/);
    });

    it('says what is missing where there is no colour', async () => {
      const { exit, out } = await cli.runWith(
        '{}',
        'rules',
        'explain',
        'baseline',
        '--facts',
        '-',
        '--at',
        NOON,
      );
      assert.equal(exit, 0);
      assert.match(out, /NO COLOUR\n {2}declared: green needs what is not known/);
    });

    it('says what becomes of a code at a place, and whether it need be shown', async () => {
      const place = ['rules', 'explain', 'baseline', '--at', NOON, '--place'];
      const street = await cli.run(...place, 'risk=low');
      assert.match(street.out, /No check is due/);
      const school = await cli.run(...place, 'kind=school', '--colour', 'yellow');
      assert.match(school.out, /A check is due[\s\S]*STOP for yellow[\s\S]*yellow-among-the-frail holds/);
      const patient = await cli.run(...place, 'kind=hospital', '--colour', 'red', '--role', 'patient');
      assert.match(patient.out, /a code that is live[\s\S]*ACT for red/);
    });

    for (const [args, pattern] of [
      [['kind=hospitl,risk=low'], /know no kind of place hospitl[^]*They know gate, .*hospital/],
      [['kind=carehome', '--colour', 'yellow'], /know no kind of place carehome/],
      [['risk=low', '--role', 'inbuond'], /know no role inbuond[^]*They know .*inbound/],
    ] as const) {
      it(`refuses ${args.join(' ')}, of which the rules know nothing`, async () => {
        const { exit, out, err } = await cli.run('rules', 'explain', 'baseline', '--place', ...args);
        assert.deepEqual([exit, out], [2, '']);
        assert.match(err, pattern);
      });
    }

    for (const [name, text, pattern] of [
      ['a fact that the rules do not know', '{"colour":"red"}', /colour is no fact/],
      [
        'a fact of another type',
        '{"declaration":{"day":"2026-02-30"}}',
        /declaration\.day is not a day .*as in 2026-11-26/,
      ],
      [
        'a fact twice',
        '{"control.level":"key","control":{"level":"watch"}}',
        /control\.level is there twice/,
      ],
      ['a name twice', '{"control.level":"key","control.level":"watch"}', /has a name twice/],
      ['what is no JSON', 'yes', /is not JSON/],
      ['a list', '[]', /facts are an object/],
    ] as const) {
      it(`B69: refuses ${name}`, async () => {
        const { exit, err } = await cli.runWith(text, 'rules', 'explain', 'baseline', '--facts', '-');
        assert.equal(exit, 1);
        assert.match(err, /FACTS_INVALID/);
        assert.match(err, pattern);
      });
    }

    it('takes facts or a place, and not both or none', async () => {
      for (const args of [
        [],
        ['--facts', '-', '--place', 'risk=low'],
        ['--facts', '-', '--role', 'x'],
        ['--place', 'kind=?'],
      ]) {
        assert.equal((await cli.run('rules', 'explain', 'baseline', ...args)).exit, 2, args.join(' '));
      }
    });
  });

  describe('diff', () => {
    it('tells nothing of the same rules', async () => {
      const { exit, out } = await cli.run('rules', 'diff', 'baseline', 'baseline');
      assert.deepEqual([exit, out], [0, 'Nothing changes.\n']);
    });

    it('tells in words what changes, and which examples change colour', async () => {
      const changed = (profileText('baseline') ?? '')
        .replace('version: 1', 'version: 2')
        .replace(
          "{ '===': [{ var: facts.control.level }, key] }",
          '{ in: [{ var: facts.control.level }, [key, watch]] }',
        )
        .replace('green: { days: 7 }', 'green: { days: 3 }')
        .replace(
          'days: 7\n    why: The person declared symptoms.',
          'days: 5\n    why: The person declared symptoms.',
        );
      const { exit, out } = await cli.run('rules', 'diff', 'baseline', file('new.yaml', changed));
      assert.equal(exit, 0);
      const text = out.replaceAll(/\s+/g, ' ');
      assert.match(text, /days of green: 7 becomes 3/);
      assert.match(
        text,
        /issuing control-list, when: control\.level is key becomes control\.level is one of key, watch/,
      );
      assert.match(text, /issuing symptoms, days: 7 becomes 5/);
      assert.match(
        text,
        /yellow for seven days after symptoms: yellow by symptoms to the end of 2026-03-07 becomes green/,
      );
    });

    it('tells what an overlay adds and drops', async () => {
      const { changes } = await cli.json<{ changes: { what: string; from?: string; to?: string }[] }>(
        'rules',
        'diff',
        'baseline',
        'cn-33',
      );
      const dropped = changes.find(({ what }) => what === 'issuing watch-list');
      const added = changes.find(({ what }) => what === 'issuing arrival-from-abroad');
      assert.ok(dropped?.from !== undefined && dropped.to === undefined);
      assert.ok(added?.from === undefined && added?.to !== undefined);
    });
  });

  describe('activate', () => {
    const activate = (text: string) =>
      cli.run('rules', 'activate', cli.path('DE'), file('rules.yaml', text), '--json');
    const codeOf = (err: string) =>
      (JSON.parse(err.split('\n')[0] ?? '') as { error: { code: string } }).error.code;

    beforeEach(async () => {
      await cli.json('init', 'DE', '--dir', cli.path('DE'));
    });

    it('logs rules as a statement that others read, and newer ones take their place', async () => {
      const { exit, out } = await activate(overlay());
      assert.equal(exit, 0);
      const { index, hash } = JSON.parse(out) as { index: number; hash: string };
      const logged = await cli.json<{ kind: string; id: string; hash: string; data: { title: string } }>(
        'inspect',
        cli.path('DE', 'public', 'trust'),
        '--index',
        String(index),
      );
      assert.deepEqual(
        [logged.kind, logged.id, logged.data.title],
        ['rules', 'de', 'Baseline of green, yellow and red'],
      );
      const checked = await cli.json<{ hash: string }>('rules', 'check', cli.path('rules.yaml'));
      assert.equal(checked.hash, hash);
      assert.equal(logged.hash, hash);
      const named = cli.path('DE:de');
      const { out: shown } = await cli.run('rules', 'show', named);
      for (const again of [named, file('again.yaml', shown)])
        assert.equal((await cli.json<{ hash: string }>('rules', 'check', again)).hash, hash);
      const same = await cli.run('rules', 'diff', named, cli.path('rules.yaml'));
      assert.equal(same.out, 'Nothing changes.\n');
      const none = await cli.run('rules', 'show', cli.path('DE:fr'));
      assert.deepEqual([none.exit, /has no rules fr[^]*It has de\./.test(none.err)], [1, true]);
      assert.equal(
        (await activate(overlay('green: { days: 3 }').replace('version: 1\n', 'version: 2\n'))).exit,
        0,
      );
    });

    for (const [name, text, code] of [
      ['rules for another region', overlay().replace('region: DE', 'region: FR'), 'RULES_FOREIGN'],
      [
        'rules whose examples fail',
        overlay('', EXAMPLES.replace('[declared, consent]', '[consent]')),
        'EXAMPLES_FAILED',
      ],
      ['rules without examples', overlay('', '  []'), 'EXAMPLES_FAILED'],
      ['rules that have ended', overlay('until: 2026-04-01'), 'RULES_OVER'],
      ['rules that are none', overlay('green: {}'), 'RULES_INVALID'],
    ] as const) {
      it(`refuses ${name}, and logs nothing`, async () => {
        const size = async () =>
          (await cli.json<{ size: number }>('inspect', cli.path('DE', 'public', 'trust'))).size;
        const before = await size();
        const { exit, err } = await activate(text);
        assert.deepEqual([exit, codeOf(err)], [1, code]);
        assert.equal(await size(), before);
      });
    }

    it('refuses rules on the day in `until`, which is the first without them, and says so', async () => {
      cli.nowS = Date.parse('2026-12-24T00:00:00Z') / 1_000;
      const { err } = await activate(overlay('until: 2026-12-24'));
      assert.equal(codeOf(err), 'RULES_OVER');
      assert.match(err, /these rules ended 2026-12-24[^]*the first day on which they count no more/);
      cli.nowS--;
      assert.equal((await activate(overlay('until: 2026-12-24'))).exit, 0);
    });

    it('says whose midnights count, and warns where UTC comes from a profile alone', async () => {
      const told = async (...args: readonly string[]) => {
        const { out } = await cli.run('rules', 'activate', cli.path('DE'), ...args);
        const text = out.replaceAll(/\s+/g, ' ');
        return [
          /at midnight of (\S+)\./.exec(text)?.[1],
          text.includes('WARNING: that days end at midnight of UTC comes from the profile'),
        ];
      };
      const versioned = (version: number, zone: string) =>
        file('rules.yaml', overlay(zone).replace('version: 1\n', `version: ${version}\n`));
      assert.deepEqual(await told(versioned(1, '')), ['UTC', true]);
      assert.deepEqual(await told(versioned(2, 'zone: UTC')), ['UTC', false]);
      assert.deepEqual(await told(versioned(3, 'zone: Europe/Berlin')), ['Europe/Berlin', false]);
      assert.deepEqual(await told('baseline', '--undecided'), ['UTC', true]);
    });

    const overlayFrom = (day: string) => overlay(`from: ${day}`, EXAMPLES.replace(NOON, `${day}T12:00:00Z`));

    it('refuses rules that begin later while others of the same id are in force, which go on', async () => {
      const next = (from: string) => overlayFrom(from).replace('version: 1\n', 'version: 2\n');
      assert.equal((await activate(overlay())).exit, 0);
      const { exit, err } = await activate(next('2026-12-24'));
      assert.deepEqual([exit, codeOf(err)], [1, 'RULES_AHEAD']);
      assert.match(err, /Activate them on that day/);
      const issue = ['issue', cli.path('DE'), '--subject', 'Person 00001', '--rules', 'de', '--facts', '-'];
      const day = new Date(1_000 * cli.nowS).toISOString().slice(0, 10);
      const facts = JSON.stringify({ declaration: { day, consent: true } });
      const issued = await cli.runWith(facts, ...issue);
      assert.equal(issued.exit, 0, issued.err);
      cli.nowS = Date.parse('2026-12-24T00:00:00Z') / 1_000;
      assert.equal((await activate(next('2026-12-24'))).exit, 0);
    });

    it('refuses a second set that knows of declarations, unless the settings name one, or somebody insists', async () => {
      assert.equal((await activate(overlay())).exit, 0);
      const beside = overlay().replace('id: de\n', 'id: de-two\n');
      const { exit, err } = await activate(beside);
      assert.deepEqual([exit, codeOf(err)], [1, 'RULES_UNDECIDED']);
      assert.match(err, /entente\.yaml: rules: de-two under life/);
      assert.equal((await cli.run('rules', 'activate', cli.path('DE'), 'local')).exit, 0);
      const insisting = ['rules', 'activate', cli.path('DE'), cli.path('rules.yaml'), '--undecided'];
      const { out } = await cli.run(...insisting);
      assert.match(out.replaceAll(/\s+/g, ' '), /WARNING: de in the trust log knows of declarations too/);
      const renewed = await activate(overlay().replace('version: 1\n', 'version: 2\n'));
      assert.deepEqual((JSON.parse(renewed.out) as { beside: string[] }).beside, ['de-two']);
      const config = cli.path('DE', 'entente.yaml');
      writeFileSync(config, readFileSync(config, 'utf8').replace(/^life:$/m, 'life:\n  rules: de'));
      const third = await activate(overlay().replace('id: de\n', 'id: de-three\n'));
      assert.equal(third.exit, 0, third.err);
      assert.deepEqual((JSON.parse(third.out) as { beside: string[] }).beside, []);
    });

    it('takes rules that begin later where none of the same id is in force', async () => {
      assert.equal((await activate(overlayFrom('2026-12-24'))).exit, 0);
      const sooner = overlayFrom('2026-12-20').replace('version: 1\n', 'version: 2\n');
      assert.equal((await activate(sooner)).exit, 0);
    });

    it('says how a gate goes by them, and a gate that does so stops yellow at a school', async () => {
      const { out } = await cli.run('rules', 'activate', cli.path('DE'), file('rules.yaml', overlay()));
      assert.match(out, /entente verify --region \S+ --rules de --place kind=station CODE/);
      const day = new Date(1_000 * cli.nowS).toISOString().slice(0, 10);
      const facts = file(
        'facts.json',
        JSON.stringify({ declaration: { day, consent: true, symptoms: true } }),
      );
      const person = ['--subject', 'Person 00001', '--rules', 'de', '--facts', facts];
      const { code } = await cli.json<{ code: string }>('issue', cli.path('DE'), ...person);
      const verdict = (...args: string[]) =>
        cli.json<Verdict>('verify', '--region', cli.path('DE'), '--place', 'kind=school', ...args, code);
      const byColour = await verdict();
      assert.equal(byColour.outcome, 'act');
      assert.ok(byColour.reasons.some(({ code }) => code === 'STATUS_YELLOW'));
      const byRules = await verdict('--rules', 'de');
      assert.equal(byRules.outcome, 'stop');
      assert.ok(byRules.reasons.some(({ details }) => details?.['rule'] === 'yellow-among-the-frail'));
      for (const [kind, role, told] of [
        ['patient', 'hospital', /know no kind of place patient/],
        ['red', 'patient', /know no kind of place red/],
        ['key', 'patient', /know no kind of place key/],
        ['hospital', 'low', /know no role low/],
      ] as const) {
        const asked = ['--rules', 'de', '--place', `kind=${kind}`, '--role', role];
        const { exit, err } = await cli.run('verify', '--region', cli.path('DE'), ...asked, code);
        assert.equal(exit, 2, kind);
        assert.match(err, told);
      }
    });

    it('refuses a version that is not newer than the one in the log', async () => {
      assert.equal((await activate(overlay())).exit, 0);
      const { exit, err } = await activate(overlay('green: { days: 3 }'));
      assert.deepEqual([exit, codeOf(err)], [1, 'RULES_NOT_NEWER']);
    });
  });
});
