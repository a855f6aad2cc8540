/**
 * A region's trust state, following the entries that a node holds of its log. Starts from the newest `state` statement in
 * the store, and goes back to the entries of the store whenever a compromise reaches back.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type FoldBase } from '../../protocol/trust/boot.ts';
import { type Slot } from '../../protocol/trust/slot.ts';
import { type Finding, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type LogTree } from '../log/log-tree.ts';
import { logError } from '../log/log-error.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Store } from '../store/store.ts';
import { baseChanges, readBase } from './stored-base.ts';

export interface RegionFoldOptions {
  readonly region: string;
  readonly network: string;
}

export interface RegionFoldModules extends TrustModules {
  readonly tree: LogTree;
  readonly store: Store;
  /** Told whenever an entry cannot be read. Must not throw. */
  readonly onDamage?: () => void;
}

/** Entries folded before others get a turn, and between two looks for a base to store. */
const STEP = 512;

export class RegionFold {
  readonly #options: RegionFoldOptions;
  readonly #modules: RegionFoldModules;
  /** Has no history: what needs it works on a fork that does. */
  #fold: TrustFold;
  /** See `#fromFirst`. */
  #whole: { readonly size: number; readonly fold: Promise<TrustFold> } | undefined;
  /** The index of the base that the store holds. */
  #baseIndex = 0;
  /** Why it could not go on when that was last tried. */
  #damage: NodeError | undefined;
  /** The entry that could not be read when that was last tried, and why: what nothing needs but a trial stops nothing else. */
  #unread: { readonly at: number; readonly error: NodeError } | undefined;

  private constructor(options: RegionFoldOptions, modules: RegionFoldModules) {
    this.#options = options;
    this.#modules = modules;
    this.#fold = this.#empty();
  }

  /** Folds what the log holds, as far as that can be read: see `damage`. Rejects else as `advance`. */
  static async open(options: RegionFoldOptions, modules: RegionFoldModules): Promise<RegionFold> {
    const fold = new RegionFold(options, modules);
    await fold.#startFromBase();
    await fold.advance().catch((error: unknown) => {
      if (!isDamage(error)) throw error;
    });
    return fold;
  }

  get state(): TrustState {
    return this.#fold.state;
  }

  get size(): number {
    return this.#fold.size;
  }

  get findings(): readonly Finding[] {
    return this.#fold.findings;
  }

  get falseStart(): number | undefined {
    return this.#fold.falseStart;
  }

  /** Why entries that it needs to go on could not be read when that was last tried; undefined if they could. */
  get damage(): NodeError | undefined {
    return this.#damage;
  }

  /** Why an entry could not be read when that was last tried, by whatever needed it; undefined if it could. Not less than `damage`. */
  get unread(): NodeError | undefined {
    return this.#unread?.error;
  }

  /** That entry: before `size` only where a compromise reaches back to it. */
  get damagedAt(): number {
    return this.#unread?.at ?? this.size;
  }

  /** See `TrustFold.statements`. */
  statements(): Iterable<Slot> {
    return this.#fold.statements();
  }

  /** Where a reader of snapshots can start. */
  newestBase(): FoldBase | undefined {
    return this.#fold.newestBase();
  }

  /** What a `state` statement logged next has to name. */
  commitmentAt(atS: number): { readonly items: number; readonly root: Uint8Array } {
    const { items, root } = this.#fold.commitmentAt(atS);
    return { items: items.length, root };
  }

  /**
   * Folds the entries that the log has got. One call at a time.
   * @throws {NodeError} as reading the log; LOG_PRUNED for a voiding that reaches back behind what was pruned.
   */
  async advance(): Promise<void> {
    try {
      await this.#advance();
      this.#damage = undefined;
    } catch (error) {
      if (isDamage(error)) {
        if (this.unread !== error) this.#damaged(this.size, error);
        this.#damage = error;
      }
      throw error;
    }
  }

  /** Looks whether the entry that could not be read can be by now, or is not held any more. Rejects as reading the log where it cannot. */
  async readAgain(): Promise<void> {
    const known = this.#unread;
    if (known === undefined) return;
    const { head, size } = this.#modules.tree;
    if (known.at >= head.minimum && known.at < size) await this.#entries(known.at, known.at + 1);
    if (this.#unread === known) this.#unread = undefined;
  }

  async #advance(): Promise<void> {
    const { tree } = this.#modules;
    while (this.#fold.size < tree.size) {
      const from = this.#fold.size;
      for await (const entry of this.#read(from, Math.min(tree.size, from + STEP)))
        if (!this.#tryAppend(entry)) this.#fold = await this.#grownBy([entry]);
      this.#whole = undefined;
      await this.#keepBase();
    }
  }

  #damaged(at: number, error: NodeError): void {
    this.#unread = { at, error };
    this.#modules.onDamage?.();
  }

  /** The index of the base that the store holds; 0 where it holds none. */
  get baseIndex(): number {
    return this.#baseIndex;
  }

  /** Goes on with the fold of another branch, which the log holds now. A stored base behind `common` is gone from the store. */
  adopt(fold: TrustFold, common: number): void {
    this.#fold = fold.fork(noHistory);
    this.#whole = undefined;
    if (this.#baseIndex >= common) this.#baseIndex = 0;
    this.#damage = undefined;
    this.#unread = undefined;
  }

  /** An independent fold at the same place, for entries that are not in the log yet; it has no history. */
  fork(): TrustFold {
    return this.#fold.fork(noHistory);
  }

  /**
   * The state after entries that would follow those that are folded now; the log itself is not touched.
   * @throws {NodeError} as `advance`.
   */
  async stateAfter(entries: readonly Uint8Array[]): Promise<TrustState> {
    return (await this.#grownBy(entries)).state;
  }

  /**
   * The states after each of the entries that would follow `from`, up to which the log is held: at least as many as are folded.
   * Rejects as `stateAfter`, and as reading the log.
   */
  async statesAfter(from: number, entries: readonly Uint8Array[]): Promise<TrustState[]> {
    const start = this.fork();
    const unfolded = await this.#entries(start.size, from);
    const all = [...unfolded, ...entries];
    const states = await this.#withHistory(start, all, (fold) =>
      all.map((entry) => {
        fold.append(entry);
        return fold.state;
      }),
    );
    return states.slice(unfolded.length);
  }

  /** The first of entries that would follow to have no effect there, where there is one. Rejects as `stateAfter`. */
  async firstFindingOf(entries: readonly Uint8Array[]): Promise<Finding | undefined> {
    return this.#withHistory(this.fork(), entries, (fold) => firstFinding(fold, entries));
  }

  #tryAppend(entry: Uint8Array): boolean {
    try {
      this.#fold.append(entry);
      return true;
    } catch (error) {
      neededFrom(error);
      return false;
    }
  }

  /** The fold as it is now, with further entries. */
  #grownBy(entries: readonly Uint8Array[]): Promise<TrustFold> {
    return this.#withHistory(this.fork(), entries, (fold) => grown(fold, entries));
  }

  /**
   * What `use` makes of a fork of `start`, to which it appends `entries`. `start` is a fold of its own: what is folded meanwhile is no part of it.
   * @throws {NodeError} as `advance`; LOG_BUSY while the log changes to another branch.
   */
  async #withHistory<T>(
    start: TrustFold,
    entries: readonly Uint8Array[],
    use: (fold: TrustFold) => T,
  ): Promise<T> {
    try {
      return await this.#useFrom(start, entries, use);
    } catch (error) {
      neededFrom(error);
    }
    // What the base does not hold, the entries before it do.
    const whole = await this.#fromFirst(start.size);
    if (!equalBytes(whole.root, start.root))
      throw logError('LOG_BUSY', `${this.#modules.tree.origin} is changing to another branch`);
    return this.#useFrom(whole, entries, use);
  }

  /** With as much history as each try turns out to need. @throws {ProtocolError} HISTORY_NEEDED if that is from before the base of `start`. */
  async #useFrom<T>(
    start: TrustFold,
    entries: readonly Uint8Array[],
    use: (fold: TrustFold) => T,
  ): Promise<T> {
    let fork = start.fork();
    for (let before = Infinity; ;) {
      try {
        return use(fork);
      } catch (error) {
        const needed = neededFrom(error);
        if (needed >= before) throw error;
        before = needed;
        // It may be one of the entries themselves.
        const from = Math.min(needed, start.size);
        const all = [...(await this.#entries(from, start.size)), ...entries];
        fork = start.fork((index) => (index < from ? noHistory(index) : all.slice(index - from)));
      }
    }
  }

  /** The fold from index 0 on to before `size`. Kept until the log grows: what is about to be logged is asked for more than once. */
  #fromFirst(size: number): Promise<TrustFold> {
    const known = this.#whole;
    if (known?.size === size) return known.fold;
    const whole = {
      size,
      fold: this.#foldOn(known !== undefined && known.size < size ? known.fold : this.#empty(), size),
    };
    this.#whole = whole;
    whole.fold.catch(() => {
      if (this.#whole === whole) this.#whole = undefined;
    });
    return whole.fold;
  }

  async #foldOn(start: TrustFold | Promise<TrustFold>, size: number): Promise<TrustFold> {
    let fold = await start;
    while (fold.size < size) {
      const entries = await this.#entries(fold.size, Math.min(size, fold.size + STEP));
      fold = await this.#useFrom(fold, entries, (fork) => grown(fork, entries));
    }
    return fold;
  }

  #empty(): TrustFold {
    return new TrustFold({ ...this.#options, history: noHistory }, this.#modules);
  }

  async #entries(from: number, to: number): Promise<Uint8Array[]> {
    const entries: Uint8Array[] = [];
    for await (const entry of this.#read(from, to)) entries.push(entry);
    return entries;
  }

  async *#read(from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { reader, head, origin } = this.#modules.tree;
    if (from < head.minimum) {
      const message = `${origin}: entry ${from} is needed, and those before ${head.minimum} were given up`;
      throw logError('LOG_PRUNED', message);
    }
    let at = from;
    try {
      for await (const entry of reader.entries(from, to)) {
        yield entry.slice();
        at++;
      }
    } catch (error) {
      if (isDamage(error)) this.#damaged(at, error);
      throw error;
    }
  }

  async #startFromBase(): Promise<void> {
    const { tree, store } = this.#modules;
    try {
      const stored = await readBase(tree.origin, store);
      if (stored === undefined || stored.index >= tree.size) return;
      const { index, items } = stored;
      const frontier = (await tree.reader.frontierAt(index)).hashes();
      const [stateEntry] = await this.#entries(index, index + 1);
      if (stateEntry === undefined) return;
      const options = { ...this.#options, history: noHistory, base: { index, frontier, items }, stateEntry };
      this.#fold = TrustFold.fromBase(options, this.#modules);
      this.#baseIndex = index;
    } catch (error) {
      // Whatever is wrong with the base, the entries tell the state.
      if (!isProtocolError(error) && !isDamage(error)) throw error;
    }
  }

  /** None behind a false start, which the next process has to find again. */
  async #keepBase(): Promise<void> {
    if (this.#fold.falseStart !== undefined) return;
    const base = this.#fold.size === this.#modules.tree.size ? this.#fold.newestBase() : undefined;
    if (base === undefined || base.index <= this.#baseIndex) return;
    await this.#modules.store.write(await baseChanges(this.#modules.tree.origin, base, this.#modules.store));
    this.#baseIndex = base.index;
  }
}

/** Appends entries until one has no effect. @throws {ProtocolError} HISTORY_NEEDED as `TrustFold.append`. */
export function firstFinding(fold: TrustFold, entries: readonly Uint8Array[]): Finding | undefined {
  for (const entry of entries) {
    const finding = fold.append(entry);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** A fold with further entries; it has no history. @throws {ProtocolError} HISTORY_NEEDED as `TrustFold.append`. */
function grown(fold: TrustFold, entries: readonly Uint8Array[]): TrustFold {
  for (const entry of entries) fold.append(entry);
  return fold.fork(noHistory);
}

/** What lies in the store is not what was written there, or is gone. */
function isDamage(error: unknown): error is NodeError {
  return isNodeError(error, 'VALUE_CORRUPT') || isNodeError(error, 'LOG_CORRUPT');
}

/** For a fold without history. @throws {ProtocolError} HISTORY_NEEDED */
export function noHistory(index: number): never {
  throw new ProtocolError('HISTORY_NEEDED', `entries from index ${index} on are needed`, { index });
}

/** From which entry on history is wanted. Passes on what is no want of it. */
export function neededFrom(error: unknown): number {
  if (!isProtocolError(error, 'HISTORY_NEEDED')) throw error;
  return Number(error.fault.details['index'] ?? 0);
}
