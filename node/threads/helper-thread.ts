/**
 * A second thread that answers jobs in the order in which they were sent. It is started by the first and ends after a rest. Nothing depends
 * on it: what it does not take, or does not answer, is left to whoever asked. Owner of the thread.
 */
import { availableParallelism } from 'node:os';
import { type TransferListItem, Worker } from 'node:worker_threads';
import { NodeError } from '../node-error.ts';

/** What is used of a thread. */
export type HelperWorker = Pick<Worker, 'on' | 'postMessage' | 'terminate' | 'ref' | 'unref'>;

/** Undefined where there is no processor for a second thread. */
export type SpawnHelper = (() => HelperWorker) | undefined;

export interface HelperThreadOptions {
  /** What people are told that it is for. */
  readonly name: string;
  /** Milliseconds without work after which the thread ends. */
  readonly idleMs: number;
  /** Milliseconds without an answer after which it is given up; none by default. */
  readonly silentMs?: number;
}

export interface HelperThreadModules {
  readonly spawn: SpawnHelper;
  /** Told whenever a thread has ended: the next one knows nothing of what that was told. Must not throw. */
  readonly onEnd?: () => void;
  /** Told, as THREAD_FAILED, that a thread could not be started or broke down; again only after one has answered. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: (() => number) | undefined;
}

/** Milliseconds until a thread that could not be started, or broke down, is followed by another. */
const PAUSE_MS = 60_000;

/** What starts a script in a thread of that name, which a debugger shows. */
export function helperScript(script: URL, name: string): SpawnHelper {
  return availableParallelism() > 1 ? () => new Worker(script, { name }) : undefined;
}

/** What an operator is told of a thread that could not be started or broke down. */
export function threadFailed(name: string, cause: unknown): NodeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NodeError(
    'THREAD_FAILED',
    `the second thread for ${name} cannot be started, or broke down (${why}): its work is done on the first until another starts`,
    {
      cause,
      hint: 'Look at the memory that the machine has left, and at how many threads it lets a process have.',
    },
  );
}

export class HelperThread<Job, Answer> {
  readonly #options: HelperThreadOptions;
  readonly #modules: HelperThreadModules;
  readonly #nowMs: () => number;
  /** Whoever waits, in the order in which jobs were sent. */
  readonly #waiting: ((answer: Answer | undefined) => void)[] = [];
  #worker: HelperWorker | undefined;
  /** Of the rest, or of the silence. */
  #timer: NodeJS.Timeout | undefined;
  #notBeforeMs = -Infinity;
  /** Trouble has been told, and no thread has answered since. */
  #isTold = false;

  constructor(options: HelperThreadOptions, modules: HelperThreadModules) {
    this.#options = options;
    this.#modules = modules;
    this.#nowMs = modules.nowMs ?? (() => performance.now());
  }

  /**
   * The answer to a job; undefined where nobody gives one, now or any more. Never rejects. What is in `transfer` is given away as soon as
   * there is a thread: a job that has to be done here after all is made anew.
   */
  ask(job: Job, transfer: readonly TransferListItem[] = []): Promise<Answer | undefined> {
    const worker = this.#running();
    if (worker === undefined || !this.#isPosted(worker, job, transfer)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) > 1) return;
      // Nothing else may keep the process while somebody waits.
      worker.ref();
      this.#watch(worker);
    });
  }

  /** Ends the thread; what it had in hand is answered by nobody. Safe to call twice. */
  async stop(): Promise<void> {
    this.#notBeforeMs = Infinity;
    await this.#end();
  }

  #running(): HelperWorker | undefined {
    const { spawn } = this.#modules;
    if (this.#worker !== undefined || spawn === undefined || this.#nowMs() < this.#notBeforeMs)
      return this.#worker;
    try {
      const worker = spawn();
      worker.unref();
      worker.on('message', (answer: Answer) => this.#take(worker, answer));
      worker.on('messageerror', (cause) => this.#fail(worker, cause));
      worker.on('error', (cause) => this.#fail(worker, cause));
      worker.on('exit', () => this.#lose(worker));
      return (this.#worker = worker);
    } catch (cause) {
      this.#hold(cause);
      return undefined;
    }
  }

  #isPosted(worker: HelperWorker, job: Job, transfer: readonly TransferListItem[]): boolean {
    try {
      worker.postMessage(job, transfer);
      return true;
    } catch (cause) {
      this.#fail(worker, cause);
      return false;
    }
  }

  #take(worker: HelperWorker, answer: Answer): void {
    if (worker !== this.#worker) return;
    this.#isTold = false;
    this.#waiting.shift()?.(answer);
    if (this.#waiting.length === 0) worker.unref();
    this.#watch(worker);
  }

  /** Of a thread that is silent, or has nothing to do, nobody has any use. */
  #watch(worker: HelperWorker): void {
    const { idleMs, silentMs } = this.#options;
    clearTimeout(this.#timer);
    const afterMs = this.#waiting.length === 0 ? idleMs : silentMs;
    if (afterMs === undefined) return;
    this.#timer = setTimeout(() => {
      if (worker === this.#worker) void this.#end();
    }, afterMs).unref();
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#lose(worker);
    await worker?.terminate();
  }

  /** Ends a thread that broke down. One whose answer is lost is no use either: each later one would be taken for that to another job. */
  #fail(worker: HelperWorker, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#hold(cause);
    void this.#end();
  }

  #hold(cause: unknown): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#nowMs() + PAUSE_MS);
    if (this.#isTold) return;
    this.#isTold = true;
    this.#modules.onTrouble?.(threadFailed(this.#options.name, cause));
  }

  #lose(worker: HelperWorker | undefined): void {
    if (worker === undefined || worker !== this.#worker) return;
    clearTimeout(this.#timer);
    this.#worker = undefined;
    this.#modules.onEnd?.();
    for (const answer of this.#waiting.splice(0)) answer(undefined);
  }
}
