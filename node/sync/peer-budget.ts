/**
 * How much of something a node gives to peers: to one region, to all invited peers, and to all together. A bucket fills with time and may go into
 * debt once; whoever comes then waits until it is paid.
 */
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Share } from '../peer-places.ts';
import { type Clock } from '../ports.ts';
import { PEERS_MAX } from './sync-limits.ts';

interface Bucket {
  /** Negative where more was given than had flowed in. */
  level: number;
  atMs: number;
}

interface Rate {
  readonly perS: number;
  /** At once after a rest. */
  readonly burst: number;
}

export interface BudgetRates {
  readonly ofRegion: Rate;
  readonly ofInvited: Rate;
  readonly ofAll: Rate;
}

export class PeerBudget {
  readonly #rates: BudgetRates;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #ofRegions = new RecentMap<Bucket>(PEERS_MAX);
  readonly #ofInvited: Bucket;
  readonly #ofAll: Bucket;

  constructor(rates: BudgetRates, { clock }: { readonly clock: Pick<Clock, 'nowMs'> }) {
    this.#rates = rates;
    this.#clock = clock;
    this.#ofInvited = { level: rates.ofInvited.burst, atMs: clock.nowMs() };
    this.#ofAll = { level: rates.ofAll.burst, atMs: clock.nowMs() };
  }

  /** Milliseconds until anything may be given to a peer with this share again; 0 if that is now. */
  waitMs(share: Share): number {
    const debtsS = this.#bucketsOf(share).map(([bucket, rate]) => {
      return -this.#filled(bucket, rate).level / rate.perS;
    });
    return Math.ceil(1_000 * Math.max(0, ...debtsS));
  }

  /** So much was given to a peer with this share. */
  spend(share: Share, amount: number): void {
    for (const [bucket, rate] of this.#bucketsOf(share)) this.#filled(bucket, rate).level -= amount;
  }

  #bucketsOf({ region, isInvited }: Share): (readonly [Bucket, Rate])[] {
    const { ofRegion, ofInvited, ofAll } = this.#rates;
    return [
      [this.#bucketOf(region), ofRegion],
      [this.#ofAll, ofAll],
      ...(isInvited ? [[this.#ofInvited, ofInvited] as const] : []),
    ];
  }

  #bucketOf(region: string): Bucket {
    const known = this.#ofRegions.get(region);
    if (known !== undefined) return known;
    const bucket = { level: this.#rates.ofRegion.burst, atMs: this.#clock.nowMs() };
    this.#ofRegions.set(region, bucket);
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
