/** Leaving one branch of a trust log for another in the store: copy, entries, base of the fold and what the own witness saw, all or nothing. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Change, type HighWater } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type WeighedBranch } from './branch-weighing.ts';
import { type LeftBranches } from './left-branches.ts';
import { dropBase } from './stored-base.ts';

/** See `Witness.leave`. */
export type LeaveBranch = (
  origin: string,
  isLeft: (seen: HighWater) => Promise<boolean>,
  commit: (changes: readonly Change[]) => Promise<void>,
) => Promise<void>;

export interface BranchChangeModules {
  readonly tree: LogTree;
  readonly store: Store;
  readonly left: LeftBranches;
  /** Of the base of the fold that the store holds. */
  readonly baseIndex: number;
  /** By default there is no witness. */
  readonly leave?: LeaveBranch | undefined;
}

export class BranchChange {
  readonly weighed: WeighedBranch;
  readonly #modules: BranchChangeModules;
  #count: () => void = () => undefined;

  constructor(weighed: WeighedBranch, modules: BranchChangeModules) {
    this.weighed = weighed;
    this.#modules = modules;
  }

  /** Keeps what is left, then puts the other in its place. Rejects as `LogTree.replace`: then `isMade` tells once the tree was loaded again. */
  async make(): Promise<void> {
    const { tree, store, left, baseIndex, leave = withoutWitness } = this.#modules;
    const { common, entries, checkpoint, note } = this.weighed;
    const { size, root } = checkpoint;
    const { change, count } = await left.prepare(this.weighed);
    this.#count = count;
    const base = baseIndex >= common ? await dropBase(tree.origin, store) : [];
    const { size: heldSize, reader } = tree;
    const isLeft = async (seen: HighWater) => {
      if (seen.size <= common || seen.size > heldSize) return false;
      return equalBytes(await reader.rootAt(seen.size), seen.root);
    };
    await leave(tree.origin, isLeft, (changes) =>
      tree.inTurn(() =>
        tree.replace({ from: common, entries }, { signed: { size, root, note } }, [
          change,
          ...base,
          ...changes,
        ]),
      ),
    );
  }

  /** Whether the log is the other by now; if so, what was left counts from here on. */
  conclude(): boolean {
    const { size, root } = this.weighed.checkpoint;
    const { head } = this.#modules.tree;
    if (head.size !== size || !equalBytes(head.root, root)) return false;
    this.#count();
    return true;
  }
}

const withoutWitness: LeaveBranch = (_origin, _isLeft, commit) => commit([]);
