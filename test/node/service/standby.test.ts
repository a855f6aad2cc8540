import assert from 'node:assert/strict';
import { cp, rename, rm } from 'node:fs/promises';
import { giveAddresses } from '../../../cli/processes/prepare.ts';
import { type RunningStatus } from '../../../cli/desk/node-status.ts';
import { editConfig } from '../../../node/config/config-file.ts';
import { readRegionConfig, RegionLayout } from '../../../node/region/layout.ts';
import { AdminClient } from '../../../node/http/admin-client.ts';
import { TestCli } from '../../support/cli.ts';
import { eventually, Federation, lineOf } from '../../support/federation.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const SPARE = 'DE-2';
const COPY = 'DE-3';
const TRUST = 'DE.demo/trust';

/** DE is dialled through a proxy and dials nobody, so that it can be cut off; its standby dials whom it likes. */
describe('A region with a standby, as processes', function () {
  this.timeout(240_000);
  const folder = temporaryFolders();
  let world: Federation;
  /** Codes by both machines, which pass everywhere at any time. */
  const codes: string[] = [];

  before(async () => {
    world = await Federation.found(folder(), ['FR', 'IT', 'DE']);
    for (const region of ['FR', 'IT', 'DE']) await world.start(region);
    for (const region of ['FR', 'IT', 'DE']) await world.node(region).ready();
    codes.push(await world.issue('DE', 'Person 1'));
    assert.equal(await world.node('DE').end(), 0);
    const { cli } = world;
    await cli.json('standby', 'make', cli.path('DE'), cli.path(SPARE), '--address', '/ip4/127.0.0.1/tcp/1');
    await standAlone(SPARE);
    await world.start('DE');
    await world.node('DE').ready();
    await world.start(SPARE, '--standby');
    await once(SPARE, ({ writing, sizes }) => writing === 'standby' && (sizes[TRUST] ?? 0) > 0);
    await levelled('DE', SPARE);
  });
  after(() => world.stop());

  /** Ports of its own, and peers where they listen. */
  async function standAlone(name: string): Promise<void> {
    const { cli } = world;
    await giveAddresses(cli.path(name));
    const { p2p } = await readRegionConfig(new RegionLayout(cli.path(name)));
    for (const region of ['FR', 'IT']) await world.tell(name, region);
    const config = new RegionLayout(cli.path('DE')).config;
    await editConfig(config, [{ at: ['writer', 'standby', 'addresses'], value: p2p.listen }]);
  }

  async function status(name: string): Promise<RunningStatus> {
    return (await world.admin(name).ask({ method: 'GET', path: '/v1/status' })) as RunningStatus;
  }

  async function once(name: string, isSo: (status: RunningStatus) => boolean): Promise<RunningStatus> {
    return eventually(
      () => status(name),
      isSo,
      ({ writing, reason, sizes }) => `${name}: ${writing}, ${reason ?? ''} ${JSON.stringify(sizes)}`,
    );
  }

  /** Until one machine holds all that another does. */
  async function levelled(ahead: string, behind: string): Promise<void> {
    const { sizes } = await status(ahead);
    const own = Object.entries(sizes).filter(([origin]) => origin.startsWith('DE.'));
    await once(behind, (held) => own.every(([origin, size]) => (held.sizes[origin] ?? 0) >= size));
  }

  async function promote(name: string): Promise<{ readonly epoch: number }> {
    return world.cli.json('promote', world.cli.path(name));
  }

  /** Nobody has seen two histories, and every code passes wherever somebody runs. */
  async function isWhole(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      for (const code of codes) {
        // One that was just resumed turns requests away for a moment.
        await eventually(
          () => world.verdict(name, code).then(lineOf, String),
          (line) => line.startsWith('pass'),
        );
      }
      assert.deepEqual((await status(name)).forked, [], name);
    }
  }

  it('follows and gives verdicts; of commands that sign it says which machine writes', async () => {
    codes.push(await world.issue('DE', 'Person 2'));
    await levelled('DE', SPARE);
    // The machine that writes may give it all before it has met the witnesses.
    await once(SPARE, ({ reason }) => reason?.includes('writes for this region since') === true);
    await isWhole('DE', SPARE, 'FR', 'IT');
    const refused = await world.cli.run(
      'issue',
      world.cli.path(SPARE),
      '--subject',
      'P',
      '--colour',
      'green',
    );
    assert.match(refused.err, /writes for this region since/);
    assert.match(
      (await world.cli.run('status', world.cli.path(SPARE))).out,
      /machine [0-9a-f]{16} writes since/,
    );
    assert.match(
      (await world.cli.run('status', world.cli.path('DE'))).out,
      /this machine writes since .* epoch 1/,
    );
  });

  it('A18, T4: it is promoted while the writer is paused, which signs nothing once it is resumed, and follows', async () => {
    world.node('DE').signal('SIGSTOP');
    assert.equal((await promote(SPARE)).epoch, 2);
    codes.push(await world.issue(SPARE, 'Person 3'));
    // It lies at the old writer until that wakes up.
    const late = world.issue('DE', 'Person 4').then(
      () => 'issued',
      (error: unknown) => String(error),
    );
    world.node('DE').signal('SIGCONT');
    assert.match(await late, /writes for this region since|LOG_/);
    assert.match((await once('DE', ({ writing }) => writing === 'standby')).reason ?? '', /epoch 2/);
    await levelled(SPARE, 'DE');
    await isWhole('DE', SPARE, 'FR', 'IT');
  });

  it('A18, T14: both live and are cut off from each other: the one without a quorum signs nothing, and learns why', async () => {
    assert.equal((await promote('DE')).epoch, 3);
    await once(SPARE, ({ writing }) => writing === 'standby');
    codes.push(await world.issue('DE', 'Person 5'));
    await levelled('DE', SPARE);
    world.proxy.faults.isStalled = true;
    world.proxy.reset();
    assert.equal((await promote(SPARE)).epoch, 4);
    codes.push(await world.issue(SPARE, 'Person 6'));
    await assert.rejects(world.issue('DE', 'Person 7'));
    await isWhole(SPARE, 'FR', 'IT');
    world.proxy.faults.isStalled = false;
    world.proxy.reset();
    await once('DE', ({ writing, reason = '' }) => writing === 'standby' && /epoch 4/.test(reason));
    await levelled(SPARE, 'DE');
    await isWhole('DE', SPARE, 'FR', 'IT');
  });

  it('A18, T9: a restored backup of the writer goes on from all that it has signed', async () => {
    const path = world.cli.path(SPARE);
    assert.equal(await world.node(SPARE).end(), 0);
    await cp(path, world.cli.path(COPY), { recursive: true });
    await cp(path, `${path}.backup`, { recursive: true });
    await world.start(SPARE);
    await world.node(SPARE).ready();
    codes.push(await world.issue(SPARE, 'Person 8'));
    await levelled(SPARE, 'DE');
    await world.node(SPARE).end('SIGKILL');
    await rm(path, { recursive: true });
    await rename(`${path}.backup`, path);
    await world.start(SPARE);
    await world.node(SPARE).ready();
    codes.push(await world.issue(SPARE, 'Person 9'));
    await isWhole('DE', SPARE, 'FR', 'IT');
  });

  it('A18, T9: of two processes with one identity the one that started last writes, and the other stops', async () => {
    await giveAddresses(world.cli.path(COPY));
    await world.start(COPY);
    await world.node(COPY).ready();
    await assert.rejects(world.issue(SPARE, 'Person 10'));
    const { reason = '' } = await once(SPARE, ({ writing }) => writing === 'standby');
    assert.match(reason, /another process with the keys of this machine/);
    codes.push(await world.issue(COPY, 'Person 11'));
    await isWhole(COPY, 'FR', 'IT');
  });
});

describe('A standby of a region that knows its peers by directory', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  const nodes: RunningNode[] = [];
  after(() => Promise.all(nodes.map((node) => node.end('SIGKILL'))));

  it('follows all of them through the machine that its config names, and no address was ever said of any', async () => {
    const cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1_000);
    const [first, spare, peer] = [cli.path('DE'), cli.path(SPARE), cli.path('FR')];
    for (const path of [first, peer]) await cli.json('init', path.slice(-2), '--dir', path);
    await cli.json('recognise', first, peer);
    await giveAddresses(first);
    await cli.json('standby', 'make', first, spare, '--address', '/ip4/127.0.0.1/tcp/1');
    await giveAddresses(spare);
    const { peers } = await readRegionConfig(new RegionLayout(spare));
    assert.deepEqual(Object.values(peers), [{ directory: '../FR/public' }]);
    // As on another machine, where nobody has brought the directory of a peer.
    await editConfig(new RegionLayout(spare).config, [
      { at: ['peers', 'FR', 'directory'], value: 'nowhere' },
    ]);
    nodes.push(RunningNode.spawn({}, first, '--set', 'log.level=warn'));
    nodes.push(RunningNode.spawn({}, spare, '--standby', '--set', 'log.level=warn'));
    await Promise.all(nodes.map((node) => node.event('listens')));
    const admin = new AdminClient({ listen: `${spare}/admin.sock`, secretFile: `${spare}/admin.secret` });
    await eventually(
      async () => ((await admin.ask({ method: 'GET', path: '/v1/status' })) as RunningStatus).sizes,
      (sizes) => [TRUST, 'FR.demo/trust'].every((origin) => (sizes[origin] ?? 0) > 0),
      JSON.stringify,
    );
  });
});
