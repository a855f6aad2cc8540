/**
 * Which peers are asked for evidence that they name by gossip, and when: each once in two seconds, and ever less where nothing comes of it. A name
 * costs who tells it nothing, and asking costs a request and an answer of the longest. Spec: SPEC.md 14.6.
 */
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Clock } from '../ports.ts';
import { PEERS_MAX } from './sync-limits.ts';

const PAUSE_MS = 2_000;
/** Times in a row that a peer is asked in vain, each pause twice the one before, until it is asked once an hour alone. */
export const HINTS_IN_VAIN_MAX = 8;
const GIVEN_UP_MS = 3_600_000;

interface Asked {
  readonly atMs: number;
  /** How often in a row nothing came, this time too until something has. */
  readonly inVain: number;
}

export class EvidenceHints {
  readonly #clock: Pick<Clock, 'runMs'>;
  readonly #asked = new RecentMap<Asked>(PEERS_MAX);

  constructor(clock: Pick<Clock, 'runMs'>) {
    this.#clock = clock;
  }

  /** Whether a peer that names something is to be asked for it now: then it counts as asked, and in vain until `served`. */
  isDue(peer: string): boolean {
    const nowMs = this.#clock.runMs();
    const { atMs, inVain } = this.#asked.get(peer) ?? { atMs: -Infinity, inVain: 0 };
    const pauseMs = inVain < HINTS_IN_VAIN_MAX ? PAUSE_MS * 2 ** inVain : GIVEN_UP_MS;
    if (nowMs < atMs + pauseMs) return false;
    this.#asked.set(peer, { atMs: nowMs, inVain: Math.min(HINTS_IN_VAIN_MAX, inVain + 1) });
    return true;
  }

  /** A peer gave what it had named, or anything that was new. */
  served(peer: string): void {
    const asked = this.#asked.get(peer);
    if (asked !== undefined) this.#asked.set(peer, { ...asked, inVain: 0 });
  }
}
