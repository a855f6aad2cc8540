/**
 * Destroys the secrets of attest keys that are over: codes could be dated back with them for a month, by whoever takes the machine. One that a staged batch
 * has to be finished with stays until it is, and all of them on a machine that does not write. By its own clock alone a machine destroys none: where
 * few regions are asked the time, nobody outvotes a clock that is weeks ahead, and the key in force would go.
 */
import { type NodeStatus } from '../core/node-status.ts';
import { type Log } from '../logging/log.ts';
import { type Clock } from '../ports.ts';
import { type Region } from '../region/region.ts';

export interface SpentKeysModules {
  readonly region: {
    readonly keys: Pick<Region['keys'], 'destroySpent'>;
    readonly node: Pick<Region['node'], 'attestKeysNeeded' | 'vouchedAtS'> & {
      readonly status: {
        readonly writing: NodeStatus['writing'];
        readonly clock: Pick<NodeStatus['clock'], 'standing'>;
      };
    };
  };
  readonly clock: Clock;
  readonly log: Pick<Log, 'info'>;
  readonly onTrouble: (error: unknown) => void;
}

/** Before that other regions are asked the time, and tell of a clock that was wrong from the first. */
const FIRST_MS = 300_000;
const ROUND_MS = 3_600_000;
/** After its window: a batch that was begun within it is staged by then. */
const SPENT_S = 3_600;
/** While some doubt the clock, a key is destroyed so much later: a peer that lies keeps it a week longer, and not for ever. */
const DOUBT_S = 7 * 86_400;

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
    const { region, clock, log } = this.#modules;
    const {
      vouchedAtS,
      status: { writing, clock: heard },
    } = region.node;
    // A machine that stands by may have to finish a batch that it has not been given yet; what a clock astray destroyed, the root would have to replace.
    if (writing !== 'writing' || vouchedAtS === undefined) return;
    const nowS = Math.floor(clock.nowMs() / 1_000);
    const spentS = nowS - SPENT_S - (heard.standing === 'doubtful' ? DOUBT_S : 0);
    const endedS = Math.min(spentS, vouchedAtS);
    const needed = await region.node.attestKeysNeeded();
    const keys = await region.keys.destroySpent(endedS, (keyId) => needed.has(keyId));
    if (keys.length > 0) log.info('attest keys that were over are destroyed', { keys });
  }
}
