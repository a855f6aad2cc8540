/** One simulation from its seed to its report. */
import {
  demandAgreement,
  demandBounds,
  demandCaught,
  demandNoBlame,
  demandNoFraming,
  demandOrder,
} from './checks.ts';
import { Faults } from './faults.ts';
import { quorumOf } from './history.ts';
import { Violation } from './invariant.ts';
import { Liars } from './liar.ts';
import { demandLiveness } from './liveness.ts';
import { drawPlan } from './plan.ts';
import { Operator } from './operator.ts';
import { type RunReport } from './report.ts';
import { type TraceListener } from './trace.ts';
import { Workload } from './workload.ts';
import { bugOf, World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
  readonly realSignatures?: boolean;
  readonly onTrace?: TraceListener | undefined;
}

const MINUTE_MS = 60_000;
/** The part of a run in which faults happen: founding before and healing after take the rest. */
const FAULTY_SHARE = 0.9;
const WATCH_MS = 10_000;
const AUDIT_MS = 15 * MINUTE_MS;

/** Never throws: whatever goes wrong is in the report. */
export async function runSeed(options: RunOptions): Promise<RunReport> {
  const { seed, nodes, hours } = options;
  const faultyMs = Math.round(hours * 60 * MINUTE_MS * FAULTY_SHARE);
  const plan = drawPlan(seed, { nodes, ms: faultyMs });
  const world = new World({
    ...options,
    liars: plan.lies.length,
    cadence: plan.cadence,
    hasStandby: plan.events.some(({ kind }) => kind === 'failover'),
  });
  const startedMs = world.clock.nowMs();
  const cpu = process.cpuUsage();
  let violation: Violation | undefined;
  try {
    await world.found();
    const workload = new Workload(plan, world);
    const faults = new Faults(world, workload);
    const liars = new Liars(world, plan, nodes - 1 - quorumOf(nodes - 1));
    watch(world);
    new Operator(world).start();
    workload.start();
    faults.schedule(plan);
    liars.start();
    await world.pass(faultyMs);
    world.check(() => demandOrder(world));
    faults.heal();
    liars.heal();
    workload.stop();
    await demandLiveness(world, workload);
    world.check(() => demandNoFraming(world));
    world.check(() => demandNoBlame(world));
    world.check(() => demandAgreement(world));
    world.check(() => demandCaught(world));
    await world.pass(0);
  } catch (error) {
    violation = error instanceof Violation ? error : new Violation('no bug', bugOf(error));
  }
  const atMs = world.clock.nowMs() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  return {
    seed,
    nodes,
    hours,
    liars: plan.lies.length,
    violation: violation && { invariant: violation.invariant, atMs, message: violation.message },
    trace: world.trace.digest(),
    events: world.trace.events,
    steps: world.clock.steps,
    simulatedMs: atMs,
    cpuMs: Math.round((user + system) / 1000),
    history: { ...world.history.counters },
    signed: { ...world.signed.counters },
    faults: { ...world.faults },
    crashPoints: { ...world.crashPoints },
    network: { ...world.network.counters },
  };
}

/** Looks at what no moment may break. */
function watch(world: World): void {
  const every = (ms: number, look: () => void): void => {
    world.clock.after(ms, () => {
      world.check(look);
      every(ms, look);
    });
  };
  every(WATCH_MS, () => {
    demandBounds(world);
    demandNoBlame(world);
    world.history.noteWitnessed();
  });
  every(AUDIT_MS, () => demandOrder(world));
}
