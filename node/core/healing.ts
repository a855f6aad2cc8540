/** Logging what the root says where somebody else signs with the keys of the region, or keeps this machine from signing with a stolen one. */
import { type Primitives } from '../../protocol/primitives.ts';
import { type Clock } from '../ports.ts';
import { type Fence } from './fencing.ts';
import { lackingBy, requireUnshown } from './named-trees.ts';
import { checkpointsGivenUp, logNaming, requireNaming } from './naming.ts';
import { type NODE_DEFAULTS, type RegionNodeOptions } from './node-options.ts';
import { type OwnLogsCheckModules, requireWhole } from './own-logs-check.ts';
import { withReplacement } from './replacing.ts';
import { dropReplaced, type SettleModules, takeOver, type TakingOverModules } from './taking-over.ts';
import { type NodeKeys, type WritingSide } from './writing-side.ts';

export interface HealingModules
  extends Primitives, OwnLogsCheckModules, Omit<TakingOverModules, 'writership'>, SettleModules {
  readonly fence?: Fence | undefined;
  /** See `requireUnfenced`. */
  readonly requireUnfenced: (givenUp: readonly Uint8Array[]) => Promise<void>;
  readonly keys: NodeKeys;
  readonly clock: Clock;
  /** Begins to sign by these checkpoint keys, once nothing is in the way of these entries. Rejects as `WritingSide.start`. */
  readonly open: (checkpoint: NodeKeys['checkpoint']) => Promise<WritingSide>;
  /** Called once that is tried, whatever came of it. Must not throw. */
  readonly onTried: () => void;
}

export class Healing {
  readonly #options: RegionNodeOptions & typeof NODE_DEFAULTS;
  readonly #modules: HealingModules;
  #isUnderWay = false;
  #isSigning = false;

  constructor(options: RegionNodeOptions & typeof NODE_DEFAULTS, modules: HealingModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** It looks whether it may log these entries, or logs them, and nothing else is signed. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** It logs these entries: nothing more is taken of the own logs. */
  get isSigning(): boolean {
    return this.#isSigning;
  }

  /**
   * Logs the entries in the place of whoever writes, with a replacement of the log that codes go into, and gives the index of the first. `isContradicted`: another log of the region is known. What keys have
   * signed of the one that is here and that the entries do not give up has to be here. Nothing may be signed here meanwhile. Rejects as `requireWhole`, `requireUnfenced`, `requireUnshown`, `requireNaming`, `lackingBy`, `withReplacement`, `GivingUp.order`, `takeOver`, `open` and `logNaming`.
   */
  async heal(
    entries: readonly Uint8Array[],
    { isContradicted, forced }: { readonly isContradicted: boolean; readonly forced: boolean },
  ): Promise<number> {
    const { shelf, fence } = this.#modules;
    this.#isUnderWay = true;
    try {
      // What the key that is given up had permitted binds nobody any more: what was published of that has to be here.
      const givenUp = checkpointsGivenUp(shelf.home, entries);
      // A thief who went on adding to a log would keep the order out: it would never be looked at whole.
      for (const log of shelf.ownLogs) log.disregard(givenUp);
      if (isContradicted) await requireNaming(shelf.home, entries, this.#modules);
      await requireWhole(this.#options, this.#modules, { forced, givenUp, isDivided: isContradicted });
      if (fence === undefined && !forced) await this.#modules.requireUnfenced(givenUp);
      this.#isSigning = true;
      await requireUnshown(this.#modules, givenUp);
      await requireNaming(shelf.home, entries, this.#modules);
      await lackingBy(shelf, entries);
      const all = await withReplacement(this.#options, entries, this.#modules);
      const index = await (fence === undefined
        ? this.#log(all)
        : fence.giving.order(all, async () => {
            await takeOver('promote', { ...this.#modules, ...fence });
            return this.#log(all);
          }));
      return index + all.indexOf(entries[0] as Uint8Array);
    } finally {
      for (const log of shelf.ownLogs) log.disregard([]);
      this.#isSigning = false;
      this.#isUnderWay = false;
    }
  }

  async #log(entries: readonly Uint8Array[]): Promise<number> {
    const { open, onTried, shelf, keys, clock } = this.#modules;
    try {
      const after = await shelf.home.fold.stateAfter(entries);
      // Others may have seen other trees by a key that is given up: it signs none of these.
      const checkpoint = (atS: number) => keys.checkpointBy(after, atS);
      checkpoint(Math.floor(clock.nowMs() / 1000));
      return await logNaming(await open(checkpoint), entries, () => dropReplaced(this.#modules));
    } finally {
      onTried();
    }
  }
}
