/**
 * Trust logs whose entries cannot all be read any more. Such a log is folded as far as it goes and nobody leans on it, until what
 * is damaged or gone has come from peers.
 */
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { Turns } from '../turns.ts';
import { type Healer } from './healer.ts';

export interface LogMenderOptions {
  /** Milliseconds between two tries, while anything is damaged. */
  readonly retryMs: number;
}

export interface LogMenderModules {
  readonly healer: Healer;
  readonly clock: Clock;
  readonly keepers: () => Iterable<TrustKeeper>;
  /** Told of what could not be mended now. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

export class LogMender {
  readonly #options: LogMenderOptions;
  readonly #modules: LogMenderModules;
  readonly #turns = new Turns();
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: LogMenderOptions, modules: LogMenderModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  /** Something is damaged: it is looked at now, and again until it is whole. */
  wake(): void {
    this.#wake();
  }

  /** Mends what peers have now; `TrustKeeper.damage` tells what is left. */
  mend(): Promise<void> {
    return this.#turns.take('mend', async () => {
      for (const keeper of this.#modules.keepers()) {
        try {
          await this.#mendOne(keeper);
        } catch (error) {
          if (!isNodeError(error)) throw error;
          this.#modules.onTrouble(error);
        }
      }
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.mend();
      const isWhole = [...this.#modules.keepers()].every(({ damage }) => damage === undefined);
      if (isWhole) await this.#nextDamage();
      else await this.#modules.clock.wait(this.#options.retryMs, signal).catch(() => undefined);
    }
  }

  async #nextDamage(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Run by run, each once. */
  async #mendOne(keeper: TrustKeeper): Promise<void> {
    const mended = new Set<string>();
    while (keeper.damage !== undefined) {
      const key = await this.#modules.healer.damagedRun(keeper.tree, keeper.fold.size);
      if (mended.has(key)) throw keeper.damage;
      await this.#modules.healer.heal(key);
      mended.add(key);
      await keeper.advance().catch((error: unknown) => {
        if (keeper.damage !== error) throw error;
      });
    }
  }
}
