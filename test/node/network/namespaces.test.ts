import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Namespaces } from '../../support/namespaces.ts';
import { type FromNode, type ToNode } from '../../support/namespace-child.ts';
import { others } from '../../support/host-fixture.ts';
import { until } from '../../support/until.ts';

const REGIONS = ['DE', 'FR', 'IT'] as const;
const isCompiled = import.meta.filename.endsWith('.js');
const CHILD = join(import.meta.dirname, `../../support/namespace-child.${isCompiled ? 'js' : 'ts'}`);

/** A node in its namespace, and what it said last. */
interface Node {
  readonly child: ChildProcess;
  regions: readonly string[];
  dead: number;
  answered: number | undefined;
}

describe('nodes in network namespaces', function () {
  this.timeout(60_000);
  let spaces: Namespaces | undefined;
  const nodes = new Map<string, Node>();

  before(async function () {
    const { hindrance } = Namespaces;
    if (hindrance !== undefined) {
      console.log(`      skipped: ${hindrance}`);
      return this.skip();
    }
    spaces = new Namespaces(REGIONS);
    for (const region of REGIONS) nodes.set(region, start(spaces, region));
    await connected(REGIONS);
  });

  after(async () => {
    const children = [...nodes.values()].map(({ child }) => child);
    const ended = children.flatMap((child) => (child.exitCode === null ? [once(child, 'exit')] : []));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ended);
    spaces?.remove();
  });

  function start(within: Namespaces, region: string): Node {
    const known = others(REGIONS, region).map((other) => `${other}=${within.listenOf(other)}`);
    const [program, args] = within.command(
      region,
      ...[process.execPath, ...process.execArgv, CHILD, region, within.listenOf(region), ...known],
    );
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const node: Node = { child, regions: [], dead: 0, answered: undefined };
    child.on('message', (message: FromNode) => {
      if (message.kind === 'asked') node.answered = message.answered;
      else ({ regions: node.regions, dead: node.dead } = message);
    });
    return node;
  }

  const node = (region: string): Node => nodes.get(region) ?? assert.fail(`no node of ${region}`);

  /** Resolves once each of them is connected to all others of them, and to nobody else. */
  const connected = (regions: readonly string[]) =>
    until(
      () => regions.every((region) => node(region).regions.join() === others(regions, region).sort().join()),
      `${regions.join(', ')} are connected`,
      30_000,
    );

  async function answersOf(region: string, other: string, times: number): Promise<number> {
    const asking = node(region);
    asking.answered = undefined;
    asking.child.send({ ask: other, times } satisfies ToNode);
    await until(() => asking.answered !== undefined, `${region} has asked ${other}`);
    return asking.answered ?? 0;
  }

  it('T14: a link that goes down is noticed without a word from the other end; once it is up they are connected again', async () => {
    const before = REGIONS.map((region) => node(region).dead);
    spaces?.setLink('IT', 'down');
    await until(() => node('IT').regions.length === 0, 'IT notices');
    await connected(['DE', 'FR']);
    // Nothing closed them: they were given up for want of an echo.
    REGIONS.forEach((region, i) => assert.ok(node(region).dead > (before[i] ?? 0), region));
    assert.equal(await answersOf('DE', 'FR', 8), 8);
    spaces?.setLink('IT', 'up');
    await connected(REGIONS);
    assert.equal(await answersOf('DE', 'IT', 8), 8);
  });

  it('T14: where one way alone is gone, both ends notice', async () => {
    spaces?.misdirect('IT');
    await until(() => node('IT').regions.length === 0, 'IT notices');
    await connected(['DE', 'FR']);
    spaces?.find('IT');
    await connected(REGIONS);
    assert.equal(await answersOf('IT', 'DE', 8), 8);
  });

  it('a fifth of all packets is lost: all is answered', async function () {
    if (spaces?.lose('FR', 20) !== true) {
      console.log('      skipped: the kernel has no netem');
      return this.skip();
    }
    assert.equal(await answersOf('DE', 'FR', 16), 16);
    spaces.lose('FR', 0);
    await connected(REGIONS);
  });
});
