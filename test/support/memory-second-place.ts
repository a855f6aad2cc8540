/** A second place in memory that fails on demand. It outlives the processes that use it. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type HighWater, type SecondPlace } from '../../node/ports.ts';
import { storeError } from '../../node/store/store-error.ts';

/** A fault at the n-th raise, counted from 1 over all processes; to forget counts as one. */
export interface PlannedRaiseFault {
  readonly raise: number;
  readonly when: 'before' | 'after';
  readonly what: 'DISK_IO' | 'DISK_FULL' | 'crash';
}

export class MemorySecondPlace implements SecondPlace {
  readonly marks = new Map<string, HighWater>();
  readonly #faults: PlannedRaiseFault[] = [];
  #raises = 0;
  #readFailures = 0;
  #onCrash: () => void = () => undefined;

  get raises(): number {
    return this.#raises;
  }

  plan(fault: PlannedRaiseFault): void {
    this.#faults.push(fault);
  }

  /** The next `count` reads fail. */
  refuseReads(count: number): void {
    this.#readFailures = count;
  }

  /** Called at a planned crash: the raise never returns. */
  onCrash(listener: () => void): void {
    this.#onCrash = listener;
  }

  async read(name: string): Promise<HighWater | undefined> {
    await Promise.resolve();
    if (this.#readFailures > 0) {
      this.#readFailures--;
      throw storeError('DISK_IO', 'planned, on a read of the second place');
    }
    return this.marks.get(name);
  }

  async raise(name: string, mark: HighWater): Promise<void> {
    await this.#change(() => {
      this.#set(name, mark);
    });
  }

  async #change(change: () => void): Promise<void> {
    await Promise.resolve();
    const number = ++this.#raises;
    const fault = this.#faults.find(({ raise }) => raise === number);
    if (fault?.when !== 'before') change();
    if (fault === undefined) return;
    if (fault.what !== 'crash') throw storeError(fault.what, `planned, ${fault.when} the raise`);
    this.#onCrash();
    await new Promise<never>(() => undefined);
  }

  async forget(name: string): Promise<void> {
    await this.#change(() => void this.marks.delete(name));
  }

  async names(prefix: string): Promise<readonly string[]> {
    await Promise.resolve();
    return [...this.marks.keys()].filter((name) => name.startsWith(prefix));
  }

  #set(name: string, mark: HighWater): void {
    const before = this.marks.get(name);
    const isBehind = before !== undefined && mark.size < before.size;
    if (isBehind || (before?.size === mark.size && !equalBytes(before.root, mark.root))) {
      throw storeError('SECOND_PLACE_BEHIND', `${name}: ${mark.size}`);
    }
    this.marks.set(name, { size: mark.size, root: mark.root.slice(), note: mark.note.slice() });
  }
}
