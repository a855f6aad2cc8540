/** The clocks of the regions that the home recognises, asked again and again while a node runs. */
import { ClockAsker, type ClockAskerModules, type ClockAskerOptions } from './clock-asker.ts';
import { type ClockReport, ClockVotes, type ClockVotesModules } from './clock-votes.ts';
import { type TimeBounds } from './time-bounds.ts';

export interface PeerClocksOptions extends ClockAskerOptions {
  /** Asks nobody by itself. */
  readonly onDemand?: boolean;
}

export type PeerClocksModules = Omit<ClockAskerModules, 'votes'> & ClockVotesModules;

export class PeerClocks {
  readonly #votes: ClockVotes;
  readonly #asker: ClockAsker;
  readonly #isAsking: boolean;

  constructor(options: PeerClocksOptions, modules: PeerClocksModules) {
    this.#votes = new ClockVotes(modules);
    this.#asker = new ClockAsker(options, { ...modules, votes: this.#votes });
    this.#isAsking = options.onDemand !== true;
  }

  start(): void {
    if (this.#isAsking) this.#asker.start();
  }

  /** As `ClockAsker.stop`. */
  stop(): Promise<void> {
    return this.#asker.stop();
  }

  /** A round before the node begins to sign, unless enough were heard: so that the first thing has the right time too. */
  async first(): Promise<void> {
    if (this.#isAsking && !this.#votes.isDecided) await this.#asker.ask();
  }

  get bounds(): TimeBounds {
    return this.#votes.bounds;
  }

  get report(): ClockReport {
    return this.#votes.report;
  }
}
