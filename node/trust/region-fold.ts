/**
 * A region's trust state, following the entries that a node holds of its log. Starts from the newest `state` statement in
 * the store, and goes back to the entries of the store whenever a compromise reaches back.
 */
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { type FoldBase } from '../../protocol/trust/boot.ts';
import { type Slot } from '../../protocol/trust/slot.ts';
import { type Finding, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type LogTree } from '../log/log-tree.ts';
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
  /** Told whenever `damage` is found. Must not throw. */
  readonly onDamage?: () => void;
}

/** Entries at hand for a voiding. */
interface History {
  readonly from: number;
  readonly entries: readonly Uint8Array[];
}

/** Entries folded before others get a turn, and between two looks for a base to store. */
const STEP = 512;

export class RegionFold {
  readonly #options: RegionFoldOptions;
  readonly #modules: RegionFoldModules;
  #fold: TrustFold;
  #history: History | undefined;
  /** The index of the base that the store holds. */
  #baseIndex = 0;
  #damage: NodeError | undefined;

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

  /** Why the entries from `size` on could not be read when that was last tried; undefined if they could. */
  get damage(): NodeError | undefined {
    return this.#damage;
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
   * @throws {ProtocolError} HISTORY_NEEDED for a voiding that reaches back behind what was pruned.
   * @throws {NodeError} as reading the log.
   */
  async advance(): Promise<void> {
    try {
      await this.#advance();
      this.#damage = undefined;
    } catch (error) {
      if (isDamage(error)) {
        this.#damage = error;
        this.#modules.onDamage?.();
      }
      throw error;
    }
  }

  async #advance(): Promise<void> {
    const { tree } = this.#modules;
    while (this.#fold.size < tree.size) {
      const from = this.#fold.size;
      for await (const entry of tree.reader.entries(from, Math.min(tree.size, from + STEP))) {
        if (!this.#tryAppend(entry)) {
          await this.#appendWithHistory(entry);
          break; // the fold may be another one now
        }
      }
      await this.#keepBase();
    }
  }

  /** The index of the base that the store holds; 0 where it holds none. */
  get baseIndex(): number {
    return this.#baseIndex;
  }

  /** Goes on with the fold of another branch, which the log holds now. A stored base behind `common` is gone from the store. */
  adopt(fold: TrustFold, common: number): void {
    this.#fold = fold.fork((from) => readFrom(this.#history, from));
    if (this.#baseIndex >= common) this.#baseIndex = 0;
    this.#damage = undefined;
  }

  /** An independent fold at the same place, for entries that are not in the log yet; it has no history. */
  fork(): TrustFold {
    return this.#fold.fork(noHistory);
  }

  /**
   * The state after entries that would follow; the log itself is not touched.
   * @throws {ProtocolError} HISTORY_NEEDED as `advance`.
   */
  async stateAfter(entries: readonly Uint8Array[]): Promise<TrustState> {
    return this.#withHistory(entries, (fold) => {
      for (const entry of entries) fold.append(entry);
      return fold.state;
    });
  }

  /**
   * The states after each of the entries that would follow `from`, up to which the log is held.
   * Rejects as `stateAfter`, and as reading the log.
   */
  async statesAfter(from: number, entries: readonly Uint8Array[]): Promise<TrustState[]> {
    for (;;) {
      const { size } = this;
      const unfolded = await this.#entries(Math.min(size, from), from);
      // It may have folded some of them meanwhile.
      if (this.size !== size) continue;
      const all = [...unfolded, ...entries.slice(Math.max(0, size - from))];
      const states = await this.#withHistory(all, (fold) =>
        all.map((entry) => {
          fold.append(entry);
          return fold.state;
        }),
      );
      return states.slice(unfolded.length);
    }
  }

  /** The first of entries that would follow to have no effect there, where there is one. Rejects as `stateAfter`. */
  async firstFindingOf(entries: readonly Uint8Array[]): Promise<Finding | undefined> {
    return this.#withHistory(entries, (fold) => firstFinding(fold, entries));
  }

  /** What `use` makes of a fork, with as much history as each try turns out to need. */
  async #withHistory<T>(entries: readonly Uint8Array[], use: (fold: TrustFold) => T): Promise<T> {
    let fork = this.fork();
    for (let before = Infinity; ;) {
      try {
        return use(fork);
      } catch (error) {
        const needed = neededFrom(error);
        if (needed >= before) throw error;
        before = needed;
        // It may be one of the entries themselves.
        const from = Math.min(needed, this.size);
        const all = [...(await this.#entries(from, this.size)), ...entries];
        fork = this.#fold.fork((index) => readFrom({ from, entries: all }, index));
      }
    }
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

  async #appendWithHistory(entry: Uint8Array): Promise<void> {
    for (let from = this.size; ;) {
      try {
        this.#fold.append(entry);
        break;
      } catch (error) {
        const needed = neededFrom(error);
        // What the base does not hold, the entries before it do.
        if (needed >= from) await this.#startAnew();
        from = needed >= from ? 0 : needed;
        this.#history = { from, entries: await this.#entries(from, this.size) };
      }
    }
    this.#history = undefined;
  }

  /** Folds from index 0 up to where the fold was. */
  async #startAnew(): Promise<void> {
    const { size } = this.#fold;
    const entries = await this.#entries(0, size);
    this.#history = { from: 0, entries };
    this.#fold = this.#empty();
    for (const entry of entries) this.#fold.append(entry);
  }

  async #entries(from: number, to: number): Promise<Uint8Array[]> {
    const { tree } = this.#modules;
    if (from < tree.head.minimum) throw historyNeeded(from);
    const entries: Uint8Array[] = [];
    for await (const entry of tree.reader.entries(from, to)) entries.push(entry.slice());
    return entries;
  }

  #empty(): TrustFold {
    const history = (from: number) => readFrom(this.#history, from);
    return new TrustFold({ ...this.#options, history }, this.#modules);
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
      const history = (from: number) => readFrom(this.#history, from);
      const options = { ...this.#options, history, base: { index, frontier, items }, stateEntry };
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

function readFrom(history: History | undefined, index: number): Iterable<Uint8Array> {
  if (history === undefined || index < history.from) throw historyNeeded(index);
  return history.entries.slice(index - history.from);
}

/** What lies in the store is not what was written there, or is gone. */
function isDamage(error: unknown): error is NodeError {
  return isNodeError(error, 'VALUE_CORRUPT') || isNodeError(error, 'LOG_CORRUPT');
}

function noHistory(index: number): Iterable<Uint8Array> {
  throw historyNeeded(index);
}

function historyNeeded(index: number): ProtocolError {
  return new ProtocolError('HISTORY_NEEDED', `entries from index ${index} on are needed`, { index });
}

/** Passes on what is not a want of history. */
function neededFrom(error: unknown): number {
  if (!isProtocolError(error, 'HISTORY_NEEDED')) throw error;
  return Number(error.fault.details['index'] ?? 0);
}
