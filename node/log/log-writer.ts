/**
 * The steps by which an own log grows, each durable before the next:
 *
 *   private records, where they are kept apart -> stage the unsigned drafts with their indexes -> have the tree permitted, where witnesses fence the writer -> sign ->
 *   entries, tiles, head and checkpoint in one write -> second place -> publish
 *
 * While a batch is signed the next one is staged, so that the disk is not waited for. After anything that leaves an outcome
 * open, `recover` reads what is there and goes on from the staged batches, by the very function that the normal path uses.
 * Ed25519 is deterministic, so that a batch that is finished twice is the same twice.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { requireTime, type TimeBounds } from '../clock/time-bounds.ts';
import { type Change, type Clock, type HighWater, type Signer } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { type SharedBatch } from '../writer/batch-share.ts';
import { type TreeToSign } from '../writer/writer-ports.ts';
import { type Growth } from './growth.ts';
import { logError } from './log-error.ts';
import { type LogTree } from './log-tree.ts';
import { type ApartRecords, type BatchPlace, type LogWork, type PreparedBatch } from './log-work.ts';
import { isSignedBy, signOwnCheckpoint } from './own-checkpoint.ts';
import { clearingChanges, readStagedBatches, type StagedBatch, stagingChanges } from './staged-batch.ts';

export interface LogWriterModules extends Primitives {
  /** Of an own log, not written to by anybody else but `prune`. */
  readonly tree: LogTree;
  readonly store: Store;
  readonly clock: Clock;
  readonly work: Pick<LogWork<never>, 'finish' | 'finishAll'>;
  /** The checkpoint key in force. @throws {NodeError} KEY_NOT_IN_FORCE */
  readonly checkpointKey: (atS: number) => Signer;
  /** Between which times it is by what others say, where that is known. */
  readonly timeBounds?: TimeBounds;
  /**
   * Where witnesses fence the writer: asked before a larger tree is signed, or one by another key than before, which does not happen if this rejects.
   * What it gives signs the tree; undefined where any key may.
   */
  readonly permit?: ((tree: GrownTree) => Promise<Signer | undefined>) | undefined;
  /** How large a tree the writer before had permitted: what makes it up here is signed as that one tree, and no smaller one. */
  readonly pledged?: ((origin: string) => number | undefined) | undefined;
  /** Gives a batch to a machine that may have to finish it, once it is durable here. Must not reject for one that does not answer. */
  readonly share?: ((batch: SharedBatch) => Promise<void>) | undefined;
  /** What was made durable with a batch of so many entries besides its drafts, as far as `share` is given it again. Rejects as the store. */
  readonly recordsOf?:
    ((batch: { readonly index: number; readonly count: number }) => Promise<readonly Change[]>) | undefined;
  /** Where private records are kept apart from the store. Not together with `share`. */
  readonly apart?: ApartRecords | undefined;
  /** Runs the writes that make a batch durable here, at once: for whoever has to know when they are over. Rejects as they do. */
  readonly staging?: (<T>(write: () => Promise<T>) => Promise<T>) | undefined;
  /** Told of every new checkpoint, and of the newest after a recovery. Must not throw. */
  readonly onCheckpoint?: (checkpoint: HighWater) => void;
}

/** What is about to be signed, with the entries from its `from` on. */
export interface GrownTree extends TreeToSign {
  readonly entries: readonly Uint8Array[];
}

/** Entries after which others get a turn: some 5 ms of signing. */
const SLICE = 256;

/**
 * Its caller finishes the batches in the order of their staging, one at a time and in the tree's turn; the next may be staged
 * meanwhile. After a rejection it awaits what is under way, and then calls none but `recover`.
 */
export class LogWriter {
  readonly #modules: LogWriterModules;
  /** Batches that are staged and not finished. */
  readonly #staged: StagedBatch[] = [];

  constructor(modules: LogWriterModules) {
    this.#modules = modules;
  }

  /**
   * Where the next batch goes.
   * @throws {NodeError} LOG_SEALED; CLOCK_BEHIND if the clock is before the newest batch, CLOCK_ASTRAY if others disagree.
   */
  place(): BatchPlace {
    const { tree, timeBounds } = this.#modules;
    const { size, atS: headS, sealed } = tree.head;
    const last = this.#staged.at(-1);
    const index = last === undefined ? size : last.index + last.drafts.length;
    const lastS = last?.atS ?? headS;
    const atS = this.#nowS();
    if (sealed) throw logError('LOG_SEALED', `${tree.origin} is sealed`);
    if (atS < lastS) {
      throw logError('CLOCK_BEHIND', `${tree.origin}: the clock is ${lastS - atS} s behind the newest entry`);
    }
    requireTime(timeBounds, atS, tree.origin);
    return { index, atS };
  }

  /** Makes a batch durable before anything of it is signed. Rejects as `Store.write` and `ApartRecords.write`. */
  async stage(
    staged: StagedBatch,
    { records = [], changes = [] }: Pick<PreparedBatch, 'records' | 'changes'>,
  ): Promise<void> {
    const { tree, store, share, apart, staging = (write) => write() } = this.#modules;
    const batch = { index: staged.index, count: staged.drafts.length };
    const all = await staging(async () => {
      const written = apart === undefined ? records : await apart.write(batch, records);
      const changed = [...written, ...changes, ...stagingChanges(tree.keys, staged)];
      await store.write(changed);
      return changed;
    });
    await share?.({ origin: tree.origin, index: staged.index, changes: all });
    this.#staged.push(staged);
  }

  /** Whoever staged it may have died, or have met an error, before it was given to anybody. */
  async #shareAgain(staged: StagedBatch): Promise<void> {
    const { tree, share, recordsOf } = this.#modules;
    const { index, drafts } = staged;
    const count = drafts.length;
    if (share === undefined || index + count <= tree.size) return;
    const records = (await recordsOf?.({ index, count })) ?? [];
    await share({ origin: tree.origin, index, changes: [...records, ...stagingChanges(tree.keys, staged)] });
  }

  /** From drafts that are durable to entries under a checkpoint that is. Returns the entries. */
  finish(staged: StagedBatch): Promise<Uint8Array[]> {
    return this.#finish([staged]);
  }

  /** Batches that follow each other, under one checkpoint. */
  async #finish(batches: readonly [StagedBatch, ...StagedBatch[]]): Promise<Uint8Array[]> {
    const { tree } = this.#modules;
    const [{ index }] = batches;
    const entries: Uint8Array[] = [];
    for (const staged of batches) for (const entry of await this.entriesOf(staged)) entries.push(entry);
    const logged = tree.size - index;
    // A log that was healed from peers may hold some of them already.
    if (logged !== 0) await this.#compare(index, entries, logged);
    const growth = tree.grow();
    const added = entries.slice(logged);
    for (const entry of added) growth.append(entry);
    const signed = this.#sign(growth.size, growth.root(), await this.#permit(growth, added));
    const atS = Math.max(...batches.map((staged) => staged.atS), tree.head.atS);
    const clearing = batches.flatMap((staged) => clearingChanges(tree.keys, staged));
    // What was on its way of a larger tree is not, from here on.
    await tree.write(growth, { signed, ahead: undefined, atS }, clearing);
    await this.#release();
    if (this.#staged[0] === batches[0]) this.#staged.shift();
    return entries;
  }

  /**
   * Takes to its end whatever is open: at start, and after any rejection.
   * @throws {NodeError} LOG_BEHIND if this node has signed more than the store holds; what `LogTree.reload`, the signing of
   * the checkpoint, the store and the second place throw.
   */
  async recover(): Promise<void> {
    const { tree, store } = this.#modules;
    await tree.reload();
    const { shortfall, size } = tree;
    if (shortfall !== undefined) {
      const message = `${tree.origin}: the store has ${size} entries, this node has signed ${shortfall.size}`;
      throw logError('LOG_BEHIND', message);
    }
    this.#staged.length = 0;
    const batches = await readStagedBatches(tree.keys, store);
    if (batches.length === 0) await this.#release();
    for (const staged of batches) await this.#shareAgain(staged);
    const pledged = this.#modules.pledged?.(tree.origin) ?? 0;
    const above = batches.findIndex(({ index, drafts }) => index + drafts.length > pledged);
    const [first, ...more] = batches.splice(0, above < 0 ? batches.length : above);
    if (first !== undefined) await this.#finish([first, ...more]);
    for (const staged of batches) await this.finish(staged);
  }

  /** Once nothing is staged: makes sure that no record is kept apart of what is not in the log. Rejects as `ApartRecords.takeOver`. */
  async takeOver(refuse: () => void): Promise<void> {
    const { apart, tree } = this.#modules;
    await apart?.takeOver(tree.size, refuse);
  }

  /** How far the log is, where records are kept apart. Rejects as `ApartRecords.note`. */
  async noteSize(): Promise<void> {
    const { apart, tree } = this.#modules;
    await apart?.note(tree.size);
  }

  /** Signs the present tree with the key that is in force now, and may seal the log. Rejects as `permit` and the signing. */
  async resign(change: { readonly sealed?: true } = {}): Promise<HighWater> {
    const { tree } = this.#modules;
    const { size, root } = tree.head;
    const signed = this.#sign(size, root, await this.#permitAgain());
    await tree.change({ signed, ahead: undefined, ...change });
    await this.#release();
    return signed;
  }

  /** The entries that the drafts of a batch become. */
  async entriesOf({ index, drafts }: StagedBatch): Promise<Uint8Array[]> {
    const { work, clock } = this.#modules;
    const entries: Uint8Array[] = [];
    while (entries.length < drafts.length) {
      const at = entries.length;
      // Who makes them elsewhere may be ready only by now.
      const rest = await work.finishAll?.(at === 0 ? drafts : drafts.slice(at), index + at);
      if (rest !== undefined) return at === 0 ? rest : [...entries, ...rest];
      for (const draft of drafts.slice(at, at + SLICE))
        entries.push(work.finish(draft, index + entries.length));
      if (entries.length % SLICE === 0) await clock.wait(0);
    }
    return entries;
  }

  /** The checkpoint is in the store: from here on it may be seen. */
  async #release(): Promise<void> {
    const { tree, onCheckpoint } = this.#modules;
    await tree.raise();
    const { signed } = tree.head;
    if (signed !== undefined) onCheckpoint?.(signed);
  }

  /** Whether the log has these entries from an index on. */
  async holds(index: number, entries: readonly Uint8Array[]): Promise<boolean> {
    const end = index + entries.length;
    return this.#modules.tree.size >= end && (await this.#sameUntil(index, entries)) === end;
  }

  async #compare(index: number, entries: readonly Uint8Array[], logged: number): Promise<void> {
    const { tree } = this.#modules;
    const at = logged < 0 ? index : await this.#sameUntil(index, entries);
    if (at === Math.min(tree.size, index + entries.length)) return;
    throw logError(
      'LOG_CONTRADICTED',
      `${tree.origin}: entry ${at} is not the one that was to be signed there`,
    );
  }

  /** The index of the first entry that is another, or is not there yet. */
  async #sameUntil(index: number, entries: readonly Uint8Array[]): Promise<number> {
    const { tree } = this.#modules;
    let at = index;
    for await (const entry of tree.reader.entries(index, Math.min(tree.size, index + entries.length))) {
      if (!equalBytes(entry, entries[at - index] as Uint8Array)) break;
      at++;
    }
    return at;
  }

  /** Of the tree that is held there is nothing to ask: it was signed before. */
  async #permit(growth: Growth, entries: readonly Uint8Array[]): Promise<Signer | undefined> {
    const { tree, permit } = this.#modules;
    if (permit === undefined || growth.size === tree.size) return undefined;
    const { origin, size: from } = tree;
    return permit({ origin, from, size: growth.size, root: growth.root(), entries });
  }

  /** The key that had the present tree permitted may be given up by now, and somebody else have gone on from less. */
  async #permitAgain(): Promise<Signer | undefined> {
    const { tree, permit, checkpointKey } = this.#modules;
    const { size, root, signed } = tree.head;
    if (permit === undefined || size === 0 || signed === undefined) return undefined;
    if (isSignedBy(tree.origin, signed.note, checkpointKey(this.#nowS()), this.#modules)) return undefined;
    return permit({ origin: tree.origin, from: size - 1, size, root, entries: [] });
  }

  #sign(size: number, root: Uint8Array, by = this.#modules.checkpointKey(this.#nowS())): HighWater {
    return signOwnCheckpoint({ origin: this.#modules.tree.origin, size, root }, by, this.#modules);
  }

  #nowS(): number {
    return Math.floor(this.#modules.clock.nowMs() / 1000);
  }
}
