/** The two machines of a region whose writer is fenced by witnesses, and which of them its people hold to be the one that writes. */
import { type RegionNode } from '../../node/core/region-node.ts';
import { type Machine } from './machine.ts';

export class Pair {
  readonly machines: readonly [writer: Machine, standby: Machine];
  readonly #identityOf: (name: string) => Uint8Array;
  /** The one that was promoted last. */
  #named: Machine;

  constructor(machines: readonly [Machine, Machine], identityOf: (name: string) => Uint8Array) {
    this.machines = machines;
    this.#identityOf = identityOf;
    [this.#named] = machines;
  }

  /** To be called while neither runs. */
  fence(): void {
    const [writer, standby] = this.machines;
    writer.fenced = { identity: this.#identityOf(writer.name) };
    standby.fenced = { identity: this.#identityOf(standby.name), isStandby: true };
  }

  stateOf({ node }: Machine): RegionNode['status']['writing'] | undefined {
    return node?.status.writing;
  }

  /** The one that was named last writes, unless the other alone does. */
  get writer(): Machine {
    const isWriting = (machine: Machine): boolean => this.stateOf(machine) === 'writing';
    const other = this.otherThan(this.#named);
    return !isWriting(this.#named) && isWriting(other) ? other : this.#named;
  }

  otherThan(machine: Machine): Machine {
    const [writer, standby] = this.machines;
    return machine === writer ? standby : writer;
  }

  /** It was promoted, and goes on as the writer when it is started again. */
  name(machine: Machine): void {
    this.#named = machine;
    machine.fenced = { identity: this.#identityOf(machine.name) };
  }
}
