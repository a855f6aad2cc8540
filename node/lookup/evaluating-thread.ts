/**
 * Numbers of a list, evaluated on a second thread: some milliseconds of work each, for hundreds of thousands, which would stand in the way of verdicts.
 * Without a processor for it, and where the thread ends, they are evaluated here, a few at a time. Owner of the thread.
 */
import { extname } from 'node:path';
import { secretOfInput } from '../../protocol/lookup/oblivious.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import {
  helperScript,
  HelperThread,
  type HelperThreadModules,
  type SpawnHelper,
} from '../threads/helper-thread.ts';
import { type EvaluateInputs } from './number-evaluator.ts';

export interface EvaluatingThreadModules extends Pick<HelperThreadModules, 'onTrouble' | 'nowMs'> {
  readonly sha256: Sha256;
  /** Undefined where there is no processor for a second thread. */
  readonly spawn?: SpawnHelper;
}

/** To the thread. */
export interface EvaluatingJob {
  readonly secretKey: Uint8Array;
  readonly inputs: readonly Uint8Array[];
}

/** Evaluated here before others get a turn: some 8 ms of work. */
const TOGETHER_HERE = 4;
/** Milliseconds without work after which the thread ends: a list changes seldom. */
const IDLE_MS = 30_000;
const SPAWN = helperScript(
  new URL(`./evaluating-worker${extname(import.meta.url)}`, import.meta.url),
  'numbers',
);

export class EvaluatingThread {
  readonly #modules: EvaluatingThreadModules;
  readonly #thread: HelperThread<EvaluatingJob, readonly Uint8Array[]>;

  constructor(modules: EvaluatingThreadModules) {
    this.#modules = modules;
    const spawn = 'spawn' in modules ? modules.spawn : SPAWN;
    const { onTrouble, nowMs } = modules;
    this.#thread = new HelperThread(
      { name: 'numbers of lists', idleMs: IDLE_MS },
      { spawn, onTrouble, nowMs },
    );
  }

  readonly evaluate: EvaluateInputs = async (secretKey, inputs) => {
    const job = { secretKey, inputs };
    return (await this.#thread.ask(job)) ?? this.#evaluateHere(job);
  };

  /** Ends the thread; what it had in hand is evaluated here. Safe to call twice. */
  stop(): Promise<void> {
    return this.#thread.stop();
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
