/** All machines of a simulation on one clock and one network, with the record of what they sign and acknowledge. */
import { attestationLogOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { LOG_ID, RegionFixture, START_S } from '../support/region-fixture.ts';
import { Chance } from './chance.ts';
import { type FaultCounters } from './fault-kinds.ts';
import { History } from './history.ts';
import { Pair } from './pair.ts';
import { Violation } from './invariant.ts';
import { Machine, NETWORK, type SecondKeys } from './machine.ts';
import { type Plan } from './plan.ts';
import { fakeSignatures, realSignatures } from './signatures.ts';
import { type Ambush, type WriteStep } from './sim-disk.ts';
import { SimNetwork } from './sim-network.ts';
import { SignedRecord } from './signed-record.ts';
import { Trace, type TraceListener } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Machines that lie, the last ones of all. */
  readonly liars: number;
  /** One region has a standby, and witnesses fence who writes for it: no liar. */
  readonly hasStandby?: boolean;
  readonly cadence: Plan['cadence'];
  readonly realSignatures?: boolean;
  readonly onTrace?: TraceListener | undefined;
}

const MINUTE_MS = 60_000;
/** Seconds after which an operator starts a process again that died. */
const RESTART_S = { from: 2, to: 90 } as const;
const FOUNDING_MS_MAX = 3 * MINUTE_MS;

export class World {
  readonly options: WorldOptions;
  readonly clock = new VirtualClock(START_S * 1000);
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly signed: SignedRecord;
  readonly history: History;
  /** All, the standby last. */
  readonly machines: readonly Machine[];
  /** Those with which the regions begin, one each. */
  readonly firsts: readonly Machine[];
  readonly honest: readonly Machine[];
  readonly liars: readonly Machine[];
  /** The machines of the region that has two. */
  readonly pair: Pair | undefined;
  readonly faults: FaultCounters = {};
  /** How often a process died at which write step, as `before log`. */
  readonly crashPoints: Record<string, number> = {};
  readonly #chance: Chance;
  #violation: Violation | undefined;

  constructor(options: WorldOptions) {
    this.options = options;
    const { seed, nodes, cadence, onTrace: listener } = options;
    const { clock } = this;
    const regions = Array.from({ length: nodes }, (_, i) => `AA-${String(i + 1).padStart(2, '0')}`);
    const honest = regions.slice(0, nodes - options.liars);
    const nowMs = (): number => clock.nowMs();
    this.#chance = new Chance(seed, 'world');
    this.trace = new Trace({ nowMs, listener });
    const { trace } = this;
    this.network = new SimNetwork({
      clock,
      trace,
      chance: new Chance(seed, 'network'),
      onWire: () => undefined,
    });
    this.signed = new SignedRecord(honest, options.hasStandby === true ? regions.slice(0, 1) : []);
    this.history = new History({ network: NETWORK, regions, honest }, { signed: this.signed, nowMs });
    const signatures = options.realSignatures ? realSignatures() : fakeSignatures(seed);
    const { modules, keyOf } = signatures;
    const make = (name: string, fixture: RegionFixture, second: SecondKeys): Machine =>
      new Machine(
        { seed, name, regions, cadence, fixture, second },
        {
          ...{ clock, trace, signatures, network: this.network },
          onSigned: (...signed) => this.check(() => this.signed.take(...signed)),
          onSprung: (_region, step, ambush) => this.#noteAmbush(step, ambush),
          onDeath: (machine) => this.#restartLater(machine),
        },
      );
    const second: SecondKeys = {};
    this.firsts = regions.map((region, i) =>
      make(region, new RegionFixture({ region, network: NETWORK, modules, keyOf }), i === 0 ? second : {}),
    );
    this.liars = this.firsts.slice(honest.length);
    const [writer] = this.firsts;
    if (options.hasStandby === true && writer !== undefined) {
      const standby = make(`${writer.region}#2`, writer.fixture, second);
      this.pair = new Pair([writer, standby], (name) => keyOf(`identity of ${name}`).publicKey);
    }
    const standbys = this.pair?.machines.slice(1) ?? [];
    this.machines = [...this.firsts, ...standbys];
    this.honest = [...this.firsts.slice(0, honest.length), ...standbys];
  }

  /** The invariant that was found broken first. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** Runs a check; a violation ends the run at the next step, wherever it was found. */
  check(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    const violation = error instanceof Violation ? error : new Violation('no bug', bugOf(error));
    this.#violation ??= violation;
  }

  count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    this.trace.note('fault', fault);
  }

  /** Lets time pass. @throws {Violation} */
  async pass(ms: number, isOver: () => boolean = () => false): Promise<void> {
    await this.clock.run(this.clock.nowMs() + ms, () => this.#violation !== undefined || isOver());
    if (this.#violation !== undefined) throw this.#violation;
  }

  /** Lets time pass until it is so, which is looked at twice a second; false if it is not by then. */
  async until(ms: number, isSo: () => boolean): Promise<boolean> {
    const untilMs = this.clock.nowMs() + ms;
    while (!isSo()) {
      if (this.clock.nowMs() >= untilMs) return false;
      await this.pass(500);
    }
    return true;
  }

  /** Lets time pass until a promise settles. @throws {Violation} liveness, if it does not by then. */
  async within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
    let isOver = false;
    const settled = promise.finally(() => (isOver = true));
    settled.catch(() => undefined);
    await this.pass(ms, () => isOver);
    if (!isOver) throw new Violation('liveness', `${what}: not within ${ms / 1000} s`);
    return settled;
  }

  /** Starts all regions, which recognise each other; ends when all know all. */
  async found(): Promise<void> {
    await this.within(
      MINUTE_MS,
      'all machines start',
      Promise.all(this.firsts.map((machine) => machine.start())),
    );
    await this.until(MINUTE_MS, () => this.firsts.every(({ node }) => node?.status.writing === 'writing'));
    const founding = this.firsts.map(async (machine) => {
      const { fixture } = machine;
      fixture.nowS = Math.floor(this.clock.nowMs() / 1000);
      const others = this.firsts.filter((other) => other !== machine);
      const entries = [
        ...fixture.entries.slice(0, 2),
        ...others.map((other) => fixture.entryOf(fixture.recognitionOf(other.fixture))),
      ];
      await Promise.all(entries.map((entry) => machine.call((node) => node.submit({ entry }))));
      machine.declareFounded();
    });
    await this.within(MINUTE_MS, 'all regions are founded', Promise.all(founding));
    const count = this.firsts.length;
    const knowsAll = ({ node }: Machine): boolean => node?.status.knowledge.length === count;
    const isFounded = await this.until(FOUNDING_MS_MAX, () => this.firsts.every(knowsAll));
    if (!isFounded) throw new Violation('liveness', 'not every region knows every other');
    if (this.pair !== undefined) await this.#fence(this.pair);
  }

  /** From here on witnesses fence who writes for that region, and its standby follows. */
  async #fence(pair: Pair): Promise<void> {
    const [writer, standby] = pair.machines;
    await this.within(MINUTE_MS, 'a writer stops', writer.stop());
    pair.fence();
    standby.declareFounded();
    for (const machine of pair.machines)
      await this.within(MINUTE_MS, `${machine.name} starts`, this.keepStarting(machine));
    const isFenced = await this.until(
      FOUNDING_MS_MAX,
      () => pair.stateOf(writer) === 'writing' && pair.stateOf(standby) === 'standby',
    );
    if (!isFenced) throw new Violation('liveness', `${standby.name} does not follow ${writer.name}`);
  }

  /** Who issues for a region, as people there see it. */
  writerOf(region: string): Machine {
    const { pair } = this;
    if (pair?.machines[0].region === region) return pair.writer;
    const machine = this.firsts.find((one) => one.region === region);
    if (machine === undefined) throw new RangeError(`there is no ${region}`);
    return machine;
  }

  readonly trustLogOf = (region: string): string => trustLogOrigin(region, NETWORK);

  readonly attestationLogOf = (region: string): string => attestationLogOrigin(region, NETWORK, LOG_ID);

  /** Starts a machine, again and again until it starts. */
  async keepStarting(machine: Machine): Promise<void> {
    while (machine.node === undefined && !machine.isAway) {
      try {
        if (await machine.start()) return;
      } catch (error) {
        return this.fail(error);
      }
      await this.clock.wait(10_000);
    }
  }

  #restartLater(machine: Machine): void {
    const { from, to } = RESTART_S;
    this.clock.after(1000 * this.#chance.whole(from, to), () => void this.keepStarting(machine));
  }

  #noteAmbush(step: WriteStep, { what, when }: Ambush): void {
    if (what !== 'crash') return;
    const point = `${when} ${step}`;
    this.crashPoints[point] = (this.crashPoints[point] ?? 0) + 1;
  }
}

/** Whatever else is thrown is a bug of a node or of the simulator. */
export function bugOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
