/**
 * The core of one region's node: its store, its own logs and its copies of others', what it knows of all regions, and the
 * verdicts on that. Reads and judges from its start; signs only once its peers have shown that nothing of its own is missing.
 */
import { type Disclosing } from '../abuse/disclosing.ts';
import { type Overrides } from '../abuse/overrides.ts';
import { surelyVouchedAtS } from '../../protocol/verdict/ages.ts';
import { assessKnowledge, type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { type EvidenceBook } from '../evidence/evidence-book.ts';
import { hearEvidence } from '../evidence/hear-evidence.ts';
import { keptEvidence, type KeptLine } from '../evidence/kept-evidence.ts';
import { surelyPastS } from '../clock/surely-past.ts';
import { Forgetting, type ForgetOrder, type Forgotten } from '../issuing/forgetting.ts';
import { type Issued, type IssueRequest } from '../issuing/issuer.ts';
import { neededAttestKeys } from '../issuing/needed-keys.ts';
import { type Handovers } from '../issuing/handovers.ts';
import { HeldCodes } from '../issuing/held-codes.ts';
import { type IssueOnce } from '../issuing/issue-once.ts';
import { type JoiningBook } from '../joining/joining-book.ts';
import { type PeerBook } from '../sync/peer-book.ts';
import { type Life } from '../life/life.ts';
import { type Lists } from '../lists/lists.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Lookup } from '../lookup/lookup.ts';
import { type Receipt } from '../log/log-work.ts';
import { type TrustLogItem } from '../log/trust-log-work.ts';
import { isNodeError } from '../node-error.ts';
import { type Registry } from '../registry/registry.ts';
import { type Revocation } from '../revoking/revoker.ts';
import { type StoreState } from '../store/condition.ts';
import { namedSize } from '../trust/cut-offs.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type LogVisitor } from '../witness/log-visit.ts';
import { type Witness } from '../witness/witness.ts';
import { type WitnessDesk } from '../witness/witness-desk.ts';
import { assemble, type NodeParts } from './assembly.ts';
import { logAll } from './log-all.ts';
import { type NodeStatus } from './node-status.ts';
import { forgetDeclaredBy, openRegistry } from './people.ts';
import { type Receipts } from './receipts.ts';
import { NODE_DEFAULTS, type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';

export { type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';

const UNRENEWED = ['KEY_NOT_IN_FORCE', 'KEY_FILE_MISSING', 'PEER_UNREACHABLE', 'LOG_FENCED'] as const;

export class RegionNode {
  readonly #options: RegionNodeOptions & typeof NODE_DEFAULTS;
  readonly #modules: RegionNodeModules;
  readonly #parts: NodeParts;
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
  /** What proves that regions contradicted themselves, besides the forks of logs. */
  readonly evidence: EvidenceBook;
  /** Of what is in the own logs. */
  readonly receipts: Receipts;
  /** Goes to regions and cosigns what they show. */
  readonly visitor: LogVisitor;
  readonly witness: Witness;
  /** Where anybody asks it. */
  readonly witnessDesk: WitnessDesk;
  readonly #stopping = new AbortController();
  #isStarted = false;
  #isStopped = false;
  #registry: Registry | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: RegionNodeOptions, modules: RegionNodeModules) {
    this.#options = { ...NODE_DEFAULTS, ...options };
    this.#modules = modules;
    this.#parts = assemble(this.#options, {
      ...modules,
      node: this,
      registry: () => this.#requireRegistry(),
      stopping: this.#stopping.signal,
    });
    const { people, joinings, lookup, visitor, witness, witnessDesk } = this.#parts;
    ({ lists: this.lists, life: this.life, handovers: this.handovers, once: this.once } = people);
    ({ overrides: this.overrides, disclosing: this.disclosing } = people);
    this.joinings = joinings;
    this.lookup = lookup;
    this.visitor = visitor;
    this.witness = witness;
    this.witnessDesk = witnessDesk;
    this.evidence = this.#parts.evidence;
    this.receipts = this.#parts.receipts;
  }

  /** Opens what the store holds and begins to read. Rejects as `Store.start` and the opening of the logs; it is stopped then. */
  async start(): Promise<void> {
    if (this.#isStarted) throw new TypeError('a node is started once');
    this.#isStarted = true;
    const { store, tables, people, shelf, voucher, server, desks, signing, lastSession } = this.#parts;
    try {
      await store.start();
      await lastSession.open();
      await people.watch.start();
      this.#registry = await openRegistry(this.#options, { ...this.#modules, store, tables });
      await shelf.open();
      await this.evidence.open();
      await this.#parts.unheldForks.open();
      await this.#parts.unproven.open();
      await this.#parts.cosigned.open();
      // An earlier process may have ended between signing its newest checkpoint and vouching for it.
      if (this.#options.onDemand !== true) await voucher.vouch(shelf.home);
    } catch (error) {
      await this.stop();
      throw error;
    }
    server.start();
    desks.start();
    if (this.#options.onDemand !== true) {
      this.#parts.background.run(() => this.evidence.recheck());
      if (this.#options.fenced !== undefined)
        this.#parts.background.run(() => this.#parts.forgottenShare.run());
      for (const part of this.#parts.rounds) part.start();
    }
    signing.start();
  }

  /** Finishes what is in hand and closes the store. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** What verdicts lean on now. */
  get trust(): Trust {
    return this.#parts.board.trust;
  }

  /** As `surelyPastS`. */
  get surelyPastS(): number | undefined {
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    const { standing } = this.#parts.clocks.report;
    return surelyPastS({ nowS, standing, vouchedAtS: surelyVouchedAtS(this.trust, nowS) });
  }

  /** What is held against each peer. */
  get peerBook(): Pick<PeerBook, 'recordOf' | 'isBanned'> {
    return this.#parts.book;
  }

  /** What `status` says of how long the logs are, and of the store. */
  get sizes(): NodeStatus['sizes'] {
    return this.#parts.shelf.report.sizes;
  }

  get store(): StoreState {
    return this.#parts.store.condition.state;
  }

  get status(): NodeStatus {
    const nowS = Math.floor(this.#modules.clock.nowMs() / 1000);
    const { trust, surelyPastS } = this;
    const {
      signing,
      fence,
      clocks,
      shelf,
      puller,
      antiEntropy,
      scrub,
      verdicts,
      people,
      shown,
      forgottenShare,
    } = this.#parts;
    const { workers } = this.#parts.preparer;
    const { forked, disowned } = this.#parts.unheldForks.report;
    const held = shelf.report;
    const { state, failure } = signing;
    const writer = fence?.writership.report;
    const falseStart = this.keeper(this.#options.region)?.fold.falseStart;
    return {
      writing: this.#isStopped ? 'stopped' : state,
      ...(failure !== undefined && { reason: failure.message }),
      ...(writer !== undefined && { writer }),
      ...(workers !== undefined && { workers }),
      ...(fence !== undefined && { toForget: forgottenShare.left }),
      clock: clocks.report,
      ...(surelyPastS !== undefined && { surelyPastS }),
      store: this.store,
      ...held,
      ...(falseStart !== undefined && { falseStart }),
      forked: [...held.forked, ...forked],
      disowned: [...held.disowned, ...disowned],
      knowledge: [...trust.regions.keys()].flatMap((region) => assessKnowledge(trust, region, nowS) ?? []),
      pulls: puller.counters,
      sync: antiEntropy.counters,
      scrub: scrub.counters,
      verdicts: verdicts.counters,
      cosigning: this.#parts.cosigning(),
      outside: this.#parts.outside.report,
      accusations: this.evidence.accusations,
      unlogged: shown.unlogged,
      bulk: people.watch.report,
      lookup: this.lookup.report,
    };
  }

  /** `verifier`: the name of the enrolled one that asks, for whom numbers are looked up. */
  verify(text: string, context: VerdictContext, verifier?: string): Promise<Verdict> {
    return this.#parts.verdicts.verify(text, context, verifier);
  }

  /** Logs a statement of the trust-log key, or an entry that the root has signed. Rejects as `WritingSide.submit`. */
  async submit(item: TrustLogItem): Promise<Receipt> {
    return this.#parts.signing.requireSide().submit(item);
  }

  /**
   * Logs entries that the root has signed, in one batch, and gives the index of the first. Where somebody else signs with the region's keys, or where
   * witnesses let this machine sign nothing and the root gives a checkpoint key up, as `Signing.heal`. Rejects as `submit`, `tend`, `GivingUp.show` and `lackingBy`.
   */
  async logEntries(entries: readonly Uint8Array[]): Promise<number> {
    return logAll(entries, { ...this.#parts, node: this });
  }

  async issue(request: IssueRequest): Promise<Issued> {
    return this.#parts.signing.requireSide().issue(request);
  }

  /** As `Issuer.issueAll`. */
  async issueAll(requests: readonly IssueRequest[]): Promise<Issued[]> {
    return this.#parts.signing.requireSide().issueAll(requests);
  }

  async revoke(revocation: Revocation): Promise<void> {
    return this.#parts.signing.requireSide().revoke(revocation);
  }

  async commitState(): Promise<Receipt> {
    return this.#parts.signing.requireSide().commitState();
  }

  /** Does what is due with the calendar, and finishes what an earlier process began to issue. Rejects as `WritingSide.tend`. */
  async tend(): Promise<void> {
    return this.#parts.signing.requireSide().tend();
  }

  /** Lets the checkpoint key in force sign what another one did; nothing while it cannot sign. Rejects as `WritingSide.renew`. */
  async renew(): Promise<void> {
    await this.#parts.signing.side?.renew().catch((error: unknown) => {
      // Without the key, or who permits it, all stays as it is, and whoever issues hears why.
      if (!UNRENEWED.some((code) => isNodeError(error, code))) throw error;
    });
  }

  /** Resolves once it signs. @throws {NodeError} why it does not, as soon as the first check of its own logs says so. */
  async whenWriting(): Promise<void> {
    await this.#parts.signing.decided();
  }

  /** As `hearEvidence`. */
  accuse(file: Uint8Array): Promise<boolean> {
    const { evidence, shelf, unheldForks: forks } = this.#parts;
    const isKnown = (origin: string) => shelf.keysOf(origin) !== undefined;
    return hearEvidence(file, { evidence, logs: () => shelf.logs, forks, isKnown });
  }

  /** As `keptEvidence`. */
  keptEvidence(options: { readonly hasFiles: boolean }): AsyncIterable<KeptLine> {
    return keptEvidence(this.#parts.store, options, this.#modules);
  }

  /** Cosigns the newest checkpoint of every trust log that it follows, its own among them, and says so to peers. */
  vouch(): Promise<void> {
    return this.#parts.herald.beat('everything');
  }

  /** A log that it holds. */
  log(origin: string): LogTree | undefined {
    return this.#parts.shelf.logs.get(origin)?.tree;
  }

  /** As `CosignedLogs.noteOf`. */
  cosignedNote(origin: string): Uint8Array | undefined {
    return this.#parts.cosigned.noteOf(origin);
  }

  /** As `neededAttestKeys`, of all attestation logs of the region that are in the store, those that cannot be used among them. */
  attestKeysNeeded(): Promise<ReadonlySet<string>> {
    const { region, network } = this.#options;
    const { sizes, closed } = this.#parts.shelf.report;
    const origins = new Set([...Object.keys(sizes), ...Object.keys(closed)]);
    const own = [...origins].filter((origin) => origin.startsWith(`${region}.${network}/attest/`));
    return neededAttestKeys(own, this.#parts.store);
  }

  /** Who holds which code. */
  get heldCodes(): HeldCodes {
    return new HeldCodes(this.#options, {
      registry: this.#requireRegistry(),
      openTree: (origin) => this.#parts.shelf.openTree(origin),
      named: (origin) => namedSize(this.#parts.shelf.home.state, origin),
    });
  }

  /** Destroys what opens a person's codes, here and on the other machine of the region, where it has one. Rejects as `Forgetting.forget`. */
  async forget(order: ForgetOrder): Promise<Forgotten> {
    const hasOther = this.#options.fenced !== undefined;
    const { isStandby } = this.#parts.signing;
    const leaves = await new Forgetting(this.#options, {
      ...this.#modules,
      registry: this.#requireRegistry(),
      forgetDeclared: forgetDeclaredBy(this),
      mark: (of) => this.once.marks.forgot(of),
      gate: this.#parts.people.gate,
      trust: () => this.keeper(this.#options.region)?.state,
      tend: () => this.#parts.signing.side?.tend() ?? Promise.resolve(),
      hasOther,
      isStandby,
      openTree: (origin) => this.#parts.shelf.openTree(origin),
    }).forget(order);
    return {
      leaves,
      ...(hasOther && leaves.length > 0 && { other: await this.#tellOther(order.subject) }),
      ...(isStandby && { declared: 'on-writer' as const }),
    };
  }

  /** What could not be told now is told later: nothing of that makes the order fail. */
  async #tellOther(subject: string): Promise<'forgot' | 'awaited'> {
    try {
      return (await this.#parts.forgottenShare.tellOf(subject)) ? 'forgot' : 'awaited';
    } catch (error) {
      this.#modules.onTrouble?.(error);
      return 'awaited';
    }
  }

  /** The operator decides that the node signs although too few peers answered. What one of them shows, or a lost store, binds it all the same. */
  force(): void {
    this.#parts.signing.force();
  }

  /** Lets this machine write in the place of the one that does. Rejects as `Signing.promote`. */
  promote(): Promise<void> {
    return this.#parts.signing.promote();
  }

  /** The keeper of a region's trust log, for audits and snapshots. */
  keeper(region: string): TrustKeeper | undefined {
    return this.#parts.board.keepers.get(region);
  }

  #requireRegistry(): Registry {
    if (this.#registry === undefined) throw new TypeError('the node is not started');
    return this.#registry;
  }

  async #stop(): Promise<void> {
    const { server, client, lookup, preparer, signing, background, shelf, people, store } = this.#parts;
    const { mender, scrub, herald, clocks, antiEntropy, copies, gatherer, outside, lastSession } =
      this.#parts;
    this.#stopping.abort();
    server.stop();
    client.stop();
    for (const part of [
      lookup,
      preparer,
      signing,
      mender,
      scrub,
      herald,
      clocks,
      antiEntropy,
      copies,
      gatherer,
      outside,
    ])
      await part.stop();
    await background.ended();
    await shelf.close();
    if (this.store === 'serving') {
      await people.watch.stop();
      await lastSession.end().catch((error: unknown) => this.#modules.onTrouble?.(error));
    }
    await this.#modules.tables?.stop();
    await store.stop();
    this.#isStopped = true;
  }
}
