/**
 * The signatures of verdicts, checked on a second thread while there are many: they are a third of the work that a code takes and
 * need nothing that the node's own thread holds. Whatever that thread does not take in time is checked here, and so is everything
 * while there is little to do: no verdict depends on it. Owner of the thread.
 */
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type SignatureCheck, type VerifySignature } from '../../protocol/primitives.ts';
import { threadFailed } from '../threads/helper-thread.ts';
import { isPackable, packChecks } from './packed-checks.ts';

/** Answers checks one by one. Total, as `VerifySignature` is. */
export type CheckSignatures = (checks: readonly SignatureCheck[]) => boolean[] | Promise<boolean[]>;

/** What is used of a thread. */
export type SignatureWorker = Pick<Worker, 'on' | 'postMessage' | 'terminate' | 'unref'>;

export interface SignatureThreadOptions {
  /** Checks in a second from which on the second thread is worth its while; 500 by default. */
  readonly busyPerS?: number;
}

export interface SignatureThreadModules {
  readonly verifySignature: VerifySignature;
  /** Undefined where there is no processor for a second thread. */
  readonly spawn?: (() => SignatureWorker) | undefined;
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: () => number;
  /** Told, as THREAD_FAILED, that a thread could not be started or broke down; again only after one has answered. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

interface Job {
  readonly checks: readonly SignatureCheck[];
  readonly resolve: (answers: boolean[]) => void;
}

const BUSY_PER_S = 500;
/** Milliseconds over which checks are counted. */
const WINDOW_MS = 100;
/** Checks that are handed over together, and milliseconds until fewer are: handing over costs as much as a third of a check. */
const TOGETHER = 8;
const GATHER_MS = 1;
/** Checks that the thread has at a time: some three milliseconds of work. What comes on top is checked here. */
const IN_HAND_MAX = 64;
/** Milliseconds without an answer after which the thread is given up: a thousand times what it needs. */
const SILENT_MS_MAX = 3_000;
/** Milliseconds until a thread that ended is followed by another. */
const PAUSE_MS = 60_000;

export class SignatureThread {
  readonly #options: Required<SignatureThreadOptions>;
  readonly #modules: SignatureThreadModules;
  readonly #nowMs: () => number;
  readonly #sent: Job[][] = [];
  #gathered: Job[] = [];
  #gatheredChecks = 0;
  #inHand = 0;
  #worker: SignatureWorker | undefined;
  #notBeforeMs = 0;
  /** Trouble has been told, and no thread has answered since. */
  #isTold = false;
  /** When the thread was heard last, or was given something after a rest. */
  #heardMs = 0;
  #windowMs = 0;
  #inWindow = 0;
  #isBusy = false;

  constructor({ busyPerS = BUSY_PER_S }: SignatureThreadOptions, modules: SignatureThreadModules) {
    this.#options = { busyPerS };
    this.#modules = modules;
    this.#nowMs = modules.nowMs ?? (() => performance.now());
  }

  readonly check: CheckSignatures = (checks) => {
    this.#count(checks.length);
    const isFit = this.#isBusy && checks.length > 0 && checks.every(isPackable);
    const worker = isFit ? this.#running() : undefined;
    if (worker === undefined || this.#inHand + checks.length > IN_HAND_MAX) return this.#checkHere(checks);
    return new Promise((resolve) => {
      if (this.#gathered.length === 0) setTimeout(() => this.#handOver(), GATHER_MS);
      this.#gathered.push({ checks, resolve });
      this.#gatheredChecks += checks.length;
      this.#inHand += checks.length;
      if (this.#gatheredChecks >= TOGETHER) this.#handOver();
    });
  };

  /** Ends the thread; what it had in hand is checked here. Safe to call twice. */
  async stop(): Promise<void> {
    this.#notBeforeMs = Infinity;
    const worker = this.#worker;
    this.#lose(worker);
    await worker?.terminate();
  }

  #giveUp(): void {
    const worker = this.#worker;
    this.#lose(worker);
    void worker?.terminate();
  }

  #checkHere(checks: readonly SignatureCheck[]): boolean[] {
    return checks.map(this.#modules.verifySignature);
  }

  #count(checks: number): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#isBusy = (1_000 * this.#inWindow) / (nowMs - this.#windowMs) >= this.#options.busyPerS;
      this.#windowMs = nowMs;
      this.#inWindow = 0;
      if (this.#sent.length > 0 && nowMs - this.#heardMs > SILENT_MS_MAX) this.#giveUp();
    }
    this.#inWindow += checks;
  }

  #running(): SignatureWorker | undefined {
    const spawn = 'spawn' in this.#modules ? this.#modules.spawn : spawnWorker;
    if (this.#worker !== undefined || spawn === undefined || this.#nowMs() < this.#notBeforeMs)
      return this.#worker;
    this.#notBeforeMs = this.#nowMs() + PAUSE_MS;
    try {
      const worker = spawn();
      worker.unref();
      worker.on('message', (answers: Uint8Array) => this.#take(worker, answers));
      worker.on('messageerror', (cause) => this.#fail(worker, cause));
      worker.on('error', (cause) => this.#fail(worker, cause));
      worker.on('exit', () => this.#lose(worker));
      return (this.#worker = worker);
    } catch (cause) {
      this.#tell(cause);
      return undefined;
    }
  }

  #handOver(): void {
    const [jobs, worker] = [this.#gathered, this.#worker];
    if (jobs.length === 0 || worker === undefined) return;
    this.#gathered = [];
    this.#gatheredChecks = 0;
    if (this.#sent.length === 0) this.#heardMs = this.#nowMs();
    this.#sent.push(jobs);
    try {
      worker.postMessage(packChecks(jobs.flatMap(({ checks }) => checks)));
    } catch (cause) {
      this.#fail(worker, cause);
    }
  }

  #take(worker: SignatureWorker, answers: Uint8Array): void {
    if (worker !== this.#worker) return;
    const [jobs = []] = this.#sent;
    // An answer that is missing is no answer: the checks are made here.
    if (jobs.reduce((sum, { checks }) => sum + checks.length, 0) !== answers.length) return this.#giveUp();
    this.#isTold = false;
    this.#sent.shift();
    this.#heardMs = this.#nowMs();
    let at = 0;
    for (const { checks, resolve } of jobs) {
      const end = at + checks.length;
      this.#inHand -= checks.length;
      resolve(Array.from(answers.subarray(at, end), (answer) => answer === 1));
      at = end;
    }
  }

  /** One whose answer is lost is no use either: each later one would be taken for that to other checks. */
  #fail(worker: SignatureWorker, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#tell(cause);
    this.#giveUp();
  }

  #tell(cause: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#modules.onTrouble?.(threadFailed('verdicts', cause));
  }

  #lose(worker: SignatureWorker | undefined): void {
    if (worker === undefined || worker !== this.#worker) return;
    this.#worker = undefined;
    const jobs = [...this.#sent.splice(0).flat(), ...this.#gathered.splice(0)];
    this.#inHand = 0;
    this.#gatheredChecks = 0;
    for (const { checks, resolve } of jobs) resolve(this.#checkHere(checks));
  }
}

const spawnWorker =
  availableParallelism() > 1
    ? () =>
        new Worker(new URL(`./signature-worker${extname(import.meta.url)}`, import.meta.url), {
          name: 'signatures',
        })
    : undefined;
