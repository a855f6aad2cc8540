/** A machine of a region: what outlives its processes, and the process that runs on it, if one does. */
import { RegionNode, type RegionNodeOptions } from '../../node/core/region-node.ts';
import { type NodeKeys } from '../../node/core/writing-side.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { FaultyMedium } from '../support/faulty-disk.ts';
import { MemorySecondPlace } from '../support/memory-second-place.ts';
import { type RegionFixture, type TestKey } from '../support/region-fixture.ts';
import { isWhole } from './audit.ts';
import { Chance } from './chance.ts';
import { type ClockError, Life, ProcessClock } from './life.ts';
import { type Plan } from './plan.ts';
import { type Signatures } from './signatures.ts';
import { type SprungListener, SimDisk } from './sim-disk.ts';
import { type SimNetwork } from './sim-network.ts';
import { type Trace } from './trace.ts';
import { type VirtualClock } from './virtual-clock.ts';

export const NETWORK = 'sim';

/** Bytes that a machine keeps back for a full disk. */
export const RESERVE_BYTES = 1 << 16;

/** Milliseconds between two looks of a machine that follows whether it may write: it asks everybody. */
const FOLLOWING_MS = 20_000;

const SIGNING_ROLES = ['attest', 'checkpoint', 'trust-log', 'witness'] as const;
export type SigningRole = (typeof SIGNING_ROLES)[number];
type RoleKeys = Readonly<Record<SigningRole, TestKey>>;

/** The keys that take the place of those that a region began with, and from when on by the clocks of its machines. */
export interface SecondKeys {
  announced?: { readonly keys: RoleKeys; readonly fromS: number };
}

export interface MachineOptions {
  readonly seed: number;
  /** By which its node is known: the region, or for its standby `<region>#2`. */
  readonly name: string;
  readonly fixture: RegionFixture;
  /** Of the region: its machines share them. */
  readonly second: SecondKeys;
  /** All regions of the simulation. */
  readonly regions: readonly string[];
  readonly cadence: Plan['cadence'];
}

export interface MachineModules {
  readonly clock: VirtualClock;
  readonly network: SimNetwork;
  readonly trace: Trace;
  readonly signatures: Signatures;
  /** Told of all that a live process signs, before anybody else sees it. */
  readonly onSigned: (machine: Machine, role: SigningRole, message: Uint8Array) => void;
  readonly onSprung: (region: string, ...sprung: Parameters<SprungListener>) => void;
  /** The process is gone, by a crash. */
  readonly onDeath: (machine: Machine) => void;
}

/** No process runs: nobody answers. */
export class MachineDown extends Error {
  override readonly name = 'MachineDown';
}

interface Process {
  readonly life: Life;
  readonly node: RegionNode;
  readonly disk: SimDisk;
}

export class Machine {
  readonly region: string;
  readonly name: string;
  readonly fixture: RegionFixture;
  /** Whether witnesses fence who writes for the region, and whether this machine follows, from the next start on. */
  fenced: RegionNodeOptions['fenced'];
  /** Nobody starts it again before it is back. */
  isAway = false;
  readonly clockError: ClockError = { aheadMs: 0 };
  readonly counters = { starts: 0, failedStarts: 0, deaths: 0, troubles: 0 };
  readonly #options: MachineOptions;
  readonly #modules: MachineModules;
  readonly #chance: Chance;
  readonly medium: FaultyMedium;
  readonly #secondPlace = new MemorySecondPlace();
  #process: Process | undefined;
  /** A key whose value has rotted and was not seen whole since. */
  #rotten: string | undefined;
  /** Its region is known to the world: an empty store would be a loss. */
  #isFounded = false;

  constructor(options: MachineOptions, modules: MachineModules) {
    this.region = options.fixture.region;
    this.name = options.name;
    this.fixture = options.fixture;
    this.#options = options;
    this.#modules = modules;
    this.#chance = new Chance(options.seed, `machine ${this.name}`);
    this.medium = this.#newMedium();
    this.#watchSecondPlace();
  }

  get sha256(): Sha256 {
    return this.#modules.signatures.modules.sha256;
  }

  /** The node of the process that runs. */
  get node(): RegionNode | undefined {
    return this.#process?.node;
  }

  get disk(): SimDisk | undefined {
    return this.#process?.disk;
  }

  /** Waits of the process that are not over. */
  get waits(): number {
    return this.#process?.life.waits ?? 0;
  }

  /** Flips a bit of some value. False if there is none under the prefix. */
  rot(prefix: string): boolean {
    this.#rotten = this.medium.flipBit(prefix);
    return this.#rotten !== undefined;
  }

  /** Whether something lies on its disk that is not what was written there. */
  get isRotten(): boolean {
    const key = this.#rotten;
    if (key === undefined) return false;
    const value = this.medium.get(key);
    if (value !== undefined && !isWhole(key, value)) return true;
    this.#rotten = undefined;
    this.medium.compact();
    return false;
  }

  /** Announces new keys, which sign from `fromS` on: the old ones stay good for what they sign until then. */
  async rotate(nowS: number, fromS: number): Promise<void> {
    const { fixture } = this;
    fixture.nowS = nowS;
    const keys = keysBy((role) => fixture.key(`second ${role}`));
    const admitted = SIGNING_ROLES.map((role) => ({ role, key: keys[role] }));
    const entry = fixture.entryOf(fixture.keysStatement(admitted));
    await this.call((node) => node.submit({ entry }));
    this.#options.second.announced = { keys, fromS };
  }

  declareFounded(): void {
    this.#isFounded = true;
  }

  /** What a call of the node comes to, unless the process dies before: then this never settles. */
  call<T>(work: (node: RegionNode) => Promise<T>): Promise<T> {
    if (this.#process === undefined) return Promise.reject(new MachineDown());
    const { life, node } = this.#process;
    return life.whileAlive(work(node));
  }

  /** Starts a process. False if it cannot start now. */
  async start(): Promise<boolean> {
    if (this.#process !== undefined) return true;
    const process = this.#make();
    this.#process = process;
    this.counters.starts++;
    try {
      await process.life.whileAlive(process.node.start());
      this.#modules.network.announce(this.name);
      return true;
    } catch (error) {
      this.counters.failedStarts++;
      this.#modules.trace.note('start failed', `${this.name} ${String(error)}`);
      this.#end(process);
      return false;
    }
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    await process.life.whileAlive(process.node.stop());
    this.#end(process);
  }

  /** The process is gone at once. */
  kill(): void {
    if (this.#process === undefined) return;
    this.#die();
    this.medium.crash();
  }

  #watchSecondPlace(): void {
    this.#secondPlace.onCrash(() => this.kill());
  }

  #newMedium(): FaultyMedium {
    const medium = new FaultyMedium({ random: this.#chance.draw, reserveBytes: RESERVE_BYTES });
    medium.onCrash(() => this.#die());
    return medium;
  }

  #die(): void {
    const process = this.#process;
    if (process === undefined) return;
    this.counters.deaths++;
    this.#end(process);
    this.#modules.trace.note('death', this.name);
    this.#modules.onDeath(this);
  }

  #end(process: Process): void {
    process.life.end();
    this.#modules.network.leave(this.name);
    if (this.#process === process) this.#process = undefined;
  }

  #make(): Process {
    const { clock, network, trace, signatures, onSprung } = this.#modules;
    const { region, name, fixture } = this;
    const { regions } = this.#options;
    const life = new Life();
    const disk = new SimDisk({
      region,
      name,
      medium: this.medium,
      secondPlace: this.#secondPlace,
      life,
      trace,
      delay: () => clock.wait(this.#chance.whole(1, 6)),
      onSprung: (...sprung) => onSprung(region, ...sprung),
    });
    const node = new RegionNode(
      {
        region,
        network: NETWORK,
        registryKey: signatures.modules.sha256(Buffer.from(region)),
        mirrors: regions.filter((other) => other !== region),
        scrubMs: 240_000,
        ...this.#options.cadence,
        ...(this.#isFounded && { fingerprint: fixture.fingerprint }),
        ...(this.fenced && { fenced: this.fenced, bootRetryMs: FOLLOWING_MS }),
      },
      {
        ...signatures.modules,
        disk: disk.disk(),
        mark: this.medium.mark(),
        secondPlace: disk.place(),
        clock: new ProcessClock(clock, this.clockError, life),
        random: this.#chance.bytes,
        network: network.join(name, life),
        keys: this.#keys(life),
        regionOf: (peer) => regions.find((other) => other === regionOf(peer)),
        onTrouble: () => this.counters.troubles++,
      },
    );
    return { life, node, disk };
  }

  #keys(life: Life): NodeKeys {
    const signing = (role: SigningRole, key: TestKey): TestKey => {
      const sign = (message: Uint8Array): Uint8Array => {
        if (life.isDead) throw new Error('a dead process signs nothing');
        this.#modules.onSigned(this, role, message);
        return key.sign(message);
      };
      return { ...key, sign };
    };
    const first = this.fixture.keys;
    const inForce = (role: SigningRole) => (atS: number) => {
      const { keys, fromS } = this.#options.second.announced ?? { keys: first, fromS: 0 };
      return signing(role, (atS < fromS ? first : keys)[role]);
    };
    const withId = (keyId: string): TestKey | undefined => {
      const key = [first, this.#options.second.announced?.keys].find(
        (keys) => keys?.attest.keyId === keyId,
      )?.attest;
      return key && signing('attest', key);
    };
    return {
      attest: { inForce: inForce('attest'), withId },
      checkpoint: inForce('checkpoint'),
      checkpointBy: (state, atS) => {
        const key = inForce('checkpoint')(atS);
        // Of a log that does not go so far yet, nobody knows the second one.
        return state === undefined || state.key(key.keyId) ? key : signing('checkpoint', first.checkpoint);
      },
      trustLog: inForce('trust-log'),
      trustLogBy: (state, atS) => {
        const key = inForce('trust-log')(atS);
        return state === undefined || state.key(key.keyId) ? key : signing('trust-log', first['trust-log']);
      },
      witness: inForce('witness'),
    };
  }
}

/** The region of a machine, by its name. */
export function regionOf(name: string): string {
  return name.split('#')[0] ?? name;
}

function keysBy(keyOf: (role: SigningRole) => TestKey): RoleKeys {
  return Object.fromEntries(SIGNING_ROLES.map((role) => [role, keyOf(role)])) as RoleKeys;
}
