/**
 * How many in a time that slides along with the clock, kept by buckets: memory is bounded by their number. All that came within `buckets - 1` whole
 * buckets counts, and at most one bucket more, so that no end of a minute or an hour parts what belongs together.
 */
import { z } from 'zod';

export interface SlidingSpan {
  readonly bucketMs: number;
  /** That which runs, and those before it that count. */
  readonly buckets: number;
}

/** Number of a bucket since 1970, and how many came in it. */
export const bucketSchema = z.tuple([z.int().min(0), z.int().min(1)]);
export type Bucket = Readonly<z.infer<typeof bucketSchema>>;

export class SlidingCount {
  readonly #span: SlidingSpan;
  #counts: Map<number, number>;

  constructor(span: SlidingSpan, kept: readonly Bucket[] = []) {
    this.#span = span;
    this.#counts = new Map(kept);
  }

  add(count: number, nowMs: number): void {
    const now = this.#turn(nowMs);
    this.#counts.set(now, (this.#counts.get(now) ?? 0) + count);
  }

  total(nowMs: number): number {
    this.#turn(nowMs);
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Whether what came at that time still counts; not of a time that lies ahead. */
  reaches(atMs: number, nowMs: number): boolean {
    const [at, now] = [this.#numberOf(atMs), this.#numberOf(nowMs)];
    return at <= now && at > now - this.#span.buckets;
  }

  /** What counts by now, at most `SlidingSpan.buckets` of them. */
  kept(nowMs: number): Bucket[] {
    this.#turn(nowMs);
    return [...this.#counts];
  }

  /** What comes of a time that a clock set back calls the future counts as of now: else it would count for as long as that lies ahead. */
  #turn(nowMs: number): number {
    const now = this.#numberOf(nowMs);
    const counts = new Map<number, number>();
    for (const [number, count] of this.#counts) {
      const at = Math.min(number, now);
      if (at > now - this.#span.buckets) counts.set(at, (counts.get(at) ?? 0) + count);
    }
    this.#counts = counts;
    return now;
  }

  #numberOf(atMs: number): number {
    return Math.floor(atMs / this.#span.bucketMs);
  }
}
