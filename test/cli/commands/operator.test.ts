import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { EXIT } from '../../../cli/exit.ts';
import { editConfig } from '../../../node/config/config-file.ts';
import { type Operator } from '../../../node/operators/operators.ts';
import { type TrailEntry } from '../../../node/operators/trail-line.ts';
import { TestCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente operator and trail', () => {
  const folder = temporaryFolders();
  let cli: TestCli;
  let de: string;

  const add = (name: string, scopes: string) =>
    cli.run('operator', 'add', de, '--name', name, '--scopes', scopes, '--out', cli.path(`${name}.key`));
  const as = (name: string) => ['--operator', cli.path(`${name}.key`)];
  const P1 = ['--subject', 'Person 00001'];
  const P2 = ['--subject', 'Person 00002'];

  before(async () => {
    cli = new TestCli(folder());
    de = cli.path('DE');
    await cli.json('init', 'DE', '--dir', de);
    for (const one of [P1, P2]) await cli.json('issue', de, ...one, '--colour', 'green');
    assert.equal((await add('anna', 'issue')).exit, EXIT.ok);
    assert.equal((await add('bert', 'revoke,issue,read')).exit, EXIT.ok);
  });

  it('a key file is for its owner alone; a name that is taken leaves none', async () => {
    assert.equal(statSync(cli.path('anna.key')).mode & 0o777, 0o600);
    const order = ['--name', 'anna', '--scopes', 'read', '--out', cli.path('again.key')];
    const { exit, err } = await cli.run('operator', 'add', de, ...order);
    assert.equal(exit, EXIT.failure);
    assert.match(err, /there is an operator anna already \[REFUSED\]/);
    assert.equal(existsSync(cli.path('again.key')), false);
    const { operators } = await cli.json<{ operators: Operator[] }>('operator', 'list', de);
    assert.deepEqual(
      operators.map(({ name, scopes }) => [name, scopes]),
      [
        ['anna', ['issue']],
        ['bert', ['revoke', 'issue', 'read']],
      ],
    );
  });

  for (const [what, order] of [
    ['a name with capitals', ['--name', 'Anna', '--scopes', 'read']],
    ['a reserved name', ['--name', 'desk', '--scopes', 'read']],
    ['an unknown scope', ['--name', 'carla', '--scopes', 'read,all']],
    ['no scope', ['--name', 'carla', '--scopes', '']],
    ['a scope twice', ['--name', 'carla', '--scopes', 'read,read']],
  ] as const) {
    it(`add refuses ${what}`, async () => {
      const out = ['--out', cli.path('none.key')];
      assert.equal((await cli.run('operator', 'add', de, ...order, ...out)).exit, EXIT.usage);
      assert.equal(existsSync(cli.path('none.key')), false);
    });
  }

  it('on a stopped directory too each does what their scopes say, and without a key there is little', async () => {
    const revoke = ['revoke', de, ...P1];
    for (const who of [[], as('anna')]) {
      const { exit, err } = await cli.run(...revoke, ...who);
      assert.equal(exit, EXIT.failure);
      assert.match(err, /SCOPE_MISSING/);
    }
    assert.equal((await cli.run(...revoke, ...as('bert'))).exit, EXIT.ok);
  });

  it('the config can name the operator, and --operator stands over it', async () => {
    const config = `${de}/entente.yaml`;
    const before = readFileSync(config, 'utf8');
    await editConfig(config, [{ at: ['admin', 'operatorFile'], value: '../anna.key' }]);
    const named = await cli.run('revoke', de, ...P2);
    const over = await cli.run('revoke', de, ...P2, ...as('bert'));
    writeFileSync(config, before);
    assert.match(named.err, /anna has not the scope revoke/);
    assert.equal(over.exit, EXIT.ok);
  });

  it('who was taken back does nothing any more', async () => {
    assert.equal((await add('carla', 'issue,revoke')).exit, EXIT.ok);
    await cli.json('operator', 'remove', de, '--name', 'carla');
    const { exit, err } = await cli.run('revoke', de, ...P1, ...as('carla'));
    assert.equal(exit, EXIT.failure);
    assert.match(err, /the key of carla is that of no operator here \[UNAUTHORISED\]/);
    assert.equal((await cli.run('operator', 'remove', de, '--name', 'carla')).exit, EXIT.failure);
  });

  it('trail show tells who did what, and verify ends with 5 where the chain is broken', async () => {
    const { entries } = await cli.json<{ entries: TrailEntry[] }>('trail', 'show', de, '--last', '3');
    assert.deepEqual(
      entries.map(({ who, action, about }) => [who, action, about]),
      [
        ['directory', 'operators/remove', 'carla'],
        ['directory', 'operators/remove', 'carla'],
        ['directory', 'operators/remove', 'carla'],
      ],
    );
    assert.equal(entries.at(-1)?.failed?.code, 'NOT_FOUND');
    const whole = await cli.json<{ lines: number; hash: string }>('trail', 'verify', de);
    assert.ok(whole.lines > 5);
    const file = `${de}/trail.jsonl`;
    const text = readFileSync(file, 'utf8');
    assert.doesNotMatch(text, /Person/);
    writeFileSync(file, text.replace('"who":"bert"', '"who":"anna"'));
    const { exit, err } = await cli.run('trail', 'verify', de);
    assert.equal(exit, EXIT.inconsistent);
    assert.match(err, /line \d+ does not follow from the line before \[DATA_INCONSISTENT\]/);
    writeFileSync(file, text);
    assert.deepEqual(await cli.json('trail', 'verify', de), whole);
  });
});
