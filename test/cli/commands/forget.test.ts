import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forgottenLines } from '../../../cli/commands/forget.ts';
import { editConfig } from '../../../node/config/config-file.ts';
import { TestCli } from '../../support/cli.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const FREE = ['--set', 'http.port=0', '--set', 'p2p.listen=/ip4/127.0.0.1/tcp/0', '--set', 'log.level=warn'];

interface Forgotten {
  readonly leaves: readonly {
    readonly log: string;
    readonly index: number;
    readonly proven?: { readonly size: number };
  }[];
  readonly proven: number;
  readonly other?: string;
}

describe('entente forget', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let cli: TestCli;
  let region: string;
  let node: RunningNode | undefined;

  beforeEach(async () => {
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1_000);
    region = cli.path('DE');
    await cli.json('init', 'DE', '--dir', region);
  });
  afterEach(async () => {
    await node?.end('SIGKILL');
    node = undefined;
  });

  const issue = async (subject: string) =>
    (await cli.json<{ code: string }>('issue', region, '--subject', subject, '--colour', 'green')).code;
  const codeOf = (err: string) => /"code":"(\w+)"/.exec(err)?.[1];

  for (const how of ['by its directory', 'by the node that runs on it'])
    it(`T25 destroys what opens a person's codes, of a region ${how}; the logs are what they were`, async () => {
      const code = await issue('me');
      await issue('me');
      await issue('other');
      if (how.includes('node')) {
        node = await RunningNode.start(region, ...FREE);
        await node.ready();
      }
      const early = await cli.run('forget', region, '--subject', 'me', '--json');
      assert.deepEqual([early.exit, codeOf(early.err)], [1, 'REFUSED']);
      assert.equal((await cli.run('codes', region, '--subject', 'me')).exit, 0);
      await cli.json('revoke', region, '--subject', 'me');
      const logs = join(region, 'public', 'attest');
      const before = filesOf(logs);
      const { leaves, proven } = await cli.json<Forgotten>('forget', region, '--subject', 'me');
      assert.deepEqual([leaves.length, proven], [2, 2]);
      assert.deepEqual(filesOf(logs), before);
      assert.equal((await cli.run('codes', region, '--subject', 'me')).exit, 1);
      assert.equal((await cli.run('codes', region, '--subject', 'other')).exit, 0);
      const again = await cli.run('forget', region, '--subject', 'me', '--json');
      assert.deepEqual([again.exit, codeOf(again.err)], [1, 'NOT_FOUND']);
      assert.equal((await cli.run('verify', '--region', region, code)).exit, 3);
      const published = cli.path('published');
      cpSync(join(region, 'public'), published, { recursive: true });
      assert.equal((await cli.run('audit', 'replay', published)).exit, 0);
      // The region goes on.
      assert.equal((await cli.run('verify', '--region', region, await issue('me'))).exit, 0);
    });

  it('T25 --let-pass forgets a code that still passes, and goes on passing', async () => {
    const code = await issue('me');
    const { leaves } = await cli.json<Forgotten>('forget', region, '--subject', 'me', '--let-pass');
    assert.equal(leaves.length, 1);
    assert.equal((await cli.run('verify', '--region', region, code)).exit, 0);
  });

  it('T25 names the damaged store that a salvage left behind, which holds what the person held', async () => {
    await issue('me');
    const damaged = join(region, 'store', 'level.damaged-1');
    mkdirSync(damaged);
    const { err } = await cli.run('forget', region, '--subject', 'me', '--let-pass');
    assert.ok(
      err.includes(`${damaged} holds what the store held when it was salvaged: destroy it too.`),
      err,
    );
  });

  it('T25 says that the other machine of the region is still to forget, where there is one', async () => {
    await issue('me');
    await issue('other');
    const forget = (subject: string) => cli.run('forget', region, '--subject', subject, '--let-pass');
    const alone = await forget('other');
    assert.equal(alone.exit, 0);
    assert.doesNotMatch(alone.err, /other machine/);
    await editConfig(join(region, 'entente.yaml'), [{ at: ['writer', 'fenced'], value: true }]);
    const { exit, err } = await forget('me');
    assert.equal(exit, 0);
    assert.match(err, /The other machine of this region keeps a copy of the codes: it forgets them as soon/);
    await issue('me');
    const { other } = await cli.json<Forgotten>('forget', region, '--subject', 'me', '--let-pass');
    assert.equal(other, 'awaited');
  });

  it('T25 says what is done on this machine alone', () => {
    const leaves = [{ log: '2026-11', index: 3 }];
    const text = (more: Partial<Parameters<typeof forgottenLines>[0]>) =>
      forgottenLines({ leaves, ...more }).join('\n');
    assert.match(text({}), /^Forgotten: nothing here opens 1 code/);
    assert.match(text({ other: 'forgot' }), /^Forgotten: [^]*has forgotten them too\.$/);
    assert.match(text({ other: 'awaited' }), /^Forgotten on this machine: [^.]*\.[^.]*\.$/);
    const onStandby = text({ other: 'forgot', declared: 'on-writer' });
    assert.match(onStandby, /^Forgotten on this machine: [^]*has forgotten the codes too\.$/);
  });

  it('takes a person whose codes have ended', async () => {
    await issue('me');
    cli.nowS += 8 * 86_400;
    await cli.json('forget', region, '--subject', 'me');
  });

  it('refuses to forget nobody in particular', async () => {
    assert.equal((await cli.run('forget', region)).exit, 2);
  });
});

function filesOf(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file, readFileSync(file).toString('base64')];
    }),
  );
}
