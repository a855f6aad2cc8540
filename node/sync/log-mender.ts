/**
 * Logs whose entries cannot all be read any more. A trust log is folded as far as it goes and nobody leans on it, until what is
 * damaged or gone has come from peers. Where a salvage has left the store incomplete, all logs are read to their end, own ones and
 * copies: nothing else would notice what they lack before somebody asks for it, nor what a trust log lacks before the state that its fold began with.
 */
import { type LogTree } from '../log/log-tree.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { Turns } from '../turns.ts';
import { type Healer } from './healer.ts';

export interface LogMenderOptions {
  /** Milliseconds between two tries, while anything is damaged or the store is incomplete. */
  readonly retryMs: number;
}

export interface LogMenderModules {
  readonly healer: Healer;
  readonly clock: Clock;
  readonly keepers: () => Iterable<TrustKeeper>;
  /** All logs that are held, those of the keepers among them. */
  readonly logs: () => ReadonlyMap<string, { readonly tree: LogTree }>;
  /** Whether the store may lack what it once held: `Store.incomplete`. */
  readonly isIncomplete: () => boolean;
  /** Told of what could not be mended now. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

export class LogMender {
  readonly #options: LogMenderOptions;
  readonly #modules: LogMenderModules;
  readonly #turns = new Turns();
  /** How far logs were found whole, in this incomplete store. */
  readonly #wholeTo = new WeakMap<LogTree, number>();
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

  /** Mends what peers have now; `RegionFold.unread` tells what is left. */
  mend(): Promise<void> {
    return this.#turns.take('mend', async () => {
      const keepers = [...this.#modules.keepers()];
      for (const keeper of keepers) await this.#try(() => this.#mendOne(keeper));
      if (!this.#modules.isIncomplete()) return;
      const damaged = new Set(keepers.flatMap(({ fold, tree }) => (fold.unread === undefined ? [] : [tree])));
      for (const { tree } of [...this.#modules.logs().values()]) {
        if (!damaged.has(tree) && tree.trouble === undefined) await this.#try(() => this.#mendUnread(tree));
      }
    });
  }

  async #try(mending: () => Promise<void>): Promise<void> {
    try {
      await mending();
    } catch (error) {
      if (!isNodeError(error)) throw error;
      if (!this.#stopping.signal.aborted) this.#modules.onTrouble(error);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.mend();
      const { keepers, isIncomplete } = this.#modules;
      const isWhole = [...keepers()].every(({ fold }) => fold.unread === undefined) && !isIncomplete();
      if (isWhole) await this.#nextDamage();
      else await this.#modules.clock.wait(this.#options.retryMs, signal).catch(() => undefined);
    }
  }

  async #nextDamage(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** From where it was whole when it was read last; what cannot be mended now is the first to be read the next time. */
  async #mendUnread(tree: LogTree): Promise<void> {
    const mended = new Set<string>();
    const { minimum, size } = tree.head;
    let next = Math.max(minimum, this.#wholeTo.get(tree) ?? 0);
    while (next < size && !this.#stopping.signal.aborted) {
      try {
        const entries = tree.reader.entries(next, size);
        while ((await entries.next()).done !== true) next++;
      } catch (error) {
        if (!isNodeError(error, 'LOG_CORRUPT') && !isNodeError(error, 'VALUE_CORRUPT')) throw error;
        const key = await this.#modules.healer.damagedRun(tree, next);
        if (mended.has(key)) throw error;
        await this.#modules.healer.heal(key);
        mended.add(key);
      } finally {
        this.#wholeTo.set(tree, next);
      }
    }
  }

  /** Value by value, each once. What was damaged may be right by now: the scrub mends too. */
  async #mendOne(keeper: TrustKeeper): Promise<void> {
    const mended = new Set<string>();
    while (keeper.fold.unread !== undefined && !(await isWholeNow(keeper))) {
      const key = await this.#modules.healer.damaged(keeper.tree, keeper.fold.damagedAt);
      if (mended.has(key)) throw keeper.fold.unread;
      await this.#modules.healer.heal(key);
      mended.add(key);
    }
  }
}

async function isWholeNow(keeper: TrustKeeper): Promise<boolean> {
  try {
    await keeper.advance();
    await keeper.fold.readAgain();
  } catch (error) {
    if (keeper.fold.unread !== error) throw error;
  }
  return keeper.fold.unread === undefined;
}
