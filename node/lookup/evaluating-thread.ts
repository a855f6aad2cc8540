/**
 * Numbers of a list, evaluated on a second thread: some milliseconds of work each, for hundreds of thousands, which would stand in the way of verdicts.
 * Without a processor for it, and where the thread ends, they are evaluated here, a few at a time. Owner of the thread.
 */
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { secretOfInput } from '../../protocol/lookup/oblivious.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type EvaluateInputs } from './number-evaluator.ts';

/** What is used of a thread. */
export type EvaluatingWorker = Pick<Worker, 'on' | 'postMessage' | 'terminate' | 'unref'>;

export interface EvaluatingThreadModules {
  readonly sha256: Sha256;
  /** Undefined where there is no processor for a second thread. */
  readonly spawn?: (() => EvaluatingWorker) | undefined;
}

/** To the thread. */
export interface EvaluatingJob {
  readonly secretKey: Uint8Array;
  readonly inputs: readonly Uint8Array[];
}

interface Waiting {
  readonly job: EvaluatingJob;
  readonly resolve: (found: readonly Uint8Array[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Evaluated here before others get a turn: some 8 ms of work. */
const TOGETHER_HERE = 4;
/** Milliseconds without work after which the thread ends: a list changes seldom. */
const IDLE_MS = 30_000;

export class EvaluatingThread {
  readonly #modules: EvaluatingThreadModules;
  /** In hand, in the order in which they were sent. */
  readonly #waiting: Waiting[] = [];
  #worker: EvaluatingWorker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(modules: EvaluatingThreadModules) {
    this.#modules = modules;
  }

  readonly evaluate: EvaluateInputs = (secretKey, inputs) => {
    const job = { secretKey, inputs };
    const worker = this.#running();
    if (worker === undefined) return this.#evaluateHere(job);
    clearTimeout(this.#idle);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      worker.postMessage(job);
    });
  };

  /** Ends the thread; what it had in hand is evaluated here. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#end();
  }

  #running(): EvaluatingWorker | undefined {
    const spawn = 'spawn' in this.#modules ? this.#modules.spawn : spawnWorker;
    if (this.#worker !== undefined || spawn === undefined || this.#isStopped) return this.#worker;
    const worker = spawn();
    worker.unref();
    worker.on('message', (found: readonly Uint8Array[]) => this.#take(worker, found));
    worker.on('error', () => this.#lose(worker));
    worker.on('exit', () => this.#lose(worker));
    return (this.#worker = worker);
  }

  #take(worker: EvaluatingWorker, found: readonly Uint8Array[]): void {
    if (worker !== this.#worker) return;
    this.#waiting.shift()?.resolve(found);
    if (this.#waiting.length > 0) return;
    this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref();
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    clearTimeout(this.#idle);
    this.#lose(worker);
    await worker?.terminate();
  }

  #lose(worker: EvaluatingWorker | undefined): void {
    if (worker === undefined || worker !== this.#worker) return;
    this.#worker = undefined;
    for (const { job, resolve, reject } of this.#waiting.splice(0))
      this.#evaluateHere(job).then(resolve, reject);
  }

  async #evaluateHere({ secretKey, inputs }: EvaluatingJob): Promise<readonly Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (const [i, input] of inputs.entries()) {
      if (i % TOGETHER_HERE === TOGETHER_HERE - 1) await new Promise(setImmediate);
      found.push(secretOfInput(this.#modules.sha256, secretKey, input));
    }
    return found;
  }
}

const spawnWorker =
  availableParallelism() > 1
    ? () =>
        new Worker(new URL(`./evaluating-worker${extname(import.meta.url)}`, import.meta.url), {
          name: 'numbers',
        })
    : undefined;
