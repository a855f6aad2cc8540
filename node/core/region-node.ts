/**
 * The core of one region's node: its store, its own logs and its copies of others', what it knows of all regions, and the
 * verdicts on that. Reads and judges from its start; signs only once its peers have shown that nothing of its own is missing.
 */
import { type BulkWatch } from '../abuse/bulk-watch.ts';
import { type Disclosing } from '../abuse/disclosing.ts';
import { type Overrides } from '../abuse/overrides.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { assessKnowledge, type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { PeerClocks } from '../clock/peer-clocks.ts';
import { Forgetting, type ForgetOrder, type ForgottenLeaf } from '../issuing/forgetting.ts';
import { type Issued, type IssueRequest } from '../issuing/issuer.ts';
import { type Handovers } from '../issuing/handovers.ts';
import { HeldCodes } from '../issuing/held-codes.ts';
import { type IssueOnce } from '../issuing/issue-once.ts';
import { JoiningBook } from '../joining/joining-book.ts';
import { type Life } from '../life/life.ts';
import { type Lists } from '../lists/lists.ts';
import { type LogTree } from '../log/log-tree.ts';
import { Lookup } from '../lookup/lookup.ts';
import { type Receipt } from '../log/log-work.ts';
import { type TrustLogItem } from '../log/trust-log-work.ts';
import { isNodeError } from '../node-error.ts';
import { type PrivateTables } from '../registry/private-tables.ts';
import { type Registry } from '../registry/registry.ts';
import { type Revocation } from '../revoking/revoker.ts';
import { type Scrub } from '../store/scrub.ts';
import { type StoreState } from '../store/condition.ts';
import { Store } from '../store/store.ts';
import { AntiEntropy } from '../sync/anti-entropy.ts';
import { BranchFinder } from '../sync/branch-finder.ts';
import { Herald } from '../sync/herald.ts';
import { LeafFinder } from '../sync/leaf-finder.ts';
import { type LogMender } from '../sync/log-mender.ts';
import { PeerBook } from '../sync/peer-book.ts';
import { Puller } from '../sync/puller.ts';
import { SyncClient } from '../sync/sync-client.ts';
import { SyncServer } from '../sync/sync-server.ts';
import { TrustBoard } from '../trust/trust-board.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { VerdictService } from '../verdicts/verdict-service.ts';
import { LogVisitor } from '../witness/log-visit.ts';
import { Voucher } from '../witness/voucher.ts';
import { Witness } from '../witness/witness.ts';
import { type Preparer, preparerOf } from '../workers/preparer.ts';
import { Background } from './background.ts';
import { Desks } from './desks.ts';
import { type Fence, fenceFor } from './fencing.ts';
import { logAll } from './log-all.ts';
import { LogShelf } from './log-shelf.ts';
import { type NodeStatus } from './node-status.ts';
import { recognisedDirectly } from './own-logs-check.ts';
import { forgetDeclaredBy, openRegistry, peopleOf } from './people.ts';
import { NODE_DEFAULTS, type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';
import { Signing } from './signing.ts';
import { upkeepOf } from './upkeep.ts';

export { type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';

const UNRENEWED = ['KEY_NOT_IN_FORCE', 'KEY_FILE_MISSING', 'PEER_UNREACHABLE', 'LOG_FENCED'] as const;

export class RegionNode {
  readonly #options: RegionNodeOptions & typeof NODE_DEFAULTS;
  readonly #modules: RegionNodeModules;
  readonly #store: Store;
  readonly #tables: PrivateTables;
  /** The background data of the region. */
  readonly lists: Lists;
  /** People who declared, and their colours. */
  readonly life: Life;
  /** Batches whose codes nobody has confirmed to have arrived. */
  readonly handovers: Handovers;
  /** Issuing that can be ordered again without a second code. */
  readonly once: IssueOnce;
  readonly joinings: JoiningBook;
  /** Colours without a rule. */
  readonly overrides: Overrides;
  readonly disclosing: Disclosing;
  /** Codes that are mere numbers. */
  readonly lookup: Lookup;
  readonly #watch: BulkWatch;
  /** Goes to regions and cosigns what they show. */
  readonly visitor: LogVisitor;
  readonly witness: Witness;
  readonly #board: TrustBoard;
  readonly #voucher: Voucher;
  readonly #shelf: LogShelf;
  readonly #client: SyncClient;
  readonly #puller: Puller;
  readonly #server: SyncServer;
  readonly #desks: Desks;
  readonly #antiEntropy: AntiEntropy;
  readonly #clocks: PeerClocks;
  readonly #herald: Herald;
  readonly #verdicts: VerdictService;
  readonly #scrub: Scrub;
  readonly #mender: LogMender;
  readonly #stopping = new AbortController();
  readonly #background: Background;
  readonly #preparer: Preparer;
  #isStarted = false;
  #isStopped = false;
  #registry: Registry | undefined;
  readonly #signing: Signing;
  readonly #fence: Fence | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: RegionNodeOptions, modules: RegionNodeModules) {
    this.#options = { ...NODE_DEFAULTS, ...options };
    this.#modules = modules;
    const { region, network } = options;
    const onTrouble = (error: unknown) => modules.onTrouble?.(error);
    const logs = () => this.#shelf.logs;
    this.#background = new Background(this.#stopping.signal, { onTrouble });
    const store = (this.#store = new Store({ owner: `${region}.${network}` }, modules));
    this.#tables = modules.tables ?? store;
    this.#board = new TrustBoard({ home: region, network }, modules);
    this.#shelf = new LogShelf(options, {
      ...modules,
      store: this.#store,
      board: this.#board,
      checkpointKey: modules.keys.checkpoint,
      isWriting: () => this.#signing.isWriting,
      onChange: (isNewer) => this.#heedChange(isNewer),
      onFork: (_origin, evidence) => this.#herald.tellFork(evidence),
      onSettled: (prefix) => this.witness.reread(prefix),
      onDamage: () => this.#mender.wake(),
      onAhead: () => this.#signing.contradicted(),
      ownLine: (home, held) => this.#voucher.line(home, held),
      leave: (origin, isLeft, commit) => this.witness.leave(origin, isLeft, commit),
    });
    const book = new PeerBook(modules);
    this.#client = new SyncClient({ ...modules, book });
    this.#puller = new Puller({ client: this.#client, random: modules.random });
    const finder = new BranchFinder({ client: this.#client });
    const shelf = this.#shelf;
    const [client, puller] = [this.#client, this.#puller];
    const keeper = (of: string) => this.keeper(of);
    const reading = { ...modules, book, logs, shelf, client, puller, finder, keeper, onTrouble };
    this.#antiEntropy = new AntiEntropy(this.#options, {
      ...reading,
      isMirrored: (peer) => options.mirrors?.includes(modules.regionOf(peer) ?? '') === true,
      onUnheld: (peer, { note, read }) =>
        this.visitor.meet(peer, { note, checkpoint: read.checkpoint }).catch(onTrouble),
    });
    this.#clocks = new PeerClocks(this.#options, {
      ...reading,
      regions: () => recognisedDirectly(this.keeper(region)?.state),
      witnessKeys: this.#board.witnessKeys,
      catchUp: (peer) => this.#antiEntropy.round(peer),
    });
    const witness = (this.witness = new Witness(
      { name: witnessName(region, network) },
      {
        ...modules,
        store: this.#store,
        key: modules.keys.witness,
        timeBounds: this.#clocks.bounds,
        isSilent: () => this.#signing.isStandby,
        keysOf: (origin) => this.#shelf.keysOf(origin),
        vet: (checkpoint) => this.#shelf.vet(checkpoint),
        onFork: (origin, evidence) => void logs().get(origin)?.accuse(evidence).catch(onTrouble),
      },
    ));
    this.#server = new SyncServer({ ...modules, book, logs, attested: () => witness.attested() });
    this.#voucher = new Voucher({ ...modules, witness, store: this.#store, onTrouble });
    const people = peopleOf(this.#options, {
      ...modules,
      store: this.#store,
      tables: this.#tables,
      state: () => this.keeper(region)?.state,
      registry: () => this.#requireRegistry(),
      sizes: () => this.#shelf.issued,
      requireSide: () => this.#signing.requireSide(),
      node: this,
    });
    ({ lists: this.lists, life: this.life, handovers: this.handovers, once: this.once } = people);
    this.joinings = new JoiningBook({ store });
    ({ overrides: this.overrides, disclosing: this.disclosing, watch: this.#watch } = people);
    this.visitor = new LogVisitor({ ...reading, store, witness });
    const keepers = () => this.#board.keepers.values();
    this.#desks = new Desks(options, {
      ...reading,
      witness,
      store: this.#store,
      keysOf: (origin) => this.#shelf.keysOf(origin),
      isWitness: () => !this.#signing.isStandby,
      isStandby: () => this.#signing.isFollowing,
      giveWay: (origin, index) => this.#signing.giveWay(origin, index),
      verify: (text, context) => this.verify(text, context),
    });
    this.#herald = new Herald(
      { ...this.#options, witnessName: witnessName(region, network), gatherMs: 20 },
      { ...modules, voucher: this.#voucher, keepers, onTrouble },
    );
    const upkeep = upkeepOf(this.#options, { ...reading, keepers, store: this.#store });
    this.#mender = upkeep.mender;
    this.#scrub = upkeep.scrub;
    this.#fence = fenceFor(options, reading);
    this.#preparer = preparerOf(this.#options, modules);
    this.#signing = new Signing(this.#options, {
      ...reading,
      prepare: this.#preparer.prepare,
      fence: this.#fence,
      watch: this.#watch,
      takeBack: people.takeBack,
      store: this.#store,
      mender: this.#mender,
      registry: () => this.#requireRegistry(),
      clocks: this.#clocks,
      herald: this.#herald,
      background: this.#background,
      stopping: this.#stopping.signal,
    });
    const state = () => this.keeper(region)?.state;
    this.lookup = new Lookup(this.#options, {
      ...reading,
      state,
      store: this.#store,
      tables: this.#tables,
      signer: modules.keys.trustLog,
      isTimeGood: () => this.#clocks.report.standing !== 'astray',
      peers: () => client.peers(),
      trust: () => this.trust,
      onFault: (peer, fault) => book.fault(peer, fault),
    });
    const leaves = new LeafFinder(reading);
    this.#verdicts = new VerdictService({
      ...modules,
      trust: () => this.trust,
      leafProofs: (place) => leaves.find(place),
      lookup: this.lookup,
    });
  }

  /** Opens what the store holds and begins to read. Rejects as `Store.start` and the opening of the logs; it is stopped then. */
  async start(): Promise<void> {
    if (this.#isStarted) throw new TypeError('a node is started once');
    this.#isStarted = true;
    try {
      const store = this.#store;
      await store.start();
      await this.#watch.start();
      this.#registry = await openRegistry(this.#options, { ...this.#modules, store, tables: this.#tables });
      await this.#shelf.open();
      // An earlier process may have ended between signing its newest checkpoint and vouching for it.
      if (this.#options.onDemand !== true) await this.#voucher.vouch(this.#shelf.home);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#server.start();
    this.#desks.start();
    if (this.#options.onDemand !== true) {
      const parts = [this.#antiEntropy, this.#clocks, this.#herald, this.#scrub, this.#mender];
      for (const part of parts) part.start();
      this.lookup.start();
    }
    this.#signing.start();
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

  /** What `status` says of how long the logs are, and of the store. */
  get sizes(): NodeStatus['sizes'] {
    return this.#shelf.report.sizes;
  }

  get store(): StoreState {
    return this.#store.condition.state;
  }

  get status(): NodeStatus {
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    const { trust } = this;
    const { state, failure } = this.#signing;
    const writer = this.#fence?.writership.report;
    return {
      writing: this.#isStopped ? 'stopped' : state,
      ...(failure !== undefined && { reason: failure.message }),
      ...(writer !== undefined && { writer }),
      clock: this.#clocks.report,
      store: this.store,
      ...this.#shelf.report,
      knowledge: [...trust.regions.keys()].flatMap((region) => assessKnowledge(trust, region, nowS) ?? []),
      pulls: this.#puller.counters,
      sync: this.#antiEntropy.counters,
      scrub: this.#scrub.counters,
      verdicts: this.#verdicts.counters,
      bulk: this.#watch.report,
    };
  }

  /** `verifier`: the name of the enrolled one that asks, for whom numbers are looked up. */
  verify(text: string, context: VerdictContext, verifier?: string): Promise<Verdict> {
    return this.#verdicts.verify(text, context, verifier);
  }

  /** Logs a statement of the trust-log key, or an entry that the root has signed. Rejects as `WritingSide.submit`. */
  async submit(item: TrustLogItem): Promise<Receipt> {
    return this.#signing.requireSide().submit(item);
  }

  /**
   * Logs entries that the root has signed, in one batch, and gives the index of the first. Where somebody else signs with the region's keys, or where
   * witnesses let this machine sign nothing and the root gives a checkpoint key up, as `Signing.heal`. Rejects as `submit`, `tend` and `GivingUp.show`.
   */
  async logEntries(entries: readonly Uint8Array[]): Promise<number> {
    const { home } = this.#shelf;
    return logAll(entries, { home, signing: this.#signing, fence: this.#fence, node: this });
  }

  async issue(request: IssueRequest): Promise<Issued> {
    return this.#signing.requireSide().issue(request);
  }

  /** As `Issuer.issueAll`. */
  async issueAll(requests: readonly IssueRequest[]): Promise<Issued[]> {
    return this.#signing.requireSide().issueAll(requests);
  }

  async revoke(revocation: Revocation): Promise<void> {
    return this.#signing.requireSide().revoke(revocation);
  }

  async commitState(): Promise<Receipt> {
    return this.#signing.requireSide().commitState();
  }

  /** Does what is due with the calendar, and finishes what an earlier process began to issue. Rejects as `WritingSide.tend`. */
  async tend(): Promise<void> {
    return this.#signing.requireSide().tend();
  }

  /** Lets the checkpoint key in force sign what another one did; nothing while it cannot sign. Rejects as `WritingSide.renew`. */
  async renew(): Promise<void> {
    await this.#signing.side?.renew().catch((error: unknown) => {
      // Without the key, or who permits it, all stays as it is, and whoever issues hears why.
      if (!UNRENEWED.some((code) => isNodeError(error, code))) throw error;
    });
  }

  /** Resolves once it signs. @throws {NodeError} why it does not, as soon as the first check of its own logs says so. */
  async whenWriting(): Promise<void> {
    await this.#signing.decided();
  }

  /** Cosigns the newest checkpoint of every trust log that it follows, its own among them, and says so to peers. */
  vouch(): Promise<void> {
    return this.#herald.beat('everything');
  }

  /** A log that it holds. */
  log(origin: string): LogTree | undefined {
    return this.#shelf.logs.get(origin)?.tree;
  }

  /** Who holds which code. */
  get heldCodes(): HeldCodes {
    return new HeldCodes(this.#options, {
      registry: this.#requireRegistry(),
      openTree: (origin) => this.#shelf.openTree(origin),
    });
  }

  /** Destroys what opens a person's codes. Rejects as `Forgetting.forget`. */
  forget(order: ForgetOrder): Promise<readonly ForgottenLeaf[]> {
    return new Forgetting(this.#options, {
      ...this.#modules,
      registry: this.#requireRegistry(),
      forgetDeclared: forgetDeclaredBy(this),
      trust: () => this.keeper(this.#options.region)?.state,
      tend: () => this.#signing.side?.tend() ?? Promise.resolve(),
      openTree: (origin) => this.#shelf.openTree(origin),
    }).forget(order);
  }

  /** The operator decides that the node signs although too few peers answered. What one of them shows, or a lost store, binds it all the same. */
  force(): void {
    this.#signing.force();
  }

  /** Lets this machine write in the place of the one that does. Rejects as `Signing.promote`. */
  promote(): Promise<void> {
    return this.#signing.promote();
  }

  /** The keeper of a region's trust log, for audits and snapshots. */
  keeper(region: string): TrustKeeper | undefined {
    return this.#board.keepers.get(region);
  }

  #requireRegistry(): Registry {
    if (this.#registry === undefined) throw new TypeError('the node is not started');
    return this.#registry;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#server.stop();
    this.#client.stop();
    await this.lookup.stop();
    await this.#preparer.stop();
    await this.#signing.stop();
    const parts = [this.#mender, this.#scrub, this.#herald, this.#clocks, this.#antiEntropy];
    for (const part of parts) await part.stop();
    await this.#background.ended();
    await this.#shelf.close();
    if (this.store === 'serving') await this.#watch.stop();
    await this.#modules.tables?.stop();
    await this.#store.stop();
    this.#isStopped = true;
  }

  /** Others should hear of a new checkpoint, and the home may recognise others by now. */
  #heedChange(isNewer: boolean): void {
    this.#board.changed();
    if (isNewer) this.#herald.news();
    if (!this.#shelf.isFollowingAll) this.#background.run(() => this.#shelf.followAll());
  }
}
