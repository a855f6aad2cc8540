/**
 * The core of one region's node: its store, its own logs and its copies of others', what it knows of all regions, and the
 * verdicts on that. Reads and judges from its start; signs only once its peers have shown that nothing of its own is missing.
 */
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { trustLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { assessKnowledge, type Trust } from '../../protocol/verdict/knowledge.ts';
import { type KnowledgeReport, type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { type Issued, type IssueRequest } from '../issuing/issuer.ts';
import { logError } from '../log/log-error.ts';
import { type Receipt } from '../log/log-work.ts';
import { type TrustLogItem } from '../log/trust-log-work.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import {
  type Clock,
  type CommitMark,
  type Disk,
  type Network,
  type Random,
  type SecondPlace,
} from '../ports.ts';
import { type Revocation } from '../revoking/revoker.ts';
import { Scrub, type ScrubCounters } from '../store/scrub.ts';
import { storeError } from '../store/store-error.ts';
import { Store } from '../store/store.ts';
import { AntiEntropy, type SyncCounters } from '../sync/anti-entropy.ts';
import { type BootFinding, checkOwnLogs } from '../sync/boot-check.ts';
import { Healer } from '../sync/healer.ts';
import { Herald } from '../sync/herald.ts';
import { LeafFinder } from '../sync/leaf-finder.ts';
import { PeerBook } from '../sync/peer-book.ts';
import { type PullCounters, Puller } from '../sync/puller.ts';
import { SyncClient } from '../sync/sync-client.ts';
import { SyncServer } from '../sync/sync-server.ts';
import { TrustBoard } from '../trust/trust-board.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type VerdictCounters, VerdictService } from '../verdicts/verdict-service.ts';
import { Witness } from '../witness/witness.ts';
import { LogShelf } from './log-shelf.ts';
import { type NodeKeys, WritingSide } from './writing-side.ts';

export interface RegionNodeOptions {
  readonly region: string;
  readonly network: string;
  /** The fingerprint of the own root, once it is known: then an empty store is one that has lost its log, and not a new region. */
  readonly fingerprint?: Uint8Array;
  /** See `Registry.open`. */
  readonly registryKey: Uint8Array;
  /** Regions whose attestation logs this node copies. */
  readonly mirrors?: readonly string[];
  /** Regions whose logs are followed and witnessed without being recognised. */
  readonly invited?: readonly { readonly region: string; readonly fingerprint: Uint8Array }[];
  /** Milliseconds; 10 s, 30 s, 2 s and 10 min by default. */
  readonly beatMs?: number;
  readonly intervalMs?: number;
  readonly bootRetryMs?: number;
  readonly tendMs?: number;
  /** Milliseconds between two readings of all that the store holds; 1 h by default. */
  readonly scrubMs?: number;
  /** See `SequencerOptions`. */
  readonly gatherMs?: number;
}

export interface RegionNodeModules extends TrustModules {
  readonly disk: Disk;
  readonly mark: CommitMark;
  readonly secondPlace: SecondPlace;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly keys: NodeKeys;
  /** The region of a peer's node identity; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
  /** Told of what goes wrong in the background, for alarms. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** `checking` before the first answer of peers; `writing`: all is well; `stopped`; else why it only reads. */
export type WritingState = 'checking' | 'writing' | 'stopped' | 'failed' | BootFinding['finding'];

export interface NodeStatus {
  readonly writing: WritingState;
  readonly store: string;
  /** By origin. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly knowledge: readonly KnowledgeReport[];
  /** Logs that were caught forking. */
  readonly forked: readonly string[];
  readonly pulls: PullCounters;
  readonly sync: SyncCounters;
  readonly scrub: ScrubCounters;
  readonly verdicts: VerdictCounters;
}

const DEFAULTS = {
  beatMs: 10_000,
  intervalMs: 30_000,
  bootRetryMs: 2_000,
  tendMs: 600_000,
  scrubMs: 3_600_000,
  gatherMs: 20,
};

export class RegionNode {
  readonly #options: RegionNodeOptions & typeof DEFAULTS;
  readonly #modules: RegionNodeModules;
  readonly #store: Store;
  readonly #board: TrustBoard;
  readonly #shelf: LogShelf;
  readonly #client: SyncClient;
  readonly #puller: Puller;
  readonly #server: SyncServer;
  readonly #antiEntropy: AntiEntropy;
  readonly #herald: Herald;
  readonly #verdicts: VerdictService;
  readonly #scrub: Scrub;
  readonly #stopping = new AbortController();
  readonly #background = new Set<Promise<void>>();
  #isStarted = false;
  #writer: WritingSide | undefined;
  #writing: WritingState = 'checking';
  #forced = false;
  #told = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: RegionNodeOptions, modules: RegionNodeModules) {
    this.#options = { ...DEFAULTS, ...options };
    this.#modules = modules;
    const { region, network } = options;
    const { clock } = modules;
    const onTrouble = (error: unknown) => this.#trouble(error);
    const logs = () => this.#shelf.logs;
    this.#store = new Store({ owner: `${region}.${network}` }, modules);
    this.#board = new TrustBoard({ home: region, network }, modules);
    this.#shelf = new LogShelf(options, {
      ...modules,
      store: this.#store,
      board: this.#board,
      checkpointKey: modules.keys.checkpoint,
      isWriting: () => this.#writer !== undefined,
      onChange: () => this.#heedChange(),
      onFork: (_origin, evidence) => this.#herald.tellFork(evidence),
      onAhead: () => this.#stopWriting(),
    });
    const book = new PeerBook(modules);
    this.#client = new SyncClient({ ...modules, book });
    this.#puller = new Puller({ client: this.#client, random: modules.random });
    this.#server = new SyncServer({ ...modules, book, logs });
    const reading = { ...modules, book, logs, client: this.#client, puller: this.#puller, onTrouble };
    this.#antiEntropy = new AntiEntropy(this.#options, reading);
    const witness = new Witness(
      { name: witnessName(region, network) },
      {
        ...modules,
        store: this.#store,
        key: modules.keys.witness,
        keysOf: (origin) => this.#shelf.keysOf(origin),
      },
    );
    const keepers = () => this.#board.keepers.values();
    this.#herald = new Herald(
      { ...this.#options, witnessName: witnessName(region, network), gatherMs: 20 },
      { ...modules, witness, keepers, onTrouble },
    );
    const healer = new Healer({ ...reading, store: this.#store });
    this.#scrub = new Scrub(
      { pauseMs: this.#options.scrubMs },
      {
        store: this.#store,
        clock,
        heal: (key) => healer.heal(key),
        damaged: (damage) => onTrouble(storeError('STORE_CORRUPT', damage)),
      },
    );
    const leaves = new LeafFinder(reading);
    this.#verdicts = new VerdictService({
      ...modules,
      clock,
      trust: () => this.trust,
      leafProofs: (place) => leaves.find(place),
    });
  }

  /** Opens what the store holds and begins to read. Rejects as `Store.start` and the opening of the logs; it is stopped then. */
  async start(): Promise<void> {
    if (this.#isStarted) throw new TypeError('a node is started once');
    this.#isStarted = true;
    try {
      await this.#store.start();
      await this.#shelf.open();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#server.start();
    this.#antiEntropy.start();
    this.#herald.start();
    this.#scrub.start();
    this.#inBackground(() => this.#becomeWriter());
    this.#inBackground(() => this.#tend());
  }

  /** Finishes what is in hand and closes the store. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** What verdicts lean on now. */
  get trust(): Trust {
    return this.#board.trust;
  }

  get status(): NodeStatus {
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    const { trust } = this;
    return {
      writing: this.#writing,
      store: this.#store.condition.state,
      sizes: Object.fromEntries([...this.#shelf.logs].map(([origin, { tree }]) => [origin, tree.size])),
      knowledge: [...trust.regions.keys()].flatMap((region) => assessKnowledge(trust, region, nowS) ?? []),
      forked: [...this.#shelf.logs.values()]
        .filter(({ forks }) => forks.length > 0)
        .map(({ origin }) => origin),
      pulls: this.#puller.counters,
      sync: this.#antiEntropy.counters,
      scrub: this.#scrub.counters,
      verdicts: this.#verdicts.counters,
    };
  }

  verify(text: string, context: VerdictContext): Promise<Verdict> {
    return this.#verdicts.verify(text, context);
  }

  /** Logs a statement of the trust-log key, or an entry that the root has signed. Rejects as `WritingSide.submit`. */
  async submit(item: TrustLogItem): Promise<Receipt> {
    return this.#requireWriter().submit(item);
  }

  async issue(request: IssueRequest): Promise<Issued> {
    return this.#requireWriter().issue(request);
  }

  async revoke(revocation: Revocation): Promise<void> {
    return this.#requireWriter().revoke(revocation);
  }

  async commitState(): Promise<Receipt> {
    return this.#requireWriter().commitState();
  }

  /** The operator decides that the node signs although too few peers answered, or one shows more than can be had. */
  force(): void {
    this.#forced = true;
  }

  /** The keeper of a region's trust log, for audits and snapshots. */
  keeper(region: string): TrustKeeper | undefined {
    return this.#board.keepers.get(region);
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#server.stop();
    this.#client.stop();
    await this.#writer?.stop();
    await this.#scrub.stop();
    await this.#herald.stop();
    await this.#antiEntropy.stop();
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.#shelf.close();
    await this.#store.stop();
    this.#writing = 'stopped';
  }

  #requireWriter(): WritingSide {
    if (this.#writer !== undefined) return this.#writer;
    const origin = trustLogOrigin(this.#options.region, this.#options.network);
    if (this.#writing === 'behind')
      throw logError('LOG_BEHIND', `${origin}: peers hold more of it than this node`);
    if (this.#writing === 'contradicted') {
      throw logError('LOG_CONTRADICTED', `${origin}: somebody else signs with its key, or did`);
    }
    if (this.#writing === 'stopped') throw logError('LOG_STOPPED', 'the node was stopped');
    throw new NodeError(
      'PEER_UNREACHABLE',
      'too few peers have said yet that nothing of our logs is missing',
      {
        retry: true,
        hint: 'Wait for them, or force it if this is the only node with the keys and its store is the newest.',
      },
    );
  }

  /** Asks until the way is free, and then begins to sign. */
  async #becomeWriter(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#writer === undefined) {
      try {
        this.#writing = await this.#bootFinding();
        if (this.#writing === 'clear') await this.#startWriting();
      } catch (error) {
        this.#writing = isNodeError(error, 'LOG_BEHIND') ? 'behind' : 'failed';
        this.#trouble(error);
      }
      await this.#modules.clock.wait(this.#options.bootRetryMs, signal).catch(() => undefined);
    }
  }

  async #bootFinding(): Promise<BootFinding['finding']> {
    await this.#shelf.followAll();
    const { home, ownLogs } = this.#shelf;
    const recognised = [...home.state.recognitions()].filter(
      (one) => one.standing === 'recognised' && one.way === 'direct',
    );
    const isLost = home.tree.size === 0 && this.#options.fingerprint !== undefined;
    const needed = Math.max(isLost ? 1 : 0, neededCosignatures(recognised.length));
    const { finding } = await checkOwnLogs(
      { needed },
      { client: this.#client, puller: this.#puller, regionOf: this.#modules.regionOf, logs: () => ownLogs },
    );
    if (this.#forced && (finding === 'alone' || finding === 'behind')) return 'clear';
    return finding === 'clear' && isLost ? 'behind' : finding;
  }

  async #startWriting(): Promise<void> {
    const { home } = this.#shelf;
    this.#told = home.tree.size;
    this.#writer = await WritingSide.start(this.#options, {
      ...this.#modules,
      store: this.#store,
      home,
      openTree: (origin) => this.#shelf.openTree(origin),
      onTrustCheckpoint: ({ size, note }) => this.#inBackground(() => this.#tell(size, note)),
    });
    this.#writing = 'writing';
  }

  /** Somebody else signs with our key: whatever we sign from here on would only make it worse. */
  #stopWriting(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    this.#writing = 'contradicted';
    this.#inBackground(async () => writer?.stop());
  }

  async #tend(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#writer?.tend().catch((error: unknown) => this.#trouble(error));
      await this.#modules.clock.wait(this.#options.tendMs, signal).catch(() => undefined);
    }
  }

  async #tell(size: number, note: Uint8Array): Promise<void> {
    const from = this.#told;
    if (size <= from) return;
    this.#told = size;
    const entries: Uint8Array[] = [];
    for await (const entry of this.#shelf.home.tree.reader.entries(from, size)) entries.push(entry);
    this.#herald.tellEntries(from, entries, note);
  }

  /** Others should hear of it, and the home may recognise others by now. */
  #heedChange(): void {
    this.#board.changed();
    this.#herald.news();
    this.#inBackground(() => this.#shelf.followAll());
  }

  #trouble(error: unknown): void {
    this.#modules.onTrouble?.(error);
  }

  #inBackground(work: () => Promise<void>): void {
    if (this.#stopping.signal.aborted) return;
    const task = work()
      .catch((error: unknown) => this.#trouble(error))
      .finally(() => this.#background.delete(task));
    this.#background.add(task);
  }
}
