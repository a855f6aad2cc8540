/**
 * A region's node as one process: its store and logs, its peers, the public interface and that for the operator. Everything
 * starts in the order in which it is needed, and stops in the reverse order with what is in hand finished.
 */
import { resolve } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { type Overlay } from '../config/overlay.ts';
import { type Config } from '../config/schema.ts';
import { type NodeStatus } from '../core/node-status.ts';
import { isAdminPort } from '../http/admin-address.ts';
import { AdminServer } from '../http/admin-server.ts';
import { type Health } from '../http/health.ts';
import { type ProcessReport } from '../http/process-report.ts';
import { PublicServer } from '../http/public-server.ts';
import { type Log } from '../logging/log.ts';
import { openNetwork } from '../network/open-network.ts';
import { HELLO_HEADS_MAX } from '../network/network-limits.ts';
import { type IsolatedNetwork, type NetworkStatus } from '../network/isolation/isolated-network.ts';
import { namedPeers, otherMachine } from '../network/named-peers.ts';
import { PeerDirectory } from '../network/peer-directory.ts';
import { readRegionConfig, RegionLayout } from '../region/layout.ts';
import { MeetingNetwork } from '../region/meeting-network.ts';
import { type RegionModules } from '../region/modules.ts';
import { requireNotMoved } from '../region/moved.ts';
import { directoriesOf, type DirectoryNetwork, publishedNetwork } from '../region/published-network.ts';
import { invitedBy, type Region, startRegion } from '../region/region.ts';
import { RegionKeys } from '../region/region-keys.ts';
import { announcedAddresses, Announcer } from './announcer.ts';
import { ColourUpdates } from './colour-updates.ts';
import { joiningFor } from './joining.ts';
import { openNodeIdentity } from './node-identity.ts';
import { ServiceDesk } from './service-desk.ts';
import { SpentKeys } from './spent-keys.ts';
import { EvaluatingThread } from '../lookup/evaluating-thread.ts';
import { SignatureThread } from '../verdicts/signature-thread.ts';
import { troubleLog } from './trouble-log.ts';

export interface NodeServiceOptions {
  /** The region's directory. */
  readonly path: string;
  /** What stands over its config. */
  readonly over?: Overlay;
  /** See `OpenRegionOptions`. */
  readonly withoutPeers?: boolean;
  readonly isStandby?: boolean;
  /** Name and version, for peers. */
  readonly software: string;
}

export interface NodeServiceModules extends RegionModules {
  /** Made of what the config says about logging. */
  readonly openLog: (options: Config['log']) => Log;
}

/** Where a running node can be reached. */
export interface NodeAddresses {
  /** What it is called among nodes. */
  readonly peer: string;
  /** libp2p addresses with that name: what a peer's operator puts into `peers`. */
  readonly p2p: readonly string[];
  readonly http: string;
  readonly admin: string;
}

export interface ServiceStatus extends NodeStatus {
  readonly network: NetworkStatus;
  readonly health: Health;
}

export class NodeService {
  readonly config: Config;
  readonly log: Log;
  readonly region: Region;
  /** Aborts when the operator asks for an end of this region's node, through its admin address. */
  readonly leaving: AbortSignal;
  readonly #network: IsolatedNetwork;
  readonly #parts: readonly { stop(): Promise<void> }[];
  readonly #public: PublicServer;
  readonly #admin: AdminServer;
  #stopped: Promise<void> | undefined;

  private constructor(
    parts: {
      readonly config: Config;
      readonly log: Log;
      readonly region: Region;
      readonly network: IsolatedNetwork;
      readonly server: PublicServer;
      readonly admin: AdminServer;
      readonly leaving: AbortSignal;
    },
    stopping: readonly { stop(): Promise<void> }[],
  ) {
    this.config = parts.config;
    this.log = parts.log;
    this.region = parts.region;
    this.leaving = parts.leaving;
    this.#network = parts.network;
    this.#public = parts.server;
    this.#admin = parts.admin;
    this.#parts = stopping;
  }

  /**
   * Resolves once it can be asked for verdicts; whether it signs is another matter (`RegionNode.whenWriting`).
   * @throws {NodeError} as `openRegion`; NETWORK_FAILED, ADDRESS_UNUSABLE where it cannot listen, and what is wrong with files
   * that the config names. Nothing is left running then.
   */
  static async start(options: NodeServiceOptions, modules: NodeServiceModules): Promise<NodeService> {
    const started: { stop(): Promise<void> }[] = [];
    try {
      return await startAll(options, modules, started, (parts) => new NodeService(parts, started));
    } catch (error) {
      await stopAll(started);
      throw error;
    }
  }

  get addresses(): NodeAddresses {
    const { host } = this.#network.status;
    return {
      peer: host?.peer ?? '',
      p2p: host?.addresses ?? [],
      http: this.#public.address,
      admin: this.#admin.address,
    };
  }

  get status(): ServiceStatus {
    return { ...this.region.node.status, network: this.#network.status, health: this.#public.health };
  }

  /** Reads again what may have been replaced: the certificate of the public interface, the secrets of the operator's. Never rejects. */
  async reload(): Promise<void> {
    await Promise.all([this.#public.reload(), this.#admin.reload()]);
  }

  /** Finishes what is in hand and closes the store. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= stopAll(this.#parts);
    return this.#stopped;
  }
}

/** What has started, the last first. One that fails does not keep the others from being stopped. */
async function stopAll(started: readonly { stop(): Promise<void> }[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of started.toReversed()) await part.stop().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function startAll<T>(
  { path, over = {}, withoutPeers = false, isStandby = false, software }: NodeServiceOptions,
  modules: NodeServiceModules,
  started: { stop(): Promise<void> }[],
  make: (parts: {
    config: Config;
    log: Log;
    region: Region;
    network: IsolatedNetwork;
    server: PublicServer;
    admin: AdminServer;
    leaving: AbortSignal;
  }) => T,
): Promise<T> {
  const layout = new RegionLayout(resolve(path));
  const config = await readRegionConfig(layout, over);
  await requireNotMoved(layout);
  const { region: home, network: networkName } = config;
  const log = modules.openLog(config.log);
  const { clock } = modules;
  const onTrouble = troubleLog(log, clock);
  const keys = await RegionKeys.open(layout.keys, config, { ...modules, onTrouble });
  const identity = await openNodeIdentity(layout.keys, config, modules);

  const running: { region?: Region; meeting?: MeetingNetwork; published?: DirectoryNetwork } = {};
  let { peers } = config;
  let invited = invitedBy(peers);
  let named = namedPeers(peers);
  const directory = new PeerDirectory(
    {
      home,
      other: otherMachine(config),
      get invited() {
        return named;
      },
    },
    { clock, stateOf: (of) => running.region?.node.keeper(of)?.state },
  );
  const network = await openNetwork(
    {
      identitySeed: identity.seed,
      region: home,
      network: networkName,
      software,
      listen: config.p2p.listen,
      pendingOfAddress: config.p2p.pendingPerAddressMax,
    },
    { admissions: () => directory.admissions(), heads: () => headsOf(running.region), onTrouble },
  );
  started.push(network);

  const signatures = new SignatureThread({}, { ...modules, onTrouble });
  started.push(signatures);
  const evaluating = new EvaluatingThread({ ...modules, onTrouble });
  started.push(evaluating);
  const region = await startRegion(
    { layout, config, keys, identity: identity.publicKey },
    {
      withoutPeers,
      isStandby,
      node: { invited: () => invited },
    },
    {
      ...modules,
      onTrouble,
      checkSignatures: signatures.check,
      evaluateInputs: evaluating.evaluate,
      networkFor: (ground) => {
        const published = (running.published = publishedNetwork(ground, modules));
        const isReachable = (of: string) =>
          [...directory.admissions().values()].some(
            ({ region: theirs, addresses }) => theirs === of && addresses.length > 0,
          );
        running.meeting = new MeetingNetwork(
          {
            get directories() {
              return directoriesOf(peers, layout);
            },
            regionsOf: (connected) => directory.regionsOf(connected),
          },
          { sockets: network, published: published.network, clock },
        );
        return {
          network: running.meeting,
          regionOf: (peer) => directory.regionOf(peer) ?? published.regionOf(peer),
          shareOf: (peer) => directory.shareOf(peer),
          canAsk: (of) => published.canAsk(of) || isReachable(of),
        };
      },
    },
  );
  running.region = region;
  started.push({ stop: () => region.close() });
  if (running.meeting !== undefined) {
    running.meeting.start();
    started.push(running.meeting);
  }

  const joining = joiningFor(config, {
    ...modules,
    region,
    identity,
    peers: () => peers,
    listens: () => ({ p2p: network.status.host?.addresses ?? [], http: server.address }),
  });
  const server: PublicServer = new PublicServer(
    { region: home, http: withPaths(config.http, layout), limits: config.limits },
    {
      node: region.node,
      witnessDesk: region.node.witnessDesk,
      clock,
      sha256: modules.sha256,
      log,
      network: () => network.status,
      joining,
      lookup: region.node.lookup,
      verifiers: region.verifiers,
    },
  );
  await server.start();
  started.push(server);
  const leaving = new AbortController();
  const desk = new ServiceDesk(
    { over },
    {
      region,
      peers: () => running.meeting?.peers() ?? [],
      regionOf: (peer) => directory.regionOf(peer) ?? running.published?.regionOf(peer),
      takePeers: (now) => {
        peers = now;
        invited = invitedBy(now);
        named = namedPeers(now);
        running.published?.takePeers(now);
      },
      leave: () => leaving.abort(),
    },
  );
  const admin = new AdminServer(
    {
      region: home,
      listen: isAdminPort(config.admin.listen) ? config.admin.listen : layout.resolve(config.admin.listen),
      secretFile: layout.resolve(config.admin.secretFile),
      deskSecretFile: layout.resolve(config.admin.deskSecretFile),
    },
    { ...modules, ...recordsOf(region), report: () => reportOf(network, server), desk, joining, log },
  );
  await admin.start();
  started.push(admin);
  const announcer = new Announcer({
    region,
    publicKey: identity.publicKey,
    addresses: () => announcedAddresses(config, network.status.host?.addresses ?? []),
    standby: config.writer.standby,
    clock,
    onTrouble,
  });
  announcer.start();
  started.push(announcer);
  const updates = new ColourUpdates(config.life, { region, clock, log, onTrouble });
  updates.start();
  started.push(updates);
  const spent = new SpentKeys({ region, clock, log, onTrouble });
  spent.start();
  started.push(spent);
  return make({ config, log, region, network, server, admin, leaving: leaving.signal });
}

function recordsOf({ node, operators, trail, verifiers }: Region) {
  return { node, operators, trail, verifiers };
}

function headsOf(region: Region | undefined): { origin: string; size: number }[] {
  const sizes = Object.entries(region?.node.sizes ?? {});
  return sizes.slice(0, HELLO_HEADS_MAX).map(([origin, size]) => ({ origin, size }));
}

function reportOf({ status: { host } }: IsolatedNetwork, { address, health }: PublicServer): ProcessReport {
  const { peers = [], missing = {}, conduct = [], peer = '', addresses: p2p = [] } = host ?? {};
  return {
    peers,
    missing,
    conduct,
    addresses: { peer, http: address, p2p },
    health,
    process: {
      pid: process.pid,
      node: process.version,
      uptimeS: Math.floor(process.uptime()),
      residentBytes: process.memoryUsage.rss(),
      heapBytesMax: getHeapStatistics().heap_size_limit,
    },
  };
}

function withPaths(http: Config['http'], layout: RegionLayout): Config['http'] {
  if (http.tls === undefined) return http;
  const { certFile, keyFile } = http.tls;
  return { ...http, tls: { certFile: layout.resolve(certFile), keyFile: layout.resolve(keyFile) } };
}
