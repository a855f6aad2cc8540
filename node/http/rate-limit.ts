/** How often each address may ask: a bucket that fills with time, of the addresses that asked last. */
import { RecentMap } from '../../protocol/recent-map.ts';

export interface RateLimitOptions {
  /** Requests a second of one address, and at once after a rest. */
  readonly perS: number;
  readonly burst: number;
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: () => number;
}

/** Addresses that are remembered: whoever has more than these has to be held off elsewhere. */
const ADDRESSES_MAX = 4_096;

export class RateLimit {
  readonly #options: Required<RateLimitOptions>;
  readonly #buckets = new RecentMap<{ level: number; atMs: number }>(ADDRESSES_MAX);

  constructor(options: RateLimitOptions) {
    this.#options = { nowMs: () => performance.now(), ...options };
  }

  /** Whether this address may ask now. If so, that is counted. */
  take(address: string): boolean {
    const { perS, burst, nowMs } = this.#options;
    const atMs = nowMs();
    const bucket = this.#buckets.get(address) ?? { level: burst, atMs };
    bucket.level = Math.min(burst, bucket.level + ((atMs - bucket.atMs) * perS) / 1_000);
    bucket.atMs = atMs;
    const isFree = bucket.level >= 1;
    if (isFree) bucket.level--;
    this.#buckets.set(address, bucket);
    return isFree;
  }
}
