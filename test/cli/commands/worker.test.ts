import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { publishedNetwork } from '../../../node/region/published-network.ts';
import { openRegion } from '../../../node/region/region.ts';
import { ORDERS, WORKERS } from '../../../node/workers/work-rows.ts';
import { equalBytes } from '../../../protocol/bytes.ts';
import { parseAttestation } from '../../../protocol/code/attestation.ts';
import { commitmentOf } from '../../../protocol/code/commitment.ts';
import { outcomeOf, spawnCli, TestCli } from '../../support/cli.ts';
import { DYING_ISSUING_WORKER } from '../../support/dying-issuing-worker.ts';
import { greenFor, realModules } from '../../support/issuing-child.ts';
import { sha256 } from '../../support/primitives.ts';
import { describeOnPostgres, tablesIn } from '../../support/tables.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Stopped {
  readonly event: 'stopped';
  readonly orders: number;
  readonly people: number;
}

describeOnPostgres('entente worker', (cluster) => {
  const folder = temporaryFolders();
  const running: ChildProcess[] = [];
  let cli: TestCli;

  before(async () => {
    cli = new TestCli(folder());
    cli.isLive = true;
    const { exit, err } = await cli.run('init', 'DE', '--dir', cli.path('DE'));
    assert.equal(exit, 0, err);
  });
  after(() => {
    for (const child of running) if (child.exitCode === null) child.kill('SIGKILL');
  });

  const started = <T extends ChildProcess>(child: T): T => {
    running.push(child);
    return child;
  };

  it('refuses a region whose registry lies elsewhere, and makes nothing in the database', async () => {
    const inStore = await cli.run('worker', cli.path('DE'));
    assert.equal(inStore.exit, 2, inStore.err);
    assert.match(inStore.err, /needs a registry in PostgreSQL.*registry move/s);
    cli.environment = { ENTENTE_REGISTRY_CONNECTION: cluster().connection };
    const none = await cli.run('worker', cli.path('DE'));
    cli.environment = {};
    assert.match(none.err, /holds no registry of this region.*REGISTRY_ELSEWHERE/s);
    const client = new pg.Client({ connectionString: cluster().connection });
    await client.connect();
    const { rows } = await client.query(`SELECT 1 FROM pg_tables WHERE tablename = 'entente_private'`);
    await client.end();
    assert.deepEqual(rows, []);
  });

  it('four workers prepare what one node issues; one is killed with an order in hand, and no code is missing or there twice', async () => {
    const secret = cli.path('postgres.url');
    writeFileSync(secret, `${cluster().connection}\n`, { mode: 0o600 });
    const moved = await cli.run('registry', 'move', cli.path('DE'), '--to', 'postgres', '--file', secret);
    assert.equal(moved.exit, 0, moved.err);
    const tables = tablesIn(cluster(), 'DE.demo');
    const living = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = started(spawnCli(['worker', cli.path('DE'), '--json']));
        const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
        assert.equal((JSON.parse(line) as { event: string }).event, 'works');
        return { child, outcome: outcomeOf(child) };
      }),
    );
    const keys = cli.path('DE', 'keys');
    const [file = ''] = readdirSync(keys).filter((name) => name.startsWith('registry-'));
    const { secretKey } = JSON.parse(readFileSync(`${keys}/${file}`, 'utf8')) as { secretKey: string };
    const args = [DYING_ISSUING_WORKER, cluster().connection, 'DE.demo', secretKey];
    const dying = started(spawn(process.execPath, [...process.execArgv, ...args], { stdio: 'ignore' }));
    const dead = once(dying, 'exit');
    while ((await tables.page(...WORKERS, { limit: 9 })).length < 4) await tables.get('nothing');

    const modules = await realModules();
    const region = await openRegion(
      cli.path('DE'),
      { withoutPeers: true, node: { gatherMs: 1, workerPatienceMs: 2_500 } },
      { ...modules, networkFor: (ground) => publishedNetwork(ground, modules) },
    );
    try {
      await region.node.whenWriting();
      // Nobody else takes up anything before it has.
      for (const { child } of living) child.kill('SIGSTOP');
      const subjects = Array.from({ length: 3_000 }, (_, i) => `P${i}`);
      const issuing = region.node.issueAll(subjects.map(greenFor));
      assert.deepEqual(await dead, [null, 'SIGKILL']);
      for (const { child } of living) child.kill('SIGCONT');
      const issued = await issuing;
      const { log = '' } = issued[0] ?? {};
      const indexes = issued.map(({ index }) => index).sort((a, b) => a - b);
      assert.deepEqual(indexes, [...subjects.keys()]);
      const tree = region.node.log(region.originOf(log));
      assert.equal(tree?.size, 3_000);
      const held = new Map<string, number>();
      for await (const one of region.node.heldCodes.ofLog(log)) {
        const attestation = parseAttestation(one.attestation);
        assert.equal(attestation.index, one.index);
        assert.ok(equalBytes(commitmentOf(sha256, one.openings), attestation.commitment));
        held.set(one.subject, (held.get(one.subject) ?? 0) + 1);
      }
      assert.deepEqual([...held.keys()].sort(), [...subjects].sort());
      assert.ok([...held.values()].every((codes) => codes === 1));
      assert.deepEqual(await tables.page(...ORDERS, { limit: 9 }), []);
    } finally {
      await region.close();
    }
    for (const { child } of living) child.kill('SIGTERM');
    const ends = await Promise.all(living.map(({ outcome }) => outcome));
    const done = ends.map(({ exit, out, err }) => {
      assert.equal(exit, 0, err);
      return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Stopped;
    });
    assert.equal(
      done.reduce((sum, { people }) => sum + people, 0),
      3_000,
    );
    const fsck = await cli.run('fsck', cli.path('DE'));
    assert.equal(fsck.exit, 0, fsck.err);
  });
});
