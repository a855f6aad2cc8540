/** What a run, and a range of runs, must have seen at least: a simulation in which nothing happens proves nothing. */
import { FAULT_KINDS, LIES, SCHEMES } from './fault-kinds.ts';
import { liarsMaxOf } from './plan.ts';
import { type RunReport } from './report.ts';

/** Of one run, for each simulated hour; of faults for the run. */
export const RUN_MINIMUMS = {
  issued: 25,
  revoked: 1,
  verdicts: 60,
  faults: 2,
  signedCheckpoints: 40,
} as const;

/** Seeds from which on a range must have seen everything. */
export const WHOLE_RANGE = 100;

/** Of a whole range, for every hundred seeds: each kind of fault, the dearest one less often, and a death before and after each of these steps. Where one region at most can lie, half as many lies and no schemes. */
export const RANGE_MINIMUMS = {
  ofEachFault: 20,
  ofFailover: 5,
  ofEachScheme: 10,
  ofEachCrashPoint: 1,
} as const;
export const CRASH_STEPS = ['stage', 'log', 'copy', 'witness', 'second place'] as const;

/** What a run did not see. Of a run that broke an invariant nothing is asked. */
export function shortfallsOf(report: RunReport): string[] {
  if (report.violation !== undefined) return [];
  const { hours, history, signed, faults } = report;
  const { pass = 0, act = 0, stop = 0, undetermined = 0 } = history;
  const seen = {
    issued: (history['issued'] ?? 0) / hours,
    revoked: (history['revoked'] ?? 0) / hours,
    verdicts: (pass + act + stop + undetermined) / hours,
    signedCheckpoints: (signed['checkpoints'] ?? 0) / hours,
    faults: sumOf(faults),
  };
  return Object.entries(RUN_MINIMUMS).flatMap(([name, least]) => {
    const count = seen[name as keyof typeof seen];
    return count >= least ? [] : [`${name}: ${count.toFixed(1)} of at least ${least}`];
  });
}

/** What a range of runs did not see. */
export function rangeShortfallsOf(totals: {
  readonly seeds: number;
  /** Regions of each run. */
  readonly nodes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly crashPoints: Readonly<Record<string, number>>;
}): string[] {
  const hundreds = Math.floor(totals.seeds / WHOLE_RANGE);
  const { ofEachFault, ofFailover, ofEachScheme, ofEachCrashPoint } = RANGE_MINIMUMS;
  const canCollude = liarsMaxOf(totals.nodes) > 1;
  const points = CRASH_STEPS.flatMap((step) => [`before ${step}`, `after ${step}`]);
  const missing = (names: readonly string[], seen: Readonly<Record<string, number>>, least: number) =>
    names.flatMap((name) =>
      (seen[name] ?? 0) >= least ? [] : [`${name}: ${seen[name] ?? 0} of at least ${least}`],
    );
  return [
    ...missing(
      Object.keys(FAULT_KINDS).filter((kind) => kind !== 'failover'),
      totals.faults,
      hundreds * ofEachFault,
    ),
    ...missing(['failover'], totals.faults, hundreds * ofFailover),
    ...missing(Object.keys(LIES), totals.faults, (hundreds * ofEachFault) / (canCollude ? 1 : 2)),
    ...(canCollude ? missing(Object.keys(SCHEMES), totals.faults, hundreds * ofEachScheme) : []),
    ...missing(points, totals.crashPoints, hundreds * ofEachCrashPoint),
  ];
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
