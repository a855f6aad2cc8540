/** Threads that check bundles. Owner of the threads; the caller bounds how much is asked for at a time. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type BundleContext, type BundleJob, type BundleReport } from './bundle-check.ts';
import { type WorkerReply, type WorkerRequest } from './bundle-worker.ts';

interface Waiting {
  readonly resolve: (reports: BundleReport[]) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  /** The log whose context it was told last. */
  log: number;
}

const WORKER = new URL(`./bundle-worker${extname(import.meta.url)}`, import.meta.url);

export class BundlePool {
  readonly #threads: Thread[] = [];
  readonly #count: number;
  #number = 0;
  #log = 0;

  /** @throws {RangeError} unless `threads` is at least 1. */
  constructor({ threads }: { readonly threads: number }) {
    if (!Number.isInteger(threads) || threads < 1) throw new RangeError('a pool has at least one thread');
    this.#count = threads;
  }

  get size(): number {
    return this.#count;
  }

  /** What checks the bundles of one log. The checks of the log before must be over. */
  forLog(context: BundleContext): (jobs: readonly BundleJob[]) => Promise<BundleReport[]> {
    const log = ++this.#log;
    return (jobs) => this.#check(log, context, jobs);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  #check(log: number, context: BundleContext, jobs: readonly BundleJob[]): Promise<BundleReport[]> {
    const thread = this.#leastBusy();
    const number = this.#number++;
    const request: WorkerRequest = { number, log, jobs, ...(thread.log !== log && { context }) };
    thread.log = log;
    return new Promise((resolve, reject) => {
      thread.waiting.set(number, { resolve, reject });
      thread.worker.postMessage(request);
    });
  }

  #leastBusy(): Thread {
    const idlest = this.#threads.reduce<Thread | undefined>((least, thread) => {
      return least === undefined || thread.waiting.size < least.waiting.size ? thread : least;
    }, undefined);
    if (idlest !== undefined && (idlest.waiting.size === 0 || this.#threads.length >= this.#count))
      return idlest;
    const thread = startThread();
    this.#threads.push(thread);
    return thread;
  }
}

function startThread(): Thread {
  const thread: Thread = { worker: new Worker(WORKER), waiting: new Map(), log: 0 };
  const { worker, waiting } = thread;
  worker.on('message', ({ number, reports }: WorkerReply) => {
    waiting.get(number)?.resolve(reports);
    waiting.delete(number);
  });
  const fail = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a thread of the audit ended before its work did')));
  return thread;
}
