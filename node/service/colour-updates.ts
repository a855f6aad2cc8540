/** Brings the colours of people who declared up to what is known, again and again, as `entente update` does once. */
import { type Log } from '../logging/log.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type Region } from '../region/region.ts';
import { type UpdateFigures } from '../life/update-figures.ts';

export interface ColourUpdatesOptions {
  /** Minutes between two runs; 0 for none. */
  readonly everyMinutes: number;
}

export interface ColourUpdatesModules {
  readonly region: Pick<Region, 'publish'> & {
    readonly node: Pick<Region['node'], 'life' | 'whenWriting'>;
  };
  readonly clock: Clock;
  readonly log: Pick<Log, 'info'>;
  readonly onTrouble: (error: unknown) => void;
}

const MINUTE_MS = 60_000;
/** A node that has just started has other things to do. */
const FIRST_MS = 30_000;
/** Until the next attempt where somebody else updates meanwhile: whoever takes their time with that puts nothing off by a whole round. */
const AGAIN_MS = MINUTE_MS;
/** Where nothing is signed yet, and on a machine that stands by, there is nothing to update. */
const IDLE = ['LOG_UNSETTLED', 'LOG_FENCED'] as const;
const QUIET = ['unchanged', 'open', 'ambiguous', 'withdrawn', 'overridden'];

export class ColourUpdates {
  readonly #everyMs: number;
  readonly #modules: ColourUpdatesModules;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor({ everyMinutes }: ColourUpdatesOptions, modules: ColourUpdatesModules) {
    this.#everyMs = everyMinutes * MINUTE_MS;
    this.#modules = modules;
  }

  start(): void {
    if (this.#everyMs > 0) this.#running ??= this.#run();
  }

  /** Finishes the persons in hand. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, onTrouble } = this.#modules;
    const { signal } = this.#stopping;
    for (let waitMs = Math.min(FIRST_MS, this.#everyMs); ;) {
      await clock.wait(waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      waitMs = this.#everyMs;
      try {
        await this.#update();
      } catch (error) {
        if (isBusy(error)) waitMs = Math.min(AGAIN_MS, this.#everyMs);
        else if (!signal.aborted && !(await this.#isIdle(error))) onTrouble(error);
      }
    }
  }

  /** A region that has no rules for people, and nobody who declared, is idle; one whose rules are over or named wrongly is in trouble. */
  async #isIdle(error: unknown): Promise<boolean> {
    if (!isNodeError(error, 'NOT_FOUND')) return IDLE.some((code) => isNodeError(error, code));
    return (await this.#modules.region.node.life.updates()).trouble === undefined;
  }

  async #update(): Promise<void> {
    const { region, log } = this.#modules;
    await region.node.whenWriting();
    let figures: Partial<UpdateFigures> = {};
    for await (const news of region.node.life.update()) {
      if ('figures' in news) ({ figures } = news);
      if (this.#stopping.signal.aborted) break;
    }
    const changed = Object.entries(figures).filter(([name, count]) => count > 0 && !QUIET.includes(name));
    if (changed.length === 0) return;
    await region.publish();
    log.info('colours were updated', figures);
  }
}

/** As `Life.update` says that another run goes on. */
function isBusy(error: unknown): boolean {
  return isNodeError(error, 'REFUSED') && error.retry;
}
