/**
 * Time that passes only when nobody has anything left to do: a heap of what is to happen and when. What happens at the same
 * millisecond happens in the order in which it was asked for.
 */

interface Due {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once it is called off. */
  happen: (() => void) | undefined;
}

/** Calls off what was to happen; does nothing afterwards. */
export type CallOff = () => void;

/** Steps after which the process looks at its pipes: a simulation never waits for anything real. */
const STEPS_PER_TURN = 8_192;

export class VirtualClock {
  readonly #heap: Due[] = [];
  #nowMs: number;
  #order = 0;
  #steps = 0;
  #calledOff = 0;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Steps so far: something happened, and all that followed from it at once. */
  get steps(): number {
    return this.#steps;
  }

  /** What is to happen. */
  get pending(): number {
    return this.#heap.length - this.#calledOff;
  }

  after(ms: number, happen: () => void): CallOff {
    const due: Due = { atMs: this.#nowMs + Math.max(0, Math.ceil(ms)), order: this.#order++, happen };
    this.#push(due);
    return () => {
      if (due.happen === undefined) return;
      due.happen = undefined;
      this.#calledOff++;
    };
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /**
   * Lets time pass until `isOver` or `untilMs`. Between two things that happen, everything that follows from the first without
   * waiting is done: Node runs a tick that a microtask asks for when no microtask is left.
   */
  run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (isOver() || !this.#happenNext(untilMs)) return resolve();
        } catch (error) {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it is
          return reject(error);
        }
        if (this.#steps % STEPS_PER_TURN === 0) setImmediate(step);
        else queueMicrotask(() => process.nextTick(step));
      };
      queueMicrotask(() => process.nextTick(step));
    });
  }

  /** False if nothing is to happen until then: then it is `untilMs`. */
  #happenNext(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return false;
      }
      this.#shift();
      const { happen } = next;
      if (happen === undefined) {
        this.#calledOff--;
        continue;
      }
      next.happen = undefined;
      this.#nowMs = next.atMs;
      this.#steps++;
      happen();
      return true;
    }
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (!isBefore(due, heap[above] as Due)) break;
      heap[at] = heap[above] as Due;
      at = above;
    }
    heap[at] = due;
  }

  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Due, heap[below] as Due)) below++;
      if (!isBefore(heap[below] as Due, last)) break;
      heap[at] = heap[below] as Due;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
