/**
 * The network of a command on a directory whose node does not run: what peers have published, and their nodes, dialled in the name of
 * the own one before its logs are checked. So a command asks whom the node would ask.
 */
import { type Admissions } from '../network/admissions.ts';
import { DialledPeers } from '../network/dialled-peers.ts';
import { DIAL_TROUBLES } from '../network/host/dial-trouble.ts';
import { namedPeers } from '../network/named-peers.ts';
import { WRITER_PROTOCOL } from '../writer/writer-messages.ts';
import { nodeSeedIn } from './key-file.ts';
import { MeetingNetwork } from './meeting-network.ts';
import { type RegionModules } from './modules.ts';
import { directoriesOf, type DirectoryNetwork, publishedNetwork } from './published-network.ts';
import { type NetworkGround, type RegionNetwork } from './region.ts';

export interface CommandNetworkOptions {
  /** See `HostOptions`. */
  readonly software: string;
  /** Public directories that stand in for those of the config, or are met besides, by region. */
  readonly instead?: ReadonlyMap<string, string> | undefined;
}

export interface Unreachable {
  readonly region: string;
  /** For people. */
  readonly reason: string;
}

const NEVER_RAN =
  'the node here has never run, and has no identity by which others would let it in: start it with `entente run`';

export class CommandNetwork implements RegionNetwork {
  readonly network: MeetingNetwork;
  readonly #options: CommandNetworkOptions;
  readonly #ground: NetworkGround;
  readonly #modules: RegionModules;
  readonly #published: DirectoryNetwork;
  readonly #nodes: DialledPeers;
  #admissions: Admissions = new Map();
  #hasIdentity = true;

  constructor(options: CommandNetworkOptions, ground: NetworkGround, modules: RegionModules) {
    const { config, layout } = ground;
    this.#options = options;
    this.#ground = ground;
    this.#modules = modules;
    this.#published = publishedNetwork(ground, modules, options.instead);
    // A command claims nothing in the name of a machine whose node has to run.
    this.#nodes = new DialledPeers({ unasked: config.writer.fenced ? [WRITER_PROTOCOL] : [] }, modules);
    this.network = new MeetingNetwork(
      {
        directories: directoriesOf(config.peers, layout),
        regionsOf: (peers) => new Set(peers.flatMap((peer) => this.#admissions.get(peer)?.region ?? [])),
      },
      { sockets: this.#nodes, published: this.#published.network, clock: modules.clock },
    );
  }

  readonly regionOf = (peer: string): string | undefined =>
    this.#admissions.get(peer)?.region ?? this.#published.regionOf(peer);

  readonly canAsk = (region: string): boolean =>
    this.#published.canAsk(region) ||
    [...this.#admissions.values()].some((one) => one.region === region && one.addresses.length > 0);

  /** Dials whom the trust logs and the config name, as `DialledPeers.dial`. Rejects as `readKeyFile`. */
  readonly meet = async (signal: AbortSignal): Promise<void> => {
    if (!this.#mayHaveNodes()) return;
    const { config, layout, stateOf } = this.#ground;
    const { region, network } = config;
    // It loads what makes names of keys.
    const { PeerDirectory } = await import('../network/peer-directory.ts');
    const { peerNameOf } = await import('../network/peer-name.ts');
    const directory = new PeerDirectory(
      { home: region, invited: namedPeers(config.peers) },
      { ...this.#modules, stateOf },
    );
    const identitySeed = await nodeSeedIn(layout.keys, config);
    this.#hasIdentity = identitySeed !== undefined;
    const self = identitySeed && peerNameOf(this.#modules.signerOf(identitySeed).publicKey);
    this.#admissions = new Map([...directory.admissions()].filter(([peer]) => peer !== self));
    const isAnybody = [...this.#admissions.values()].some(({ addresses }) => addresses.length > 0);
    if (!isAnybody || identitySeed === undefined) return;
    const { software } = this.#options;
    await this.#nodes.dial({ identitySeed, region, network, software }, this.#admissions, signal);
  };

  /** Who did not answer when asked last, neither by a directory nor by a node. */
  get unreachable(): readonly Unreachable[] {
    const connected = new Set(this.#nodes.connected.map(({ region }) => region));
    const silent = this.#published.network.unreachable.filter(({ region }) => !connected.has(region));
    const hasAnswered = (region: string) =>
      connected.has(region) ||
      (this.#published.canAsk(region) && !silent.some((one) => one.region === region));
    const dialled = this.#hasIdentity
      ? this.#nodes.missing.map(({ region, trouble = 'silent', addresses }) => ({
          region,
          reason: `${DIAL_TROUBLES[trouble]} (${addresses.join(', ')})`,
        }))
      : [...this.#admissions.values()].map(({ region }) => ({ region, reason: NEVER_RAN }));
    return [...silent, ...dialled.filter(({ region }) => !hasAnswered(region))];
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    return this.#nodes.stop();
  }

  /** Whether it is worth a look who they are. */
  #mayHaveNodes(): boolean {
    const { config, state, stateOf } = this.#ground;
    if (Object.values(config.peers).some(({ addresses = [] }) => addresses.length > 0)) return true;
    const nodesOf = (region: string) => [...(stateOf(region)?.nodes() ?? [])].length;
    const others = [...(state()?.recognitions() ?? [])].map(({ region }) => region);
    return nodesOf(config.region) > 1 || others.some((region) => nodesOf(region) > 0);
  }
}
