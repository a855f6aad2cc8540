/** Opening a region for a command, whoever works on its directory now. */
import { isNodeError } from '../../node/node-error.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type Cli } from '../cli.ts';
import { regionModules, withRegion } from '../region.ts';
import { actorOf, configuredOperator } from './actor.ts';
import { type Desk } from './desk.ts';
import { OwnDesk, type SigningMeter } from './own-desk.ts';
import { type RunningDesk } from './running-desk.ts';

export interface WithDeskOptions {
  /** Signs although too few peers can be asked. */
  readonly withoutPeers?: boolean | undefined;
  /** Does without signing where that is not possible. */
  readonly reading?: boolean;
  /** Goes on where somebody else signs with the region's keys: for what the root says of that. */
  readonly healing?: boolean;
  /** Speaks of its peers, and of batches that nobody has got, by itself. */
  readonly silent?: boolean;
  /** See `WithRegionOptions`. */
  readonly inParts?: boolean;
}

/**
 * Uses the region at `path`: opens its directory, or asks the node that holds it open. What came of it is published by the end.
 * @throws {NodeError} STORE_LOCKED if another command works on it; and as `withRegion`.
 */
export async function withDesk<T>(
  cli: Cli,
  path: string,
  use: (desk: Desk, modules: RegionModules) => Promise<T>,
  options: WithDeskOptions = {},
): Promise<T> {
  const meter: SigningMeter = { onSigned: () => undefined, onHashed: () => undefined };
  const opened = () =>
    withRegion(
      cli,
      path,
      async (region, modules) => {
        const actor = await actorOf(region, modules);
        const signer = await configuredOperator(region.layout, region.config, modules);
        return use(new OwnDesk(region, { ...modules, actor, signer, meter }), modules);
      },
      {
        ...options,
        onSigned: () => meter.onSigned(),
        onHashed: (documents) => meter.onHashed(documents),
      },
    );
  return orByNode(cli, path, opened, async (desk, modules) => {
    if (options.withoutPeers === true) await desk.force();
    const result = await use(desk, modules);
    if (options.reading !== true) await desk.publish();
    return result;
  });
}

/**
 * What `open` gives that opens the directory; where a node holds that open, what `ask` gives that asks the node.
 * @throws {NodeError} STORE_LOCKED if neither is possible; and as the two.
 */
export async function orByNode<T>(
  cli: Cli,
  path: string,
  open: () => Promise<T>,
  ask: (desk: RunningDesk, modules: RegionModules) => Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!isNodeError(error, 'STORE_LOCKED')) throw error;
    const modules = await regionModules(cli);
    const desk = await runningDesk(cli, path, modules);
    if (desk === undefined) throw error;
    return ask(desk, modules);
  }
}

/** The node that runs on a directory; undefined if none answers. */
async function runningDesk(cli: Cli, path: string, modules: RegionModules): Promise<RunningDesk | undefined> {
  // What asks over HTTP is loaded only where it is used.
  const { RunningDesk } = await import('./running-desk.ts');
  try {
    return await RunningDesk.open(path, cli.surroundings.environment ?? {}, modules);
  } catch (error) {
    if (isNodeError(error, 'PEER_UNREACHABLE')) return undefined;
    throw error;
  }
}
