/**
 * A region as a directory: its config, its keys and its store, opened as a node that runs; the one place where a node is put
 * together for a real machine. Commands use it with the network of published directories, a process with real sockets.
 */
import { resolve } from 'node:path';
import { hexBytes } from '../../protocol/bytes.ts';
import { attestationLogOrigin, trustLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { encodeStatement, signStatement } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Overlay } from '../config/overlay.ts';
import { bulkLimitsOf } from '../config/alarms.ts';
import { type Config } from '../config/schema.ts';
import { type InvitedRegion, type RegionNodeModules, type RegionNodeOptions } from '../core/node-options.ts';
import { RegionNode } from '../core/region-node.ts';
import { isGivenUp } from '../log/retention.ts';
import { FileDaySeeds } from '../lookup/day-seeds.ts';
import { Verifiers } from '../lookup/verifiers.ts';
import { type KeyedSigner, type StatementDraft, type TrustLogItem } from '../log/trust-log-work.ts';
import { type Operators } from '../operators/operators.ts';
import { notingForgetting } from '../operators/told-forgetting.ts';
import { type Trail } from '../operators/trail.ts';
import { type Network } from '../ports.ts';
import { LevelDisk } from '../store/level-disk.ts';
import { FileSecondPlace } from '../store/second-place.ts';
import { markInDirectory } from '../store/store-directory.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Vouched } from '../witness/log-visit.ts';
import { type ActingRecords, openActingRecords } from './acting-records.ts';
import { readRegionConfig, RegionLayout } from './layout.ts';
import { type RegionModules } from './modules.ts';
import { requireNotMoved } from './moved.ts';
import { publishForks } from './published-forks.ts';
import { PublishedRegion } from './published-region.ts';
import { Turns } from '../turns.ts';
import { Publisher } from './publisher.ts';
import { RegionKeys } from './region-keys.ts';
import { policyOf } from './policy-file.ts';
import { httpPost } from '../http/http-post.ts';
import { registryDatabase } from './registry-database.ts';

/** Who signs: the root's threshold of keys, or the trust-log key in force. */
export type Authority = 'root' | 'trust-log';

/** What a network is made from, before the node that uses it. */
export interface NetworkGround {
  readonly layout: RegionLayout;
  readonly config: Config;
  /** What the region's trust log says; undefined before the node runs. */
  readonly state: () => TrustState | undefined;
  /** The same of any region, as far as its trust log is held. */
  readonly stateOf: (region: string) => TrustState | undefined;
}

export interface RegionNetwork {
  readonly network: Network;
  /** The region of a peer; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
  /** See `RegionNodeModules`. */
  readonly shareOf?: RegionNodeModules['shareOf'];
  /** Whether it is known how a region's node can be asked. Others do not count where a quorum has to answer. */
  readonly canAsk: (region: string) => boolean;
  /** See `RegionNodeModules`. */
  readonly meet?: RegionNodeModules['meet'];
}

export interface OpenRegionOptions {
  /** What the node is told besides what the config says. */
  readonly node?: Partial<RegionNodeOptions>;
  /** Signs although too few peers said that nothing of its logs is missing: the operator knows that this is the newest copy. */
  readonly withoutPeers?: boolean;
  /** It does not claim to write before it is promoted, where witnesses fence that. */
  readonly isStandby?: boolean;
  /** What stands over the config's file. */
  readonly over?: Overlay;
}

export interface OpenRegionModules extends RegionModules {
  readonly networkFor: (ground: NetworkGround) => RegionNetwork;
  /** As in `RegionNodeModules`. */
  readonly checkSignatures?: RegionNodeModules['checkSignatures'];
  readonly evaluateInputs?: RegionNodeModules['evaluateInputs'];
  readonly onTrouble?: (error: unknown) => void;
  readonly onSigned?: (index: number) => void;
  readonly onHashed?: (documents: number) => void;
}

/** What a region is opened from. */
export interface RegionParts {
  readonly layout: RegionLayout;
  readonly config: Config;
  readonly keys: RegionKeys;
  /** The public key of its node identity, for a process that runs as the node. */
  readonly identity?: Uint8Array;
}

/** Who may do what with it, and what they did. */
export interface RegionRecords extends ActingRecords {
  /** For whom its node looks numbers up. */
  readonly verifiers: Verifiers;
}

/**
 * Opens the region in a directory and starts its node, which reads and judges from then on. Whether it signs is what
 * `RegionNode.whenWriting` tells.
 * @throws {NodeError} DIRECTORY_MISSING, DIRECTORY_OLD, REGION_MOVED, CONFIG_INVALID, STORE_LOCKED while another process has it open, what is
 * wrong with key files, and as `RegionNode.start`. Nothing stays open then.
 */
export async function openRegion(
  path: string,
  options: OpenRegionOptions,
  modules: OpenRegionModules,
): Promise<Region> {
  const layout = new RegionLayout(resolve(path));
  const config = await readRegionConfig(layout, options.over);
  await requireNotMoved(layout);
  const keys = await RegionKeys.open(layout.keys, config, modules);
  return startRegion({ layout, config, keys }, options, modules);
}

/** The same from parts that are at hand already. */
export async function startRegion(
  parts: RegionParts,
  { node: nodeOptions = {}, withoutPeers = false, isStandby = false }: OpenRegionOptions,
  modules: OpenRegionModules,
): Promise<Region> {
  // A command claims nothing in the name of a machine whose node has to run.
  const { layout, config, keys, identity = new Uint8Array(32) } = parts;
  const { region, network: networkName, fingerprint, storage, life, lookup, alarms } = config;
  const running: { node?: RegionNode; trail?: Trail } = {};
  const stateOf = (of: string) => running.node?.keeper(of)?.state;
  const state = () => stateOf(region);
  const { network, regionOf, shareOf, canAsk, meet } = modules.networkFor({
    layout,
    config,
    state,
    stateOf,
  });
  const directory = layout.resolve(storage.store);
  const byConfig = invitedBy(config.peers);
  const invited = nodeOptions.invited ?? (() => byConfig);
  const policy = await policyOf(layout, config, modules);
  const tables = await registryDatabase(layout, config, modules);
  const node = new RegionNode(
    {
      region,
      network: networkName,
      registryKey: keys.registryKey,
      ...(fingerprint !== undefined && { fingerprint: hexBytes(fingerprint) }),
      bootQuorum: (recognised) => (withoutPeers ? 0 : neededCosignatures(recognised.filter(canAsk).length)),
      policy,
      keepAttestationDays: storage.keepAttestationDays,
      rulesForPeople: life.rules,
      listsOldHours: life.listsOldHours,
      objectTo: life.objectTo,
      objectionDays: life.objectionDays,
      alarms: bulkLimitsOf(alarms),
      lookupQuotas: {
        verifier: { perMinute: lookup.verifierPerMinute, perDay: lookup.verifierPerDay },
        region: { perMinute: lookup.regionPerMinute, perDay: lookup.regionPerDay },
      },
      ...(config.writer.fenced && { fenced: { identity, isStandby } }),
      isFenceIgnored: withoutPeers,
      ...nodeOptions,
      invited,
      mirrors: Object.keys(config.peers).filter((peer) => config.peers[peer]?.mirror === true),
    },
    {
      ...modules,
      disk: new LevelDisk({ directory, mayOpen: () => requireNotMoved(layout) }),
      mark: markInDirectory(directory),
      secondPlace: new FileSecondPlace({ directory: layout.resolve(storage.secondPlace) }),
      tables,
      seeds: daySeedsOf(layout, config, keys, modules),
      keys,
      noteForgetting: notingForgetting(() => running.trail),
      httpPost,
      network,
      regionOf,
      meet,
      shareOf,
    },
  );
  running.node = node;
  keys.follow(state);
  await node.start().catch(async (error: unknown) => {
    await keys.close();
    throw error;
  });
  try {
    const { operators, trail } = await openActingRecords(layout, config, modules);
    running.trail = trail;
    const verifiers = await Verifiers.open(layout.verifiers);
    return new Region({ ...parts, node, operators, trail, verifiers }, modules);
  } catch (error) {
    await node.stop().finally(() => keys.close());
    throw error;
  }
}

/** The seeds of the days on which numbers of the region are looked up. */
export function daySeedsOf(
  layout: RegionLayout,
  { region, network }: Pick<Config, 'region' | 'network'>,
  { registryKey }: Pick<RegionKeys, 'registryKey'>,
  modules: Pick<RegionModules, 'random'>,
): FileDaySeeds {
  return new FileDaySeeds({ path: layout.seeds, region, network, registryKey }, modules);
}

/** Regions that are followed and witnessed without being recognised. */
export function invitedBy(peers: Config['peers']): readonly InvitedRegion[] {
  return Object.entries(peers).flatMap(([region, { invited, fingerprint }]) =>
    invited === true && fingerprint !== undefined ? [{ region, fingerprint: hexBytes(fingerprint) }] : [],
  );
}

export class Region {
  readonly layout: RegionLayout;
  readonly config: Config;
  readonly keys: RegionKeys;
  readonly node: RegionNode;
  readonly operators: Operators;
  readonly trail: Trail;
  readonly verifiers: Verifiers;
  readonly #modules: RegionModules;
  /** Of those that publish: each clears away what an earlier one left unfinished. */
  readonly #turns = new Turns();

  constructor(parts: RegionParts & RegionRecords & { readonly node: RegionNode }, modules: RegionModules) {
    this.layout = parts.layout;
    this.config = parts.config;
    this.keys = parts.keys;
    this.node = parts.node;
    this.operators = parts.operators;
    this.trail = parts.trail;
    this.verifiers = parts.verifiers;
    this.#modules = modules;
  }

  /** Stops the node and closes its store. Safe to call twice. */
  async close(): Promise<void> {
    await this.node.stop().finally(() => this.keys.close());
  }

  /** What the region's own trust log says now. */
  get state(): TrustState {
    return this.#home.state;
  }

  /** Entries of the region's own trust log. */
  get trustSize(): number {
    return this.#home.tree.size;
  }

  /** The origin of one of its attestation logs, or of its trust log where `log` is `trust`. */
  originOf(log: string): string {
    const { region, network } = this.config;
    return log === 'trust' ? trustLogOrigin(region, network) : attestationLogOrigin(region, network, log);
  }

  /**
   * Logs statements that belong together, in one batch, and gives the index of the first.
   * @throws {NodeError} REFUSED if one would have no effect, KEY_FILE_MISSING without enough root keys, and as `RegionNode.submit`.
   */
  async append(statements: readonly StatementDraft[], by: Authority): Promise<number> {
    if (by === 'root') return this.appendSigned(statements, await this.keys.roots());
    return this.#log(statements.map((statement) => ({ build: () => ({ statement }) })));
  }

  /** The same, signed by these keys: those of a root that no log names yet. */
  async appendSigned(
    statements: readonly StatementDraft[],
    signers: readonly KeyedSigner[],
  ): Promise<number> {
    const at = this.#modules.nowS();
    const origin = this.originOf('trust');
    return this.appendEntries(
      statements.map((statement) => signStatement(origin, encodeStatement({ ...statement, at }), signers)),
    );
  }

  /** The same for entries that the root has signed elsewhere. Rejects as `append`. */
  appendEntries(entries: readonly Uint8Array[]): Promise<number> {
    return this.node.logEntries(entries);
  }

  /**
   * Brings the public directory, or another one, up to what the store holds: the region's own logs, every checkpoint by the key that
   * is in force, and its copies of the trust logs of those it recognises, and the proofs that those have forked; takes away logs that are given up. Rejects as `RegionNode.renew` and `Publisher.log`.
   */
  publish(path = this.layout.public): Promise<void> {
    return this.#turns.take('publish', () => this.#publish(path));
  }

  async #publish(path: string): Promise<void> {
    await this.node.renew();
    await this.node.vouch();
    const publisher = new Publisher(path, this.#modules);
    // It says which trees of the other logs count: whoever reads those finds it there.
    const { tree, note } = this.#home;
    if (note !== undefined) await publisher.log(tree, note, this.state);
    for (const { log } of this.state.logs()) {
      if (this.#isGivenUp(log)) continue;
      const issued = this.node.log(this.originOf(log));
      if (issued?.head.signed === undefined) continue;
      const cosigned = this.node.cosignedNote(issued.origin) ?? issued.head.signed.note;
      await publisher.log(issued, cosigned, this.state);
    }
    for (const log of await publisher.attestationLogs()) {
      if (this.#isGivenUp(log)) await publisher.withdraw(log);
    }
    for (const { region, standing } of this.state.recognitions()) {
      const keeper = standing === 'withdrawn' ? undefined : this.node.keeper(region);
      if (keeper === undefined) continue;
      await publishForks(path, keeper, this.#modules);
      const { note: copied, tree: copy, state } = keeper;
      if (copied !== undefined) await publisher.copy(copy, copied, state);
    }
    if (path === this.layout.public) return;
    for await (const [origin, cosigned] of new PublishedRegion(
      this.layout.public,
      this.#modules,
    ).cosignatures()) {
      await publisher.cosignature(origin, cosigned);
    }
  }

  /**
   * Publishes what this region's witness said last of the trust logs that it follows, for those who read files and ask no node; of a
   * log of which it said nothing, what lies there stays.
   */
  publishWitnessed(): Promise<void> {
    return this.#turns.take('publish', () => this.#publishWitnessed());
  }

  async #publishWitnessed(): Promise<void> {
    const { region: home, network, peers } = this.config;
    const recognised = [...this.state.recognitions()].map(({ region }) => region);
    for (const region of new Set([...recognised, ...Object.keys(peers)])) {
      const { origin, latest } = this.node.keeper(region) ?? {};
      const hasSpoken = latest?.pool.cosignatures.some((one) => one.region === home) === true;
      if (origin === undefined || latest === undefined || !hasSpoken) continue;
      const names = [witnessName(home, network), witnessName(region, network)];
      await this.#publishCosignature({ origin, note: latest.pool.note((name) => names.includes(name)) });
    }
  }

  /** Publishes what this region's witness said of a log. */
  publishCosignature(vouched: Pick<Vouched, 'origin' | 'note'>): Promise<void> {
    return this.#turns.take('publish', () => this.#publishCosignature(vouched));
  }

  #publishCosignature({ origin, note }: Pick<Vouched, 'origin' | 'note'>): Promise<void> {
    return new Publisher(this.layout.public, this.#modules).cosignature(origin, note);
  }

  /** What the store has given up stays so, whatever the config says now. */
  #isGivenUp(log: string): boolean {
    const { lastAtS } = this.state;
    const isDue = isGivenUp(log, this.config.storage, { lastAtS, nowS: this.#modules.nowS() });
    return isDue || (this.node.log(this.originOf(log))?.head.minimum ?? 0) > 0;
  }

  get #home(): TrustKeeper {
    const home = this.node.keeper(this.config.region);
    if (home === undefined) throw new TypeError('the node is not started');
    return home;
  }

  async #log(items: readonly TrustLogItem[]): Promise<number> {
    const results = await Promise.allSettled(items.map((item) => this.node.submit(item)));
    const indexes = results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value.index;
    });
    // A key that signs checkpoints may be another one now.
    await this.node.tend();
    return Math.min(...indexes);
  }
}
