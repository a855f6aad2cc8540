/** Folding a region's trust log into its trust state. Spec: SPEC.md 8.3. */
import { equalBytes } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { draftOfItems, type FoldBase } from './boot.ts';
import { Course, historyNeeded } from './course.ts';
import { prune } from './pruning.ts';
import { type Slot } from './slot.ts';
import { StateDraft } from './state-draft.ts';
import { commitmentTo, type StateCommitment } from './state-items.ts';
import { parseEntry } from './statement.ts';
import { type Finding, type TrustState } from './trust-state.ts';
import { type TrustModules } from './verify-statement.ts';
import { type Voiding, type Voidings, withVoiding } from './voiding.ts';

export interface TrustFoldOptions {
  /** The log that is folded, by the caller's knowledge and never by the log's. */
  readonly region: string;
  readonly network: string;
  /**
   * The entries that were appended, from `fromIndex` on and at least to the last one. Read when a compromise names an earlier
   * size of the log; never from before the base. Without it such a compromise is HISTORY_NEEDED.
   */
  readonly history?: (fromIndex: number) => Iterable<Uint8Array>;
}

/**
 * The one writer of a region's trust state, and of the tree of its trust log. State, findings and root are a function of the
 * entries alone: neither a clock nor the borders of batches enter.
 */
export class TrustFold {
  readonly #modules: TrustModules;
  readonly #history: TrustFoldOptions['history'];
  #course: Course;
  #voidings: Voidings = new Map();
  #state: TrustState | undefined;

  /** Starts before index 0. @throws {RangeError} unless region and network are names as in SPEC.md 4.1. */
  constructor(options: TrustFoldOptions, modules: TrustModules) {
    this.#modules = modules;
    this.#history = options.history;
    this.#course = this.#startFrom(new StateDraft(options, modules.sha256), []);
  }

  /**
   * Starts from the items of a state, which `stateEntry`, the `state` statement at `base.index`, proves and which is folded too.
   * What the items leave open of the log before them is said in SPEC.md 8.4.
   * @throws {ProtocolError} STATE_MISMATCH for items or an entry that do not belong together or break a rule;
   * SIZE_INVALID or PROOF_INVALID for a frontier that is none of a tree of that size.
   */
  static fromBase(
    options: TrustFoldOptions & { readonly base: FoldBase; readonly stateEntry: Uint8Array },
    modules: TrustModules,
  ): TrustFold {
    const { base, stateEntry } = options;
    const fold = new TrustFold(options, modules);
    fold.#course = fold.#startFrom(draftOfItems(options, base, modules), base.frontier);
    const finding = fold.append(stateEntry);
    if (finding !== undefined) throw stateMismatch(`its entry is refused, ${finding.reason}`);
    const { statement } = parseEntry(stateEntry);
    if (statement.kind !== 'state' || statement.items !== base.items.length) {
      throw stateMismatch(`expected a state statement for ${base.items.length} items`);
    }
    return fold;
  }

  /**
   * An independent fold at the same place: what is appended to one does not show in the other. Costs no folding.
   * `history` is that of the fork, from the same first entry on; by default it is shared.
   */
  fork(history = this.#history): TrustFold {
    const { region, network } = this.#course.draft;
    const fork = new TrustFold({ region, network, ...(history && { history }) }, this.#modules);
    const entriesBetween = (from: number, to: number) => fork.#entriesBetween(from, to);
    fork.#course = this.#course.fork({ ...this.#modules, entriesBetween });
    fork.#voidings = this.#voidings;
    return fork;
  }

  /** Entries folded, from index 0, those before the base included. */
  get size(): number {
    return this.#course.size;
  }

  /** The root of the log's tree, 32 bytes, to hold against a signed checkpoint. Computed anew each time. */
  get root(): Uint8Array {
    return this.#course.root;
  }

  /** The frontier of the log's tree, largest subtree first. */
  get frontier(): readonly Uint8Array[] {
    return this.#course.frontier;
  }

  /** What the entries say by now: a value that stays as it is. Free, but the next change after it copies what it touches. */
  get state(): TrustState {
    return (this.#state ??= this.#course.draft.fork());
  }

  /** The entries since the base that had no effect, by index. A voiding adds and takes away: read it anew after a compromise. */
  get findings(): readonly Finding[] {
    return this.#course.findings;
  }

  /**
   * The least index of a `state` statement since the base that has no effect, as long as a reader could be made to start from it:
   * until a compromise reaches behind it. Nobody who has folded the log vouches for a tree that holds one.
   */
  get falseStart(): number | undefined {
    return this.#course.falseStart;
  }

  /** The statements that fill slots (SPEC.md 8.2), each with its index, in no order. */
  *statements(): Iterable<Slot> {
    for (const [, slot] of this.#course.draft.slots()) yield slot;
  }

  /**
   * Where another reader can start: at the newest `state` statement that passed; undefined also if a compromise after it reaches
   * behind it, which would be HISTORY_NEEDED to that reader. Computes the items.
   */
  newestBase(): FoldBase | undefined {
    const base = this.#course.newestBase;
    if (base === undefined) return undefined;
    const { items } = commitmentTo(this.#modules.sha256, base.draft);
    return { index: base.index, frontier: base.frontier, items };
  }

  /** What a `state` statement with this `at`, appended next, has to name. */
  commitmentAt(atS: number): StateCommitment {
    const draft = this.#course.draft.fork();
    prune(draft, atS);
    return commitmentTo(this.#modules.sha256, draft);
  }

  /**
   * Folds the next entry, whatever its bytes, and gives its finding if it has no effect. The caller has held or will hold the
   * entry against a checkpoint by `root`; until then nothing of this fold is proven to be the region's log.
   * @throws {ProtocolError} HISTORY_NEEDED for a compromise that reaches back before the base, or for want of `history`; nothing
   * has changed then. @throws {RangeError} if the history is not what was folded.
   */
  append(entry: Uint8Array): Finding | undefined {
    const own = entry.slice();
    const voiding = this.#course.take(own, this.#voidings);
    if (voiding !== undefined) this.#foldAgain(voiding, own);
    this.#state = undefined;
    const newest = this.#course.findings.at(-1);
    return newest?.index === this.size - 1 ? newest : undefined;
  }

  #startFrom(draft: StateDraft, frontier: readonly Uint8Array[]): Course {
    const entriesBetween = (from: number, to: number) => this.#entriesBetween(from, to);
    return Course.from(draft, frontier, { ...this.#modules, entriesBetween });
  }

  /** Runs again from before what `first` voids and to the end with `last`, and so for every further voiding that comes up. */
  #foldAgain(first: Voiding, last: Uint8Array): void {
    let course = this.#course;
    let voidings = this.#voidings;
    for (let next: Voiding | undefined = first; next !== undefined;) {
      // What comes before is the same with this voiding and without.
      course = course.rewoundTo(next.fromIndex);
      voidings = withVoiding(voidings, next);
      next = this.#runToEnd(course, last, voidings);
    }
    this.#course = course;
    this.#voidings = voidings;
  }

  /** The first voiding that comes up on the way and is not among `voidings`: `course` has stopped there then. */
  #runToEnd(course: Course, last: Uint8Array, voidings: Voidings): Voiding | undefined {
    for (const entry of this.#entriesBetween(course.size, this.size)) {
      const further = course.take(entry.slice(), voidings);
      if (further !== undefined) return further;
    }
    if (!equalBytes(course.root, this.root)) throw new RangeError('the history is not what was folded');
    return course.take(last, voidings);
  }

  *#entriesBetween(from: number, to: number): Iterable<Uint8Array> {
    let index = from;
    if (index === to) return;
    if (this.#history === undefined) throw historyNeeded(from);
    for (const entry of this.#history(from)) {
      yield entry;
      if (++index === to) return;
    }
    throw new RangeError(`the history ends at index ${index}, not at ${to}`);
  }
}

function stateMismatch(message: string): ProtocolError {
  return new ProtocolError('STATE_MISMATCH', `a base of a fold: ${message}`);
}
