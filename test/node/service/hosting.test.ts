import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { AdminClient } from '../../../node/http/admin-client.ts';
import { VerdictClient } from '../../../node/http/verdict-client.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { giveAddresses } from '../../../cli/processes/prepare.ts';
import { TestCli } from '../../support/cli.ts';
import { eventually, lineOf } from '../../support/federation.ts';
import { type NodeEvent, RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

// CN hosts CN-33 and CN-34; DE recognises all three.
const HOSTED = ['CN', 'CN-33', 'CN-34'] as const;
const ALL = [...HOSTED, 'DE'] as const;
const of = (region: string) => (event: NodeEvent) => event.region === region;
const isGreen = ({ outcome, colour }: Verdict) => outcome === 'pass' && colour === 'green';

describe('Hosted regions, in one process', function () {
  this.timeout(240_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let host: RunningNode;
  const nodes: RunningNode[] = [];
  const urls = new Map<string, string>();

  async function listening(node: RunningNode, region: string, isOne = false): Promise<void> {
    const { http = '' } = await node.event('listens', of(region));
    urls.set(region, http);
    const mine = isOne ? () => true : of(region);
    await node.event('ready', mine);
    await node.event('writing', (event) => mine(event) && event.writing === 'writing');
  }

  function verdictOnce(at: string, code: string, isSo: (verdict: Verdict) => boolean): Promise<Verdict> {
    const client = new VerdictClient({ urls: [urls.get(at) ?? ''] });
    return eventually(async () => (await client.verify(code)).verdict, isSo, lineOf);
  }

  async function issue(region: string, subject: string): Promise<{ code: string; index: number }> {
    return cli.json('issue', cli.path(region), '--subject', subject, '--colour', 'green');
  }

  before(async () => {
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1_000);
    for (const region of ALL) {
      await cli.json('init', region, '--dir', cli.path(region));
      await giveAddresses(cli.path(region));
    }
    for (const one of ALL)
      for (const other of ALL)
        if (one !== other) {
          const way = one === 'DE' && other !== 'CN' ? ['--way', 'hosted'] : [];
          await cli.json('recognise', cli.path(one), cli.path(other), ...way);
        }
    for (const region of ALL) await cli.json('witness', cli.path(region));
    const [first = '', ...more] = HOSTED.map((region) => cli.path(region));
    host = RunningNode.spawn({}, first, ...more, '--set', 'log.level=warn');
    const gate = RunningNode.spawn({}, cli.path('DE'), '--set', 'log.level=warn');
    nodes.push(host, gate);
    await Promise.all([...HOSTED.map((region) => listening(host, region)), listening(gate, 'DE', true)]);
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  });

  it('gives each its own root, logs, registry and address, and their codes pass where they are recognised', async () => {
    assert.equal(new Set(urls.values()).size, ALL.length);
    for (const region of HOSTED) {
      const { code, index } = await issue(region, 'Person 1');
      assert.equal(index, 0);
      const verdict = await verdictOnce('DE', code, isGreen);
      assert.equal(verdict.code?.region, region);
    }
    const held = await cli.run('codes', cli.path('CN-34'), '--subject', 'Person 1', '--json');
    assert.equal(held.exit, 0);
    const { exit } = await cli.run('codes', cli.path('CN-34'), '--subject', 'Person of CN-33');
    assert.notEqual(exit, 0);
  });

  it('lets one move to a node of its own: codes from before pass, new ones too, and the old place signs nothing', async () => {
    const before = await issue('CN-33', 'Person 2');
    await verdictOnce('DE', before.code, isGreen);
    const sizes = { before: before.index + 1 };
    cli.isLive = true;
    const { replaced } = await cli.json<{ replaced: number }>(
      'host',
      'move',
      cli.path('CN-33'),
      cli.path('own'),
    );
    assert.ok(replaced >= 4);
    await host.event('left', of('CN-33'));
    // The others in the process go on.
    assert.ok(isGreen(await verdictOnce('CN-34', (await issue('CN-34', 'Person 3')).code, isGreen)));

    const own = RunningNode.spawn({}, cli.path('own'), '--set', 'log.level=warn');
    nodes.push(own);
    await listening(own, 'CN-33', true);
    await verdictOnce('DE', before.code, isGreen);
    const after = await eventually(
      async () =>
        cli.json<{ code: string; index: number }>(
          'issue',
          cli.path('own'),
          '--subject',
          'Person 4',
          '--colour',
          'green',
        ),
      () => true,
    );
    assert.equal(after.index, sizes.before);
    await verdictOnce('DE', after.code, isGreen);
    await verdictOnce('CN-34', after.code, isGreen);
    // Its registry came along: what was issued before can be found, and revoked.
    await cli.json('revoke', cli.path('own'), '--subject', 'Person 2');
    await verdictOnce('DE', before.code, ({ reasons }) => reasons.some(({ code }) => code === 'REVOKED'));

    // In the old place there is no key left with which anything could be signed, the root's included: they came along.
    const keys = readdirSync(cli.path('CN-33', 'keys'));
    assert.deepEqual(
      keys.filter((name) => !name.startsWith('registry-')),
      [],
    );
    assert.equal(readdirSync(cli.path('own', 'keys')).filter((name) => name.startsWith('root-')).length, 1);
    assert.ok(existsSync(cli.path('CN-33', 'store')));
    const old = await cli.run(
      'issue',
      cli.path('CN-33'),
      '--subject',
      'Person 5',
      '--colour',
      'green',
      '--without-peers',
    );
    assert.notEqual(old.exit, 0);
    const admin = new AdminClient({
      listen: cli.path('DE', 'admin.sock'),
      secretFile: cli.path('DE', 'admin.secret'),
    });
    const { forked } = (await admin.ask({ method: 'GET', path: '/v1/status' })) as {
      forked: readonly string[];
    };
    assert.deepEqual(forked, []);
  });

  it('starts again without the one that has moved', async () => {
    await host.end('SIGTERM');
    const [first = '', ...more] = HOSTED.map((region) => cli.path(region));
    host = RunningNode.spawn({}, first, ...more, '--set', 'log.level=warn');
    nodes.push(host);
    await Promise.all([listening(host, 'CN'), listening(host, 'CN-34')]);
  });
});
