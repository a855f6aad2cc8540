/** Whether a figure that was sampled over time stays where it is. */

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** The least sample of each window: what is held at the bottom of a sawtooth of garbage, and not what happens to lie about. */
export function windowMinima(samples: readonly Sample[], windowMs: number): Sample[] {
  const [first] = samples;
  if (first === undefined) return [];
  const minima = new Map<number, Sample>();
  for (const sample of samples) {
    const window = Math.floor((sample.atMs - first.atMs) / windowMs);
    const least = minima.get(window);
    if (least === undefined || sample.value < least.value) minima.set(window, sample);
  }
  return [...minima.values()];
}

/**
 * Growth per minute: the median of the slopes between all pairs of samples (Theil and Sen), which a few outliers do not move.
 * NaN for less than two samples.
 */
export function slopePerMinute(samples: readonly Sample[]): number {
  const slopes: number[] = [];
  for (const [i, from] of samples.entries()) {
    for (const to of samples.slice(i + 1))
      slopes.push((60_000 * (to.value - from.value)) / (to.atMs - from.atMs));
  }
  slopes.sort((a, b) => a - b);
  const middle = slopes.length / 2;
  const [low = NaN, high = NaN] = [slopes[Math.ceil(middle) - 1], slopes[Math.floor(middle)]];
  return (low + high) / 2;
}
