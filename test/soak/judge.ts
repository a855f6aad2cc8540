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

/** Share of the samples at the beginning that do not count: until then caches fill and code is compiled. */
const WARM_UP = 0.25;
const WINDOWS = 12;
/** MB a minute: well below a leak of one, well above what is left of the sawtooth in two minutes. */
export const RSS_MB_PER_MINUTE_MAX = 0.75;
export const HELD_MB_PER_MINUTE_MAX = 0.5;
/** A descriptor that is left open at each restart of a peer, or by each slow reader that is cut off, makes more. */
export const FDS_PER_MINUTE_MAX = 0.5;

export function judge({ rss, held, fds, faults }: Soaked): Judged {
  const figures = [
    ...[...rss].map(([region, samples]) =>
      figureOf(`${region} resident, MB`, inMb(samples), RSS_MB_PER_MINUTE_MAX),
    ),
    ...[...held].map(([thread, samples]) =>
      figureOf(`${thread} held, MB`, inMb(samples), HELD_MB_PER_MINUTE_MAX),
    ),
    ...[...fds].map(([region, samples]) => figureOf(`${region} descriptors`, samples, FDS_PER_MINUTE_MAX)),
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
