import assert from 'node:assert/strict';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import pg from 'pg';
import { type TrailEntry } from '../../node/operators/trail-line.ts';
import { readRegistryKey } from '../../node/region/region-keys.ts';
import { type Place } from '../../node/registry/place-cipher.ts';
import { Registry } from '../../node/registry/registry.ts';
import { systemRandom } from '../../node/system-random.ts';
import { commitFields } from '../../protocol/code/openings.ts';
import { type Outcome, TestCli } from '../support/cli.ts';
import { greenFields } from '../support/issuing-fixture.ts';
import { sha256 } from '../support/primitives.ts';
import { describeOnPostgres, tablesIn } from '../support/tables.ts';
import { temporaryFolders } from '../support/temporary.ts';

describeOnPostgres('entente registry move', (cluster) => {
  const folder = temporaryFolders();
  let cli: TestCli;
  const ended = ({ exit, err }: Outcome, expected: number, pattern: RegExp) => {
    assert.equal(exit, expected, err);
    assert.match(err, pattern);
  };
  const issue = (subject: string) =>
    cli.run('issue', cli.path('DE'), '--subject', subject, '--colour', 'green');
  const move = (...args: string[]) => cli.run('registry', 'move', cli.path('DE'), ...args);
  /** As a node that dies between the records of a batch and its staging. */
  const leaveUnlogged = async (subject: string) => {
    const tables = tablesIn(cluster(), 'DE.demo');
    const random = systemRandom();
    const key = await readRegistryKey(cli.path('DE', 'keys'), { region: 'DE', network: 'demo' });
    const registry = await Registry.open({ key }, { tables, random });
    const { out } = await cli.run('codes', cli.path('DE'), '--json');
    const codes = out.trim().split('\n');
    const { log } = JSON.parse(codes[0] ?? '') as Place;
    const { openings } = commitFields(sha256, greenFields(), random);
    await tables.write(
      registry.changes({ log, index: codes.length, hour: 1, entries: [{ subject, openings }] }),
    );
  };
  const subjects = async () => {
    const { exit, out, err } = await cli.run('codes', cli.path('DE'), '--json');
    assert.equal(exit, 0, err);
    return out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { subject: string }).subject)
      .sort();
  };

  it('moves the registry there and back; issuing goes on in between, and stops while the database is away', async () => {
    cli = new TestCli(folder());
    const secret = cli.path('postgres.url');
    assert.equal((await cli.run('init', 'DE', '--dir', cli.path('DE'))).exit, 0);
    assert.equal((await issue('P1')).exit, 0);
    ended(await move('--to', 'postgres'), 2, /--file/);
    ended(await move('--to', 'postgres', '--file', secret), 78, /not there.*KEY_FILE_MISSING/s);
    writeFileSync(secret, 'mysql://somewhere\n', { mode: 0o600 });
    ended(await move('--to', 'postgres', '--file', secret), 78, /KEY_FILE_INVALID/);
    writeFileSync(secret, `${cluster().connection}\n`);
    chmodSync(secret, 0o644);
    ended(await move('--to', 'postgres', '--file', secret), 78, /KEY_FILE_MODE/);
    chmodSync(secret, 0o600);
    const before = readFileSync(cli.path('DE', 'entente.yaml'), 'utf8');
    const authorities = before.replace(/# (caFile:).*/, `$1 ${secret}`);
    writeFileSync(cli.path('DE', 'entente.yaml'), authorities);
    writeFileSync(secret, `${cluster().connection}&sslmode=disable\n`);
    ended(await move('--to', 'postgres', '--file', secret), 78, /caFile and ssl.*CONFIG_INVALID/s);
    writeFileSync(cli.path('DE', 'entente.yaml'), before);
    writeFileSync(secret, `${cluster().connection}\n`);
    cli.environment = { ENTENTE_REGISTRY_CONNECTION: cluster().connection };
    ended(await move('--to', 'postgres', '--file', secret), 2, /both name a database/);
    cli.environment = {};
    const { exit, out, err } = await move('--to', 'postgres', '--file', secret, '--json');
    assert.equal(exit, 0, err);
    assert.ok((JSON.parse(out) as { rows: number }).rows >= 3);
    assert.deepEqual(await subjects(), ['P1']);
    assert.equal((await issue('P2')).exit, 0);
    const checked = await cli.run('doctor', cli.path('DE'));
    assert.match(checked.out, /registry +PostgreSQL \d+\.\d+ answers within \d+ ms \(tables of form 1\)/);

    await cluster().kill();
    for (const outcome of [await issue('P3'), await cli.run('codes', cli.path('DE'))]) {
      ended(outcome, 4, /REGISTRY_AWAY/);
      assert.ok(!outcome.err.includes('entente@'));
    }
    assert.match((await cli.run('doctor', cli.path('DE'))).out, /MUST +registry .*REGISTRY_AWAY/s);
    await cluster().resume();
    assert.equal((await issue('P3')).exit, 0);
    assert.deepEqual(await subjects(), ['P1', 'P2', 'P3']);

    const other = cli.path('other.url');
    const elsewhere = cluster().connection.replace('/postgres?', '/template1?');
    writeFileSync(other, `${elsewhere}\n`, { mode: 0o600 });
    ended(await move('--to', 'postgres', '--file', other), 1, /does not hold.*REGISTRY_ELSEWHERE/s);
    writeFileSync(secret, `${elsewhere}\n`);
    ended(await cli.run('codes', cli.path('DE')), 1, /does not hold.*REGISTRY_ELSEWHERE/s);
    writeFileSync(secret, `${cluster().connection}\n`);
    assert.equal((await subjects()).length, 3);

    const config = readFileSync(cli.path('DE', 'entente.yaml'), 'utf8');
    writeFileSync(cli.path('DE', 'entente.yaml'), config.replace(/^ {2}connectionFile: .*\n/m, ''));
    ended(await cli.run('codes', cli.path('DE')), 1, /lies in PostgreSQL.*REGISTRY_ELSEWHERE/s);
    assert.equal((await move('--to', 'store', '--file', secret)).exit, 0);
    assert.deepEqual(await subjects(), ['P1', 'P2', 'P3']);
    assert.equal((await issue('P4')).exit, 0);
    assert.equal((await cli.run('fsck', cli.path('DE'))).exit, 0);
    writeFileSync(cli.path('DE', 'entente.yaml'), config);
    ended(await cli.run('codes', cli.path('DE')), 1, /lies in the store.*REGISTRY_ELSEWHERE/s);
    assert.equal((await move('--to', 'store')).exit, 0, 'again, and nothing changes');
    assert.equal((await subjects()).length, 4);
  });

  it('a directory that was put back from before the move adopts the registry; one that lost its database says so', async () => {
    const secret = cli.path('postgres.url');
    const old = cli.path('old');
    cpSync(cli.path('DE'), old, { recursive: true });
    assert.equal((await move('--to', 'postgres', '--file', secret)).exit, 0);
    const adopt = (...more: string[]) =>
      cli.run('registry', 'move', old, '--to', 'postgres', '--file', secret, '--adopt', ...more);
    ended(await move('--to', 'store', '--adopt'), 2, /--adopt goes with --to postgres/);
    ended(await adopt(), 1, /rows of this region lie in the store.*REFUSED/s);
    const { exit, out, err } = await adopt('--replace');
    assert.equal(exit, 0, err);
    assert.match(out, /adopted: all that is private of DE lies in PostgreSQL/);
    const codes = await cli.run('codes', old, '--json');
    assert.equal(codes.out.trim().split('\n').length, 4);

    assert.equal((await issue('P5')).exit, 0);
    await leaveUnlogged('P9');
    const after = await issue('P6');
    assert.match(after.err, /the records of 1 person in \S+ from 5 on were taken back/);
    assert.equal((await subjects()).join(), 'P1,P2,P3,P4,P5,P6');
    const client = new pg.Client({ connectionString: cluster().connection });
    await client.connect();
    await client.query(`DELETE FROM entente_private WHERE name = 'private/mark'`);
    await client.end();
    ended(await issue('P7'), 5, /lost what it had acknowledged.*REGISTRY_BEHIND.*registry accept/s);
    assert.equal((await cli.run('registry', 'accept', cli.path('DE'))).exit, 0);
    assert.equal((await issue('P7')).exit, 0);
    assert.equal((await move('--to', 'store')).exit, 0);
    ended(await cli.run('registry', 'accept', cli.path('DE')), 2, /no PostgreSQL is named/);
  });

  it('takes an operator with the scope trust once some are named, and the trail tells of each try and its rows', async () => {
    const secret = cli.path('postgres.url');
    const keyOf = async (name: string, scopes: string) => {
      const out = cli.path(`${name}.key`);
      const named = await cli.run(
        'operator',
        'add',
        cli.path('DE'),
        '--name',
        name,
        '--scopes',
        scopes,
        '--out',
        out,
      );
      assert.equal(named.exit, 0, named.err);
      return ['--operator', out];
    };
    const [anna, bert] = [await keyOf('anna', 'issue,revoke,audit'), await keyOf('bert', 'trust')];
    const accept = (...args: string[]) => cli.run('registry', 'accept', cli.path('DE'), ...args);
    const toPostgres = ['--to', 'postgres', '--file', secret];
    const config = () => readFileSync(cli.path('DE', 'entente.yaml'), 'utf8');
    const before = config();
    for (const who of [[], anna])
      for (const how of [[], ['--replace'], ['--adopt']])
        ended(await move(...toPostgres, ...how, ...who), 1, /SCOPE_MISSING/);
    assert.equal(config(), before);
    const moved = await move(...toPostgres, ...bert, '--json');
    assert.equal(moved.exit, 0, moved.err);
    const { rows } = JSON.parse(moved.out) as { rows: number };
    for (const who of [[], anna]) ended(await accept(...who), 1, /SCOPE_MISSING/);
    const accepted = await accept(...bert);
    assert.equal(accepted.exit, 0, accepted.err);
    ended(await move('--to', 'store'), 1, /SCOPE_MISSING/);
    assert.equal((await move('--to', 'store', '--replace', ...bert)).exit, 0);

    const trail = readFileSync(cli.path('DE', 'trail.jsonl'), 'utf8').trim().split('\n');
    const told = trail
      .map((line) => JSON.parse(line) as TrailEntry)
      .filter(({ action }) => action.startsWith('registry/'))
      .map(({ who, action, about = '', failed, ended }) =>
        [who, action, about, failed?.code ?? ended?.figures?.['rows'] ?? 'begins'].join(' '),
      );
    const [place, instead] = ['postgres', 'postgres, in the place of what lay there'];
    const refused = (who: string, what: string) => [`${who} ${what} begins`, `${who} ${what} SCOPE_MISSING`];
    const tries = [`registry/move ${place}`, `registry/move ${instead}`, `registry/adopt ${place}`];
    const own = told.slice(-24);
    assert.deepEqual(own, [
      ...['directory', 'anna'].flatMap((who) => tries.flatMap((what) => refused(who, what))),
      ...[`bert registry/move postgres begins`, `bert registry/move postgres ${rows}`],
      ...['directory', 'anna'].flatMap((who) => refused(who, 'registry/accept ')),
      ...[`bert registry/accept  begins`, `bert registry/accept  ${rows}`],
      ...refused('directory', 'registry/move store'),
      ...['begins', rows].map((how) => `bert registry/move store, in the place of what lay there ${how}`),
    ]);
    assert.equal((await cli.run('trail', 'verify', cli.path('DE'))).exit, 0);
  });

  it('refuses a registry in PostgreSQL where witnesses fence the writer', async () => {
    const secret = cli.path('postgres.url');
    const path = cli.path('DE', 'entente.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/# (fenced:) false/, '$1 true'));
    ended(await move('--to', 'postgres', '--file', secret), 78, /writer\.fenced.*CONFIG_INVALID/s);
  });
});
