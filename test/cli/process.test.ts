import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { outcomeOf, spawnCli } from '../support/cli.ts';
import { projectRoot } from '../support/project.ts';
import { temporaryFolders } from '../support/temporary.ts';

const isCompiled = import.meta.filename.endsWith('.js');

describe('entente as a process', () => {
  const folder = temporaryFolders();

  it('works in its own folder by relative paths, through pipes, and ends with its exit codes', async () => {
    const cwd = folder();
    const run = (...args: readonly string[]) => outcomeOf(spawnCli(args, { cwd }));
    assert.equal((await run('init', 'DE')).exit, 0);
    const issued = await run('issue', 'DE', '--subject', 'A', '--colour', 'red');
    assert.equal(issued.exit, 0);
    const judged = await outcomeOf(spawnCli(['verify', '--region', 'DE', '-'], { cwd }), issued.out);
    assert.equal(judged.exit, 3);
    assert.match(judged.out, /^STOP {2}red[^]*NO_WITNESSES/);
    assert.equal((await run('shw')).exit, 2);
    assert.equal((await run('state', 'FR')).exit, 2);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const child = spawnCli(['--help']);
    child.stdout.destroy();
    const { exit, err } = await outcomeOf(child);
    assert.deepEqual([exit, err], [0, '']);
  });

  it('conformance ends with 0 only if all suites passed cases', async () => {
    const empty = await outcomeOf(spawnCli(['conformance', '--vectors', folder(), '--json']));
    assert.equal(empty.exit, 1);
    assert.ok((JSON.parse(empty.out) as { passed: number }[]).every(({ passed }) => passed === 0));
    for (const none of ['/nowhere', '/dev/null'])
      assert.equal((await outcomeOf(spawnCli(['conformance', '--vectors', none]))).exit, 2);
    assert.equal((await outcomeOf(spawnCli(['bench', 'nosuch']))).exit, 2);
  });

  it('demo tells its story without a terminal, and what it says to try works', async function () {
    this.timeout(180_000);
    const { exit, out, err } = await outcomeOf(spawnCli(['demo']));
    assert.equal(exit, 0, err);
    const dir = /Everything below happens in (.*)\.\n/.exec(out)?.[1] ?? '';
    try {
      assert.doesNotMatch(out, /\u001b/);
      const verdicts = [...out.matchAll(/^ {3}(PASS|ACT|STOP|UNDETERMINED) /gm)].map(
        ([, verdict]) => verdict,
      );
      assert.deepEqual(verdicts, [
        'PASS',
        'ACT',
        'STOP',
        'PASS',
        'PASS',
        'ACT',
        'STOP',
        'STOP',
        'UNDETERMINED',
        // By rules: two who declared; one of them on the control list, the code from before and the one after.
        ...['PASS', 'PASS', 'STOP', 'STOP'],
        // By HTTP in two regions; revoked; the issuer killed.
        ...['PASS', 'PASS', 'STOP', 'STOP', 'PASS', 'STOP', 'PASS', 'STOP'],
      ]);
      for (const reason of [
        'IDENTITY_CHECK',
        'PRESENTATION_NOT_CURRENT',
        'GRADE_TOO_LOW',
        'REVOKED',
        'SIGNATURE_INVALID',
        'KNOWLEDGE_STALE',
      ]) {
        assert.ok(out.includes(`     ${reason} `), reason);
      }
      assert.match(
        out,
        /Why: The person stands on the control list of key persons\. \(control\.level is key\)/,
      );
      assert.match(out, /Known from: the list control, version 1, line 2, /);
      assert.match(out, /\n {3}green again, since the fourteen days are over\n/);
      assert.match(err, /signed 10,000 of 10,000/);
      const longest = Math.max(
        ...out
          .split('\n')
          .filter((line) => /[▀▄]/.test(line))
          .map((line) => line.length),
      );
      assert.ok(longest <= 80, `the QR has ${longest} columns`);
      if (isCompiled) tryWhatItSays(out, dir);
    } finally {
      assert.match(dir, /entente-demo-/);
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('demo --json --clean gives steps and verdicts as one document and leaves nothing', async function () {
    this.timeout(180_000);
    const dir = join(folder(), 'demo');
    const { exit, out, err } = await outcomeOf(
      spawnCli(['demo', '--json', '--clean', '--people', '100', '--dir', dir]),
    );
    assert.equal(exit, 0, err);
    const { steps } = JSON.parse(out) as { steps: { step: string; verdict?: { outcome: string } }[] };
    assert.equal(steps.filter(({ verdict }) => verdict !== undefined).length, 21);
    assert.ok(!existsSync(dir));
    assert.equal((await outcomeOf(spawnCli(['demo', '--dir', projectRoot]))).exit, 2);
    assert.equal((await outcomeOf(spawnCli(['demo', '--people', '99']))).exit, 2);
  });
});

/** Runs the commands at the end of the demo, as they stand there, in a shell. */
function tryWhatItSays(out: string, dir: string): void {
  const commands = (out.split('Try it yourself\n')[1] ?? '').split('\n\n')[0] ?? '';
  const script = `shopt -s expand_aliases\n${commands.replaceAll(/^ {3}/gm, '')}`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(stderr.includes('error:'), false, stderr);
  assert.match(
    stdout,
    /^PASS {2}green, static[^]*^PASS {2}green, live[^]*wrote code\.png[^]*Revoked 1 code[^]*^STOP[^]*REVOKED/m,
  );
  assert.equal(readFileSync(join(dir, 'code.png')).toString('latin1', 1, 4), 'PNG');
}
