/**
 * What the clocks of other regions say, and whether ours is outvoted: a node whose clock is hours astray must not sign, and no
 * minority of liars may keep an honest one from it. Each region has one vote. The time lies where more than half of all regions
 * that the home recognises put it, at least two of them; those that are silent count among all, so that whoever is cut off from the
 * honest is not ruled by the rest, and whoever is alone is ruled by nobody.
 */
import { CLOCK_AHEAD_S_MAX } from '../../protocol/limits.ts';
import { type Clock } from '../ports.ts';
import { type TimeBounds } from './time-bounds.ts';

/** What a region's clock said, proven fresh: it signed that time after it was asked, and before it was heard. */
export interface ClockReading {
  readonly region: string;
  /** Seconds since 1970, rounded down. */
  readonly timestampS: number;
  /** Milliseconds of `Clock.runMs`. */
  readonly askedAtMs: number;
  readonly heardAtMs: number;
}

/**
 * `alone`: too few say anything. `astray`: most say that our clock is wrong by more than 120 s. `doubtful`: by more than 10 s, or some
 * say more and are too few to rule.
 */
export type ClockStanding = 'alone' | 'agrees' | 'doubtful' | 'astray';

export interface ClockReport {
  readonly standing: ClockStanding;
  /** Seconds by which our clock is ahead of the middle one of those that were heard; negative behind it. */
  readonly aheadS: number | undefined;
  /** By region, the same of each. */
  readonly aheadOfS: Readonly<Record<string, number>>;
  /** Regions that have to agree before our clock is not trusted. */
  readonly needed: number;
}

export interface ClockVotesModules {
  readonly clock: Pick<Clock, 'nowMs' | 'runMs'>;
  /** The regions that have a vote: those that the home recognises directly. */
  readonly regions: () => readonly string[];
}

/** Milliseconds of running time for which a vote counts: five rounds of asking. */
export const VOTE_MS_MAX = 600_000;
const DOUBT_S = 10;

/** Seconds since 1970 between which a region's clock is now. */
interface Span {
  readonly fromS: number;
  readonly untilS: number;
}

export class ClockVotes {
  readonly #modules: ClockVotesModules;
  readonly #readings = new Map<string, ClockReading>();

  constructor(modules: ClockVotesModules) {
    this.#modules = modules;
  }

  /** The regions that have a vote. */
  get regions(): readonly string[] {
    return this.#modules.regions();
  }

  /** Whether enough regions were heard for a judgement, either way. */
  get isDecided(): boolean {
    return this.#spans().size >= this.#needed();
  }

  take(reading: ClockReading): void {
    this.#readings.set(reading.region, reading);
  }

  readonly bounds: TimeBounds = () => {
    const spans = [...this.#spans().values()];
    const place = this.#needed() - 1;
    const from = spans.map(({ fromS }) => fromS).sort((a, b) => b - a)[place];
    const until = spans.map(({ untilS }) => untilS).sort((a, b) => a - b)[place];
    if (from === undefined || until === undefined) return undefined;
    return { fromS: Math.floor(from) - CLOCK_AHEAD_S_MAX, untilS: Math.ceil(until) + CLOCK_AHEAD_S_MAX };
  };

  get report(): ClockReport {
    const nowS = this.#modules.clock.nowMs() / 1000;
    const aheadOfS = Object.fromEntries(
      [...this.#spans()].map(([region, { fromS, untilS }]) => [
        region,
        Math.round(nowS - (fromS + untilS) / 2),
      ]),
    );
    const offs = Object.values(aheadOfS).sort((a, b) => a - b);
    const aheadS = offs[Math.floor((offs.length - 1) / 2)];
    return { standing: this.#standing(offs, Math.floor(nowS)), aheadS, aheadOfS, needed: this.#needed() };
  }

  #standing(offs: readonly number[], nowS: number): ClockStanding {
    const bounds = this.bounds();
    if (bounds !== undefined && (nowS < bounds.fromS || nowS > bounds.untilS)) return 'astray';
    const middle = offs[Math.floor((offs.length - 1) / 2)] ?? 0;
    if (Math.abs(middle) > DOUBT_S) return 'doubtful';
    if (bounds !== undefined) return 'agrees';
    return offs.some((off) => Math.abs(off) > CLOCK_AHEAD_S_MAX) ? 'doubtful' : 'alone';
  }

  /** More than half: of two, three and four regions 2, 2 and 3. */
  #needed(): number {
    return Math.max(2, Math.floor(this.regions.length / 2) + 1);
  }

  #spans(): Map<string, Span> {
    const nowMs = this.#modules.clock.runMs();
    const spans = new Map<string, Span>();
    for (const region of this.regions) {
      const reading = this.#readings.get(region);
      if (reading === undefined || nowMs - reading.heardAtMs > VOTE_MS_MAX) continue;
      const { timestampS, askedAtMs, heardAtMs } = reading;
      spans.set(region, {
        fromS: timestampS + (nowMs - heardAtMs) / 1000,
        untilS: timestampS + 1 + (nowMs - askedAtMs) / 1000,
      });
    }
    return spans;
  }
}
