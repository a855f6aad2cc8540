import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { outcomeOf, spawnCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface UpEvent {
  readonly event: string;
  readonly region?: string;
  readonly regions?: readonly { region: string; path: string; http: string; pid: number }[];
  readonly pid?: number;
}

describe('entente up', function () {
  this.timeout(180_000);
  const folder = temporaryFolders();
  const pids = new Set<number>();
  let child: ChildProcessWithoutNullStreams | undefined;
  afterEach(() => {
    child?.kill('SIGKILL');
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    pids.clear();
  });

  /** Starts it, and gives its events one at a time. */
  function start(...args: readonly string[]): (kind: string) => Promise<UpEvent> {
    child = spawnCli(['up', ...args, '--json']);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return async (kind) => {
      for (;;) {
        const line = await lines.next();
        if (line.done === true) assert.fail(`it ended before ${kind}`);
        const event = JSON.parse(line.value) as UpEvent;
        for (const { pid } of event.regions ?? []) pids.add(pid);
        if (event.pid !== undefined) pids.add(event.pid);
        if (event.event === kind) return event;
      }
    };
  }

  function ended(): Promise<number | null> {
    return new Promise((resolve) => child?.once('close', resolve));
  }

  it("sets up regions that take each other's codes, and leaves nothing behind", async () => {
    const next = start('--regions', '2');
    const { regions = [] } = await next('running');
    const [issuer, gate] = regions;
    assert.ok(issuer !== undefined && gate !== undefined);
    const issued = await outcomeOf(
      spawnCli(['issue', issuer.path, '--subject', 'Person 1', '--colour', 'green']),
    );
    assert.equal(issued.exit, 0, issued.err);
    const deadline = Date.now() + 30_000;
    for (;;) {
      const { out } = await outcomeOf(spawnCli(['verify', '--node', gate.http, issued.out.trimEnd()]));
      if (out.startsWith('PASS')) break;
      assert.ok(Date.now() < deadline, out);
    }
    const over = ended();
    child?.kill('SIGINT');
    assert.equal(await over, 0);
    for (const { pid } of regions) assert.ok(!isAlive(pid));
    assert.ok(!existsSync(dirname(issuer.path)));
  });

  it('starts a node again that dies, and keeps a directory that was named', async () => {
    const dir = join(folder(), 'federation');
    const next = start(dir, '--regions', '1');
    const [only] = (await next('running')).regions ?? [];
    assert.ok(only !== undefined);
    process.kill(only.pid, 'SIGKILL');
    assert.equal((await next('ended')).region, only.region);
    const back = await next('back');
    assert.notEqual(back.pid, only.pid);
    const over = ended();
    child?.kill('SIGTERM');
    assert.equal(await over, 0);
    assert.ok(!isAlive(back.pid ?? 0));
    assert.deepEqual(readdirSync(dir), [only.region]);
  });

  it('runs regions that were set up one by one with the same ports, beside other files, and connects them', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'notes.txt'), 'not a region');
    for (const region of ['DE', 'FR']) {
      const { exit, err } = await outcomeOf(spawnCli(['init', region, '--dir', join(dir, region)]));
      assert.equal(exit, 0, err);
    }
    for (const [home, peer] of [
      ['DE', 'FR'],
      ['FR', 'DE'],
    ] as const) {
      await outcomeOf(spawnCli(['recognise', join(dir, home), join(dir, peer)]));
    }
    const config = join(dir, 'FR', 'entente.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('8601', '8600').replace('4601', '4600'));
    const next = start(dir);
    const { regions = [] } = await next('running');
    assert.deepEqual(regions.map(({ region }) => region).sort(), ['DE', 'FR']);
    assert.equal(new Set(regions.map(({ http }) => http)).size, 2);
    for (const { path } of regions) {
      const { out } = await outcomeOf(spawnCli(['peer', 'list', path, '--json']));
      const { peers } = JSON.parse(out) as { peers: { connected: object[] }[] };
      assert.deepEqual(
        peers.map(({ connected }) => connected.length),
        [1],
      );
    }
    const over = ended();
    child?.kill('SIGINT');
    assert.equal(await over, 0);
  });

  it('ends with 2 for no regions, and for more than it knows', async () => {
    for (const count of ['0', '99', 'x']) {
      assert.equal((await outcomeOf(spawnCli(['up', '--regions', count]))).exit, 2);
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
