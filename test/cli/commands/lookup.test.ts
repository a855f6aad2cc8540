import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Verifiers } from '../../../node/lookup/verifiers.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { TestCli } from '../../support/cli.ts';
import { codesOf, type Told } from '../../support/cli-world.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** 23 November 2026. */
const NOW_S = 1_795_436_400;
const DAY = Math.floor(NOW_S / 86_400);
const HEAD = 'number,colour,until\n';
const row = (number: string, colour = 'green', until = '2026-12-01T00:00:00Z') =>
  `${number},${colour},${until}\n`;

describe('entente lookup and verifier', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let home: string;
  const announce = (...more: readonly string[]) =>
    cli.run('lookup', 'announce', home, 'numbers', '--prefix', 'DE-', '--for', '2d', ...more);
  const importOf = (csv: string) => cli.runWith(csv, 'lookup', 'import', home, '-', '--json');

  before(async () => {
    cli = new TestCli(folder());
    cli.nowS = NOW_S;
    home = cli.path('DE');
    await cli.json('init', 'DE', '--dir', home);
  });

  it('announce makes a seed for each day, which stays when days are announced again', async () => {
    assert.match((await cli.run('lookup', 'show', home)).out, /announces no numbers/);
    const { out } = await announce();
    assert.match(out, /Numbers of DE begin with DE- and can be looked up until 2026-11-26/);
    const files = () => readdirSync(`${home}/lookup`).sort();
    assert.deepEqual(files(), [`${DAY}.seed`, `${DAY + 1}.seed`, `${DAY + 2}.seed`]);
    assert.equal(statSync(`${home}/lookup`).mode & 0o777, 0o700);
    const before = readFileSync(`${home}/lookup/${DAY + 1}.seed`);
    await announce('--for', '4d');
    assert.deepEqual(readFileSync(`${home}/lookup/${DAY + 1}.seed`), before);
    assert.equal(files().length, 5);
    const { adapters } = await cli.json<{ adapters: readonly { untilS: number }[] }>('lookup', 'show', home);
    assert.equal(adapters[0]?.untilS, (DAY + 5) * 86_400);
  });

  it('announce ends nothing earlier than it was announced', async () => {
    const entries = async () => (await cli.json<{ size: number }>('inspect', `${home}/public/trust`)).size;
    const before = await entries();
    const { exit, err } = await announce('--for', '3d');
    assert.equal(exit, 1);
    assert.match(err, /until 2026-11-28 .* and would be until 2026-11-27 /);
    assert.match(err, /--for 4d or more/);
    assert.equal(await entries(), before);
    assert.equal((await announce('--for', '4d')).exit, 0);
  });

  it('announce refuses a beginning of other codes, one that is none, too many days, and a name that is taken', async () => {
    for (const prefix of ['ENT1:', 'HC1:', '{', '', 'with space', 'x'.repeat(65)]) {
      const { exit, err } = await cli.run('lookup', 'announce', home, 'more', '--prefix', prefix);
      assert.equal(exit, 2, prefix);
      assert.match(err, /printable characters|USAGE/);
    }
    assert.equal((await announce('--for', '91d')).exit, 2);
    assert.equal((await cli.run('lookup', 'announce', home, 'Numbers!', '--prefix', 'x')).exit, 2);
  });

  it('import takes all of a file or nothing, and tells what changed and what is wrong', async () => {
    const { out } = await importOf(HEAD + row('DE-1') + row('DE-2', 'red') + row('DE-3'));
    const { outcome, added } = JSON.parse(out) as { outcome: string; added: number };
    assert.deepEqual([outcome, added], ['imported', 3]);
    const again = JSON.parse((await importOf(HEAD + row('DE-1') + row('DE-2', 'red') + row('DE-3'))).out) as {
      outcome: string;
    };
    assert.equal(again.outcome, 'unchanged');
    for (const [csv, what] of [
      ['', /no rows|header|column/],
      [HEAD, /no rows/],
      ['number,colour\nDE-1,green\n', /until is missing/],
      [HEAD + row('DE-1', 'blue'), /line 2, colour/],
      [HEAD + row('DE-1', 'green', '2026-02-30T00:00:00Z'), /line 2, until/],
      [HEAD + row('DE-1', 'green', '2026-12-01'), /line 2, until/],
      [HEAD + row('FR-1'), /does not begin as the region has announced/],
      [HEAD + row('" DE-1"'), /line 2, number/],
      [HEAD + row(`DE-${'1'.repeat(510)}`), /longer than 512 bytes/],
      [HEAD + row('DE-1') + row('DE-1', 'red'), /line 3, number: is that of line 2/],
    ] as const) {
      const { exit, err } = await importOf(csv);
      assert.equal(exit, 1, csv);
      assert.match(err, what);
      assert.match(err, /nothing was changed/);
    }
    const changed = JSON.parse(
      (await importOf(HEAD + row('DE-1', 'yellow') + row('DE-4', 'green', '2026-11-01T00:00:00Z'))).out,
    ) as Record<string, unknown>;
    const { added: more, changed: other, removed, over } = changed;
    assert.deepEqual([more, other, removed, over], [1, 1, 2, 1]);
    assert.ok(!/DE-\d/.test(readFileSync(`${home}/trail.jsonl`, 'utf8')), 'the trail names no number');
  });

  it('verify says that a number needs a node, and takes a token with a node alone', async () => {
    const verdict = await cli.json<Told>('verify', '--region', home, 'DE-1');
    assert.deepEqual(
      [verdict.outcome, codesOf(verdict).includes('NUMBER_NEEDS_NODE')],
      ['undetermined', true],
    );
    writeFileSync(cli.path('no.token'), 'x\n');
    const node = ['--node', 'http://127.0.0.1:9'];
    for (const args of [
      ['--region', home, '--token', cli.path('no.token')],
      [...node, '--token', cli.path('no.token')],
      [...node, '--token', cli.path('nothing')],
    ])
      assert.equal((await cli.run('verify', ...args, 'DE-1')).exit, 2);
  });

  it('verifier enrols by a token that stands nowhere else, and takes back', async () => {
    const out = cli.path('gate.token');
    const add = () => cli.run('verifier', 'add', home, '--name', 'gate', '--out', out);
    assert.equal((await add()).exit, 0);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    const token = readFileSync(out, 'utf8').trim();
    const file = `${home}/verifiers.json`;
    assert.ok(!readFileSync(file, 'utf8').includes(token));
    const verifiers = await Verifiers.open(file);
    assert.equal(verifiers.nameOf(`Bearer ${token}`), 'gate');
    for (const other of [
      token,
      `Basic ${token}`,
      `Bearer ${token}x`,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
      'Bearer ',
      '',
    ])
      assert.equal(verifiers.nameOf(other), undefined, other);
    assert.equal((await add()).exit, 2, 'the file is there');
    rmSync(out);
    assert.match((await add()).err, /there is a verifier gate already/);
    assert.throws(() => statSync(out), 'no token is left of one that was refused');
    assert.match((await cli.run('verifier', 'list', home)).out, /gate/);
    await cli.json('verifier', 'remove', home, '--name', 'gate');
    assert.match((await cli.run('verifier', 'remove', home, '--name', 'gate')).err, /NOT_FOUND/);
    assert.equal((await Verifiers.open(file)).nameOf(`Bearer ${token}`), undefined);
    assert.equal((await cli.run('verifier', 'add', home, '--name', 'Gate', '--out', out)).exit, 2);
    writeFileSync(file, '{"format":1}');
    await assert.rejects(Verifiers.open(file), (error) => isNodeError(error, 'DATA_INCONSISTENT'));
  });
});
