/** All logs that a node holds, open and by name: its own, the trust logs of the regions it follows, and its mirrors of others. */
import { attestationLogOrigin, parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { type OpenedCheckpoint, type ReadNote } from '../../protocol/log/checkpoint.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { LogKeys } from '../log/log-keys.ts';
import { LogTree } from '../log/log-tree.ts';
import { type Clock, type SecondPlace, type Signer } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type Followed } from '../sync/followed.ts';
import { Mirror } from '../sync/mirror.ts';
import { isCutOff } from '../trust/cut-offs.ts';
import { allVerifierKeys, logVerifierKeys, ownVerifierKey } from '../trust/log-keys.ts';
import { RegionFold } from '../trust/region-fold.ts';
import { type TrustBoard } from '../trust/trust-board.ts';
import { type TrustKeeperModules } from '../trust/keeper-options.ts';
import { TrustKeeper } from '../trust/trust-keeper.ts';
import { isNodeError } from '../node-error.ts';
import { Turns } from '../turns.ts';
import { dropCopy, dropRegion, type FollowedRoot, requireRoot, settleRoot } from './root-change.ts';
import { type Vetting } from '../witness/witness-rule.ts';
import { type InvitedRegion } from './node-options.ts';
import { LeftTree } from './left-tree.ts';
import { OwnLeaves, type OwnLeavesModules } from './own-leaves.ts';
import { OwnLog, type OwnLogModules } from './own-log.ts';
import { type ShelfReport, shelfReport } from './shelf-report.ts';

export interface LogShelfOptions {
  readonly region: string;
  readonly network: string;
  /** See `RegionNodeOptions`. */
  readonly fingerprint?: Uint8Array;
  readonly mirrors?: readonly string[];
  readonly invited?: () => readonly InvitedRegion[];
  readonly named?: readonly { readonly region: string; readonly fingerprint: Uint8Array }[];
}

export interface LogShelfModules
  extends TrustModules, Pick<OwnLogModules, 'shown'>, Omit<OwnLeavesModules, 'state'> {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  readonly clock: Clock;
  readonly board: TrustBoard;
  readonly checkpointKey: (atS: number) => Signer;
  readonly isWriting: () => boolean;
  /** A keeper holds something new; `isNewer`: another checkpoint. */
  readonly onChange: (isNewer: boolean) => void;
  readonly onFork: (origin: string, evidence: ForkEvidence) => void;
  /** More logs are followed than before, of which peers may have all: once for those that came together. Must not throw. */
  readonly onMore: () => void;
  /** A copy of an attestation log has more entries, or others. */
  readonly onGrown: (origin: string) => void;
  /** What is stored of the logs whose names begin so is another now. Must not reject; nothing of them is opened before it resolves. */
  readonly onSettled: (prefix: string) => Promise<void>;
  /** A trust log cannot be read to its end. */
  readonly onDamage: () => void;
  /** Somebody else signs an own log. */
  readonly onAhead: () => void;
  /** What the own witness says of a checkpoint of the own trust log, before that is shown. */
  readonly ownLine: NonNullable<TrustKeeperModules['ownLine']>;
  readonly leave: NonNullable<TrustKeeperModules['leave']>;
}

const NOBODY: readonly InvitedRegion[] = [];
/** How long after its end an attestation log that its region has forgotten is still witnessed: two years. */
const OVER_S_MAX = 730 * 86_400;

/** A disk that takes nothing: it may later. */
const HINDERED = ['DISK_FULL', 'STORE_FULL', 'STORE_READ_ONLY', 'STORE_WRITE_UNKNOWN'] as const;
const DAMAGED = ['SECOND_PLACE_CORRUPT', 'VALUE_CORRUPT', 'LOG_CORRUPT', 'DATA_INCONSISTENT'] as const;
/** Why others' logs are not followed, while all else goes on. */
const UNUSABLE = ['LOG_CONTRADICTED', ...DAMAGED, ...HINDERED] as const;

export class LogShelf {
  readonly #options: LogShelfOptions;
  readonly #modules: LogShelfModules;
  readonly #trees = new Map<string, Promise<LogTree>>();
  readonly #logs = new Map<string, Followed>();
  /** By origin, why others' logs are not followed that cannot be opened. */
  readonly #unopened = new Map<string, string>();
  readonly #turns = new Turns();
  #home: TrustKeeper | undefined;
  /** The trust states by which all was opened that is to be followed. */
  #followed: readonly TrustState[] = [];
  #followedInvited = NOBODY;
  /** Whether something is not open only because the disk did not take what had to be written before. */
  #isHindered = false;

  constructor(options: LogShelfOptions, modules: LogShelfModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Opens what the store holds. Rejects as `LogTree.open` and `TrustKeeper.open`. */
  async open(): Promise<void> {
    this.#home = await this.#keep(this.#options.region, this.#options.fingerprint);
    await this.followAll();
  }

  /** Stops watching the store. */
  async close(): Promise<void> {
    for (const tree of await Promise.allSettled(this.#trees.values())) {
      if (tree.status === 'fulfilled') tree.value.close();
    }
  }

  /** By origin. */
  get logs(): ReadonlyMap<string, Followed> {
    return this.#logs;
  }

  get report(): ShelfReport {
    return shelfReport({
      home: this.home,
      keepers: this.#modules.board.keepers.values(),
      logs: this.#logs,
      unopened: this.#unopened,
    });
  }

  get ownLogs(): readonly OwnLog[] {
    return [...this.#logs.values()].filter((log) => log instanceof OwnLog);
  }

  /** Entries of all own logs together, but for those in trouble, of which nobody can tell. */
  get ownSize(): number {
    return this.ownLogs.reduce((sum, { tree }) => sum + (tree.trouble === undefined ? tree.size : 0), 0);
  }

  /** Entries of each own attestation log, by its id. */
  get issued(): Readonly<Record<string, number>> {
    const issued: Record<string, number> = {};
    for (const { origin, tree } of this.ownLogs) {
      const parsed = parseOrigin(origin);
      if (parsed.kind === 'attest') issued[parsed.log] = tree.size;
    }
    return issued;
  }

  get home(): TrustKeeper {
    if (this.#home === undefined) throw new TypeError('the shelf is not open');
    return this.#home;
  }

  /** Opens a log, or gives the one that is open. */
  openTree(origin: string): Promise<LogTree> {
    const known = this.#trees.get(origin);
    if (known !== undefined) return known;
    const tree = LogTree.open(origin, this.#modules).then((opened) => this.#share(opened));
    this.#trees.set(origin, tree);
    tree.catch(() => this.#trees.delete(origin));
    return tree;
  }

  /** Whether `followAll` has nothing to do. */
  get isFollowingAll(): boolean {
    return this.#isFollowing(this.#states());
  }

  /** Opens all own logs, follows the regions that the home recognises, and copies the logs that are to be copied. */
  followAll(): Promise<void> {
    if (this.isFollowingAll) return Promise.resolve();
    return this.#turns.take('follow', async () => {
      const states = this.#states();
      if (this.#isFollowing(states)) return;
      this.#isHindered = false;
      const before = this.#logs.size;
      for (const { log } of this.home.state.logs()) await this.openTree(this.#ownOrigin(log));
      const { named = [], mirrors = [], network } = this.#options;
      const invited = this.#invited;
      const { keepers } = this.#modules.board;
      const recognised = [...this.home.state.recognitions()].flatMap((one) => {
        return one.standing === 'withdrawn' ? [] : [{ region: one.region, fingerprint: one.fingerprint }];
      });
      // An invitation that was left in the config takes nobody's place who is recognised by now.
      const isRecognised = new Set(recognised.map(({ region }) => region));
      const others = invited.filter(({ region }) => !isRecognised.has(region));
      for (const { region, fingerprint } of [...recognised, ...others])
        if (!keepers.has(region)) await this.#follow({ region, network, fingerprint });
      for (const { region, fingerprint } of named) {
        const one = { region, network, fingerprint };
        // What is known of a region does not give way to a directory that somebody names.
        if (!keepers.has(region)) await this.#follow(one, () => requireRoot(one, this.#modules));
      }
      for (const { region, standing } of this.home.state.recognitions())
        if (standing === 'withdrawn' && !keepers.has(region)) await this.#remember(region);
      for (const keeper of keepers.values()) {
        if (!mirrors.includes(keeper.region) || keeper === this.home) continue;
        for (const { log } of keeper.state.logs()) {
          const origin = attestationLogOrigin(keeper.region, network, log);
          if (!this.#logs.has(origin)) await this.#ifUsable(origin, () => this.#copy(origin, keeper));
        }
      }
      // A region that was added just now brings a state of its own: the next call looks at that.
      this.#followed = this.#isHindered ? [] : states;
      this.#followedInvited = invited;
      if (this.#logs.size > before) this.#modules.onMore();
    });
  }

  #isFollowing(states: readonly TrustState[]): boolean {
    if (this.#invited !== this.#followedInvited) return false;
    return states.length === this.#followed.length && states.every((state, i) => state === this.#followed[i]);
  }

  get #invited(): readonly InvitedRegion[] {
    return this.#options.invited?.() ?? NOBODY;
  }

  #states(): TrustState[] {
    return [...this.#modules.board.keepers.values()].map(({ state }) => state);
  }

  /** The keys of a log that this node may witness; undefined for names that are none. */
  keysOf(origin: string): readonly VerifierKey[] | undefined {
    try {
      const parsed = parseOrigin(origin);
      const keeper = this.#modules.board.keepers.get(parsed.region);
      if (keeper === undefined || parsed.network !== this.#options.network) return undefined;
      if (parsed.kind === 'attest' && !this.#isLogOf(keeper, parsed.log)) return undefined;
      return logVerifierKeys(this.#modules.sha256, keeper.state, origin);
    } catch (error) {
      if (isProtocolError(error, 'ORIGIN_INVALID')) return undefined;
      throw error;
    }
  }

  /** One that the region announces, or that is over: names that anybody can make up are to be few. */
  #isLogOf({ state }: TrustKeeper, log: string): boolean {
    if (state.log(log) !== undefined) return true;
    const agoS = this.#modules.clock.nowMs() / 1000 - logMonth(log).untilS;
    return agoS >= 0 && agoS < OVER_S_MAX;
  }

  /** What was found in a log that this node may witness: of a trust log, by its keeper. */
  vet({ origin, text }: OpenedCheckpoint): Vetting {
    const { kind, region } = parseOrigin(origin);
    if (kind === 'attest') return { isFolded: true, objection: undefined };
    return this.#modules.board.keepers.get(region)?.vetting(text) ?? { isFolded: false };
  }

  async #follow(followed: FollowedRoot, vet?: () => Promise<void>): Promise<void> {
    const { region, network, fingerprint } = followed;
    const origin = trustLogOrigin(region, network);
    const prefix = `${region}.${network}/`;
    await this.#ifUsable(origin, async () => {
      await vet?.();
      await settleRoot(followed, this.#modules).finally(() => this.#modules.onSettled(prefix));
      await this.#orFromPeers(
        origin,
        () => this.#keep(region, fingerprint),
        async (error) => {
          // The beginning of the copy is lost, and with it all that said of which root it is.
          if (isProtocolError(error, 'PIN_MISMATCH'))
            await dropRegion(followed, this.#modules.store).finally(() => this.#modules.onSettled(prefix));
          else await dropCopy(origin, this.#modules.store);
        },
      );
    });
  }

  /**
   * What the store holds of a region that is followed no more: so that a verdict can say, after a restart too, whose code it is that counts no
   * more. Nothing leans on it, so that nothing is told of what is wrong with it.
   */
  async #remember(region: string): Promise<void> {
    const { board, store } = this.#modules;
    const { network } = this.#options;
    const origin = trustLogOrigin(region, network);
    if (board.remembers(region)) return;
    try {
      if ((await store.get(new LogKeys(origin).head)) === undefined) return;
      const tree = await LogTree.open(origin, this.#modules);
      try {
        const modules = { ...this.#modules, tree, onDamage: () => undefined };
        board.remember((await RegionFold.open({ region, network }, modules)).state);
      } finally {
        tree.close();
      }
    } catch (error) {
      if (!isProtocolError(error) && !isNodeError(error)) throw error;
    }
  }

  #copy(origin: string, keeper: TrustKeeper): Promise<void> {
    const keys = () => logVerifierKeys(this.#modules.sha256, keeper.state, origin);
    const open = async () => {
      const tree = await this.openTree(origin);
      const state = () => keeper.state;
      this.#logs.set(origin, await Mirror.open({ ...this.#modules, tree, keys, state }));
    };
    return this.#orFromPeers(origin, open, () => dropCopy(origin, this.#modules.store));
  }

  /** Another's log whose copy here is damaged or of another root is dropped, and begun anew: peers have it. */
  async #orFromPeers(
    origin: string,
    open: () => Promise<unknown>,
    drop: (error: unknown) => Promise<void>,
  ): Promise<void> {
    try {
      await open();
    } catch (error) {
      if (!isProtocolError(error, 'PIN_MISMATCH') && !isNodeError(error, 'LOG_CORRUPT')) throw error;
      await this.#trees.get(origin)?.then(
        (tree) => tree.close(),
        () => undefined,
      );
      this.#trees.delete(origin);
      await drop(error);
      await open();
    }
  }

  /**
   * Another's log that contradicts what is known of it by other ways, for which the disk has no room, or of which something is damaged that no peer makes good, such as
   * the proof that it has forked, is not followed, is told of, and keeps nobody from work.
   */
  async #ifUsable(origin: string, open: () => Promise<void>): Promise<void> {
    this.#unopened.delete(origin);
    try {
      await open();
    } catch (error) {
      const isUnusable =
        isProtocolError(error, 'PIN_MISMATCH') || UNUSABLE.some((code) => isNodeError(error, code));
      if (!isUnusable) throw error;
      this.#unopened.set(origin, (error as Error).message);
      this.#isHindered ||= HINDERED.some((code) => isNodeError(error, code));
    }
  }

  async #keep(region: string, fingerprint: Uint8Array | undefined): Promise<TrustKeeper> {
    const { network } = this.#options;
    const { board, ownLine, ...modules } = this.#modules;
    const isHome = region === this.#options.region;
    const tree = await this.openTree(trustLogOrigin(region, network));
    const { witnessKeys, settle } = board;
    const keeper = await TrustKeeper.open(
      { region, network, fingerprint },
      { ...modules, tree, witnessKeys, onFull: settle, ...(isHome && { ownLine }) },
    );
    this.#logs.set(keeper.origin, isHome ? this.#own(keeper) : keeper);
    board.add(keeper);
    return keeper;
  }

  /** Lets others read an own attestation log. */
  async #share(tree: LogTree): Promise<LogTree> {
    const { kind, region } = parseOrigin(tree.origin);
    if (kind !== 'attest' || region !== this.#options.region) return tree;
    const keys = (read?: ReadNote) => this.#ownKeys(tree, read);
    const modules = { ...this.#modules, tree, state: () => this.#home?.state };
    const leaves = new OwnLeaves(tree.origin, modules);
    const copy = await Mirror.open({ ...modules, keys, state: () => this.home.state, vet: leaves.vet });
    const left = await LeftTree.open(modules);
    this.#logs.set(tree.origin, this.#own(copy, { left, leaves }));
    return tree;
  }

  #own(copy: Followed, ofAttestations: Pick<OwnLogModules, 'left' | 'leaves'> = {}): OwnLog {
    const keys = (read?: ReadNote) => this.#ownKeys(copy.tree, read);
    return new OwnLog({ ...this.#modules, copy, keys, ...ofAttestations });
  }

  #ownOrigin(log: string): string {
    return attestationLogOrigin(this.#options.region, this.#options.network, log);
  }

  /** What is missing of a tree that the root has signed, by a cut-off, is fetched under a note by a key that was given up too: a mirror may have no other. */
  #ownKeys(tree: LogTree, read?: ReadNote): readonly VerifierKey[] {
    const { sha256, checkpointKey, clock } = this.#modules;
    const { origin } = tree;
    const state = this.#home?.state;
    const isNamed = state && read && isCutOff(state, read.checkpoint) && read.checkpoint.size > tree.size;
    const keysOf = isNamed === true ? allVerifierKeys : logVerifierKeys;
    const known = state === undefined ? [] : keysOf(sha256, state, origin);
    return [...known, ...ownVerifierKey(sha256, checkpointKey, clock.nowMs(), origin)];
  }
}
