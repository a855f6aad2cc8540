/** Whoever looks after the machines: starts again what has ended, and what says that it needs to be started anew. */
import { type Machine } from './machine.ts';
import { type World } from './world.ts';

/** Milliseconds between two looks; what is seen twice in a row is acted on. */
const LOOK_MS = 60_000;

export class Operator {
  readonly #world: World;
  readonly #suspects = new Set<Machine>();

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    const look = (): void => {
      this.#world.check(() => this.#lookAtAll());
      this.#world.clock.after(LOOK_MS, look);
    };
    look();
  }

  #lookAtAll(): void {
    for (const machine of this.#world.machines) {
      const state = machine.node?.store;
      const isStuck = state === 'down' || state === 'read-only';
      if (isStuck && this.#suspects.has(machine)) this.#restart(machine);
      if (isStuck && !this.#suspects.has(machine)) this.#suspects.add(machine);
      else this.#suspects.delete(machine);
    }
  }

  #restart(machine: Machine): void {
    this.#world.trace.note('restart', machine.name);
    machine
      .stop()
      .then(() => this.#world.keepStarting(machine))
      .catch((error: unknown) => this.#world.fail(error));
  }
}
