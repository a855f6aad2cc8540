/**
 * Checks bundles on several threads: this one and workers, each of which takes what is next when it has room. Owner of the
 * workers; the caller bounds how much is asked for at a time.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Primitives } from '../../protocol/primitives.ts';
import { type BundleContext, type BundleJob, type BundleReport, checkBundle } from './bundle-check.ts';
import { type WorkerReply, type WorkerRequest } from './bundle-worker.ts';

/** Bundles that are checked together, and who waits for that. */
interface Task {
  readonly log: number;
  readonly context: BundleContext;
  readonly primitives: Primitives;
  readonly jobs: readonly BundleJob[];
  readonly resolve: (reports: BundleReport[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Task>;
  /** The log whose context it was told last. */
  log: number;
}

const WORKER = new URL(`./bundle-worker${extname(import.meta.url)}`, import.meta.url);
/** Tasks that a worker has at a time: one at work and one to go on with. */
const WAITING_MAX = 2;

export class BundlePool {
  readonly #threads: Thread[] = [];
  readonly #count: number;
  readonly #tasks: Task[] = [];
  #isHelping = false;
  /** Why no task is taken any more: a worker ended. */
  #failure: Error | undefined;
  #number = 0;
  #log = 0;

  /** `threads` counts this one. @throws {RangeError} unless it is at least 1. */
  constructor({ threads }: { readonly threads: number }) {
    if (!Number.isInteger(threads) || threads < 1) throw new RangeError('a pool has at least one thread');
    this.#count = threads;
  }

  get size(): number {
    return this.#count;
  }

  /** What checks the bundles of one log. The checks of the log before must be over. */
  forLog(
    context: BundleContext,
    primitives: Primitives,
  ): (jobs: readonly BundleJob[]) => Promise<BundleReport[]> {
    const log = ++this.#log;
    return (jobs) =>
      new Promise((resolve, reject) => {
        if (this.#failure !== undefined) return reject(this.#failure);
        this.#tasks.push({ log, context, primitives, jobs, resolve, reject });
        this.#handOut();
      });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  #handOut(): void {
    for (;;) {
      const thread = this.#threadWithRoom();
      const task = thread && this.#tasks.shift();
      if (task === undefined) break;
      send(thread as Thread, this.#number++, task);
    }
    if (this.#tasks.length === 0 || this.#isHelping) return;
    this.#isHelping = true;
    setImmediate(() => this.#help());
  }

  /** One task here, and then what came from workers and disk meanwhile gets its turn. */
  #help(): void {
    this.#isHelping = false;
    const task = this.#tasks.shift();
    if (task !== undefined) {
      try {
        task.resolve(task.jobs.map((job) => checkBundle(job, task.context, task.primitives)));
      } catch (error) {
        task.reject(error);
      }
    }
    this.#handOut();
  }

  /** A worker is started only for what this thread alone would not begin at once. */
  #threadWithRoom(): Thread | undefined {
    const idlest = this.#threads.reduce<Thread | undefined>((least, thread) => {
      return least === undefined || thread.waiting.size < least.waiting.size ? thread : least;
    }, undefined);
    if (idlest?.waiting.size === 0) return idlest;
    if (this.#threads.length < this.#count - 1 && this.#tasks.length > 1) {
      return this.#start();
    }
    return idlest !== undefined && idlest.waiting.size < WAITING_MAX ? idlest : undefined;
  }

  #start(): Thread {
    const thread: Thread = { worker: new Worker(WORKER), waiting: new Map(), log: 0 };
    const { worker, waiting } = thread;
    worker.on('message', ({ number, reports }: WorkerReply) => {
      waiting.get(number)?.resolve(reports);
      waiting.delete(number);
      this.#handOut();
    });
    worker.on('error', (error: Error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Error('a thread of the audit ended before its work did')));
    this.#threads.push(thread);
    return thread;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const tasks = [
      ...this.#tasks.splice(0),
      ...this.#threads.flatMap(({ waiting }) => [...waiting.values()]),
    ];
    for (const { waiting } of this.#threads) waiting.clear();
    for (const { reject } of tasks) reject(error);
  }
}

function send(thread: Thread, number: number, task: Task): void {
  const { log, context, jobs } = task;
  const request: WorkerRequest = { number, log, jobs, ...(thread.log !== log && { context }) };
  thread.log = log;
  thread.waiting.set(number, task);
  thread.worker.postMessage(request);
}
