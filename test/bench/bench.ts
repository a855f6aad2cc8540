/** What a benchmark is, and how its figures are taken: fixed work, warmed up, versions interleaved in one run. */
import { cpus, totalmem } from 'node:os';

/** One line of the result. `ratio` is against the reference of the same run, which the row names. */
export interface Row {
  readonly name: string;
  readonly value: string;
  readonly ratio?: number | undefined;
  readonly of?: string;
  /** What the figure should reach: the least that is asked for, and the aim. */
  readonly floor?: string;
  readonly goal?: string;
}

export interface Bench {
  readonly name: string;
  /** What is measured and against what, in a sentence. */
  readonly about: string;
  readonly run: (progress: (text: string) => void) => Promise<readonly Row[]>;
}

/** One version of some work, over the part of the inputs from `from` to before `to`. Returns a value that depends on all results. */
export interface Version {
  readonly name: string;
  readonly work: (from: number, to: number) => number;
}

/**
 * Seconds that each version took for `inputs` distinct inputs, in `rounds` rounds that all versions take turns in, so
 * that a change of the machine's speed meets all of them. The first `warmUp` inputs are done before and not counted.
 */
export function interleaved(
  versions: readonly Version[],
  { inputs, warmUp, rounds }: { inputs: number; warmUp: number; rounds: number },
): Map<string, { seconds: number; checksum: number }> {
  const taken = new Map(versions.map(({ name }) => [name, { seconds: 0, checksum: 0 }]));
  for (const { work } of versions) work(0, warmUp);
  const perRound = Math.floor(inputs / rounds);
  for (let round = 0; round < rounds; round++) {
    const from = warmUp + round * perRound;
    // Each round begins with another version, so that none always follows the same one.
    for (let turn = 0; turn < versions.length; turn++) {
      const version = versions[(round + turn) % versions.length];
      if (version === undefined) continue;
      const start = process.hrtime.bigint();
      const checksum = version.work(from, from + perRound);
      const sum = taken.get(version.name);
      if (sum === undefined) continue;
      sum.seconds += Number(process.hrtime.bigint() - start) / 1e9;
      sum.checksum += checksum;
    }
  }
  return taken;
}

export function secondsOf(action: () => void): number {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

export function perSecond(count: number, seconds: number): string {
  return `${Math.round(count / seconds).toLocaleString('en-US')}/s`;
}

export function microseconds(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} us`;
}

export function machine(): string {
  const [cpu] = cpus();
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${gib} GiB, Node ${process.version}, ${process.platform} ${process.arch}`;
}
