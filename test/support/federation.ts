/**
 * Regions whose nodes are processes, and which meet by sockets alone: none reads the files of another once they run. Each is told
 * of the others by its operator. The last is dialled through a proxy and can dial nobody, so that it can be cut off.
 */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { giveAddresses } from '../../cli/processes/prepare.ts';
import { editConfig } from '../../node/config/config-file.ts';
import { AdminClient } from '../../node/http/admin-client.ts';
import { VerdictClient } from '../../node/http/verdict-client.ts';
import { peerNameOf } from '../../node/network/peer-name.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { openNodeIdentity } from '../../node/service/node-identity.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { TestCli } from './cli.ts';
import { FaultProxy, portOf } from './fault-proxy.ts';
import { realModules } from './issuing-child.ts';
import { RunningNode } from './running-node.ts';

/** Where nobody listens: what a trust log says of nodes that are found by the word of an operator alone. */
const NOWHERE = '/ip4/127.0.0.1/tcp/1';
const LOOK_MS = 10;
export const DEADLINE_MS = 30_000;

export class Federation {
  readonly cli: TestCli;
  readonly regions: readonly string[];
  /** Before the last region. */
  readonly proxy: FaultProxy;
  readonly #nodes = new Map<string, RunningNode>();
  #aheadMs = 0;

  private constructor(cli: TestCli, regions: readonly string[], proxy: FaultProxy) {
    this.cli = cli;
    this.regions = regions;
    this.proxy = proxy;
  }

  /** Regions below `dir` that recognise and have witnessed each other. Nothing runs yet but the proxy. */
  static async found(dir: string, regions: readonly string[]): Promise<Federation> {
    const cli = new TestCli(dir);
    cli.nowS = Math.floor(Date.now() / 1_000);
    for (const region of regions) {
      await cli.json('init', region, '--dir', cli.path(region));
      await giveAddresses(cli.path(region));
    }
    for (const one of regions)
      for (const other of regions)
        if (one !== other) await cli.json('recognise', cli.path(one), cli.path(other));
    for (const region of regions) await cli.json('witness', cli.path(region));

    const last = regions.at(-1) ?? '';
    const proxy = new FaultProxy(portOf(await addressOf(cli.path(last))));
    const proxied = `/ip4/127.0.0.1/tcp/${await proxy.start()}`;
    for (const region of regions) {
      await setConfig(cli.path(region), ['p2p', 'announce'], [region === last ? proxied : NOWHERE]);
      for (const other of regions) {
        if (other === region) continue;
        const address =
          region === last ? NOWHERE : other === last ? proxied : await addressOf(cli.path(other));
        await tellOf(cli, region, other, address);
      }
    }
    return new Federation(cli, regions, proxy);
  }

  /** A region that recognises all others and dials them; none of them recognises it. */
  async foundStranger(region: string): Promise<void> {
    const { cli } = this;
    await cli.json('init', region, '--dir', cli.path(region));
    await giveAddresses(cli.path(region));
    for (const other of this.regions) await cli.json('recognise', cli.path(region), cli.path(other));
    // Once it knows where they are, it signs nothing before they have answered.
    for (const other of this.regions) await tellOf(cli, region, other, await addressOf(cli.path(other)));
  }

  /** The operator of a machine names the node of a region, where it listens. */
  async tell(name: string, other: string): Promise<void> {
    await tellOf(this.cli, name, other, await addressOf(this.cli.path(other)));
  }

  /** Starts the node of a region; resolves once it listens. */
  async start(region: string, ...args: readonly string[]): Promise<RunningNode> {
    const node = RunningNode.startAhead(
      this.#aheadMs,
      this.cli.path(region),
      '--set',
      'log.level=warn',
      ...args,
    );
    this.#nodes.set(region, node);
    await node.event('listens');
    return node;
  }

  node(region: string): RunningNode {
    return this.#nodes.get(region) ?? assert.fail(`no node of ${region}`);
  }

  admin(region: string): AdminClient {
    const dir = this.cli.path(region);
    return new AdminClient({ listen: `${dir}/admin.sock`, secretFile: `${dir}/admin.secret` });
  }

  async issue(region: string, subject: string, ...args: readonly string[]): Promise<string> {
    const order = ['issue', this.cli.path(region), '--subject', subject, '--colour', 'green', ...args];
    return (await this.cli.json<{ code: string }>(...order)).code;
  }

  /** The regions that a node is connected to, in order. */
  async peersOf(region: string): Promise<readonly string[]> {
    const { peers } = (await this.admin(region).ask({ method: 'GET', path: '/v1/peers' })) as {
      readonly peers: readonly { readonly region: string }[];
    };
    return [...new Set(peers.map((peer) => peer.region))].sort();
  }

  async verdict(region: string, code: string): Promise<Verdict> {
    return (await new VerdictClient({ urls: [this.node(region).url] }).verify(code)).verdict;
  }

  /** The first verdict of a node that is so. */
  async verdictOnce(
    region: string,
    code: string,
    isSo: (verdict: Verdict) => boolean,
    deadlineMs?: number,
  ): Promise<Verdict> {
    return eventually(
      () => this.verdict(region, code),
      isSo,
      (verdict) => `${region}: ${lineOf(verdict)}`,
      deadlineMs,
    );
  }

  /** What a node serves at a path. */
  async get(region: string, path: string): Promise<Buffer> {
    const response = await fetch(this.node(region).url + path);
    assert.equal(response.status, 200, `${region}${path}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Puts the clocks of these nodes forward, and of all that start later. */
  async pass(ms: number, regions: readonly string[]): Promise<void> {
    this.#aheadMs += ms;
    this.cli.nowS += ms / 1_000;
    await Promise.all(regions.map((region) => this.node(region).setAhead(this.#aheadMs)));
  }

  /** Ends all of it. */
  async stop(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.end('SIGKILL')));
    await this.proxy.stop();
  }
}

/** Asks until the answer is so, and fails with what the last one was. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isSo: (answer: T) => boolean,
  tell: (answer: T) => string = String,
  deadlineMs = DEADLINE_MS,
  lookMs = LOOK_MS,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (performance.now() > endMs) assert.fail(`not within ${deadlineMs} ms, but ${tell(answer)}`);
    await setTimeout(lookMs);
  }
}

/** Outcome and reasons. */
export function lineOf({ outcome, reasons }: Verdict): string {
  return [outcome, ...reasons.map(({ code }) => code)].join(' ');
}

async function addressOf(dir: string): Promise<string> {
  const { p2p } = await readRegionConfig(new RegionLayout(dir));
  return p2p.listen[0] ?? assert.fail(`${dir} listens nowhere`);
}

/** The operator of one region names the node of another. */
async function tellOf(cli: TestCli, region: string, other: string, address: string): Promise<void> {
  const layout = new RegionLayout(cli.path(other));
  const identity = await openNodeIdentity(layout.keys, await readRegionConfig(layout), await realModules());
  const named = `${address}/p2p/${peerNameOf(identity.publicKey)}`;
  await setConfig(cli.path(region), ['peers', other], { addresses: [named] });
}

async function setConfig(dir: string, at: readonly string[], value: unknown): Promise<void> {
  await editConfig(new RegionLayout(dir).config, [{ at, value }]);
}
