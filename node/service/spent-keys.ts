/**
 * Destroys the secrets of attest keys that are over: codes could be dated back with them for a month, by whoever takes the machine. One that a staged batch
 * has to be finished with stays until it is, and all of them on a machine that does not write, and whatever `surelyPastS` does not say to be over.
 */
import { type NodeStatus } from '../core/node-status.ts';
import { type Log } from '../logging/log.ts';
import { type Clock } from '../ports.ts';
import { type Region } from '../region/region.ts';

export interface SpentKeysModules {
  readonly region: {
    readonly keys: Pick<Region['keys'], 'destroySpent'>;
    readonly node: Pick<Region['node'], 'attestKeysNeeded' | 'surelyPastS'> & {
      readonly status: Pick<NodeStatus, 'writing'>;
    };
  };
  readonly clock: Clock;
  readonly log: Pick<Log, 'info'>;
  readonly onTrouble: (error: unknown) => void;
}

/** Before that other regions are asked the time, and tell of a clock that was wrong from the first. */
const FIRST_MS = 300_000;
const ROUND_MS = 3_600_000;
/** After its window, in seconds: a batch that was begun within it is staged by then. */
export const SPENT_S = 3_600;

export class SpentKeys {
  readonly #modules: SpentKeysModules;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(modules: SpentKeysModules) {
    this.#modules = modules;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes the round in hand. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, onTrouble } = this.#modules;
    const { signal } = this.#stopping;
    for (let waitMs = FIRST_MS; ; waitMs = ROUND_MS) {
      await clock.wait(waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#destroy().catch(onTrouble);
    }
  }

  async #destroy(): Promise<void> {
    const { region, log } = this.#modules;
    const { surelyPastS: pastS, status } = region.node;
    // A machine that stands by may have to finish a batch that it has not been given yet; what a clock astray destroyed, the root would have to replace.
    if (status.writing !== 'writing' || pastS === undefined) return;
    const needed = await region.node.attestKeysNeeded();
    const keys = await region.keys.destroySpent(pastS - SPENT_S, (keyId) => needed.has(keyId));
    if (keys.length > 0) log.info('attest keys that were over are destroyed', { keys });
  }
}
