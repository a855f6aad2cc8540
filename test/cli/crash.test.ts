import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCode } from '../../protocol/code/code.ts';
import { outcomeOf, spawnCli } from '../support/cli.ts';
import { sha256 } from '../support/primitives.ts';
import { temporaryFolders } from '../support/temporary.ts';

const PEOPLE = 2_000;

describe('region directories and processes that die', () => {
  const folder = temporaryFolders();
  let cwd: string;
  beforeEach(() => {
    cwd = folder();
  });
  const run = (...args: readonly string[]) => outcomeOf(spawnCli(args, { cwd }));
  const must = async (...args: readonly string[]) => {
    const { exit, out, err } = await run(...args);
    assert.equal(exit, 0, `${args.join(' ')}: ${err}`);
    return out;
  };
  const issueTo = (region: string) => run('issue', region, '--subject', 'A', '--colour', 'green');

  it('T9: a backup that was put back does not sign once a peer has seen more, and says what to do', async () => {
    for (const region of ['CN-33', 'DE']) await must('init', region);
    await must('recognise', 'CN-33', 'DE');
    await must('recognise', 'DE', 'CN-33');
    await must('witness', 'DE');
    cpSync(join(cwd, 'CN-33'), join(cwd, 'y'), { recursive: true, preserveTimestamps: true });
    assert.equal((await issueTo('CN-33')).exit, 0);
    await must('witness', 'DE');
    rmSync(join(cwd, 'CN-33'), { recursive: true });
    renameSync(join(cwd, 'y'), join(cwd, 'CN-33'));
    for (const args of [[], ['--without-peers']]) {
      const { exit, out, err } = await run('issue', 'CN-33', '--subject', 'A', '--colour', 'green', ...args);
      assert.deepEqual([exit, out], [5, '']);
      assert.match(err, /CN-33\.demo\/attest\/\d{4}-\d{2} has /);
      assert.match(err, /0 entries here, and DE has seen 1 with our signature \[LOG_BEHIND\]\nDo not sign: /);
    }
    assert.equal((await run('state', 'CN-33')).exit, 5);
  });

  it('T9: a peer that is gone stops what signs, until it is back or the operator decides', async () => {
    for (const region of ['CN-33', 'DE']) await must('init', region);
    await must('recognise', 'CN-33', 'DE');
    renameSync(join(cwd, 'DE'), join(cwd, 'away'));
    const { exit, out, err } = await issueTo('CN-33');
    assert.deepEqual([exit, out], [4, '']);
    assert.match(
      err,
      /nothing was signed \[PEER_UNREACHABLE\]\nDE: no region publishes at .*\n.*--without-peers/,
    );
    await must('codes', 'CN-33').then(
      () => assert.fail('there are no codes yet'),
      () => undefined,
    );
    const forced = await run('issue', 'CN-33', '--subject', 'A', '--colour', 'green', '--without-peers');
    assert.equal(forced.exit, 0, forced.err);
    assert.match(forced.err, /^DE did not answer: no region publishes at /);
    renameSync(join(cwd, 'away'), join(cwd, 'DE'));
    assert.equal((await issueTo('CN-33')).exit, 0);
  });

  for (const [what, moment] of [
    ['while it signs', /signed 256 of/],
    ['after the last signature', /signed 2,000 of 2,000/],
  ] as const) {
    it(`F1: kill -9 ${what}: everybody has one code, and the next run says how to have them`, async function () {
      this.timeout(120_000);
      await must('init', 'DE');
      const rows = Array.from({ length: PEOPLE }, (_, i) => `Person ${i},green\n`);
      writeFileSync(join(cwd, 'people.csv'), `subject,colour\n${rows.join('')}`);
      const child = spawnCli(['issue', 'DE', 'people.csv', '--out', 'codes.csv'], { cwd });
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        err += text;
        if (moment.test(err)) child.kill('SIGKILL');
      });
      await outcomeOf(child);
      assert.match(err, moment);
      const again = await run('issue', 'DE', 'people.csv', '--out', 'codes.csv');
      if (existsSync(join(cwd, 'codes.csv'))) {
        // The process was faster than the signal: then nothing is open.
        assert.ok([1, 2].includes(again.exit ?? 0));
      } else {
        assert.equal(again.exit, 1);
        assert.match(again.err, /was finished: 2,000 codes in log .*\[RECOVERED\]/s);
        writeFileSync(join(cwd, 'codes.csv'), await must('codes', 'DE'));
      }
      const subjects = new Set<string>();
      const indexes = new Set<number>();
      for (const row of readFileSync(join(cwd, 'codes.csv'), 'utf8').trimEnd().split('\n').slice(1)) {
        const [subject = '', , index, code = ''] = row.split(',');
        assert.equal(parseCode(sha256, code).attestation.index, Number(index));
        subjects.add(subject);
        indexes.add(Number(index));
      }
      assert.deepEqual([subjects.size, indexes.size], [PEOPLE, PEOPLE]);
      assert.equal((await issueTo('DE')).exit, 0);
    });
  }

  it('B72: two processes on one region: one works, the other says so, and nothing is lost', async () => {
    await must('init', 'DE');
    const outcomes = await Promise.all([1, 2, 3].map(() => issueTo('DE')));
    const worked = outcomes.filter(({ exit }) => exit === 0);
    for (const { exit, err } of outcomes) if (exit !== 0) assert.match(err, /\[STORE_LOCKED\]/);
    assert.ok(worked.length > 0);
    const rows = (await must('codes', 'DE')).trimEnd().split('\n').slice(1);
    assert.equal(rows.length, worked.length);
  });

  it('F1: a long file that breaks off in the middle goes on with the same command, and nobody gets two codes', async () => {
    const count = 20_500;
    const rows = Array.from({ length: count }, (_, i) => `P-${i},green`);
    writeFileSync(join(cwd, 'people.csv'), `subject,colour\n${rows.join('\n')}\n`);
    await must('init', 'DE');
    const issue = ['issue', 'DE', 'people.csv', '--out', 'codes.csv'];
    const child = spawnCli(issue, { cwd });
    let told = '';
    child.stderr.on('data', (bytes: Buffer) => {
      told += bytes.toString();
      if (/^issued [1-9]/m.test(told)) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('close', resolve));
    assert.ok(!existsSync(join(cwd, 'codes.csv')) && existsSync(join(cwd, 'codes.csv.run')));
    writeFileSync(join(cwd, 'others.csv'), `subject,colour\n${rows.join('\n')}\nB,red\n`);
    const others = await run('issue', 'DE', 'others.csv', '--out', 'codes.csv');
    assert.match(others.err, /RUN_DIFFERS/);
    const { out } = await run(...issue, '--json');
    const told2 = JSON.parse(out) as { issued: number; leaves: { from: number; to: number }[] };
    assert.deepEqual(
      [told2.issued, told2.leaves.map(({ from, to }) => [from, to])],
      [count, [[0, count - 1]]],
    );
    const codes = readFileSync(join(cwd, 'codes.csv'), 'utf8').trimEnd().split('\n').slice(1);
    assert.deepEqual(
      codes.map((row) => row.split(',')[0]),
      rows.map((row) => row.split(',')[0]),
    );
    assert.equal(new Set(codes.map((row) => row.split(',')[2])).size, count);
  });
});
