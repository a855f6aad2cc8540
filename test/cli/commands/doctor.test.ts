import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { giveAddresses } from '../../../cli/processes/prepare.ts';
import { outcomeOf, spawnCli, TestCli } from '../../support/cli.ts';
import { RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Report {
  readonly isRunning: boolean;
  readonly must: number;
  readonly findings: readonly {
    readonly family: string;
    readonly level: string;
    readonly text: string;
    readonly fix?: string;
  }[];
}

describe('entente doctor', function () {
  this.timeout(240_000);
  const folder = temporaryFolders();
  const nodes = new Set<RunningNode>();
  let cli: TestCli;
  afterEach(async () => {
    await Promise.all([...nodes].map((node) => node.end('SIGKILL')));
    nodes.clear();
  });

  /** Two regions that recognise each other and know each other by the network of nodes alone. */
  async function twoRegions(): Promise<void> {
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1_000);
    for (const region of ['DE', 'FR']) {
      await cli.json('init', region, '--dir', cli.path(region));
      await giveAddresses(cli.path(region));
    }
    await cli.json('recognise', cli.path('DE'), cli.path('FR'));
    await cli.json('recognise', cli.path('FR'), cli.path('DE'));
  }

  async function start(region: string): Promise<RunningNode> {
    const node = await RunningNode.start(cli.path(region));
    nodes.add(node);
    return node;
  }

  async function doctor(region: string): Promise<Report & { readonly exit: number | null }> {
    const { exit, out, err } = await outcomeOf(spawnCli(['doctor', cli.path(region), '--json']));
    assert.notEqual(out, '', err);
    return { ...(JSON.parse(out) as Report), exit };
  }

  /** Commits to the state of the trust log, and gives the index of that statement. */
  async function state(region: string): Promise<number> {
    const { exit, out, err } = await outcomeOf(spawnCli(['state', cli.path(region), '--json']));
    assert.equal(exit, 0, err);
    return (JSON.parse(out) as { readonly index: number }).index;
  }

  /** The first report that has such a line. */
  async function reportWith(region: string, family: string, text: RegExp): ReturnType<typeof doctor> {
    const deadline = AbortSignal.timeout(60_000);
    for (;;) {
      const report = await doctor(region);
      if (has(report, family, text)) return report;
      assert.ok(!deadline.aborted, JSON.stringify(report.findings));
    }
  }

  it('finds two nodes well while they run and while one is stopped, and a backup that was put back', async () => {
    await twoRegions();
    const [de, fr] = [await start('DE'), await start('FR')];
    await Promise.all([de.ready(), fr.ready()]);
    await reportWith('DE', 'peers', /FR is connected/);
    const report = await reportWith('DE', 'peers', /FR vouched for our log \d+ s ago, we for its \d+ s ago/);
    assert.deepEqual(
      [report.exit, report.must, report.isRunning],
      [0, 0, true],
      JSON.stringify(report.findings),
    );
    assert.ok(report.findings.some(({ text }) => /it signs/.test(text)));

    // A copy of the store, as somebody makes who backs up too little; then the log goes on, and FR sees it.
    await de.end();
    nodes.delete(de);
    cpSync(cli.path('DE', 'store'), cli.path('backup'), { recursive: true });
    const again = await start('DE');
    await again.ready();
    const newest = await state('DE');
    await reportWith('DE', 'peers', /FR vouched for our log \d+ s ago/);
    await again.end();
    nodes.delete(again);
    const stopped = await doctor('DE');
    assert.deepEqual([stopped.exit, stopped.isRunning], [0, false], JSON.stringify(stopped.findings));
    assert.ok(
      stopped.findings.some(({ family, text }) => family === 'peers' && /FR is connected/.test(text)),
    );
    assert.ok(stopped.findings.some(({ text }) => /know nothing of its logs that is not here/.test(text)));
    assert.ok(stopped.findings.some(({ family, text }) => family === 'clock' && /agrees with FR/.test(text)));

    rmSync(cli.path('DE', 'store'), { recursive: true });
    cpSync(cli.path('backup'), cli.path('DE', 'store'), { recursive: true });
    rmSync(cli.path('DE', 'second-place'), { recursive: true });
    const old = await doctor('DE');
    assert.equal(old.exit, 5);
    assert.ok(old.findings.some(({ text }) => /old copy/.test(text)));

    // A command asks FR too, of which it has no directory any more, and goes on from what that knows.
    rmSync(cli.path('DE', 'public'), { recursive: true });
    await cli.json('peer', 'remove', cli.path('DE'), 'FR');
    assert.ok((await state('DE')) > newest);
  });

  it('ends with 1 where there is no region; its help has examples and exit codes', async () => {
    cli = new TestCli(folder());
    await cli.json('init', 'DE', '--dir', cli.path('DE'));
    const { exit, out } = await cli.run('doctor', cli.path('none'));
    assert.equal(exit, 1);
    assert.match(out, /MUST {2}configuration/);
    const help = await cli.run('doctor', '--help');
    assert.match(help.out, /Examples:/);
    assert.match(help.out, /Exit codes:/);
  });
});

function has({ findings }: Report, family: string, text: RegExp): boolean {
  return findings.some((one) => one.family === family && text.test(one.text));
}
