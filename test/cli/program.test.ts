import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestCli } from '../support/cli.ts';
import { projectRoot } from '../support/project.ts';

const COMMANDS = [
  'init',
  'issue',
  'codes',
  'show',
  'present',
  'recognise',
  'withdraw',
  'suspend',
  'revoke',
  'witness',
  'export',
  'snapshot make',
  'snapshot check',
  'snapshot show',
  'verify',
  'key list',
  'key extend',
  'key compromise',
  'state',
  'inspect',
  'conformance',
  'bench',
  'demo',
];

describe('runCli', () => {
  const cli = new TestCli('/nowhere');

  it('shows help with the commands and the exit codes', async () => {
    const { exit, out } = await cli.run('--help');
    assert.equal(exit, 0);
    for (const command of COMMANDS) assert.ok(out.includes(`  ${command.split(' ')[0]} `), command);
    assert.match(
      out,
      /0 pass or done, 1 failure, 2 usage, 3 act or stop,\n +4 undetermined or unreachable, 5 data inconsistent/,
    );
  });

  for (const command of COMMANDS) {
    it(`${command} has help with an example of itself`, async () => {
      const { exit, out } = await cli.run(...command.split(' '), '--help');
      assert.equal(exit, 0);
      assert.match(out, new RegExp(`Examples:\\n  .*entente ${command}`));
      assert.match(out, /--json/);
    });
  }

  it('no help text is wider than 80 columns, of any command', async () => {
    let commands = 0;
    const look = async (...command: readonly string[]): Promise<void> => {
      const { out } = await cli.run(...command, '--help');
      commands++;
      for (const line of out.split('\n'))
        assert.ok(line.length <= 80, `${command.join(' ')}: ${line.length} columns: ${line}`);
      const [, list = ''] = out.split('\nCommands:\n');
      for (const [, name = ''] of (list.split('\n\n')[0] ?? '').matchAll(/^ {2}([a-z][a-z-]*) /gm)) {
        if (name !== 'help') await look(...command, name);
      }
    };
    await look();
    assert.ok(commands >= COMMANDS.length, `${commands} commands`);
  });

  it('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(await cli.run('--version'), { exit: 0, out: `${version}\n`, err: '' });
  });

  const misuses: readonly (readonly string[])[] = [
    [],
    ['shw'],
    ['show'],
    ['show', 'ENT1:AB', 'more'],
    ['show', 'ENT1:AB', '--bogus'],
    ['init', 'DE', '--roots', 'two'],
    ['recognise', 'DE', 'FR', '--way', 'somehow'],
    ['snapshot'],
    ['snapshot', 'make', 'DE'],
    ['snapshot', 'check', 'x.snap', '--home', 'DE'],
    ['key', 'compromise', 'DE'],
    ['inspect', 'DE', '--index', '-1'],
  ];
  for (const args of misuses) {
    it(`ends with 2 for: entente ${args.join(' ')}`, async () => {
      const { exit, out, err } = await cli.run(...args);
      assert.equal(exit, 2);
      assert.equal(out, '');
      assert.notEqual(err, '');
    });
  }

  it('suggests the nearest command and option', async () => {
    assert.match((await cli.run('verfy')).err, /Did you mean verify\?/);
    assert.match((await cli.run('verify', '--explian')).err, /Did you mean --explain\?/);
  });

  it('tells errors as JSON on stderr with --json, also its own', async () => {
    for (const args of [['shw'], ['issue', '/nowhere/DE', '--subject', 'A', '--colour', 'green']]) {
      const { out, err } = await cli.run(...args, '--json');
      assert.equal(out, '');
      const { error } = JSON.parse(err) as { error: { code: string; exit: number; message: string } };
      assert.ok(error.exit === 1 || error.exit === 2);
      assert.match(error.code, /^[A-Z_]+$/);
    }
  });

  it('does not take --json behind -- for itself', async () => {
    const { err } = await cli.run('verify', '--', '--json');
    assert.match(err, /^error: /);
  });

  for (const args of [
    ['\u001b[31mred'],
    ['show', '--\u001b]0;title\u0007'],
    ['verify', '--region', '/nowhere/\u001b[2J', 'ENT1:A'],
    ['verify', '--at', '\u009b31m', 'ENT1:A'],
    ['recognise', '/nowhere/\u202eDE', 'x'],
    ['init', '\u001b[31m'],
    ['issue', '/nowhere', '/nowhere/\u001b[31m.csv'],
    ['inspect', '/nowhere/\u001b[31m'],
    ['snapshot', 'show', '/nowhere/\u001b[31m'],
  ]) {
    it(`never prints control characters of others: ${JSON.stringify(args)}`, async () => {
      for (const json of [[], ['--json']]) {
        const { exit, out, err } = await cli.run(...args, ...json);
        assert.ok(exit === 1 || exit === 2);
        assert.equal(out, '');
        assert.doesNotMatch(err, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      }
    });
  }
});
