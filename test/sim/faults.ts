/** Doing what the plan says. Each fault ends by itself or at the healing; whom it befalls is drawn when it comes. */
import { logsOn } from './audit.ts';
import { Chance } from './chance.ts';
import { Failover } from './failover.ts';
import { type FaultKind } from './fault-kinds.ts';
import { type Machine, RESERVE_BYTES } from './machine.ts';
import { type Plan } from './plan.ts';
import { WRITE_STEPS } from './sim-disk.ts';
import { CALM, type Weather } from './sim-network.ts';
import { type Workload } from './workload.ts';
import { type World } from './world.ts';

const MINUTE_MS = 60_000;
const LASTS = { from: MINUTE_MS, to: 8 * MINUTE_MS } as const;
/** Milliseconds for which a step may be waited for until any write will do: a region issues every seven minutes at least. */
const AMBUSH_MS = 7 * MINUTE_MS;
/** Milliseconds in which a machine that nobody hears is to sign something. */
const UNHEARD_MS = MINUTE_MS;
const STEP_BACK_MS_MAX = 3_600_000;
/** The clocks that nodes must bear: below the 120 s beyond which the times of others are passed over. */
const AHEAD_MS_MAX = 100_000;

export class Faults {
  readonly #world: World;
  readonly #workload: Workload;
  readonly #chance: Chance;
  /** Of the region that has a standby, where one does. */
  readonly #failover: Failover | undefined;
  /** Machines whose disks are full. */
  readonly #full = new Set<Machine>();
  /** What the healing has to end, if it comes first. */
  readonly #unended = new Set<() => void>();
  #isOver = false;

  constructor(world: World, workload: Workload) {
    this.#world = world;
    this.#workload = workload;
    this.#chance = new Chance(world.options.seed, 'faults');
    const { pair } = world;
    this.#failover = pair && new Failover(pair, world);
  }

  schedule(plan: Plan): void {
    for (const { atMs, kind } of plan.events) {
      this.#world.clock.after(atMs, () => {
        if (!this.#isOver) this.#world.check(() => this.#befall(kind));
      });
    }
  }

  /** Ends all that goes on: what lies on the disks stays as it is. */
  heal(): void {
    this.#isOver = true;
    for (const end of this.#unended) end();
    this.#unended.clear();
    this.#failover?.heal();
    const { network, machines } = this.#world;
    network.weather = CALM;
    network.mendAll();
    for (const machine of machines) {
      network.slowDown(machine.name, 0);
      machine.disk?.forget();
      machine.medium.setCapacity(Number.POSITIVE_INFINITY);
      machine.clockError.aheadMs = 0;
    }
  }

  #befall(kind: FaultKind): void {
    const { network, machines } = this.#world;
    const chance = this.#chance;
    const machine = chance.pick(machines);
    switch (kind) {
      case 'loss':
        return this.#turnWeather(kind, { loss: chance.pick([0.02, 0.1, 0.3]) });
      case 'delay':
        return this.#turnWeather(kind, { late: 0.3, lateMs: chance.pick([200, 1_500, 5_000]) });
      case 'duplication':
        return this.#turnWeather(kind, { twice: chance.pick([0.1, 0.5]) });
      case 'partition':
        return this.#partition();
      case 'slow peer':
        network.slowDown(machine.name, chance.pick([200, 800, 3_000]));
        this.#endLater(kind, () => network.slowDown(machine.name, 0));
        return;
      case 'crash':
      case 'failed write':
        return this.#lieInWait(kind, machine);
      case 'kill':
        if (machine.node === undefined || machine.isRotten) return;
        this.#world.count(kind);
        return machine.kill();
      case 'full disk':
        return this.#fill(machine);
      case 'flipped bit':
        return this.#flip(machine);
      case 'clock skew':
        return this.#setClock(kind, machine, chance.whole(-AHEAD_MS_MAX, AHEAD_MS_MAX));
      case 'clock step':
        return this.#setClock(kind, machine, -chance.whole(AHEAD_MS_MAX, STEP_BACK_MS_MAX));
      case 'restored backup':
        return this.#restore(machine);
      case 'old disk':
        return this.#startOnOldDisk(chance.pick(this.#world.honest));
      case 'key rotation':
        return this.#rotateKeys(machine);
      case 'failover':
        return this.#failover?.begin();
    }
  }

  #turnWeather(kind: FaultKind, change: Partial<Weather>): void {
    const { network } = this.#world;
    network.weather = { ...network.weather, ...change };
    this.#endLater(kind, () => {
      const { loss, late, lateMs, twice } = network.weather;
      const calmed = Object.fromEntries(Object.keys(change).map((key) => [key, 0]));
      network.weather = { loss, late, lateMs, twice, ...calmed };
    });
  }

  #partition(): void {
    const { network, machines } = this.#world;
    const apart = this.#chance.some(machines, this.#chance.whole(1, Math.ceil(machines.length / 2) + 1));
    const links = apart.flatMap(({ name }) =>
      machines.filter((other) => !apart.includes(other)).map((other) => [name, other.name] as const),
    );
    for (const [a, b] of links) network.cut(a, b);
    this.#endLater('partition', () => links.forEach(([a, b]) => network.mend(a, b)));
  }

  #lieInWait(kind: 'crash' | 'failed write', machine: Machine): void {
    const { disk } = machine;
    if (disk === undefined || disk.isWaiting || machine.isRotten) return;
    const what = kind === 'crash' ? 'crash' : this.#chance.pick(['DISK_IO', 'DISK_FULL'] as const);
    const when = this.#chance.pick(['before', 'after'] as const);
    this.#world.count(kind);
    disk.lieInWait({ what, when, step: this.#chance.pick(WRITE_STEPS) });
    this.#world.clock.after(AMBUSH_MS, () => {
      if (disk.isWaiting && !this.#isOver) disk.lieInWait({ what, when, step: undefined });
    });
  }

  #fill(machine: Machine): void {
    const { medium } = machine;
    if (machine.isRotten) return;
    this.#full.add(machine);
    const usedBytes = medium
      .snapshot()
      .entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    medium.setCapacity(usedBytes + RESERVE_BYTES + this.#chance.whole(0, RESERVE_BYTES));
    this.#endLater('full disk', () => {
      this.#full.delete(machine);
      medium.setCapacity(Number.POSITIVE_INFINITY);
    });
  }

  /** Rot is found by reading everything again and again: not while the machine is down, nor where its disk fails anyway. */
  #flip(machine: Machine): void {
    const { honest, trustLogOf, attestationLogOf } = this.#world;
    if (machine.isRotten || machine.node?.store !== 'serving') return;
    if (machine.disk?.isWaiting !== false || this.#full.has(machine)) return;
    // What rots has to lie elsewhere too. Of a liar's log each copy may have a story of its own.
    const { region } = this.#chance.pick(honest);
    const origin = this.#chance.pick([trustLogOf, attestationLogOf])(region);
    const isElsewhere = (other: Machine): boolean => other !== machine && this.#holdsAll(other, origin);
    if (!honest.some(isElsewhere)) return;
    const prefix = `log/${origin}/${this.#chance.pick(['entries/', 'tile/'])}`;
    if (machine.rot(prefix)) this.#world.count('flipped bit');
  }

  #setClock(kind: FaultKind, machine: Machine, aheadMs: number): void {
    machine.clockError.aheadMs = aheadMs;
    this.#endLater(kind, () => (machine.clockError.aheadMs = 0));
  }

  #restore(machine: Machine): void {
    const { history, clock } = this.#world;
    const { medium } = machine;
    // Of a batch that was permitted, and that is on this disk alone, a backup would lack what nobody can tell.
    if (machine.isRotten || machine.fenced !== undefined) return;
    const backup = medium.snapshot();
    const memory = history.memoryOf(machine.name);
    clock.after(this.#lasts(), () => {
      // What nobody else holds is lost with such a disk: no node can help that.
      if (this.#isOver || machine.medium !== medium || !this.#isHeldElsewhere(machine)) return;
      this.#world.count('restored backup');
      machine.kill();
      medium.restore(backup);
      history.restoreMemory(machine.name, memory);
    });
  }

  /**
   * The machine signs in both of its logs while nobody hears it: so no peer can tell it on the old disk what is missing, and
   * neither log goes on there with what the right disk would then lack.
   */
  #startOnOldDisk(machine: Machine): void {
    const { history, clock, network, machines } = this.#world;
    const { medium, region } = machine;
    if (machine.isRotten || machine.fenced !== undefined) return;
    const old = {
      disk: medium.snapshot(),
      memory: history.memoryOf(region),
      sizes: this.#signedSizes(region),
    };
    const others = machines.filter((other) => other !== machine);
    for (const other of others) network.cut(region, other.name);
    this.#workload.signInBoth(machine);
    clock.after(UNHEARD_MS, () => {
      if (this.#isOver) return;
      const isUnheard =
        network.isAlone(region) && !machine.isRotten && this.#isHeldNowhereSince(old.sizes, machine);
      const start = ({ disk, memory }: Pick<typeof old, 'disk' | 'memory'>): void => {
        machine.kill();
        medium.restore(disk);
        history.restoreMemory(region, memory);
      };
      if (isUnheard) {
        this.#world.count('old disk');
        machine.kill();
        const right = { disk: medium.snapshot(), memory: history.memoryOf(region) };
        start(old);
        this.#until(this.#lasts(), () => start(right));
      }
      for (const other of others) network.mend(region, other.name);
    });
  }

  #rotateKeys(machine: Machine): void {
    this.#workload.rotate(this.#world.writerOf(machine.region), this.#lasts()).then(
      (isRotated) => {
        if (isRotated) this.#world.count('key rotation');
      },
      (error: unknown) => this.#world.fail(error),
    );
  }

  /** How much was ever signed of each of a region's logs. */
  #signedSizes(region: string): ReadonlyMap<string, number> {
    const { signed, trustLogOf, attestationLogOf } = this.#world;
    const origins = [trustLogOf(region), attestationLogOf(region)];
    return new Map(origins.map((origin) => [origin, Math.max(0, ...signed.rootsOf(origin).keys())]));
  }

  /** Whether each log of this machine has signed more since, and no other disk has anything of that. */
  #isHeldNowhereSince(before: ReadonlyMap<string, number>, machine: Machine): boolean {
    const now = this.#signedSizes(machine.region);
    const copies = this.#world.machines
      .filter((other) => other !== machine)
      .map(({ medium }) => logsOn(medium));
    return [...before].every(([origin, size]) => {
      const isMore = (now.get(origin) ?? 0) > size;
      return isMore && copies.every((logs) => (logs.get(origin)?.length ?? 0) <= size);
    });
  }

  /** Whether all others run and hold all that this machine has signed. */
  #isHeldElsewhere({ region }: Machine): boolean {
    return [...this.#signedSizes(region).keys()].every((origin) => {
      return this.#world.honest.every((other) => other.region === region || this.#holdsAll(other, origin));
    });
  }

  /** Whether a machine runs and holds all that was ever signed of a log. */
  #holdsAll({ node }: Machine, origin: string): boolean {
    const size = Math.max(0, ...this.#world.signed.rootsOf(origin).keys());
    return (node?.sizes[origin] ?? 0) >= size;
  }

  #until(ms: number, end: () => void): void {
    this.#unended.add(end);
    this.#world.clock.after(ms, () => {
      if (this.#unended.delete(end)) end();
    });
  }

  #endLater(kind: FaultKind, end: () => void): void {
    this.#world.count(kind);
    this.#world.clock.after(this.#lasts(), () => {
      if (!this.#isOver) end();
    });
  }

  #lasts(): number {
    return this.#chance.whole(LASTS.from, LASTS.to);
  }
}
