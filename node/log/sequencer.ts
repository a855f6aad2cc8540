/**
 * The single writer of an own log: gathers what is submitted into batches, has each taken through the steps of `LogWriter`,
 * and tells the submitters what came of it. Whoever has a receipt is in the log for good.
 */
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Change, type HighWater } from '../ports.ts';
import { BatchQueue, type BatchQueueOptions } from './batch-queue.ts';
import { logError } from './log-error.ts';
import { type LogWork, type Receipt } from './log-work.ts';
import { LogWriter, type LogWriterModules } from './log-writer.ts';
import { type StagedBatch } from './staged-batch.ts';

export interface SequencerOptions extends Partial<BatchQueueOptions> {
  /** Milliseconds before a recovery that failed is tried again; 1 s by default. */
  readonly retryMs?: number;
}

export interface SequencerModules<Item> extends LogWriterModules {
  readonly work: LogWork<Item>;
}

interface Submission<Item> {
  readonly item: Item;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/** A batch from its staging until its submitters know. */
interface BatchInHand {
  readonly staged: StagedBatch;
  readonly changes: readonly Change[];
  /** Those who got a place in it. */
  readonly placed: readonly {
    readonly index: number;
    readonly submission: Pick<Submission<unknown>, 'resolve' | 'reject'>;
  }[];
  /** Why it did not go its way, if it did not. */
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
  #inHand: BatchInHand | undefined;
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
  submit(item: Item): Promise<Receipt> {
    if (this.#trouble !== undefined) return Promise.reject(this.#trouble);
    return new Promise((resolve, reject) => {
      if (this.#queue.push({ item, resolve, reject })) return;
      reject(logError('LOG_BUSY', `${this.#options.queueMax} items wait for their turn already`));
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

  #resign(change?: { readonly sealed: true }): Promise<HighWater> {
    return this.#modules.tree.inTurn(async () => {
      if (this.#trouble !== undefined) throw this.#trouble;
      try {
        return await this.#writer.resign(change);
      } catch (error) {
        this.#settled = false;
        this.#queue.poke();
        throw error;
      }
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#settled) await this.#queue.ready();
      else await this.#settle();
      if (this.#trouble?.fatal) return;
      if (this.#trouble !== undefined) await this.#pause();
      else await this.#modules.tree.inTurn(() => this.#logNext());
    }
  }

  /** Tries once to leave nothing open. */
  async #settle(): Promise<void> {
    try {
      await this.#modules.tree.inTurn(async () => {
        await this.#writer.recover();
        await this.#answer();
      });
      this.#settled = true;
      this.#trouble = undefined;
    } catch (error) {
      this.#fail(asNodeError(error));
    }
  }

  async #logNext(): Promise<void> {
    if (!this.#settled) return;
    const inHand = this.#prepare(this.#queue.take());
    if (inHand === undefined) return;
    this.#inHand = inHand;
    try {
      await this.#writer.stage(inHand.staged, inHand.changes);
      this.#give(await this.#writer.finish(inHand.staged));
    } catch (error) {
      inHand.error = error;
      this.#settled = false;
    }
  }

  /** Undefined if there is nothing to log. */
  #prepare(submissions: readonly Submission<Item>[]): BatchInHand | undefined {
    if (submissions.length === 0) return undefined;
    try {
      const place = this.#writer.place();
      const items = submissions.map(({ item }) => item);
      const { drafts, places, changes = [] } = this.#modules.work.prepare(items, place);
      const placed = submissions.flatMap((submission, i) => {
        const index = places[i];
        if (typeof index === 'number') return [{ index, submission }];
        submission.reject(index);
        return [];
      });
      if (drafts.length > 0) return { staged: { ...place, drafts }, changes, placed };
    } catch (error) {
      for (const { reject } of submissions) reject(error);
    }
    return undefined;
  }

  /** After a recovery the batch in hand is in the log or nowhere. */
  async #answer(): Promise<void> {
    const inHand = this.#inHand;
    if (inHand === undefined) return;
    const { staged, error: cause } = inHand;
    if (this.#modules.tree.size >= staged.index + staged.drafts.length) {
      this.#give(await this.#writer.entriesOf(staged));
      return;
    }
    const isKnown = isNodeError(cause) && cause.code !== 'STORE_WRITE_UNKNOWN';
    this.#refuse(isKnown ? cause : logError('LOG_NOT_WRITTEN', 'the batch was not written', { cause }));
  }

  /** The batch in hand is logged: `entries` is all of it. */
  #give(entries: readonly Uint8Array[]): void {
    const { signed: checkpoint } = this.#modules.tree.head;
    const { staged, placed = [] } = this.#inHand ?? {};
    this.#inHand = undefined;
    for (const { index, submission } of placed) {
      const entry = entries[index - (staged?.index ?? 0)];
      if (entry !== undefined && checkpoint !== undefined) submission.resolve({ index, entry, checkpoint });
      else submission.reject(new RangeError('the work gave an item a place outside its batch'));
    }
  }

  #refuse(error: NodeError): void {
    const { placed = [] } = this.#inHand ?? {};
    this.#inHand = undefined;
    for (const { submission } of placed) submission.reject(error);
  }

  #fail(trouble: NodeError): void {
    this.#trouble = trouble;
    const cause = this.#inHand?.error ?? trouble;
    this.#refuse(
      logError('LOG_UNSETTLED', `it is not known whether this was logged: ${trouble.message}`, { cause }),
    );
    for (const { reject } of this.#queue.drain()) reject(trouble);
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
