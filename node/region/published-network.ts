/**
 * Regions that meet by their public directories: the network of a command, and of regions that share a disk or a medium that is
 * carried around. Nobody can be told anything; whoever is asked answers with what lies there.
 */
import { type Sha256 } from '../../protocol/primitives.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Network } from '../ports.ts';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL } from '../sync/messages.ts';
import { isErrno } from './files.ts';
import { type RegionLayout } from './layout.ts';
import { PublishedRegion } from './published-region.ts';
import { type NetworkGround, type RegionNetwork } from './region.ts';

/** Where something is published, and what it answers: a `PublishedRegion`. */
export type Publication = Pick<PublishedRegion, 'path' | 'answer'>;

export class PublishedNetwork implements Network {
  readonly #regions: ReadonlyMap<string, Publication>;
  readonly #unreachable = new Map<string, string>();

  /** What is published, by region: a peer of this network is called by the id of its region. */
  constructor(regions: ReadonlyMap<string, Publication>) {
    this.#regions = regions;
  }

  /** Why regions did not answer when they were asked last. */
  get unreachable(): readonly { readonly region: string; readonly reason: string }[] {
    return [...this.#unreachable]
      .filter(([peer]) => peer !== OWN)
      .map(([region, reason]) => ({ region, reason }));
  }

  async request(peer: string, protocol: string, request: Uint8Array): Promise<Uint8Array> {
    const region = this.#regions.get(peer);
    if (region === undefined || protocol !== SYNC_PROTOCOL) {
      throw new NodeError('PEER_UNREACHABLE', `${peer} publishes nothing that answers ${protocol}`);
    }
    try {
      const answer = encodeAnswer(await region.answer(parseRequest(request)));
      this.#unreachable.delete(peer);
      return answer;
    } catch (error) {
      if (isNodeError(error, 'PEER_UNREACHABLE')) this.#unreachable.set(peer, error.message);
      if (!isErrno(error, 'EACCES') && !isErrno(error, 'EIO') && !isErrno(error, 'ENOTDIR')) throw error;
      const message = `${region.path} cannot be read: ${(error as Error).message}`;
      this.#unreachable.set(peer, message);
      throw new NodeError('PEER_UNREACHABLE', message, { retry: true, cause: error });
    }
  }

  peers(): readonly string[] {
    return [...this.#regions.keys()];
  }

  publish(): void {
    // Whoever looks finds what is published.
  }

  handle(): void {
    // Nobody asks by this way.
  }

  subscribe(): void {
    // Nobody tells anything by this way.
  }

  onConnect(): void {
    // All are there from the beginning.
  }
}

/** The name under which a region asks its own public directory. */
const OWN = 'own';

export interface DirectoryNetwork extends RegionNetwork {
  readonly network: PublishedNetwork;
  /** Goes by the peers of another config from now on. */
  readonly takePeers: (peers: NetworkGround['config']['peers']) => void;
}

/** The public directories of a region's peers, by the config; `instead` stands in for some of them, or adds others. */
export function publishedNetwork(
  { layout, config, state }: NetworkGround,
  modules: { readonly sha256: Sha256 },
  instead: ReadonlyMap<string, string> = new Map(),
): DirectoryNetwork {
  const own = ownPublication(layout.public, state, modules);
  const regions = new Map<string, Publication>();
  const takePeers = (peers: NetworkGround['config']['peers']) => {
    regions.clear();
    regions.set(OWN, own);
    for (const [region, path] of [...directoriesOf(peers, layout), ...instead]) {
      regions.set(region, new PublishedRegion(path, modules));
    }
  };
  takePeers(config.peers);
  return {
    network: new PublishedNetwork(regions),
    regionOf: (peer) => (peer === OWN ? undefined : peer),
    canAsk: (region) => regions.has(region),
    takePeers,
  };
}

/** Where the peers of a config publish, by region. */
export function directoriesOf(
  peers: NetworkGround['config']['peers'],
  layout: RegionLayout,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(peers).flatMap(([region, { directory }]) =>
      directory === undefined ? [] : [[region, layout.resolve(directory)] as const],
    ),
  );
}

/**
 * What the region itself has published. Where the store has gone back and this has not, it shows that and gives what is missing;
 * but a store that is empty is lost, and this alone does not say how much of it.
 */
function ownPublication(
  path: string,
  state: NetworkGround['state'],
  modules: { readonly sha256: Sha256 },
): Publication {
  const own = new PublishedRegion(path, modules);
  return {
    path,
    answer: (request) =>
      request.kind === 'range' && state()?.root === undefined
        ? Promise.resolve({ kind: 'refused', reason: 'not-there' })
        : own.answer(request),
  };
}
