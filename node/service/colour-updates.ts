/**
 * Brings the colours of people who declared up to what is known, again and again, as `entente update` does once; and soon after something new came into
 * force, of those whom it is about.
 */
import { type Log } from '../logging/log.ts';
import { type NewsOf } from '../life/news.ts';
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
/** After the last news: several lists, and people one after the other at a desk, are looked at together. */
const AFTER_NEWS_MS = 5_000;
/** After the first of them, however many follow. */
const NEWS_MS_MAX = MINUTE_MS;
/** Between the beginnings of updates of everybody that news bring about: one costs what a round costs. */
const ALL_MS = MINUTE_MS;
/** Where nothing is signed yet, and on a machine that stands by, there is nothing to update. */
const IDLE = ['LOG_UNSETTLED', 'LOG_FENCED'] as const;
const QUIET = ['unchanged', 'open', 'ambiguous', 'withdrawn', 'overridden'];

export class ColourUpdates {
  readonly #everyMs: number;
  readonly #modules: ColourUpdatesModules;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** When the next round is due; and when what is new is, where anything is. */
  #roundMs = 0;
  #newsMs = Infinity;
  #firstNewsMs = Infinity;
  #allBegunMs = -Infinity;
  /** Ends the wait for what was due. */
  #changed = new AbortController();

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
    const { signal } = this.#stopping;
    const { clock, region } = this.#modules;
    this.#roundMs = clock.runMs() + Math.min(FIRST_MS, this.#everyMs);
    const heard = region.node.life.news.listen((of) => this.#hear(of));
    while (!signal.aborted) {
      const waitMs = Math.min(this.#roundMs, this.#newsMs) - clock.runMs();
      if (waitMs <= 0) await this.#take();
      else {
        this.#changed = new AbortController();
        await clock.wait(waitMs, AbortSignal.any([signal, this.#changed.signal])).catch(() => undefined);
      }
    }
    heard.close();
  }

  /** Gives the seconds until it is due. */
  #hear(of: NewsOf): number {
    const nowMs = this.#modules.clock.runMs();
    this.#firstNewsMs = Math.min(this.#firstNewsMs, nowMs);
    const dueMs = Math.min(nowMs + AFTER_NEWS_MS, this.#firstNewsMs + NEWS_MS_MAX);
    this.#newsMs = of === 'anybody' ? Math.max(dueMs, this.#allBegunMs + ALL_MS) : dueMs;
    this.#changed.abort();
    return Math.max(1, Math.ceil((Math.min(this.#newsMs, this.#roundMs) - nowMs) / 1_000));
  }

  /** What is due, by a round or by news. What is new stays so where somebody else updates, or it may go better soon; else it waits for the round. */
  async #take(): Promise<void> {
    const { clock, onTrouble, region } = this.#modules;
    const nowMs = clock.runMs();
    const isRound = nowMs >= this.#roundMs;
    const { news } = region.node.life;
    const told = news.take();
    const of = isRound ? 'anybody' : told;
    [this.#newsMs, this.#firstNewsMs] = [Infinity, Infinity];
    if (isRound) this.#roundMs = nowMs + this.#everyMs;
    if (of === 'anybody') this.#allBegunMs = nowMs;
    try {
      await this.#update(of);
    } catch (error) {
      const isOther = isBusy(error);
      const againMs = Math.min(AGAIN_MS, this.#everyMs);
      if (isOther && isRound) this.#roundMs = clock.runMs() + againMs;
      if (isNodeError(error) && error.retry && news.tell(told) !== undefined)
        this.#newsMs = clock.runMs() + (isOther ? AFTER_NEWS_MS : againMs);
      if (!isOther && !this.#stopping.signal.aborted && !(await this.#isIdle(error))) onTrouble(error);
    }
  }

  /** A region that has no rules for people, and nobody who declared, is idle; one whose rules are over or named wrongly is in trouble. */
  async #isIdle(error: unknown): Promise<boolean> {
    if (!isNodeError(error, 'NOT_FOUND')) return IDLE.some((code) => isNodeError(error, code));
    return (await this.#modules.region.node.life.updates()).trouble === undefined;
  }

  async #update(of: NewsOf): Promise<void> {
    const { region, log } = this.#modules;
    await region.node.whenWriting();
    let figures: Partial<UpdateFigures> = {};
    for await (const news of region.node.life.update(of === 'anybody' ? {} : { of })) {
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
