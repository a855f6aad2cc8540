/** Nodes of several regions on one clock and one network in memory, with real keys and what survives their processes. */
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { codeTextOf } from '../../node/issuing/held-codes.ts';
import { type Issued } from '../../node/issuing/issuer.ts';
import { type RegionNodeModules } from '../../node/core/node-options.ts';
import { RegionNode, type RegionNodeOptions } from '../../node/core/region-node.ts';
import { NodeError } from '../../node/node-error.ts';
import { type Status } from '../../protocol/code/status.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { ANY_PLACE, type Verdict } from '../../protocol/verdict/verdict.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { admitPublicKey } from '../../protocol/signature/noble.ts';
import { FaultyMedium } from './faulty-disk.ts';
import { ManualClock, settled } from './manual-clock.ts';
import { moveTables } from '../../node/registry/moving.ts';
import { Store } from '../../node/store/store.ts';
import { MemoryNetwork } from './memory-network.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { MemoryTables } from './memory-tables.ts';
import { sha256 } from './primitives.ts';
import { DAY_S, RegionFixture, START_S, type TestKey, trustModules } from './region-fixture.ts';
import { seeded } from './seeded.ts';

export const NETWORK = 'test';

const admitted = new Set<string>();
const modules = {
  ...trustModules,
  admitPublicKey: (publicKey: Uint8Array): void => {
    const name = hexOf(publicKey);
    if (admitted.has(name)) return;
    admitPublicKey(publicKey);
    admitted.add(name);
  },
};

/** One region's machine: its disk, its second place and the node that runs on them. */
export interface Machine {
  readonly region: string;
  /** By which its node is known: the region, or for a second machine of it `<region>#2`. */
  readonly name: string;
  readonly medium: FaultyMedium;
  secondPlace: MemorySecondPlace;
  readonly fixture: RegionFixture;
  readonly troubles: unknown[];
  /** How wrong its wall time is; its running time is not. */
  readonly clockError: { aheadMs: number };
  /** Sign in the place of those of the fixture; `isAttestAway`: the files of attest keys are missing. */
  readonly instead: { checkpoint?: TestKey; trustLog?: TestKey; isAttestAway?: boolean };
  node: RegionNode;
  /** Where what is private is kept, if that is not the store. */
  tables?: MemoryTables;
  /** Its process is gone without an end. */
  isDead?: boolean;
}

/** What a node is told, the keys by which numbers of its region are looked up, who notes what it is to forget, and how witnesses outside are asked. */
type WorldOptions = Partial<RegionNodeOptions> &
  Pick<RegionNodeModules, 'seeds' | 'noteForgetting' | 'httpPost'>;

export class NodeWorld {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly #random: () => number;
  readonly #machines = new Map<string, Machine>();
  readonly #options: Partial<RegionNodeOptions>;

  constructor({
    seed = 1,
    startS = START_S,
    ...options
  }: Partial<RegionNodeOptions> & { readonly seed?: number; readonly startS?: number } = {}) {
    this.clock = new ManualClock(startS * 1000);
    this.#random = seeded(seed);
    this.#options = options;
    this.network = new MemoryNetwork({ random: this.#random }, { clock: this.clock });
  }

  get nowS(): number {
    return Math.floor(this.clock.nowMs() / 1000);
  }

  machine(region: string): Machine {
    return this.#machines.get(region) ?? assert.fail(`no machine of ${region}`);
  }

  node(region: string): RegionNode {
    return this.machine(region).node;
  }

  /** A new region, with a root of so many keys: its node runs, its root and keys are logged. */
  async found(region: string, options: WorldOptions = {}, rootKeys = 1): Promise<RegionNode> {
    const medium = new FaultyMedium({ random: this.#random });
    const secondPlace = new MemorySecondPlace();
    const fixture = new RegionFixture({ region, network: NETWORK, modules, rootKeys });
    const troubles: unknown[] = [];
    const machine = {
      region,
      name: region,
      medium,
      secondPlace,
      fixture,
      troubles,
      clockError: { aheadMs: 0 },
      instead: {},
    };
    this.#machines.set(region, { ...machine, node: this.#make({ ...machine }, options) });
    await this.boot(region);
    for (const entry of fixture.entries.slice(0, 2)) await this.run(this.node(region).submit({ entry }));
    return this.node(region);
  }

  /** A second machine with the keys of a region, under another name; not started. */
  addMachine(name: string, options: WorldOptions = {}): RegionNode {
    const region = regionOf(name);
    const { fixture } = this.machine(region);
    const machine = {
      region,
      name,
      medium: new FaultyMedium({ random: this.#random }),
      secondPlace: new MemorySecondPlace(),
      fixture,
      troubles: [],
      clockError: { aheadMs: 0 },
      instead: {},
    };
    const node = this.#make(machine, options);
    this.#machines.set(name, { ...machine, node });
    return node;
  }

  /** Starts the node and waits until it writes, or until `isEnough`. */
  async boot(
    region: string,
    isEnough = (node: RegionNode) => node.status.writing === 'writing',
  ): Promise<RegionNode> {
    const { node } = this.machine(region);
    await this.run(node.start());
    this.network.announce(region);
    await this.until(() => isEnough(node), `${region} starts`);
    return node;
  }

  /** The process dies, or is stopped in order; the machine gets a new node, not started. */
  async kill(region: string, { inOrder = false } = {}): Promise<Machine> {
    const machine = this.machine(region);
    if (inOrder) await this.run(machine.node.stop());
    else {
      this.network.leave(region);
      machine.medium.crash();
      machine.isDead = true;
      void machine.node.stop().catch(() => undefined);
      await this.pass(10);
    }
    this.network.leave(region);
    return machine;
  }

  /** What is private of a region lies apart from now on; its node is started again. */
  async moveRegistry(region: string): Promise<MemoryTables> {
    const machine = await this.kill(region, { inOrder: true });
    const tables = (machine.tables = new MemoryTables());
    const { medium } = machine;
    const modulesOfStore = { disk: medium.disk(), mark: medium.mark(), clock: this.clock };
    const store = new Store({ owner: `${region}.${NETWORK}` }, modulesOfStore);
    await this.run(store.start());
    const random = (length: number) => new Uint8Array(length).fill(1);
    await this.run(moveTables({ to: 'postgres', isReplacing: false }, { store, postgres: tables, random }));
    await this.run(store.stop());
    this.replace(region);
    await this.boot(region);
    return tables;
  }

  /** A new process on the machine. */
  replace(region: string, options: WorldOptions = {}): RegionNode {
    const machine = this.machine(region);
    machine.node = this.#make(machine, options);
    machine.isDead = false;
    return machine.node;
  }

  /** Both regions recognise each other. */
  async befriend(a: string, b: string): Promise<void> {
    await this.recognise(a, b);
    await this.recognise(b, a);
  }

  async recognise(region: string, peer: string, version = 1): Promise<void> {
    const { fixture, node } = this.machine(region);
    fixture.nowS = this.nowS;
    const entry = fixture.entryOf(fixture.recognitionOf(this.machine(peer).fixture, version));
    await this.run(node.submit({ entry }));
  }

  async issue(region: string, subject = 'p1'): Promise<Issued & { readonly text: string }> {
    const status: Status = {
      colour: 'green',
      measure: 'none',
      expiresAtS: this.nowS + 7 * DAY_S,
      ruleId: 'base',
      ruleVersion: 1,
    };
    const issued = await this.run(this.node(region).issue({ subject, fields: { status } }));
    return { ...issued, text: codeTextOf(sha256, issued, ['status']) };
  }

  verify(region: string, text: string): Promise<Verdict> {
    return this.run(this.node(region).verify(text, { place: ANY_PLACE, mode: 'online' }));
  }

  /** Outcome and reasons in one line. */
  async outcome(region: string, text: string): Promise<string> {
    const { outcome, reasons } = await this.verify(region, text);
    return [outcome, ...reasons.map(({ code }) => code)].join(' ');
  }

  /** Lets seconds pass. */
  async pass(seconds: number): Promise<void> {
    for (let ms = 0; ms < seconds * 1000; ms += 250) await this.clock.advance(250);
  }

  /** Lets time pass until a promise is settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = promise.finally(() => (isOver = true));
    over.catch(() => undefined);
    for (let ms = 0; ms < 120_000 && !isOver; ms += 10) {
      await settled();
      // A memory-hard hash takes the time of the machine, whatever the clock of the world says.
      if (ms >= 10_000) await setTimeout(1);
      if (!isOver) await this.clock.advance(10);
    }
    assert.ok(isOver, 'a promise was not settled within two minutes of the clock');
    return over;
  }

  async until(isSo: () => boolean, what: string, seconds = 60): Promise<void> {
    for (let ms = 0; ms < seconds * 1000; ms += 50) {
      if (isSo()) return;
      await this.clock.advance(50);
    }
    assert.ok(isSo(), `${what}: not within ${seconds} s`);
  }

  async stop(): Promise<void> {
    for (const { node, isDead } of this.#machines.values()) if (!isDead) await this.run(node.stop());
  }

  #make(
    machine: Omit<Machine, 'node'>,
    { seeds, noteForgetting, httpPost, ...options }: WorldOptions,
  ): RegionNode {
    const { region, name, medium, secondPlace, fixture, troubles, clockError, instead, tables } = machine;
    const { attest, checkpoint, witness } = fixture.keys;
    const trustLogBy = (state: TrustState | undefined, atS: number) => {
      const key = instead.trustLog ?? fixture.keys['trust-log'];
      if (key === fixture.keys['trust-log'] || state?.key(key.keyId)) return inWindow(key, atS);
      throw new NodeError('KEY_FILE_MISSING', 'the key in force is not here');
    };
    return new RegionNode(
      { region, network: NETWORK, registryKey: sha256(Buffer.from(region)), ...this.#options, ...options },
      {
        ...modules,
        disk: medium.disk(),
        mark: medium.mark(),
        secondPlace,
        tables,
        clock: {
          nowMs: () => this.clock.nowMs() + clockError.aheadMs,
          runMs: () => this.clock.runMs(),
          wait: (ms, signal) => this.clock.wait(ms, signal),
        },
        random: (length) => Uint8Array.from({ length }, () => Math.floor(this.#random() * 256)),
        network: this.network.join(name),
        keys: {
          attest: {
            inForce: () => attest,
            withId: (keyId) => (keyId === attest.keyId && !instead.isAttestAway ? attest : undefined),
          },
          checkpoint: (atS) => inWindow(instead.checkpoint ?? checkpoint, atS),
          checkpointBy: (state, atS) => {
            const key = [instead.checkpoint, checkpoint].find(
              (one) => one && state?.key(one.keyId) && !state.key(one.keyId)?.compromise,
            );
            return inWindow(key ?? checkpoint, atS);
          },
          trustLog: (atS) => trustLogBy(this.node(name).keeper(region)?.state, atS),
          trustLogBy,
          witness: (atS) => inWindow(witness, atS),
        },
        regionOf,
        seeds,
        noteForgetting,
        httpPost,
        onTrouble: (error) => troubles.push(error),
      },
    );
  }
}

function regionOf(name: string): string {
  return name.split('#')[0] ?? name;
}

function inWindow<K>(key: K, atS: number): K {
  if (atS < START_S + 29 * DAY_S) return key;
  throw new NodeError('KEY_NOT_IN_FORCE', 'the keys of the fixture are over');
}
