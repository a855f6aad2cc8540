/**
 * How often each client may ask, all of an IPv6 /48, and all together: buckets that fill with time, of those that asked last.
 */
import { RecentMap } from '../../protocol/recent-map.ts';
import { type Holder, holdersOf } from '../held.ts';

export interface RateLimitOptions {
  /** Requests a second of one client; all of a /48 have half of what all have. */
  readonly ofClientPerS: number;
  readonly ofAllPerS: number;
  /** Seconds of rest whose requests may come at once. */
  readonly burstS: number;
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: () => number;
}

interface Bucket {
  level: number;
  atMs: number;
}

/** Clients and /48s that are remembered. Whoever has more addresses than that is held off by what all have together. */
const HOLDERS_MAX = 4_096;

export class RateLimit {
  readonly #options: Required<RateLimitOptions>;
  readonly #buckets = new RecentMap<Bucket>(HOLDERS_MAX);
  readonly #ofAll: Bucket;

  constructor(options: RateLimitOptions) {
    this.#options = { nowMs: () => performance.now(), ...options };
    const { ofAllPerS, burstS, nowMs } = this.#options;
    this.#ofAll = { level: ofAllPerS * burstS, atMs: nowMs() };
  }

  /** Whether this client may ask now. If so, that is counted. */
  take(client: string): boolean {
    const { ofClientPerS: ofClient, ofAllPerS: ofAll } = this.#options;
    const buckets = holdersOf(client, { ofClient, ofAll }).map((holder) => this.#bucketOf(holder));
    buckets.push(this.#filled(this.#ofAll, ofAll));
    const isFree = buckets.every(({ level }) => level >= 1);
    if (isFree) for (const bucket of buckets) bucket.level--;
    return isFree;
  }

  #bucketOf({ name, max: perS }: Holder): Bucket {
    const { burstS, nowMs } = this.#options;
    const bucket = this.#buckets.get(name) ?? { level: perS * burstS, atMs: nowMs() };
    this.#buckets.set(name, bucket);
    return this.#filled(bucket, perS);
  }

  #filled(bucket: Bucket, perS: number): Bucket {
    const { burstS, nowMs } = this.#options;
    const atMs = nowMs();
    bucket.level = Math.min(perS * burstS, bucket.level + ((atMs - bucket.atMs) * perS) / 1_000);
    bucket.atMs = atMs;
    return bucket;
  }
}
