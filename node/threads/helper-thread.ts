/**
 * A second thread that answers jobs in the order in which they were sent. It is started by the first and ends after a rest. Nothing depends
 * on it: what it does not take, or does not answer, is left to whoever asked. Owner of the thread.
 */
import { availableParallelism } from 'node:os';
import { type TransferListItem, Worker } from 'node:worker_threads';

/** What is used of a thread. */
export type HelperWorker = Pick<Worker, 'on' | 'postMessage' | 'terminate' | 'ref' | 'unref'>;

/** Undefined where there is no processor for a second thread. */
export type SpawnHelper = (() => HelperWorker) | undefined;

export interface HelperThreadOptions {
  /** Milliseconds without work after which the thread ends. */
  readonly idleMs: number;
  /** Milliseconds without an answer after which it is given up; none by default. */
  readonly silentMs?: number;
}

export interface HelperThreadModules {
  readonly spawn: SpawnHelper;
  /** Told whenever a thread has ended: the next one knows nothing of what that was told. Must not throw. */
  readonly onEnd?: () => void;
}

/** What starts a script in a thread of that name, which a debugger shows. */
export function helperScript(script: URL, name: string): SpawnHelper {
  return availableParallelism() > 1 ? () => new Worker(script, { name }) : undefined;
}

export class HelperThread<Job, Answer> {
  readonly #options: HelperThreadOptions;
  readonly #modules: HelperThreadModules;
  /** Whoever waits, in the order in which jobs were sent. */
  readonly #waiting: ((answer: Answer | undefined) => void)[] = [];
  #worker: HelperWorker | undefined;
  /** Of the rest, or of the silence. */
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: HelperThreadOptions, modules: HelperThreadModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * The answer to a job; undefined where nobody gives one, now or any more. What is in `transfer` is given away as soon as there is a
   * thread: a job that has to be done here after all is made anew.
   */
  ask(job: Job, transfer: readonly TransferListItem[] = []): Promise<Answer | undefined> {
    const worker = this.#running();
    if (worker === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      worker.postMessage(job, transfer);
      if (this.#waiting.push(resolve) > 1) return;
      // Nothing else may keep the process while somebody waits.
      worker.ref();
      this.#watch(worker);
    });
  }

  /** Ends the thread; what it had in hand is answered by nobody. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#end();
  }

  #running(): HelperWorker | undefined {
    const { spawn } = this.#modules;
    if (this.#worker !== undefined || spawn === undefined || this.#isStopped) return this.#worker;
    const worker = spawn();
    worker.unref();
    worker.on('message', (answer: Answer) => this.#take(worker, answer));
    worker.on('error', () => this.#lose(worker));
    worker.on('exit', () => this.#lose(worker));
    return (this.#worker = worker);
  }

  #take(worker: HelperWorker, answer: Answer): void {
    if (worker !== this.#worker) return;
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

  #lose(worker: HelperWorker | undefined): void {
    if (worker === undefined || worker !== this.#worker) return;
    clearTimeout(this.#timer);
    this.#worker = undefined;
    this.#modules.onEnd?.();
    for (const answer of this.#waiting.splice(0)) answer(undefined);
  }
}
