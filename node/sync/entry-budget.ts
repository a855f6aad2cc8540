/**
 * How many entries a node gives away: to one peer, to all invited peers, and to all together. A bucket fills with time and may go into debt once; whoever
 * comes then waits until it is paid.
 */
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Clock } from '../ports.ts';
import { ENTRIES_GIVEN, PEERS_MAX } from './sync-limits.ts';

interface Bucket {
  /** Entries; negative where more was given than had flowed in. */
  level: number;
  atMs: number;
}

interface Rate {
  readonly perS: number;
  readonly burst: number;
}

export class EntryBudget {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #ofPeers = new RecentMap<Bucket>(PEERS_MAX);
  readonly #ofInvited: Bucket;
  readonly #ofAll: Bucket;

  constructor({ clock }: { readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#clock = clock;
    this.#ofInvited = { level: ENTRIES_GIVEN.ofInvited.burst, atMs: clock.nowMs() };
    this.#ofAll = { level: ENTRIES_GIVEN.ofAll.burst, atMs: clock.nowMs() };
  }

  /** Milliseconds until entries may be given to a peer again; 0 if that is now. */
  waitMs(peer: string, isInvited = false): number {
    const debtsS = this.#bucketsOf(peer, isInvited).map(([bucket, rate]) => {
      return -this.#filled(bucket, rate).level / rate.perS;
    });
    return Math.ceil(1_000 * Math.max(0, ...debtsS));
  }

  /** So many entries were given to a peer. */
  spend(peer: string, entries: number, isInvited = false): void {
    for (const [bucket, rate] of this.#bucketsOf(peer, isInvited))
      this.#filled(bucket, rate).level -= entries;
  }

  #bucketsOf(peer: string, isInvited: boolean): (readonly [Bucket, Rate])[] {
    const { ofPeer, ofInvited, ofAll } = ENTRIES_GIVEN;
    return [
      [this.#bucketOf(peer), ofPeer],
      [this.#ofAll, ofAll],
      ...(isInvited ? [[this.#ofInvited, ofInvited] as const] : []),
    ];
  }

  #bucketOf(peer: string): Bucket {
    const known = this.#ofPeers.get(peer);
    if (known !== undefined) return known;
    const bucket = { level: ENTRIES_GIVEN.ofPeer.burst, atMs: this.#clock.nowMs() };
    this.#ofPeers.set(peer, bucket);
    return bucket;
  }

  #filled(bucket: Bucket, { perS, burst }: Rate): Bucket {
    const nowMs = this.#clock.nowMs();
    // A clock that steps back gives nothing, and one that leaps gives no more than a burst.
    bucket.level = Math.min(burst, bucket.level + (Math.max(0, nowMs - bucket.atMs) * perS) / 1_000);
    bucket.atMs = nowMs;
    return bucket;
  }
}
