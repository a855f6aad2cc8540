import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { CliError, cliErrorOf } from '../../../cli/exit.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const PIN = 'ab'.repeat(32);

describe('paths that the command line names', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  before(async () => {
    cli = new TestCli(folder());
    await cli.json('init', 'DE', '--dir', cli.path('DE'));
    writeFileSync(cli.path('file'), 'subject,colour\nPerson 1,green\n');
    mkdirSync(cli.path('folder'));
  });

  /** Each command that takes a directory, with `dir` in its place. */
  function commandsOn(dir: string): readonly (readonly string[])[] {
    const de = cli.path('DE');
    return [
      ['run', dir],
      ['status', dir],
      ['issue', dir, '--subject', 'A', '--colour', 'green'],
      ['codes', dir],
      ['recognise', dir, de],
      ['recognise', de, dir],
      ['withdraw', dir, 'FR'],
      ['suspend', dir, 'FR'],
      ['revoke', dir, '2026-11/0'],
      ['witness', dir],
      ['witness', de, dir],
      ['peer', 'list', dir],
      ['peer', 'add', dir, 'FR', '--address', '/ip4/127.0.0.1/tcp/1'],
      ['peer', 'remove', dir, 'FR'],
      ['export', dir],
      ['snapshot', 'make', dir, '--out', cli.path('out.snap')],
      ['verify', '--region', dir, 'ENT1:A'],
      ['verify', '--region', de, '--proof', dir, 'ENT1:A'],
      ['key', 'list', dir],
      ['key', 'extend', dir],
      ['key', 'compromise', dir, '--key', '00'.repeat(8)],
      ['state', dir],
      ['fsck', dir],
      ['log', 'verify', dir],
      ['audit', 'replay', dir],
      ['audit', 'replay', de, '--witness', dir],
    ];
  }

  it('B72: a directory that is not there, or is a file, ends every command with 2', async () => {
    for (const name of ['nowhere', 'file', 'file/below']) {
      for (const command of commandsOn(cli.path(name))) {
        const { exit, err } = await cli.run(...command);
        assert.deepEqual(
          [exit, /(there is no|a file stands)/.test(err)],
          [2, true],
          `${command.join(' ')}: ${err}`,
        );
        assert.doesNotMatch(err, /E[A-Z]+:/, 'no error of the system as it is');
      }
    }
  });

  it('B69: a folder in the place of a file ends every command with 2, and a file in the place of a folder', async () => {
    const de = cli.path('DE');
    const dir = cli.path('folder');
    const below = cli.path('file', 'below');
    const made = cli.path('made.snap');
    await cli.json('snapshot', 'make', de, '--out', made);
    const trust = ['--home', 'DE', '--pin', PIN];
    for (const command of [
      ['issue', de, dir],
      ['issue', de, cli.path('file'), '--out', dir],
      ['issue', de, '--subject', 'A', '--colour', 'green', '--device', dir],
      ['issue', de, '--subject', 'A', '--colour', 'green', '--device', below],
      ['snapshot', 'make', de, '--out', dir],
      ['snapshot', 'make', de, '--out', below],
      ['snapshot', 'make', de, '--out', cli.path('out.snap'), '--since', dir],
      ['snapshot', 'check', dir, ...trust],
      ['snapshot', 'check', made, ...trust, '--held', dir],
      ['snapshot', 'show', dir],
      ['snapshot', 'show', below],
      ['verify', '--region', de, '--file', dir],
      ['verify', '--offline', dir, ...trust, 'ENT1:A'],
      ['verify', '--offline', made, ...trust, '--keep', dir, 'ENT1:A'],
      ['present', dir],
      ['present', below],
      ['inspect', below],
      ['export', de, '--to', cli.path('file')],
    ]) {
      const { exit, err } = await cli.run(...command);
      assert.deepEqual([exit, /E[A-Z]+:/.test(err)], [2, false], `${command.join(' ')}: ${err}`);
    }
  });

  for (const [error, exit] of [
    [{ code: 'EISDIR', syscall: 'read' }, 2],
    [{ code: 'ENOTDIR', syscall: 'open' }, 2],
    [{ code: 'EEXIST', syscall: 'mkdir' }, 2],
    [{ code: 'EEXIST', syscall: 'open' }, 1],
    [{ code: 'EACCES', syscall: 'open' }, 1],
    [{ code: 7 }, 1],
    [{}, 1],
  ] as const) {
    it(`cliErrorOf ends with ${exit} for ${JSON.stringify(error)}`, () => {
      const told = cliErrorOf(Object.assign(new Error('as it is'), error));
      assert.ok(told instanceof CliError);
      assert.equal(told.exit, exit);
      assert.equal(told.message === 'as it is', exit === 1);
    });
  }
});
