/** What a soak says of the nodes: flat or not, right or not. */
import { type Sample, slopePerMinute, windowMinima } from './flatness.ts';
import { type Soaked } from './soak.ts';

export interface Judged {
  readonly figures: readonly Figure[];
  /** Empty if all is well. */
  readonly faults: readonly string[];
}

export interface Figure {
  /** Of which process, and what. */
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly perMinute: number;
  readonly perMinuteMax: number;
}

/** What may grow, in a minute. */
export interface Allowances {
  readonly rssMb: number;
  readonly heldMb: number;
  readonly fds: number;
}

/**
 * In two minutes each thread still settles by 0.2 to 0.8 MB a minute, so that one more is seen; resident memory, and descriptors,
 * which go up and down by some, can only tell what is gross. Readers that are cut off make six descriptors a minute if left open.
 */
export const IN_MINUTES: Allowances = { rssMb: 15, heldMb: 1.1, fds: 4 };

/** In an hour, in which everything has settled. */
export const IN_AN_HOUR: Allowances = { rssMb: 0.4, heldMb: 0.2, fds: 0.05 };

/** Share of the samples at the beginning that do not count: until then caches fill and code is compiled. */
const WARM_UP = 0.5;
const WINDOWS = 12;

export function judge({ rss, held, fds, faults }: Soaked, allowed: Allowances): Judged {
  const figures = [
    ...[...rss].map(([region, samples]) => figureOf(`${region} resident, MB`, inMb(samples), allowed.rssMb)),
    ...[...held].map(([thread, samples]) => figureOf(`${thread} held, MB`, inMb(samples), allowed.heldMb)),
    ...[...fds].map(([region, samples]) => figureOf(`${region} descriptors`, samples, allowed.fds)),
  ];
  const grown = figures
    .filter(({ perMinute, perMinuteMax }) => !(perMinute <= perMinuteMax))
    .map(
      ({ name, perMinute, perMinuteMax }) =>
        `${name}: grows by ${perMinute} a minute, more than ${perMinuteMax}`,
    );
  return { figures, faults: [...faults, ...grown] };
}

function figureOf(name: string, samples: readonly Sample[], perMinuteMax: number): Figure {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const spanMs = (warm.at(-1)?.atMs ?? 0) - (warm[0]?.atMs ?? 0);
  const minima = windowMinima(warm, spanMs / WINDOWS);
  const round = (value = NaN) => Math.round(100 * value) / 100;
  return {
    name,
    first: round(minima[0]?.value),
    last: round(minima.at(-1)?.value),
    perMinute: round(slopePerMinute(minima)),
    perMinuteMax,
  };
}

function inMb(samples: readonly Sample[]): Sample[] {
  return samples.map(({ atMs, value }) => ({ atMs, value: value / 2 ** 20 }));
}
