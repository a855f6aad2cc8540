/**
 * What befalls a region with a standby: the machine that writes dies, at any moment or at a write, or is cut off and goes on; after a while its
 * operator promotes the other; and later the machine is back. Where neither writes for a while, he promotes the one that he has not tried last.
 */
import { isNodeError } from '../../node/node-error.ts';
import { Chance } from './chance.ts';
import { type Machine, MachineDown } from './machine.ts';
import { type Pair } from './pair.ts';
import { type WriteStep } from './sim-disk.ts';
import { bugOf, type World } from './world.ts';
import { Violation } from './invariant.ts';

const MINUTE_MS = 60_000;
const WAYS = ['kill', 'kill', 'crash', 'crash', 'cut off'] as const;
/** Where a writer dies that is about to sign, or has just signed. */
const STEPS: readonly WriteStep[] = ['stage', 'log', 'second place'];
/** From its end to the promotion, and from that on to the return. */
const PROMOTED_AFTER_MS = { from: 10_000, to: 5 * MINUTE_MS } as const;
const BACK_AFTER_MS = { from: -PROMOTED_AFTER_MS.to, to: 10 * MINUTE_MS } as const;
/** Milliseconds between two looks of the operator, and looks after which he acts. */
const LOOK_MS = MINUTE_MS;
const LOOKS_MAX = 3;

export class Failover {
  readonly #pair: Pair;
  readonly #world: World;
  readonly #chance: Chance;
  /** Looks at which neither wrote. */
  #idle = 0;
  /** Whom the operator promotes next where neither writes. */
  #next: Machine;
  #end: () => void = () => undefined;

  constructor(pair: Pair, world: World) {
    this.#pair = pair;
    this.#world = world;
    this.#chance = new Chance(world.options.seed, 'failover acts');
    this.#next = pair.machines[1];
    this.#look();
  }

  begin(): void {
    const { clock } = this.#world;
    const { writer } = this.#pair;
    // What has rotted is made good first.
    if (writer.isRotten || writer.node === undefined) return;
    this.#world.count('failover');
    const afterMs = this.#chance.whole(PROMOTED_AFTER_MS.from, PROMOTED_AFTER_MS.to);
    this.#end = this.#lose(writer);
    const backMs = Math.max(0, afterMs + this.#chance.whole(BACK_AFTER_MS.from, BACK_AFTER_MS.to));
    clock.after(afterMs, () => this.#promote(this.#pair.otherThan(writer)));
    clock.after(backMs, () => this.heal());
  }

  /** The machine is back. */
  heal(): void {
    const end = this.#end;
    this.#end = () => undefined;
    end();
  }

  /** What ends it. */
  #lose(writer: Machine): () => void {
    const { network, machines } = this.#world;
    const way = this.#chance.pick(WAYS);
    const step = this.#chance.pick(STEPS);
    const when = this.#chance.pick(['before', 'after'] as const);
    this.#world.trace.note('failover', `${writer.name} ${way} ${when} ${step}`);
    if (way === 'cut off') {
      const others = machines.filter((other) => other !== writer);
      for (const { name } of others) network.cut(writer.name, name);
      return () => others.forEach(({ name }) => network.mend(writer.name, name));
    }
    writer.isAway = true;
    if (way === 'crash' && writer.disk?.isWaiting === false)
      writer.disk.lieInWait({ what: 'crash', when, step });
    else writer.kill();
    return () => {
      writer.isAway = false;
      void this.#world.keepStarting(writer);
    };
  }

  #promote(machine: Machine): void {
    const { trace } = this.#world;
    this.#next = this.#pair.otherThan(machine);
    const note = (came: string): void => trace.note('promote', `${machine.name} ${came}`);
    const promoted = machine.call(async (node) => {
      await node.promote().finally(() => {
        // Whoever has claimed is the one, even if it has to fetch something first.
        if (node.status.writer?.isSelf === true) this.#pair.name(machine);
      });
    });
    promoted.then(
      () => note('writes'),
      (error: unknown) => {
        if (isNodeError(error)) return note(error.code);
        if (error instanceof MachineDown) return note('is down');
        this.#world.fail(new Violation('no bug', bugOf(error)));
      },
    );
  }

  /** Somebody who looks now and then whether codes are issued. */
  #look(): void {
    this.#world.clock.after(LOOK_MS, () => {
      const states = this.#pair.machines.map((machine) => this.#pair.stateOf(machine));
      const isIdle = !states.includes('writing') && states.every((state) => state !== undefined);
      this.#idle = isIdle ? this.#idle + 1 : 0;
      if (this.#idle >= LOOKS_MAX) {
        this.#idle = 0;
        this.#promote(this.#next);
      }
      this.#look();
    });
  }
}
