/**
 * How many entries a node gives away: to one peer, and to all together. A bucket fills with time and may go into debt once; whoever
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

export class EntryBudget {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #ofPeers = new RecentMap<Bucket>(PEERS_MAX);
  readonly #ofAll: Bucket;

  constructor({ clock }: { readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#clock = clock;
    this.#ofAll = { level: ENTRIES_GIVEN.ofAll.burst, atMs: clock.nowMs() };
  }

  /** Milliseconds until entries may be given to a peer again; 0 if that is now. */
  waitMs(peer: string): number {
    const { ofPeer, ofAll } = ENTRIES_GIVEN;
    const bucket = this.#filled(this.#bucketOf(peer), ofPeer);
    const all = this.#filled(this.#ofAll, ofAll);
    return Math.ceil(1_000 * Math.max(0, -bucket.level / ofPeer.perS, -all.level / ofAll.perS));
  }

  /** So many entries were given to a peer. */
  spend(peer: string, entries: number): void {
    this.#filled(this.#bucketOf(peer), ENTRIES_GIVEN.ofPeer).level -= entries;
    this.#filled(this.#ofAll, ENTRIES_GIVEN.ofAll).level -= entries;
  }

  #bucketOf(peer: string): Bucket {
    const known = this.#ofPeers.get(peer);
    if (known !== undefined) return known;
    const bucket = { level: ENTRIES_GIVEN.ofPeer.burst, atMs: this.#clock.nowMs() };
    this.#ofPeers.set(peer, bucket);
    return bucket;
  }

  #filled(bucket: Bucket, { perS, burst }: { readonly perS: number; readonly burst: number }): Bucket {
    const nowMs = this.#clock.nowMs();
    // A clock that steps back gives nothing, and one that leaps gives no more than a burst.
    bucket.level = Math.min(burst, bucket.level + (Math.max(0, nowMs - bucket.atMs) * perS) / 1_000);
    bucket.atMs = nowMs;
    return bucket;
  }
}
