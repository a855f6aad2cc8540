/**
 * What a node knows of one region: its trust log, the state that it folds to, who vouches for that, and whether the log was
 * caught forking. The single writer of all of it; entries and notes come from anybody and are taken once they are proven.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { type OpenedCheckpoint, openRead, type ReadNote, readNote } from '../../protocol/log/checkpoint.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { type LoggedStatement } from '../../protocol/trust/naming.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { objectionTo } from '../../protocol/trust/vouching.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Applied, type Claim, type Piece, Replica } from '../log/replica.ts';
import { type NodeError } from '../node-error.ts';
import { type HighWater } from '../ports.ts';
import { type Followed, type Heeded, type Kept, type Naming } from '../sync/followed.ts';
import { CosignaturePool } from './cosignature-pool.ts';
import { ForkBook, type KnownFork } from './fork-book.ts';
import { BranchSettlement } from './branch-settlement.ts';
import { type Branch } from './branch-weighing.ts';
import { type HeldState, HeldStates, PENDING_MAX } from './held-state.ts';
import { KnownRoots } from './known-roots.ts';
import { LeftBranches } from './left-branches.ts';
import { allVerifierKeys, isByNoKnownKey, logVerifierKeys } from './log-keys.ts';
import { type TrustKeeperModules, type TrustKeeperOptions } from './keeper-options.ts';
import { RegionFold } from './region-fold.ts';
import { type Vetting } from '../witness/witness-rule.ts';

/** Notes that were found to be on the tree that is held, so that they are not looked at again. */
const NOTES_REMEMBERED = 64;

export class TrustKeeper implements Followed {
  readonly region: string;
  readonly origin: string;
  readonly #options: TrustKeeperOptions;
  readonly #modules: TrustKeeperModules;
  readonly #fold: RegionFold;
  readonly #forks: ForkBook;
  readonly #replica: Replica;
  readonly #left: LeftBranches;
  #agreed = new RecentMap<{ readonly text: string }>(NOTES_REMEMBERED);
  readonly #states = new HeldStates();
  readonly #settlement: BranchSettlement;
  readonly #roots: KnownRoots;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    options: TrustKeeperOptions,
    modules: TrustKeeperModules,
    fold: RegionFold,
    forks: ForkBook,
    left: LeftBranches,
  ) {
    this.region = options.region;
    this.origin = trustLogOrigin(options.region, options.network);
    this.#options = options;
    this.#modules = modules;
    this.#fold = fold;
    this.#forks = forks;
    this.#left = left;
    this.#replica = new Replica(modules);
    this.#roots = new KnownRoots(this.origin, modules);
    this.#settlement = new BranchSettlement(options, {
      ...modules,
      fold,
      left,
      roots: this.#roots,
      states: this.#states,
      keepProof: (evidence, keys) => this.#keepIfProven(evidence, keys),
      onLeft: () => (this.#agreed = new RecentMap(NOTES_REMEMBERED)),
    });
  }

  /**
   * Opens what the store holds of the region. Where entries cannot be read, it goes as far as those before them; no checkpoint is
   * held then.
   * @throws {ProtocolError} PIN_MISMATCH if that is another region of this name. Rejects also as `RegionFold.advance`.
   */
  static async open(options: TrustKeeperOptions, modules: TrustKeeperModules): Promise<TrustKeeper> {
    const fold = await RegionFold.open(options, modules);
    const forks = await ForkBook.open(trustLogOrigin(options.region, options.network), modules);
    const left = await LeftBranches.open(trustLogOrigin(options.region, options.network), modules.store);
    const keeper = new TrustKeeper(options, modules, fold, forks, left);
    keeper.#requirePin(fold.state);
    await keeper.#complete();
    return keeper;
  }

  get tree(): LogTree {
    return this.#modules.tree;
  }

  get fold(): RegionFold {
    return this.#fold;
  }

  /** Why the log is not folded to its end, or cannot go on: entries are damaged or gone, and to be made good. `advance` tries again. */
  get damage(): NodeError | undefined {
    return this.#fold.damage;
  }

  /** What all entries that are held say. */
  get state(): TrustState {
    return this.#fold.state;
  }

  /** The newest signed checkpoint and its state. */
  get latest(): HeldState | undefined {
    return this.#states.latest;
  }

  /** What is held and newer than what verdicts lean on, newest last. A late cosignature still counts for one before the newest. */
  get pending(): readonly HeldState[] {
    return this.#states.pending;
  }

  /** What verdicts lean on: at first the first that was held, unless it was ahead of its time. */
  get published(): HeldState | undefined {
    return this.#states.published;
  }

  /** Makes one of `pending` what verdicts lean on. */
  publish(held: HeldState): void {
    this.#states.publish(held, this.#nowS());
  }

  get note(): Uint8Array | undefined {
    return this.latest?.pool.note();
  }

  /** Every proof that is held, those of disowned keys last. */
  get forks(): readonly ForkEvidence[] {
    return this.#forks.standingFirst(this.state);
  }

  /** The same by name, as in `StoredEvidence`. */
  get proofs(): ReadonlyMap<string, KnownFork> {
    return this.#forks.proofs;
  }

  /** Proofs that count: none of whose sides was signed only by keys that the root has disowned since. */
  get standingForks(): readonly ForkEvidence[] {
    return this.forksStandingBy(this.state);
  }

  /** Those that would count by another state of the log. */
  forksStandingBy(state: TrustState): readonly ForkEvidence[] {
    return this.#forks.standingBy(state);
  }

  /**
   * Takes entries from anybody.
   * @throws {ProtocolError} as `Replica.apply`; PIN_MISMATCH for the log of another region of this name. @throws {NodeError}
   */
  apply(piece: Piece): Promise<Kept> {
    return this.#inTurn(() => this.#apply(piece));
  }

  async #apply(piece: Piece): Promise<Kept> {
    const read = piece.read ?? readNote(piece.note);
    const found = await this.#keysFor(piece, read);
    if (found === undefined) return { outcome: 'more', size: this.tree.size };
    const { keys, opened } = found;
    return this.#settle(await this.#replica.apply({ ...piece, read }, keys, opened), keys, read);
  }

  /** The branches that were left, and whether the root has named two. */
  get left(): Pick<LeftBranches, 'count' | 'isContradicted' | 'revokedBeside' | 'foreignRevokedBeside'> {
    return this.#left;
  }

  /**
   * Takes another branch of the log in the place of what is held, if the root has named it, or goes on with it, if it gives up the mark in
   * the second place. What is left is kept, what it revoked counts on, and nothing else of it is leaned on any more.
   * @throws {ProtocolError} as `weighBranch` and `releaseMark`. @throws {NodeError} as `LogTree.replace`: repeat the call.
   */
  settle(branch: Branch): Promise<boolean> {
    return this.#inTurn(async () => {
      if (await this.#settlement.release(branch)) return (await this.#apply(branch)).outcome === 'grown';
      const isTaken = await this.#settlement.settle(branch);
      if (isTaken) {
        await this.#complete();
        this.#modules.onChange?.(true);
      }
      return isTaken;
    });
  }

  /** Holds a claim against what is held. Rejects as `Replica.confront`. */
  confront(claim: Claim): Promise<Applied> {
    const keys = () => this.#keys(this.state);
    return this.#inTurn(async () => this.#settle(await this.#replica.confront(claim, keys()), keys()));
  }

  /**
   * Takes a note from anybody: cosignatures of what is held, or another tree of a size that is.
   * @throws {ProtocolError} ORIGIN_INVALID for a note of another log, and as `Replica.apply`.
   */
  async heed(note: Uint8Array, read: ReadNote = readNote(note)): Promise<Heeded> {
    const { text, signatures } = read.note;
    const { origin, size } = read.checkpoint;
    if (origin !== this.origin)
      throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${this.origin}`);
    const pool = this.#poolOf(text);
    if (pool !== undefined) {
      this.#take(pool, signatures);
      return 'known';
    }
    if (this.#agreed.get(text) !== undefined) return 'known';
    if (size > this.tree.size) return 'behind';
    try {
      const { outcome } = await this.apply({ from: size, entries: [], note, read });
      if (outcome === 'forked') return 'forked';
    } catch (error) {
      // An old note by a key that is not known any more, whose bearer may just be late; or one of another branch.
      if (!isByNoKnownKey(error)) throw error;
      return 'strange';
    }
    this.#agreed.set(text, { text });
    return 'known';
  }

  /** Whether this node may cosign a checkpoint with this text: only one whose entries it has folded, all of them and no more. */
  vetting(text: string): Vetting {
    const held = this.#states.withText(text);
    return held === undefined
      ? { isFolded: false }
      : { isFolded: true, objection: objectionTo(held, this.#nowS()) };
  }

  get naming(): readonly LoggedStatement[] {
    return this.#settlement.naming;
  }

  isNamedBy(naming: Naming, common: number): Promise<boolean> {
    return this.#inTurn(() => this.#settlement.isNamedBy(naming, common));
  }

  /** Does not wait for this keeper: see `BranchSettlement.hasGivenUp`. */
  hasGivenUp(seen: HighWater): Promise<boolean> {
    return this.#settlement.hasGivenUp(seen);
  }

  /** Takes a cosignature that this node made itself. */
  vouch(text: string, line: NoteSignature): void {
    const pool = this.#poolOf(text);
    if ((pool?.vouch(line, this.#modules.witnessKeys(), this.#nowS()) ?? 0) > 0)
      this.#modules.onChange?.(false);
  }

  /** Keeps a proof that the log forked, by keys that were given up too. @throws {ProtocolError} as `verifyForkEvidence`. */
  async accuse(evidence: ForkEvidence): Promise<void> {
    await this.#keep(evidence, allVerifierKeys(this.#modules.sha256, this.state, this.origin));
  }

  /** Follows a log whose writer is another: the home's own. */
  advance(): Promise<void> {
    return this.#inTurn(() => this.#follow());
  }

  /** The log's keys, and the note if they open it. Rejects as `RegionFold.stateAfter`. Undefined: those that signed are not known yet. */
  async #keysFor(
    { from, entries }: Piece,
    read: ReadNote,
  ): Promise<{ keys: readonly VerifierKey[]; opened?: OpenedCheckpoint } | undefined> {
    const keys = this.#keys(this.state);
    try {
      return { keys, opened: openRead(read, keys, this.#modules.verifySignature) };
    } catch (error) {
      if (!isProtocolError(error, 'NOTE_UNSIGNED')) throw error;
    }
    const { size } = read.checkpoint;
    const { size: folded } = this.#fold;
    if (from > folded || size <= folded) return { keys };
    const isWhole = from + entries.length >= size;
    const state = await this.#fold.stateAfter(
      entries.slice(folded - from, isWhole ? undefined : folded - from + 1),
    );
    this.#requirePin(state);
    return isWhole ? { keys: this.#keys(state) } : undefined;
  }

  async #settle(applied: Applied, keys: readonly VerifierKey[], read?: ReadNote): Promise<Applied> {
    if (applied.outcome === 'forked') {
      // What the second place remembers may be by a key that was given up since: then nothing is proven, and no bearer is to blame.
      await this.#keepIfProven(applied.evidence, keys);
      return applied;
    }
    await this.#follow();
    if (read !== undefined) {
      const { text, signatures } = read.note;
      const pool = this.#poolOf(text);
      if (pool !== undefined) this.#take(pool, signatures);
    }
    return applied;
  }

  async #keepIfProven(...args: [ForkEvidence | undefined, readonly VerifierKey[]]): Promise<void> {
    try {
      await this.#keep(...args);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }

  async #keep(evidence: ForkEvidence | undefined, keys: readonly VerifierKey[]): Promise<void> {
    if (evidence === undefined) return;
    const fork = await this.#forks.take(evidence, keys, this.state);
    if (fork !== undefined) this.#modules.onChange?.(false);
  }

  async #follow(): Promise<void> {
    const before = this.latest?.pool.text;
    await this.#fold.advance();
    if (await this.#complete()) this.#modules.onChange?.(this.latest?.pool.text !== before);
  }

  /** Learns what the state says of roots and of keys, and looks whether the newest checkpoint and its state are both there. */
  async #complete(): Promise<boolean> {
    await this.#roots.learn(this.state);
    await this.#forks.learn(allVerifierKeys(this.#modules.sha256, this.state, this.origin), this.state);
    const { signed } = this.tree.head;
    if (signed === undefined || signed.size === 0 || signed.size !== this.#fold.size) return false;
    const { sha256, verifySignature } = this.#modules;
    const { state, falseStart } = this.#fold;
    const read = readNote(signed.note);
    let opened;
    try {
      opened = openRead(read, this.#keys(state), verifySignature);
    } catch (error) {
      // The key was disowned by an entry under its own note: a note by another key will come.
      if (!isProtocolError(error)) throw error;
      return false;
    }
    const { origin, size, root, text } = opened;
    const known = this.latest?.pool;
    const isNew = known?.text !== text;
    const pool = isNew ? new CosignaturePool({ text }, { sha256, verifySignature }) : known;
    const { signatures } = read.note;
    const signers = pool.logKeyIds.length;
    pool.takeOwn(opened);
    pool.take(signatures, this.#modules.witnessKeys(), this.#nowS());
    const held = { state, falseStart, checkpoint: { origin, size, root }, pool };
    if (isNew) await this.#vouchFirst(held);
    if (isNew && this.pending.length === PENDING_MAX) this.#modules.onFull?.();
    this.#states.hold(held, { isNew, nowS: this.#nowS() });
    return isNew || pool.logKeyIds.length > signers;
  }

  /** The own witness speaks before anybody hears of the checkpoint, so that no death in between leaves others without its time. */
  async #vouchFirst(held: HeldState): Promise<void> {
    const { ownLine, witnessKeys } = this.#modules;
    if (ownLine === undefined) return;
    await this.#states.whileAwaited(held, async () => {
      const line = await ownLine(this, held);
      if (line !== undefined) held.pool.vouch(line, witnessKeys(), this.#nowS());
    });
  }

  #take(pool: CosignaturePool, lines: readonly NoteSignature[]): void {
    if (pool.take(lines, this.#modules.witnessKeys(), this.#nowS()) > 0) this.#modules.onChange?.(false);
  }

  #poolOf(text: string): CosignaturePool | undefined {
    return this.#states.withText(text)?.pool;
  }

  #keys(state: TrustState): readonly VerifierKey[] {
    return logVerifierKeys(this.#modules.sha256, state, this.origin);
  }

  #requirePin({ fingerprint, size }: TrustState): void {
    const { fingerprint: pin, region } = this.#options;
    if (pin === undefined || size === 0) return;
    if (fingerprint !== undefined && equalBytes(fingerprint, pin)) return;
    throw new ProtocolError('PIN_MISMATCH', `this is not the log of the ${region} that was recognised`);
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1000);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const workSettled = async () => {
      await this.#settlement.conclude();
      return work();
    };
    const turn = this.#turn.then(workSettled, workSettled);
    this.#turn = turn;
    return turn;
  }
}
