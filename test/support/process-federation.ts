/** Regions that recognise each other, each a directory of its own and, once started, a process of its own. */
import { join } from 'node:path';
import { giveAddresses } from '../../cli/processes/prepare.ts';
import { Cli } from '../../cli/cli.ts';
import { regionModules, withRegion } from '../../cli/region.ts';
import { processSurroundings } from '../../cli/surroundings.ts';
import { editConfig } from '../../node/config/config-file.ts';
import { AdminClient } from '../../node/http/admin-client.ts';
import { foundRegion } from '../../node/region/found.ts';
import { RegionLayout } from '../../node/region/layout.ts';
import { RunningNode } from './running-node.ts';

/** Milliseconds for a node among many that start at the same time. */
const START_MS_MAX = 300_000;
const RECOGNISED_S = 30 * 86_400;
const surroundings = { ...processSurroundings(), writeOut: () => undefined, writeErr: () => undefined };

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
    const cli = new Cli({ json: true }, surroundings);
    const pathOf = (region: string): string => join(dir, region);
    const fingerprints = new Map<string, Uint8Array>();
    for (const region of regions) {
      const options = { region, network: 'demo', name: region, roots: 1, threshold: 1 };
      fingerprints.set(region, await foundRegion(pathOf(region), options, await regionModules(cli)));
      await giveAddresses(pathOf(region));
    }
    for (const region of regions) {
      const others = [...fingerprints].filter(([other]) => other !== region);
      const layout = new RegionLayout(pathOf(region));
      await withRegion(cli, pathOf(region), async (own, { nowS }) => {
        const [from, until] = [nowS(), nowS() + RECOGNISED_S];
        await own.append(
          others.map(([other, fingerprint]) => ({
            kind: 'recognition',
            region: other,
            version: 1,
            fingerprint,
            way: 'direct',
            rules: null,
            from,
            until,
          })),
          'root',
        );
      });
      await editConfig(
        layout.config,
        others.map(([other]) => ({ at: ['peers', other, 'directory'], value: `../${other}/public` })),
      );
    }
    return new ProcessFederation(dir, regions);
  }

  /** Starts the node of a region; it listens once this resolves. */
  async begin(region: string, env: NodeJS.ProcessEnv = {}): Promise<RunningNode> {
    const node = RunningNode.spawn(env, join(this.dir, region), '--set', 'log.level=warn');
    this.#nodes.set(region, node);
    await node.event('listens', undefined, START_MS_MAX);
    return node;
  }

  /** The same; it gives verdicts and signs once this resolves. */
  async start(region: string, env: NodeJS.ProcessEnv = {}): Promise<RunningNode> {
    const node = await this.begin(region, env);
    await node.ready(START_MS_MAX);
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
