/**
 * The single writer of an own log: gathers what is submitted into batches, has each taken through the steps of `LogWriter`,
 * and tells the submitters what came of it. Whoever has a receipt is in the log for good.
 */
import { isNodeError, type NodeError } from '../node-error.ts';
import { type HighWater } from '../ports.ts';
import { BatchQueue, type BatchQueueOptions } from './batch-queue.ts';
import { logError } from './log-error.ts';
import { type LogWork, type PreparedBatch, type Receipt } from './log-work.ts';
import { LogWriter, type LogWriterModules } from './log-writer.ts';
import { type StagedBatch } from './staged-batch.ts';

export interface SequencerOptions extends Partial<BatchQueueOptions> {
  /** Milliseconds before a recovery that failed is tried again; 1 s by default. */
  readonly retryMs?: number;
}

export interface SequencerModules<Item> extends LogWriterModules {
  readonly work: LogWork<Item>;
}

/** What came of an item: its receipt, or why it has none. */
export type Outcome = { readonly receipt: Receipt } | { readonly error: unknown };

/** Items that were submitted together, and who waits for what comes of all of them. */
class Together {
  readonly #outcomes: Outcome[];
  readonly #done: (outcomes: Outcome[]) => void;
  #left: number;

  constructor(count: number, done: (outcomes: Outcome[]) => void) {
    this.#outcomes = new Array<Outcome>(count);
    this.#left = count;
    this.#done = done;
  }

  take(number: number, outcome: Outcome): void {
    this.#outcomes[number] = outcome;
    if (--this.#left === 0) this.#done(this.#outcomes);
  }
}

class Submission<Item> {
  readonly item: Item;
  readonly #number: number;
  readonly #of: Together;

  constructor(item: Item, number: number, of: Together) {
    this.item = item;
    this.#number = number;
    this.#of = of;
  }

  resolve(receipt: Receipt): void {
    this.#of.take(this.#number, { receipt });
  }

  reject(error: unknown): void {
    this.#of.take(this.#number, { error });
  }
}

/** A batch from its staging until its submitters know. */
interface BatchInHand {
  readonly staged: StagedBatch;
  readonly besides: Pick<PreparedBatch, 'records' | 'changes'>;
  /** Those who got a place in it. */
  readonly placed: readonly {
    readonly index: number;
    readonly submission: Pick<Submission<unknown>, 'resolve' | 'reject'>;
  }[];
  /** Why it did not go its way, if it did not. */
  error?: unknown;
}

/** A demand to sign the present tree anew. */
interface ResignOrder {
  readonly change: { readonly sealed?: true };
  readonly resolve: (checkpoint: HighWater) => void;
  readonly reject: (error: unknown) => void;
  error?: unknown;
}

const DEFAULTS = { gatherMs: 50, batchMax: 4_096, queueMax: 65_536, retryMs: 1_000 };

export class Sequencer<Item> {
  readonly #options: Required<SequencerOptions>;
  readonly #modules: SequencerModules<Item>;
  readonly #writer: LogWriter;
  readonly #queue: BatchQueue<Submission<Item>>;
  readonly #stopping = new AbortController();
  /** Why nothing is logged now; `retry` tells whether that may pass by itself. */
  #trouble: NodeError | undefined;
  /** False while the outcome of anything is open. */
  #settled = false;
  /** At most one that is being finished and one that is staged meanwhile. */
  #inHand: BatchInHand[] = [];
  /** The finishing of the batch before. Never rejects. */
  #finishing: Promise<void> = Promise.resolve();
  readonly #orders: ResignOrder[] = [];
  #running: Promise<void> | undefined;

  constructor(options: SequencerOptions, modules: SequencerModules<Item>) {
    this.#options = { ...DEFAULTS, ...options };
    this.#modules = modules;
    this.#writer = new LogWriter(modules);
    this.#queue = new BatchQueue(this.#options, modules);
    this.#trouble = logError('LOG_STOPPED', `${modules.tree.origin} is not started`);
  }

  /**
   * Finishes what an earlier process left, and begins to log. Where that fails for now, it is tried again until `stop`.
   * @throws {NodeError} what is fatal, such as LOG_BEHIND, LOG_CONTRADICTED, LOG_CORRUPT, SIGNER_FAULTY. It is stopped then.
   */
  async start(): Promise<void> {
    if (this.#running !== undefined) throw new TypeError('a sequencer is started once');
    await this.#settle();
    if (this.#trouble?.fatal) throw this.#trouble;
    this.#running = this.#run();
  }

  /** Finishes the batch in hand, turns away all that wait, and ends. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.close();
    await this.#running;
    this.#fail(logError('LOG_STOPPED', `${this.#modules.tree.origin} was stopped`));
  }

  /** Why nothing can be logged now; undefined if all is well. */
  get trouble(): NodeError | undefined {
    return this.#trouble;
  }

  /**
   * Logs an item. Resolves once it is in the log for good.
   * @throws {NodeError} LOG_UNSETTLED: it may yet be logged. Anything else: it is not, and `retry` says whether to offer it
   * again. Errors of `LogWork.prepare` are passed on.
   */
  async submit(item: Item): Promise<Receipt> {
    const [outcome] = await this.submitAll([item]);
    if (outcome === undefined || 'error' in outcome) throw outcome?.error;
    return outcome.receipt;
  }

  /** Logs many, offered in one turn. Resolves, once it is known of all of them, with what came of each: as of `submit`. */
  submitAll(items: readonly Item[]): Promise<readonly Outcome[]> {
    if (items.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const together = new Together(items.length, resolve);
      for (const [number, item] of items.entries()) {
        const submission = new Submission(item, number, together);
        if (this.#trouble !== undefined) submission.reject(this.#trouble);
        else if (!this.#queue.push(submission)) {
          const message = `${this.#options.queueMax} items wait for their turn already`;
          submission.reject(logError('LOG_BUSY', message));
        }
      }
    });
  }

  /** Signs the present tree anew, with the checkpoint key that is in force now. */
  refresh(): Promise<HighWater> {
    return this.#resign();
  }

  /** Ends the log: from then on items are LOG_SEALED. */
  seal(): Promise<HighWater> {
    return this.#resign({ sealed: true });
  }

  #resign(change: { readonly sealed?: true } = {}): Promise<HighWater> {
    if (this.#trouble !== undefined) return Promise.reject(this.#trouble);
    return new Promise((resolve, reject) => {
      this.#orders.push({ change, resolve, reject });
      this.#queue.poke();
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#settled) {
        if (this.#orders.length === 0) await this.#queue.ready();
        else await this.#resignNext();
        await this.#logNext();
      } else {
        await this.#finishing;
        await this.#settle();
        if (this.#trouble?.fatal) return;
        if (this.#trouble !== undefined) await this.#pause();
      }
    }
    await this.#finishing;
  }

  /** Tries once to leave nothing open. */
  async #settle(): Promise<void> {
    try {
      await this.#modules.tree.inTurn(() => this.#writer.recover());
      await this.#answer();
      await this.#writer.takeOver(() => this.#refuseAll());
      this.#settled = true;
      this.#trouble = undefined;
    } catch (error) {
      this.#fail(asNodeError(error));
    }
  }

  /** Stages a batch while the one before is being finished, and then begins to finish it. */
  async #logNext(): Promise<void> {
    if (!this.#settled || this.#stopping.signal.aborted) return;
    const batch = this.#prepare(this.#queue.take());
    if (batch === undefined) return;
    this.#inHand.push(batch);
    await this.#attempt(batch, () => this.#writer.stage(batch.staged, batch.besides));
    await this.#finishing;
    if (this.#settled) this.#finishing = this.#attempt(batch, () => this.#finish(batch));
  }

  async #finish(batch: BatchInHand): Promise<void> {
    this.#give(batch, await this.#modules.tree.inTurn(() => this.#writer.finish(batch.staged)));
    // The next batch would say so itself.
    if (this.#inHand.length === 0) await this.#writer.noteSize();
  }

  async #resignNext(): Promise<void> {
    await this.#finishing;
    const order = this.#settled ? this.#orders.shift() : undefined;
    if (order === undefined) return;
    const { change, resolve, reject } = order;
    await this.#attempt(order, async () => {
      resolve(await this.#modules.tree.inTurn(() => this.#writer.resign(change)));
    });
    if (order.error !== undefined) reject(order.error);
  }

  /** After a failure nothing goes on until all is settled. */
  async #attempt(of: { error?: unknown }, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      of.error = error;
      this.#settled = false;
      this.#queue.poke();
    }
  }

  /** Undefined if there is nothing to log. */
  #prepare(submissions: readonly Submission<Item>[]): BatchInHand | undefined {
    if (submissions.length === 0) return undefined;
    try {
      const place = this.#writer.place();
      const items = submissions.map(({ item }) => item);
      const { drafts, places, ...besides } = this.#modules.work.prepare(items, place);
      const placed = submissions.flatMap((submission, i) => {
        const index = places[i];
        if (typeof index === 'number') return [{ index, submission }];
        submission.reject(index);
        return [];
      });
      if (drafts.length > 0) return { staged: { ...place, drafts }, besides, placed };
    } catch (error) {
      for (const submission of submissions) submission.reject(error);
    }
    return undefined;
  }

  /** After a recovery each batch in hand is in the log or nowhere; in its place there may be what another machine has logged. */
  async #answer(): Promise<void> {
    for (const batch of [...this.#inHand]) {
      const { staged, error: cause } = batch;
      // What is not in the log is not signed for this question.
      const isLong = this.#modules.tree.size >= staged.index + staged.drafts.length;
      const entries = isLong ? await this.#writer.entriesOf(staged) : [];
      if (isLong && (await this.#writer.holds(staged.index, entries))) this.#give(batch, entries);
      else {
        const isKnown = isNodeError(cause) && cause.code !== 'STORE_WRITE_UNKNOWN';
        this.#refuse(
          batch,
          isKnown ? cause : logError('LOG_NOT_WRITTEN', 'the batch was not written', { cause }),
        );
      }
    }
  }

  /** The batch is logged: `entries` is all of it. */
  #give(batch: BatchInHand, entries: readonly Uint8Array[]): void {
    const { signed: checkpoint } = this.#modules.tree.head;
    this.#inHand = this.#inHand.filter((other) => other !== batch);
    for (const { index, submission } of batch.placed) {
      const entry = entries[index - batch.staged.index];
      if (entry !== undefined && checkpoint !== undefined) submission.resolve({ index, entry, checkpoint });
      else submission.reject(new RangeError('the work gave an item a place outside its batch'));
    }
  }

  #refuse(batch: BatchInHand, error: NodeError): void {
    this.#inHand = this.#inHand.filter((other) => other !== batch);
    for (const { submission } of batch.placed) submission.reject(error);
  }

  /** Whoever waits for a place may be waited for by what is being taken back. */
  #refuseAll(): void {
    const { origin } = this.#modules.tree;
    this.#fail(
      logError('LOG_NOT_WRITTEN', `${origin}: what an earlier try left in the registry is taken back`),
    );
  }

  #fail(trouble: NodeError): void {
    this.#trouble = trouble;
    for (const batch of this.#inHand) {
      const { error: cause = trouble } = batch;
      const message = `it is not known whether this was logged: ${trouble.message}`;
      this.#refuse(batch, logError('LOG_UNSETTLED', message, { cause }));
    }
    for (const waiting of [...this.#queue.drain(), ...this.#orders.splice(0)]) waiting.reject(trouble);
  }

  async #pause(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#modules.clock.wait(this.#options.retryMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function asNodeError(error: unknown): NodeError {
  if (isNodeError(error)) return error;
  return logError('LOG_FAILED', 'the sequencer met an error that it does not know', { cause: error });
}
