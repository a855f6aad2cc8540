/** Sets of log indexes for tests: the same for the same seed. */

/** Numbers in [0, 1), by the mulberry32 generator. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of the indexes below `bound`, every choice as likely as any other. */
export function randomIndexes(bound: number, count: number, random: () => number): Float64Array {
  if (count > bound / 16) {
    const chosen = new Float64Array(count);
    let filled = 0;
    for (let index = 0; filled < count; index++) {
      if (random() * (bound - index) < count - filled) chosen[filled++] = index;
    }
    return chosen;
  }
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(Math.floor(random() * bound));
  return Float64Array.from(chosen).sort();
}

/** log2 of the number of sets of `count` indexes below `bound`: the bits that no code can go below on average. */
export function entropyBits(bound: number, count: number): number {
  return log2Factorial(bound) - log2Factorial(count) - log2Factorial(bound - count);
}

function log2Factorial(n: number): number {
  if (n < 64)
    return Array.from({ length: n }, (_, i) => Math.log2(i + 1)).reduce((sum, bits) => sum + bits, 0);
  return (n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n)) / Math.LN2;
}
