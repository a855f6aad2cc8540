/** Regions that recognise each other, each a directory of its own and, once started, a process of its own. */
import { join } from 'node:path';
import { giveAddresses } from '../../cli/processes/prepare.ts';
import { AdminClient } from '../../node/http/admin-client.ts';
import { TestCli } from './cli.ts';
import { RunningNode } from './running-node.ts';

export class ProcessFederation {
  readonly dir: string;
  readonly regions: readonly string[];
  readonly #nodes = new Map<string, RunningNode>();

  private constructor(dir: string, regions: readonly string[]) {
    this.dir = dir;
    this.regions = regions;
  }

  /** Sets them up below the empty folder `dir`, at addresses that they keep. None runs yet. */
  static async found(dir: string, regions: readonly string[]): Promise<ProcessFederation> {
    const cli = new TestCli(dir);
    cli.nowS = Math.floor(Date.now() / 1000);
    for (const region of regions) {
      await cli.json('init', region, '--dir', cli.path(region));
      await giveAddresses(cli.path(region));
    }
    for (const region of regions)
      for (const peer of regions)
        if (peer !== region) await cli.json('recognise', cli.path(region), cli.path(peer));
    return new ProcessFederation(dir, regions);
  }

  /** Starts the node of a region; it is ready once this resolves. */
  async start(region: string, env: NodeJS.ProcessEnv = {}): Promise<RunningNode> {
    const node = await RunningNode.startWith(env, join(this.dir, region), '--set', 'log.level=warn');
    this.#nodes.set(region, node);
    await node.ready();
    return node;
  }

  /** Those that were started and not ended since. */
  get running(): ReadonlyMap<string, RunningNode> {
    return this.#nodes;
  }

  /** How its operator asks the node of a region. */
  admin(region: string): AdminClient {
    const dir = join(this.dir, region);
    return new AdminClient({ listen: join(dir, 'admin.sock'), secretFile: join(dir, 'admin.secret') });
  }

  async end(region: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const node = this.#nodes.get(region);
    this.#nodes.delete(region);
    await node?.end(signal);
  }

  /** None runs any more. Safe to call twice. */
  async stop(): Promise<void> {
    await Promise.all(this.regions.map((region) => this.end(region)));
  }
}
