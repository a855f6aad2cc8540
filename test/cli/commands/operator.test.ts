import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { EXIT } from '../../../cli/exit.ts';
import { editConfig } from '../../../node/config/config-file.ts';
import { CommandNetwork } from '../../../node/region/command-network.ts';
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

  it('lists show names who imported a list, which nobody does without a key', async () => {
    const day = new Date((cli.nowS - 86_400) * 1_000).toISOString();
    writeFileSync(cli.path('areas.csv'), `area,risk,since\nXX-1,low,${day.slice(0, 10)}\n`);
    const from = ['--source', 'Office', '--as-of', day];
    const { exit, err } = await cli.run('lists', 'import', de, 'areas', cli.path('areas.csv'), ...from);
    assert.equal(exit, EXIT.failure);
    assert.match(err, /SCOPE_MISSING/);
    await cli.json('lists', 'import', de, 'areas', cli.path('areas.csv'), ...from, ...as('anna'));
    assert.match((await cli.run('lists', 'show', de)).out, /Office +anna [0-9a-f]{16}$/m);
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
      entries.map(({ who, action, about = '' }) => [who, action, about.replace(/ [0-9a-f]{16} /, ' KEY ')]),
      [
        ['directory', 'operators/remove', 'carla KEY issue,revoke'],
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

  it('trail verify --line --hash ends with 5 where the trail is not the one of then', async () => {
    const { lines, hash } = await cli.json<{ lines: number; hash: string }>('trail', 'verify', de);
    const held = ['--line', String(lines), '--hash', hash];
    assert.equal((await add('dora', 'read')).exit, EXIT.ok);
    assert.equal((await cli.run('trail', 'verify', de, ...held)).exit, EXIT.ok);
    const file = `${de}/trail.jsonl`;
    const text = readFileSync(file, 'utf8');
    const rewound = text
      .trimEnd()
      .split('\n')
      .slice(0, lines - 1);
    writeFileSync(file, `${rewound.join('\n')}\n`);
    const short = await cli.run('trail', 'verify', de, ...held);
    assert.equal(short.exit, EXIT.inconsistent);
    assert.match(short.err, /not the one that was there before/);
    writeFileSync(file, text);
    const other = await cli.run('trail', 'verify', de, '--line', String(lines), '--hash', '0'.repeat(64));
    assert.equal(other.exit, EXIT.inconsistent);
    assert.equal((await cli.run('trail', 'verify', de, '--line', '3')).exit, EXIT.usage);
    assert.equal((await cli.run('trail', 'verify', de, '--line', '0', '--hash', hash)).exit, EXIT.usage);
  });

  it('a key file stays where it is not known whether the operator was named', async () => {
    const handle = await open(`${de}/trail.jsonl`, 'r');
    const prototype = Object.getPrototypeOf(handle) as Record<'datasync', unknown>;
    await handle.close();
    const { datasync } = prototype;
    prototype.datasync = () => Promise.reject(new Error('the disk is gone'));
    try {
      const { exit, err } = await add('emil', 'read');
      assert.notEqual(exit, EXIT.ok);
      assert.match(err, /It is not known whether emil was named/);
    } finally {
      prototype.datasync = datasync;
    }
    assert.ok(existsSync(cli.path('emil.key')));
  });

  it('witness needs trust on a stopped directory too, and stands in the trail', async () => {
    const refused = await cli.run('witness', de, ...as('anna'));
    assert.equal(refused.exit, EXIT.failure);
    assert.match(refused.err, /anna has not the scope trust/);
    assert.equal((await add('fritz', 'trust')).exit, EXIT.ok);
    assert.equal((await cli.run('witness', de, ...as('fritz'))).exit, EXIT.ok);
    const { entries } = await cli.json<{ entries: TrailEntry[] }>('trail', 'show', de, '--last', '1');
    assert.deepEqual([entries[0]?.who, entries[0]?.action, entries[0]?.count], ['fritz', 'witness', 0]);
  });

  it('codes that were handed out are noted with how many', async () => {
    const { entries } = await cli.json<{ entries: TrailEntry[] }>('trail', 'show', de);
    const closing = entries.find(({ action }) => action === 'handovers/close');
    assert.deepEqual([closing?.who, closing?.count], ['directory', 1]);
  });

  it('once the last one is removed nobody acts, until another is named', async () => {
    const at = cli.path('AT');
    await cli.json('init', 'AT', '--dir', at);
    const order = ['--scopes', 'issue', '--out', cli.path('otto.key')];
    await cli.json('operator', 'add', at, '--name', 'otto', ...order);
    const removed = await cli.run('operator', 'remove', at, '--name', 'otto');
    assert.match(removed.out, /until another is named/);
    assert.match((await cli.run('issue', at, ...P1, '--colour', 'green')).err, /SCOPE_MISSING/);
  });

  it('a standby has the operators of its region, and without them nobody acts there', async () => {
    const fr = cli.path('FR');
    const spare = cli.path('FR-2');
    await cli.json('init', 'FR', '--dir', fr);
    const order = ['--scopes', 'trust', '--out', cli.path('gina.key')];
    await cli.json('operator', 'add', fr, '--name', 'gina', ...order);
    await cli.json('standby', 'make', fr, spare, '--address', '/ip4/127.0.0.1/tcp/1');
    assert.equal(
      readFileSync(`${spare}/operators.json`, 'utf8'),
      readFileSync(`${fr}/operators.json`, 'utf8'),
    );
    assert.equal(statSync(`${spare}/operators.json`).mode & 0o777, 0o600);
    assert.match(readFileSync(`${spare}/entente.yaml`, 'utf8'), /requireOperators: true/);
    const it_ = cli.path('IT');
    await cli.json('init', 'IT', '--dir', it_);
    await editConfig(`${it_}/entente.yaml`, [{ at: ['admin', 'requireOperators'], value: true }]);
    assert.match((await cli.run('issue', it_, ...P1, '--colour', 'green')).err, /SCOPE_MISSING/);
  });

  it('what a command has dialled is stopped where the region cannot be opened', async () => {
    const es = cli.path('ES');
    await cli.json('init', 'ES', '--dir', es);
    writeFileSync(`${es}/operators.json`, '{');
    const prototype: { stop: (this: CommandNetwork) => Promise<void> } = CommandNetwork.prototype;
    const { stop } = prototype;
    let stopped = 0;
    prototype.stop = function () {
      stopped++;
      return stop.call(this);
    };
    try {
      assert.equal((await cli.run('issue', es, ...P1, '--colour', 'green')).exit, EXIT.inconsistent);
    } finally {
      prototype.stop = stop;
    }
    assert.equal(stopped, 1);
  });
});
