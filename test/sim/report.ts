/** What a run and a range of runs have to say for themselves. */
import { INVARIANTS, type Invariant } from './invariant.ts';
import { rangeShortfallsOf, shortfallsOf } from './minimums.ts';

type Counts = Readonly<Record<string, number>>;

export interface RunReport {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
  /** Nodes that lie. */
  readonly liars: number;
  readonly violation:
    { readonly invariant: Invariant; readonly atMs: number; readonly message: string } | undefined;
  /** SHA-256 over every event. */
  readonly trace: string;
  readonly events: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly cpuMs: number;
  readonly history: Counts;
  readonly signed: Counts;
  /** By kind. */
  readonly faults: Counts;
  /** By write step, and whether before or after it. */
  readonly crashPoints: Counts;
  readonly network: Counts;
}

/** A seed that was run once or twice. */
export interface SeedResult {
  readonly report: RunReport;
  /** Of the second run; undefined if there was none. */
  readonly again: string | undefined;
  readonly shortfalls: readonly string[];
}

export function resultOf(report: RunReport, again?: RunReport): SeedResult {
  return { report, again: again?.trace, shortfalls: shortfallsOf(report) };
}

export function isGood({ report, again, shortfalls }: SeedResult): boolean {
  return (
    report.violation === undefined && shortfalls.length === 0 && (again ?? report.trace) === report.trace
  );
}

/** The totals of a range, built up seed by seed. */
export class RangeReport {
  seeds = 0;
  /** Regions of each run: a range has one number of them. */
  nodes = 0;
  twice = 0;
  cpuMs = 0;
  simulatedMs = 0;
  readonly failed: SeedResult[] = [];
  readonly history: Record<string, number> = {};
  readonly faults: Record<string, number> = {};
  readonly crashPoints: Record<string, number> = {};

  add(result: SeedResult): void {
    const { report, again } = result;
    this.seeds++;
    this.nodes = report.nodes;
    this.cpuMs += report.cpuMs;
    this.simulatedMs += report.simulatedMs;
    if (again !== undefined) this.twice++;
    if (!isGood(result)) this.failed.push(result);
    for (const name of ['history', 'faults', 'crashPoints'] as const) {
      for (const [key, count] of Object.entries(report[name]))
        this[name][key] = (this[name][key] ?? 0) + count;
    }
  }

  get shortfalls(): string[] {
    return rangeShortfallsOf(this);
  }

  text(): string {
    const { seeds, twice, failed, history, faults, crashPoints, shortfalls } = this;
    const hours = (this.simulatedMs / 3_600_000).toFixed(0);
    return [
      `${seeds} seeds, ${hours} simulated hours, ${twice} seeds twice: ${failed.length === 0 ? 'all agree' : `${failed.length} FAILED`}`,
      `  acknowledged: ${history['issued'] ?? 0} issues, ${history['revoked'] ?? 0} revocations; verdicts: ${verdictsOf(history)}`,
      `  faults: ${listOf(faults)}`,
      `  crash points: ${listOf(crashPoints)}`,
      ...shortfalls.map((shortfall) => `  TOO LITTLE: ${shortfall}`),
    ].join('\n');
  }
}

export function textOf(result: SeedResult): string {
  const { report, again, shortfalls } = result;
  const { seed, nodes, liars, history, violation } = report;
  const lines = [
    `seed ${seed}: ${nodes} nodes, ${liars} of them lying, ${clockOf(report.simulatedMs)} simulated in ${(report.cpuMs / 1000).toFixed(1)} s, ${report.events} events`,
    `  acknowledged: ${history['issued'] ?? 0} issues, ${history['revoked'] ?? 0} revocations; verdicts: ${verdictsOf(history)}`,
    `  faults: ${listOf(report.faults)}`,
    `  crash points: ${listOf(report.crashPoints)}`,
    `  trace ${report.trace}${again === undefined ? '' : again === report.trace ? ', twice' : `, but the second run ${again}`}`,
  ];
  if (violation !== undefined) {
    const { invariant, atMs, message } = violation;
    lines.push(`  BROKEN after ${clockOf(atMs)}: ${invariant} (${INVARIANTS[invariant]})`, `  ${message}`);
  }
  for (const shortfall of shortfalls) lines.push(`  TOO LITTLE: ${shortfall}`);
  if (again !== undefined && again !== report.trace)
    lines.push('  BROKEN: two runs of one seed are not the same');
  if (!isGood(result)) lines.push(`  replay: ${replayOf(report)}`);
  return lines.join('\n');
}

export function replayOf({ seed, nodes, hours }: RunReport): string {
  return `npm run sim -- --seed ${seed} --nodes ${nodes} --hours ${hours} --trace`;
}

function verdictsOf({ pass = 0, act = 0, stop = 0, undetermined = 0 }: Counts): string {
  return `${pass} pass, ${act} act, ${stop} stop, ${undetermined} undetermined`;
}

function listOf(counts: Counts): string {
  const parts = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return parts.length === 0 ? 'none' : parts.map(([name, count]) => `${name} ${count}`).join(', ');
}

function clockOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
