/** Whether and when a node signs: not before its peers have shown that nothing of its own logs is missing, and no more once somebody else does. */
import { type BulkWatch } from '../abuse/bulk-watch.ts';
import { type PeerClocks } from '../clock/peer-clocks.ts';
import { logError } from '../log/log-error.ts';
import { type GrownTree } from '../log/log-writer.ts';
import { Retention } from '../log/retention.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Signer } from '../ports.ts';
import { refusalOf } from '../sync/boot-check.ts';
import { type Herald } from '../sync/herald.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Background } from './background.ts';
import { askAgain, findForked, requireNamed, requireUnforked } from './named-trees.ts';
import { type NODE_DEFAULTS, type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';
import { HELD_UP, stateWithout, type WritingState } from './node-status.ts';
import { claimToWrite, type Fence, notFenced, permitTree, requireUnfenced } from './fencing.ts';
import { follow } from './following.ts';
import { Healing } from './healing.ts';
import { logTogether } from './log-all.ts';
import { findOwnLogs, type OwnLogsCheckModules } from './own-logs-check.ts';
import { withReplacement } from './replacing.ts';
import { PAUSES_MAX, RetryPause } from './retry-pause.ts';
import { endSalvage } from './salvage-end.ts';
import { giveWay, type Write } from './outrun.ts';
import { takeOver, type TakingOverModules } from './taking-over.ts';
import { BatchShare } from '../writer/batch-share.ts';
import { type Writership } from '../writer/writership.ts';
import { type WritingSide, type WritingSideModules } from './writing-side.ts';
import { startWriting } from './writing-start.ts';

export interface SigningModules
  extends
    RegionNodeModules,
    OwnLogsCheckModules,
    Omit<TakingOverModules, 'writership'>,
    Pick<WritingSideModules, 'prepare' | 'gate'> {
  readonly watch: BulkWatch;
  /** Called as often as the calendar is looked at, while this machine signs. */
  readonly sweep: () => Promise<void>;
  readonly clocks: PeerClocks;
  readonly herald: Herald;
  readonly background: Background;
  readonly keeper: (region: string) => TrustKeeper | undefined;
  /** Where witnesses fence whoever writes. */
  readonly fence?: Fence | undefined;
}

export class Signing {
  readonly #options: RegionNodeOptions & typeof NODE_DEFAULTS;
  readonly #modules: SigningModules;
  readonly #writership: Writership | undefined;
  #state: WritingState = 'checking';
  #side: WritingSide | undefined;
  readonly #healing: Healing;
  #isBeginning = false;
  /** Another process writes into the registry of this region: nothing more is signed before a new start. */
  #isTaken = false;
  #isOpening = false;
  #isEnding = false;
  /** As the last try to begin found it. */
  #failure: NodeError | undefined;
  #decided: () => void = () => undefined;
  readonly #decision = new Promise<void>((resolve) => (this.#decided = resolve));
  #forced = false;
  #wasForced = false;
  /** Another machine writes, or may: this one claims nothing by itself. */
  #isStandby: boolean;
  #how: 'resume' | 'promote' = 'resume';
  readonly #retention: Retention;
  readonly #share: BatchShare;
  readonly #retryPause: RetryPause;

  constructor(options: RegionNodeOptions & typeof NODE_DEFAULTS, modules: SigningModules) {
    this.#options = options;
    this.#modules = modules;
    this.#writership = modules.fence?.writership;
    this.#isStandby = options.fenced?.isStandby === true;
    const { shelf, keeper, regionOf, client, background } = modules;
    this.#retryPause = new RetryPause({ ...modules, peers: () => client.peers() }, options.bootRetryMs);
    this.#share = new BatchShare({ ...modules, isOwn: (peer) => regionOf(peer) === options.region });
    this.#healing = new Healing(options, {
      ...modules,
      requireUnfenced: (givenUp) => requireUnfenced(options, modules, givenUp),
      open: (checkpoint) => {
        this.#isStandby = false;
        return this.#start({ ...modules.keys, checkpoint });
      },
      onTried: () => background.run(() => this.#begin()),
    });
    const openTree = (origin: string) => shelf.openTree(origin);
    this.#retention = new Retention(options, { ...modules, stateOf: (of) => keeper(of)?.state, openTree });
  }

  /** Asks until the way is free, and then begins to sign; from then on does what is due with the calendar. */
  start(): void {
    const { background } = this.#modules;
    background.run(() => this.#begin());
    background.run(() => this.#tend());
    if (this.#writership !== undefined) background.run(() => this.#confirm());
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    this.#decided();
    await this.#side?.stop();
  }

  get state(): WritingState {
    return this.#state === 'writing' && this.#modules.clocks.report.standing === 'astray'
      ? 'astray'
      : this.#state;
  }

  get failure(): NodeError | undefined {
    return this.#failure ?? this.#side?.trouble;
  }

  /** Whether another machine speaks for the region: this one says nothing in its name, not as its witness either. */
  get isStandby(): boolean {
    return this.#isStandby;
  }

  /** Undefined while it does not sign. */
  get side(): WritingSide | undefined {
    return this.#side;
  }

  /** Whether the own logs are written to: then they take nothing from anybody. */
  get isWriting(): boolean {
    return this.#side !== undefined || this.#healing.isSigning || this.#isOpening || this.#isEnding;
  }

  /** Whether it takes from the machine that writes what that is about to sign: it has nothing of its own in hand any more. */
  get isFollowing(): boolean {
    return this.#isStandby && !this.#isEnding;
  }

  /** @throws {NodeError} why it does not sign. */
  requireSide(): WritingSide {
    if (this.#side !== undefined) return this.#side;
    if (this.#modules.stopping.aborted) throw logError('LOG_STOPPED', 'the node was stopped');
    throw this.#failure ?? logError('LOG_UNSETTLED', 'what peers hold of our logs is not known yet');
  }

  /** Resolves once it signs. @throws {NodeError} why it does not, as soon as the first check of its own logs says so. */
  async decided(): Promise<void> {
    await this.#decision;
    this.requireSide();
  }

  /** See `RegionNode.force`. */
  force(): void {
    this.#forced = true;
    this.#retryPause.end();
  }

  /** See `ShareServerModules`. */
  async giveWay(origin: string, index: number, write: Write): Promise<void> {
    await giveWay(await this.#modules.shelf.openTree(origin), index, this.#modules, write);
  }

  /**
   * Claims to write in the place of the machine that does; resolves once it signs.
   * @throws {NodeError} REFUSED where nobody fences, PEER_UNREACHABLE where too few witnesses answer: all is as before then. LOG_BEHIND
   * while it has not all that the writer before may have signed: it fetches that, and signs as soon as it can.
   */
  async promote(): Promise<void> {
    if (this.#writership === undefined) throw notFenced();
    if (this.#side !== undefined) return;
    this.#how = 'promote';
    this.#isStandby = false;
    const decided = new Promise<void>((resolve) => (this.#decided = resolve));
    this.#retryPause.end();
    await decided;
    this.requireSide();
  }

  /**
   * Logs entries by which the root names the log that is here, although somebody else has signed another or keeps this machine from signing with a
   * stolen key, in the place of whoever writes; then looks again whether it may sign. Gives the index of the first.
   * @throws {NodeError} LOG_UNSETTLED unless it is contradicted, held up or fenced; as `Healing.heal`.
   */
  async heal(entries: readonly Uint8Array[]): Promise<number> {
    const isContradicted = this.#state === 'contradicted';
    const isHeldUp = isContradicted || HELD_UP.includes(this.#state) || this.#modules.fence !== undefined;
    if (!isHeldUp || this.isWriting || this.#healing.isUnderWay)
      throw logError('LOG_UNSETTLED', 'nobody else is known to sign with the keys of this region');
    return this.#healing.heal(entries, { isContradicted, forced: this.#forced });
  }

  /** What is to be logged with entries of the root that give a checkpoint key up while it signs: as `withReplacement` where peers may not have said how far the logs are. */
  async completed(entries: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    return this.#wasForced ? withReplacement(this.#options, entries, this.#modules) : entries;
  }

  /** Somebody else signs with our key: whatever we sign from here on would only make it worse. */
  contradicted(): void {
    if (this.#writership !== undefined) {
      if (this.#side !== undefined)
        this.#fenced(logError('LOG_FENCED', 'another machine has signed more of the logs of this region'));
      return;
    }
    this.#state = 'contradicted';
    this.#failure = logError('LOG_CONTRADICTED', 'somebody else signs with the keys of this region');
    this.#modules.background.run(() => this.#end());
  }

  /** Two nodes of the region run: what both sign would be two logs. */
  #taken(error: NodeError): void {
    this.#isTaken = true;
    this.#state = 'failed';
    this.#failure = error;
    this.#modules.onTrouble?.(error);
    this.#modules.background.run(() => this.#end());
  }

  /** What is in hand ends; until then the own logs take nothing from others. */
  async #end(): Promise<void> {
    const side = this.#side;
    if (side === undefined) return;
    this.#side = undefined;
    this.#isEnding = true;
    await side.stop().finally(() => (this.#isEnding = false));
  }

  async #begin(): Promise<void> {
    const { stopping, shelf, clocks } = this.#modules;
    if (this.#isBeginning) return this.#retryPause.end();
    this.#isBeginning = true;
    let pauses = 1;
    while (!stopping.aborted && this.#side === undefined && !this.#isTaken) {
      if (this.#healing.isUnderWay || this.#isEnding) {
        await this.#retryPause.wait(1);
        continue;
      }
      let decided = this.#decided;
      try {
        if (!this.#isStandby) this.#failure = undefined;
        // First of all nothing more is to be signed elsewhere: a log that grows cannot be caught up with.
        if (this.#how === 'promote') await claimToWrite(this.#modules);
        pauses = Math.min(2 * pauses, PAUSES_MAX);
        const held = shelf.ownSize;
        const finding = findOwnLogs(this.#options, this.#modules, { forced: this.#forced });
        // What it signs first should have the right time too.
        const [found] = await Promise.all([finding, clocks.first()]);
        // It has caught up a piece: the next look tells whether that was all.
        if (found.finding === 'behind' && shelf.ownSize > held) continue;
        if (this.#healing.isUnderWay) continue;
        // Who asks to be promoted from here on waits for the next look.
        decided = this.#decided;
        if (this.#isStandby && found.finding !== 'contradicted') {
          this.#state = 'standby';
          this.#failure = await follow(this.#modules, this.#failure);
          pauses = 1;
        } else {
          this.#state = found.finding;
          this.#failure = refusalOf(found, shelf.logs);
          if (this.#state === 'clear') await this.#open();
        }
      } catch (error) {
        pauses = 1;
        this.#refuse(error);
      }
      if (!stopping.aborted) decided();
      await this.#retryPause.wait(pauses);
    }
    this.#isBeginning = false;
  }

  #refuse(error: unknown): void {
    this.#failure = isNodeError(error)
      ? error
      : logError('LOG_FAILED', 'the node could not begin to sign', { cause: error });
    const { code } = this.#failure;
    // What could not be claimed is not claimed later on, when nobody reckons with it any more.
    const isUnclaimed = this.#how === 'promote' && this.#writership?.report?.isSelf !== true;
    if (code === 'LOG_FENCED' || isUnclaimed) {
      this.#isStandby = true;
      this.#how = 'resume';
    } else if (code !== 'PEER_UNREACHABLE') this.#modules.onTrouble?.(error);
    this.#state = this.#isStandby ? 'standby' : stateWithout(code);
  }

  /** Another machine writes from now on: what is in hand ends without a signature. */
  #fenced(error: NodeError): void {
    this.#writership?.letGo();
    this.#isStandby = true;
    this.#how = 'resume';
    this.#state = 'standby';
    this.#startAnew(error);
  }

  /** What is in hand ends; then it looks again whether it may sign: the writer before had more permitted, as far as was not known. */
  #startAnew(error: NodeError): void {
    if (!this.#isStandby) this.#state = 'behind';
    this.#failure = error;
    this.#modules.onTrouble?.(error);
    this.#modules.background.run(async () => {
      await this.#end();
      await this.#begin();
    });
  }

  /** A writer with nothing to sign has to hear of its successor too. */
  async #confirm(): Promise<void> {
    const { stopping, clock } = this.#modules;
    while (!stopping.aborted) {
      await clock.wait(this.#options.beatMs, stopping).catch(() => undefined);
      const side = this.#side;
      if (side === undefined) continue;
      await this.#writership?.confirm().catch((error: unknown) => {
        if (this.#side === side) this.#unpermitted(error);
      });
    }
  }

  /** What the witnesses answered ends what is in hand, or they could not be asked. */
  #unpermitted(error: unknown): void {
    if (isNodeError(error, 'LOG_FENCED')) this.#fenced(error);
    if (isNodeError(error, 'LOG_BEHIND')) this.#startAnew(error);
  }

  async #permit(tree: GrownTree): Promise<Signer | undefined> {
    const { shelf, fence } = this.#modules;
    try {
      return fence && (await permitTree(shelf.home, fence.writership, tree));
    } catch (error) {
      if (this.#side !== undefined) this.#unpermitted(error);
      throw error;
    }
  }

  async #open(): Promise<void> {
    const { shelf, fence, onTrouble } = this.#modules;
    let order: readonly Uint8Array[] = [];
    if (fence !== undefined) {
      order = await fence.giving.showStaged(shelf.home.tree);
      await takeOver(this.#how, { ...this.#modules, ...fence });
    } else if (!this.#forced) await requireUnfenced(this.#options, this.#modules);
    // The root may have been asked meanwhile: it signs first.
    if (this.#healing.isUnderWay) return;
    this.#isOpening = true;
    try {
      await requireNamed(this.#modules);
      const side = await this.#start();
      const log = (entries: readonly Uint8Array[]) => logTogether(entries, (item) => side.submit(item));
      await fence?.giving.finish(order, log).catch(async (error: unknown) => {
        await side.stop();
        throw error;
      });
      // Somebody else may have shown meanwhile that he signs too.
      const isHindered = () => this.#state !== 'clear' || findForked(shelf) !== undefined;
      // What an earlier process left is finished, or taken back, before anybody issues: who asks again for a code gets the one that is on its way.
      if (!isHindered()) await side.finish().catch((error: unknown) => onTrouble?.(error));
      if (isHindered()) {
        await side.stop();
        return this.#state === 'clear' ? requireUnforked(shelf) : undefined;
      }
      this.#side = side;
      this.#how = 'resume';
      this.#state = 'writing';
      // It was about this once.
      [this.#wasForced, this.#forced] = [this.#forced, false];
    } finally {
      this.#isOpening = false;
    }
    this.#modules.background.run(() => endSalvage(this.#modules));
    // What the writer before had in hand is finished now, and not when the next code is asked for.
    if (fence !== undefined) await this.#side.tend().catch((error: unknown) => onTrouble?.(error));
  }

  /** Once `isWriting`. */
  #start(keys = this.#modules.keys): Promise<WritingSide> {
    return startWriting(this.#options, {
      ...this.#modules,
      keys,
      writership: this.#writership,
      permit: (tree) => this.#permit(tree),
      share: (batch) => this.#share.give(batch),
      onTaken: (error) => this.#taken(error),
      retention: this.#retention,
    });
  }

  async #tend(): Promise<void> {
    const { stopping, clock, shelf } = this.#modules;
    while (!stopping.aborted) {
      const again = this.#side && askAgain(shelf);
      if (again !== undefined) this.#startAnew(again);
      await this.#side?.tend().catch((error: unknown) => this.#modules.onTrouble?.(error));
      if (this.#side !== undefined)
        await this.#modules.sweep().catch((error: unknown) => this.#modules.onTrouble?.(error));
      await clock.wait(this.#options.tendMs, stopping).catch(() => undefined);
      if (this.#side !== undefined) this.#modules.background.run(() => endSalvage(this.#modules));
    }
  }
}
