/** Going over to another branch of a trust log: weighed first, then taken in one write whose outcome is found out before anything else. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { continuesRoots, namesBy } from '../../protocol/trust/branch.ts';
import { type LoggedStatement, namingStatements, readNaming } from '../../protocol/trust/naming.ts';
import { type HighWater } from '../ports.ts';
import { type Naming } from '../sync/followed.ts';
import { BranchChange } from './branch-change.ts';
import { type Branch, notesBeyond, signersOf, weighBranch, type WeighedBranch } from './branch-weighing.ts';
import { type HeldStates } from './held-state.ts';
import { type TrustKeeperModules, type TrustKeeperOptions } from './keeper-options.ts';
import { type LeftBranches } from './left-branches.ts';
import { type RegionFold } from './region-fold.ts';
import { type KnownRoots } from './known-roots.ts';
import { logVerifierKeys, signerOf } from './log-keys.ts';
import { isCheckpointGivenUp, releaseMark } from './mark-release.ts';

export interface BranchSettlementModules extends TrustKeeperModules {
  readonly fold: RegionFold;
  readonly left: LeftBranches;
  readonly roots: KnownRoots;
  readonly states: HeldStates;
  /** Keeps a proof of the fork if these keys open it. */
  readonly keepProof: (evidence: ForkEvidence | undefined, keys: readonly VerifierKey[]) => Promise<void>;
  /** What was known of notes on what is held counts no more. Must not throw. */
  readonly onLeft: () => void;
}

/** A part of `TrustKeeper`, which calls it in turn with all else that writes to the log. */
export class BranchSettlement {
  readonly #options: TrustKeeperOptions;
  readonly #modules: BranchSettlementModules;
  /** A change whose outcome is not known. */
  #change: BranchChange | undefined;

  constructor(options: TrustKeeperOptions, modules: BranchSettlementModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** See `TrustKeeper.settle`. */
  async settle(branch: Branch): Promise<boolean> {
    const { tree, left, keepProof, onChange } = this.#modules;
    await tree.settled();
    if (branch.from >= tree.size || tree.head.minimum > 0) return false;
    const weighed = await weighBranch(this.#options, branch, this.#modules);
    if (weighed === undefined) return false;
    // By a key that only the other names: one that its root has not named proves nothing.
    await keepProof(weighed.evidence, weighed.keys);
    if (weighed.standing === 'contradicted' && (await left.contradict())) onChange?.(false);
    if (weighed.standing !== 'named') return false;
    await this.#replace(weighed);
    return true;
  }

  /** See `ServedLog`. */
  get naming(): readonly LoggedStatement[] {
    const { states, fold, sha256 } = this.#modules;
    if (states.latest === undefined) return [];
    return namingStatements(fold.statements(), signerOf(states.latest.pool.ownNote, sha256), sha256);
  }

  /** See `Followed.isNamedBy`. @throws {ProtocolError} what `openCheckpoint` throws, by the keys that the statements name and do not give up. */
  async isNamedBy({ statements, note }: Naming, common: number): Promise<boolean> {
    const { tree, fold, roots, sha256, verifySignature } = this.#modules;
    await tree.settled();
    const state = readNaming(this.#options, statements, this.#modules);
    const pin = this.#options.fingerprint ?? fold.state.fingerprint;
    if (pin === undefined || state.fingerprint === undefined || !equalBytes(pin, state.fingerprint))
      return false;
    openCheckpoint(note, logVerifierKeys(sha256, state, tree.origin), verifySignature);
    if (!(fold.size > 0 ? continuesRoots(state, fold.state) : await roots.areIn(state))) return false;
    return notesBeyond(tree, common, tree.shortfall).some((known) =>
      signersOf(known, [fold.state, state], this.#modules).some((keyId) => namesBy(state, keyId, common)),
    );
  }

  /** Whether the log may go on with what a peer gave, since it gives up the mark that stood against that: see `releaseMark`. */
  async release(branch: Branch): Promise<boolean> {
    await this.#modules.tree.settled();
    return releaseMark(this.#options, branch, this.#modules);
  }

  /**
   * Whether the log that is held gives up a checkpoint on another tree, which its witness remembers: then that may begin anew. Rejects as reading
   * the log and the second place.
   */
  async hasGivenUp(seen: HighWater): Promise<boolean> {
    const { tree, fold, roots } = this.#modules;
    const { state } = fold;
    if (seen.size > tree.size || state.size !== tree.size) return false;
    const rootThere = await tree.reader.rootAt(seen.size);
    if (equalBytes(rootThere, seen.root) || !(await roots.areIn(state))) return false;
    return isCheckpointGivenUp(state, seen, { rootThere, since: await roots.version() }, this.#modules);
  }

  /** Finds out which branch the log holds, where the last change did not tell. Rejects as `LogTree.settled`. */
  async conclude(): Promise<void> {
    if (this.#change === undefined) return;
    await this.#modules.tree.settled();
    this.#goOn();
  }

  async #replace(weighed: WeighedBranch): Promise<void> {
    const { tree, fold } = this.#modules;
    const change = (this.#change = new BranchChange(weighed, {
      ...this.#modules,
      baseIndex: fold.baseIndex,
    }));
    try {
      await change.make();
    } catch (error) {
      await tree.reload();
      if (!this.#goOn()) throw error;
    }
    this.#goOn();
    await tree.raise();
  }

  /** Goes on with the branch that the log holds by now. False if that is the one before. */
  #goOn(): boolean {
    const change = this.#change;
    this.#change = undefined;
    if (change === undefined) return true;
    if (!change.conclude()) return false;
    const { fold, common } = change.weighed;
    this.#modules.fold.adopt(fold, common);
    this.#modules.onLeft();
    this.#modules.states.cutTo(common);
    return true;
  }
}
