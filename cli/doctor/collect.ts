/** Collects what the checks look at: from the node that runs on a directory, or from the directory itself and its peers. */
import { resolve } from 'node:path';
import { isNodeError, type NodeError } from '../../node/node-error.ts';
import { nodeSeedIn } from '../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { readPublicRegion } from '../../node/region/public-region.ts';
import { PublishedNetwork } from '../../node/region/published-network.ts';
import { openRegion, type Region } from '../../node/region/region.ts';
import { type Config } from '../../node/config/schema.ts';
import { type Cli } from '../cli.ts';
import { regionModules } from '../region.ts';
import { askStatus, nodeStatusSchema, type RunningStatus, runningStatus } from '../desk/node-status.ts';
import { type Patient, type PeerView, type ReadablePatient } from './patient.ts';
import { probePeers, recognisedBy } from './probe.ts';

type Found = Pick<Patient, 'running' | 'storeError' | 'sizes' | 'state' | 'life' | 'peers'>;

const NOTHING: Found = {
  running: undefined,
  storeError: undefined,
  sizes: undefined,
  state: undefined,
  life: undefined,
  peers: [],
};

/** Never rejects for what is wrong with the region: that is what the checks tell. */
export async function collect(cli: Cli, path: string): Promise<Patient> {
  const begunMs = { wall: Date.now(), run: performance.now() };
  const layout = new RegionLayout(resolve(path));
  const { environment = {}, nowS } = cli.surroundings;
  let config: Config | undefined;
  let configError: NodeError | undefined;
  let found = NOTHING;
  try {
    config = await readRegionConfig(layout, { environment });
    const running = await runningStatus(path, environment);
    found =
      running === undefined
        ? await ofStopped(cli, layout, config)
        : await ofRunning(cli, layout, config, running);
  } catch (error) {
    if (!isNodeError(error)) throw error;
    if (config === undefined) configError = error;
    else found = { ...NOTHING, storeError: error };
  }
  const steppedMs = Date.now() - begunMs.wall - (performance.now() - begunMs.run);
  return { path, layout, nowS: nowS(), config, configError, ...found, steppedMs };
}

/** Of a node that runs. Rejects as `askStatus` where none does, and as `readRegionConfig`. */
export async function runningPatient(
  cli: Cli,
  path: string,
): Promise<ReadablePatient & { readonly running: RunningStatus }> {
  const layout = new RegionLayout(resolve(path));
  const { environment = {}, nowS } = cli.surroundings;
  const config = await readRegionConfig(layout, { environment });
  const running = await askStatus(path, environment);
  const found = await ofRunning(cli, layout, config, running);
  return { path, layout, nowS: nowS(), config, configError: undefined, ...found, running, steppedMs: 0 };
}

async function ofRunning(
  cli: Cli,
  layout: RegionLayout,
  { region, network }: Config,
  running: RunningStatus,
): Promise<Found> {
  // A running node has the store; what it publishes can be read beside it.
  const published = await readPublicRegion(
    layout.public,
    { region, network },
    await regionModules(cli),
  ).catch(() => undefined);
  const peers = running.regions
    .filter(({ standing }) => standing !== 'home')
    .map(({ region: peer }): PeerView => {
      const missing = Object.values(running.missing).find((one) => one.region === peer);
      return {
        region: peer,
        connected: running.peers.find((one) => one.region === peer),
        trouble: missing?.trouble,
        addresses: missing?.addresses ?? [],
        aheadS: running.clock.aheadOfS[peer],
        knowsMore: undefined,
      };
    });
  const { life } = running;
  return { ...NOTHING, running, state: published?.state, sizes: running.sizes, life, peers };
}

async function ofStopped(cli: Cli, layout: RegionLayout, config: Config): Promise<Found> {
  const modules = await regionModules(cli);
  const region = await openReading(cli, layout, modules);
  try {
    const { node, state } = region;
    const stateOf = (of: string) => node.keeper(of)?.state;
    const { sizes } = node.status;
    const life = nodeStatusSchema.shape.life.parse(await node.life.report().catch(unreadable));
    const identitySeed = await nodeSeedIn(layout.keys, config);
    if (identitySeed === undefined) {
      const peers = recognisedBy(state).map((peer) => undialled(peer, config));
      return { ...NOTHING, sizes, state, life, peers };
    }
    const peers = await probePeers({ config, identitySeed, sizes }, { ...modules, stateOf });
    return { ...NOTHING, sizes, state, life, peers };
  } finally {
    await region.close();
  }
}

/** What is wrong with the store is told by checks of their own. */
function unreadable(error: unknown): undefined {
  if (!isNodeError(error)) throw error;
  return undefined;
}

/** As a start opens it, and so that it never signs: nobody is asked, and nobody's answer would be enough. */
function openReading(cli: Cli, layout: RegionLayout, modules: RegionModules): Promise<Region> {
  const { environment = {} } = cli.surroundings;
  return openRegion(
    layout.path,
    { over: { environment }, node: { onDemand: true, bootQuorum: () => Infinity } },
    {
      ...modules,
      networkFor: () => ({
        network: new PublishedNetwork(new Map()),
        regionOf: () => undefined,
        canAsk: () => false,
      }),
    },
  );
}

function undialled(region: string, { peers }: Config): PeerView {
  const { addresses = [] } = peers[region] ?? {};
  return {
    region,
    addresses,
    connected: undefined,
    trouble: undefined,
    aheadS: undefined,
    knowsMore: undefined,
  };
}
