import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsFor } from '../../cli/program.ts';
import { TestCli } from '../support/cli.ts';
import { helpTree } from '../support/help-tree.ts';
import { projectRoot } from '../support/project.ts';

const HELP = await helpTree();
/** The commands that do something: all but the names of groups. */
const COMMANDS = HELP.filter(({ below }) => below.length === 0);

describe('runCli', () => {
  const cli = new TestCli('/nowhere');

  it('repeats nothing of an objection that is too long', async () => {
    const text = `my secret ${'x'.repeat(1_000)}`;
    for (const args of [
      ['open', 'DE', '--subject', 'P1', '--text', text],
      ['decide', 'DE', '--subject', 'P1', '--number', '1', '--uphold', '--answer', text],
    ]) {
      const { exit, err } = await cli.run('object', ...args);
      assert.equal(exit, 2);
      assert.match(err, /a text of 1 to 1000 characters, this has 1010/);
      assert.ok(!err.includes('secret'));
    }
  });

  it('shows help with the exit codes', async () => {
    const { exit, out } = await cli.run('--help');
    assert.equal(exit, 0);
    assert.match(
      out,
      /0 pass or done, 1 failure, 2 usage, 3 act or stop,\n +4 undetermined or unreachable, 5 data inconsistent/,
    );
  });

  it('has the commands that README.md lists, and no others', () => {
    const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
    const table = readme.match(/^\| `.*` \|/gm)?.join(' ') ?? '';
    const listed = new Set([...table.matchAll(/`([a-z]+(?:-[a-z]+)*)/g)].map(([, name = '']) => name));
    const [program, ...others] = HELP.map(({ below }) => below);
    assert.deepEqual(
      program?.filter((name) => !listed.has(name)),
      [],
    );
    const known = new Set([program, ...others].flat());
    assert.deepEqual(
      [...listed].filter((name) => !known.has(name)),
      [],
    );
  });

  for (const { command, text } of COMMANDS) {
    const name = command.join(' ');
    it(`${name} has help with an example of itself`, () => {
      assert.match(text, new RegExp(`\\nExamples:\\n  .*entente ${name}`));
      assert.match(text, /--json/);
    });
  }

  it('no help text is wider than 80 columns, of any command', () => {
    for (const { command, text } of HELP)
      for (const line of text.split('\n'))
        assert.ok(line.length <= 80, `${command.join(' ')}: ${line.length} columns: ${line}`);
  });

  it('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    for (const args of [['--version'], ['-V'], ['--json', '--version'], ['--version', 'shw']]) {
      assert.deepEqual(await cli.run(...args), { exit: 0, out: `${version}\n`, err: '' });
      assert.deepEqual(await commandsFor(args), [], args.join(' '));
    }
    assert.equal((await commandsFor(['--json', 'show', '--version'])).length, 1);
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
    ['conformance', 'nosuch', '--vectors', '.'],
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

  it('runs the suites of conformance that are named alone, and names all that there are for another', async () => {
    const { out } = await cli.run('conformance', 'merkle', '--vectors', 'test/cli');
    assert.match(out, /^merkle: 0 passed, 0 failed, 1 skipped\n {2}.*\n$/);
    assert.match(
      (await cli.run('conformance', 'nosuch', '--vectors', 'test/cli')).err,
      /There are .*\bhcert\b/,
    );
  });

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
