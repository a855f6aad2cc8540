/** How much evidence each peer may have verified: a few milliseconds of work each. */
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Clock } from '../ports.ts';
import { PEERS_MAX } from '../sync/sync-limits.ts';

/** What one peer may have verified at once, and milliseconds until it may have one more. */
const OF_PEER = { burst: 8, refillMs: 10_000 } as const;

export class PeerAllowance {
  readonly #clock: Pick<Clock, 'runMs'>;
  readonly #left = new RecentMap<{ readonly left: number; readonly atMs: number }>(PEERS_MAX);

  constructor(clock: Pick<Clock, 'runMs'>) {
    this.#clock = clock;
  }

  /** Whether a peer has one left, which it has then used. */
  use(peer: string): boolean {
    const nowMs = this.#clock.runMs();
    const { left, atMs } = this.#left.get(peer) ?? { left: OF_PEER.burst, atMs: nowMs };
    const now = Math.min(OF_PEER.burst, left + (nowMs - atMs) / OF_PEER.refillMs);
    this.#left.set(peer, { left: now < 1 ? now : now - 1, atMs: nowMs });
    return now >= 1;
  }
}
