/**
 * A log as this node holds it: its own ones and its copies of others'. Entries, tiles and head change in one store write,
 * so that they always agree; the newest signed head is also kept in the second place, so that a store that has gone back
 * is found out. One writer for each log: its `Sequencer` or its `Replica`, in turn with `prune`.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Change, type HighWater, type SecondPlace } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';
import { type Store } from '../store/store.ts';
import { Growth, type GrowthStart } from './growth.ts';
import { logError } from './log-error.ts';
import { cutAt } from './branch-cut.ts';
import { type AheadNote, emptyHead, encodeHead, type LogHead, parseHead } from './log-head.ts';
import { LogKeys } from './log-keys.ts';
import { LogReader } from './log-reader.ts';
import { edgeTiles, type TileBytes } from './tile-edge.ts';
import { mendTiles } from './tile-mending.ts';

export interface LogTreeModules {
  readonly store: Store;
  readonly secondPlace: SecondPlace;
  readonly sha256: Sha256;
}

/** What changes in a head besides its tree. */
export type HeadChange = Partial<Pick<LogHead, 'signed' | 'ahead' | 'atS' | 'minimum' | 'sealed'>>;

interface Loaded extends GrowthStart {
  readonly head: LogHead;
  /** What the second place knows and the store does not hold. */
  readonly shortfall: HighWater | undefined;
}

export class LogTree {
  readonly origin: string;
  readonly keys: LogKeys;
  readonly #modules: LogTreeModules;
  readonly #reader: LogReader;
  readonly #forget: () => void;
  #loaded: Loaded | NodeError;
  /** The furthest signed state that this process has stored. */
  #furthest: HighWater | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(origin: string, modules: LogTreeModules) {
    this.origin = origin;
    this.keys = new LogKeys(origin);
    this.#modules = modules;
    const edge = (): readonly TileBytes[] => (this.#loaded instanceof NodeError ? [] : this.#loaded.edge);
    this.#reader = new LogReader(origin, { reader: modules.store, sha256: modules.sha256, edge });
    this.#loaded = logError('LOG_STOPPED', `${origin} is not open`);
    this.#forget = modules.store.addCheck((reader) => this.#check(reader));
  }

  /**
   * Opens the log of this name, an empty one where the store has none, and checks that head, frontier and tiles agree with
   * each other and with the second place. In a store that was salvaged, tiles that are missing are made from the entries.
   * @throws {NodeError} LOG_CORRUPT, LOG_CONTRADICTED, VALUE_CORRUPT, SECOND_PLACE_CORRUPT, and what the store throws.
   */
  static async open(origin: string, modules: LogTreeModules): Promise<LogTree> {
    const tree = new LogTree(origin, modules);
    try {
      if (modules.store.incomplete) await mendTiles(origin, modules);
      await tree.reload();
      return tree;
    } catch (error) {
      tree.close();
      throw error;
    }
  }

  /** Stops watching the store. Reading goes on as long as the store does. */
  close(): void {
    this.#forget();
  }

  /** @throws {NodeError} what is wrong with the log, if a check found anything. */
  get head(): LogHead {
    return this.#state().head;
  }

  /** Why the log cannot be used now, if a check found anything. */
  get trouble(): NodeError | undefined {
    return this.#loaded instanceof NodeError ? this.#loaded : undefined;
  }

  /** The further state that this node once had, if the store has gone back: what to catch up to before anything else. */
  get shortfall(): HighWater | undefined {
    return this.#state().shortfall;
  }

  get size(): number {
    return this.head.size;
  }

  /** Hashes and entries, as they are stored. Callers keep within the size of the head. */
  get reader(): LogReader {
    return this.#reader;
  }

  /** Runs `work` when what was put in turn before it is over: all that writes to this log is. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn;
    return turn;
  }

  /** Begins to append, in memory. */
  grow(): Growth {
    const { frontier, edge } = this.#state();
    return new Growth({ frontier: frontier.copy(), edge }, this.#modules.sha256);
  }

  /**
   * Makes a growth durable, with a change of the head and what else is to change with it: all or nothing. The growth must
   * begin where the log ends. After a rejection `reload` tells which it was.
   * @throws {NodeError} as `Store.write`.
   */
  async write(growth: Growth, change: HeadChange, alongside: readonly Change[] = []): Promise<void> {
    if (growth.from !== this.size) throw new RangeError('the growth does not begin where the log ends');
    const end = growth.end();
    const { frontier } = end;
    const head: LogHead = {
      ...this.head,
      ...change,
      size: frontier.size,
      root: frontier.root(),
      frontier: frontier.hashes(),
    };
    await this.#modules.store.write([
      ...growth.changes(this.keys),
      ...alongside,
      { put: this.keys.head, value: encodeHead(head) },
    ]);
    this.#loaded = { ...end, head, shortfall: this.shortfall };
    this.#furthest = head.signed;
  }

  /**
   * Puts other entries in the place of all that is held from `from` on, up to a checkpoint or to the beginning of one, with what else is to change with it:
   * all or nothing. What the second place says of the tree that is left, it forgets before.
   * @throws {NodeError} as `SecondPlace.forget` and `Store.write`: then `reload` tells which it was.
   */
  async replace(
    { from, entries }: { readonly from: number; readonly entries: readonly Uint8Array[] },
    upTo: { readonly signed: HighWater } | { readonly ahead: AheadNote },
    alongside: readonly Change[],
  ): Promise<void> {
    const { store, secondPlace, sha256 } = this.#modules;
    const { origin, size } = this;
    const { changes, start } = await cutAt({ origin, index: from, size }, { store, reader: this.#reader });
    const growth = new Growth(start, sha256);
    for (const entry of entries) growth.append(entry);
    const root = growth.root();
    if ('signed' in upTo && (growth.size !== upTo.signed.size || !equalBytes(root, upTo.signed.root)))
      throw new RangeError('the entries are not those of the checkpoint');
    await secondPlace.forget(origin);
    this.#furthest = undefined;
    const end = growth.end();
    const frontier = end.frontier.hashes();
    const { signed: before } = this.head;
    const signed = before !== undefined && before.size <= from ? before : undefined;
    const tree = { size: growth.size, root, frontier, atS: 0 };
    const head: LogHead = { ...this.head, ...tree, signed, ahead: undefined, ...upTo };
    await store.write([
      ...changes,
      ...growth.changes(this.keys),
      ...alongside,
      { put: this.keys.head, value: encodeHead(head) },
    ]);
    this.#loaded = { ...end, head, shortfall: undefined };
    this.#furthest = head.signed;
  }

  /** Changes the head alone. @throws {NodeError} as `write`. */
  change(change: HeadChange): Promise<void> {
    return this.write(this.grow(), change);
  }

  /** Brings the second place up to the newest checkpoint. @throws {NodeError} as `SecondPlace.raise`. */
  async raise(): Promise<void> {
    const { signed } = this.head;
    if (signed === undefined) return;
    await this.#modules.secondPlace.raise(this.origin, signed);
    const loaded = this.#state();
    const { shortfall } = loaded;
    if (shortfall !== undefined && shortfall.size <= signed.size) {
      this.#loaded = { ...loaded, shortfall: undefined };
    }
  }

  /**
   * Puts another mark in the place of the one that is further than what is held and that the root of the log has given up. From then on the log lacks
   * what that one says. @throws {NodeError} as `SecondPlace.raise` and `SecondPlace.forget`: repeat the call.
   */
  async remark(mark: HighWater): Promise<void> {
    const { secondPlace } = this.#modules;
    const known = await secondPlace.read(this.origin);
    // A shorter one is no way on for a mark; in between there is none.
    if (known !== undefined && known.size >= mark.size) await secondPlace.forget(this.origin);
    await secondPlace.raise(this.origin, mark);
    this.#furthest = undefined;
    await this.reload();
  }

  /** Loads the log again if the last check could not be made or found something wrong. Rejects as `open`. */
  async settled(): Promise<void> {
    if (this.#loaded instanceof NodeError) await this.reload();
  }

  /** Learns from the store what it holds, and checks it as `open` does. */
  async reload(): Promise<void> {
    try {
      await this.#load(this.#modules.store);
    } catch (error) {
      this.#loaded = asNodeError(error, this.origin);
      throw this.#loaded;
    }
  }

  /** The store was opened anew. What is wrong with this log concerns its owner; a disk that fails, the store. */
  async #check(reader: StoreReader): Promise<void> {
    try {
      await this.#load(reader);
    } catch (error) {
      this.#loaded = asNodeError(error, this.origin);
      if (this.#loaded.code.startsWith('DISK_')) throw this.#loaded;
    }
  }

  async #load(store: StoreReader): Promise<void> {
    const { sha256 } = this.#modules;
    const reader = new LogReader(this.origin, { reader: store, sha256 });
    const stored = await store.get(this.keys.head);
    const head = stored === undefined ? emptyHead(sha256) : parseHead(stored, this.origin);
    const tiles = edgeTiles(head.size);
    const bytes = await reader.tiles(tiles);
    const edge = tiles.map(({ level, index }, i) => ({ level, index, bytes: bytes[i] as Uint8Array }));
    const frontier = await reader.frontierAt(head.size);
    const kept = Frontier.of(sha256, head.size, head.frontier);
    if (!equalBytes(frontier.root(), head.root) || !equalBytes(kept.root(), head.root)) {
      throw logError('LOG_CORRUPT', `${this.origin}: head, frontier and tiles do not agree`);
    }
    const shortfall = await this.#compare(head, reader);
    this.#loaded = { head, frontier: kept, edge, shortfall };
  }

  /** Holds the log against what this node knows of it by other ways. Gives what is known and not there. */
  async #compare({ size }: LogHead, reader: LogReader): Promise<HighWater | undefined> {
    let shortfall: HighWater | undefined;
    for (const mark of [await this.#mark(), this.#furthest]) {
      if (mark === undefined) continue;
      if (mark.size > size) {
        if (mark.size > (shortfall?.size ?? 0)) shortfall = mark;
      } else if (!equalBytes(await reader.rootAt(mark.size), mark.root)) {
        const message = `${this.origin}: the log in the store is not the one that had size ${mark.size}`;
        throw logError('LOG_CONTRADICTED', message);
      }
    }
    return shortfall;
  }

  async #mark(): Promise<HighWater | undefined> {
    try {
      return await this.#modules.secondPlace.read(this.origin);
    } catch (cause) {
      if (!isNodeError(cause) || cause.fatal) throw cause;
      throw logError('LOG_UNCHECKED', `${this.origin}: the second place cannot be read`, { cause });
    }
  }

  #state(): Loaded {
    if (this.#loaded instanceof NodeError) throw this.#loaded;
    return this.#loaded;
  }
}

function asNodeError(error: unknown, origin: string): NodeError {
  if (isNodeError(error)) return error;
  if (!isProtocolError(error)) throw error;
  return logError('LOG_CORRUPT', `${origin}: what the store holds is no log`, { cause: error });
}
