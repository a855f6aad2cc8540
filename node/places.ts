/** Work of which so much at most is done at a time; what comes besides waits, in the order of the calls. */

export interface PlacesOptions {
  readonly atOnceMax: number;
  readonly waitingMax: number;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Places {
  readonly #options: PlacesOptions;
  #free: number;
  /** Nobody waits while a place is free. A set keeps the order, and gives the first at once. */
  readonly #waiting = new Set<Waiting>();

  constructor(options: PlacesOptions) {
    this.#options = options;
    this.#free = options.atOnceMax;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs `work` once there is a place for it. Rejects with `full()` where too many wait already, and as `turnAway` and `work` do. */
  async take<T>(work: () => Promise<T>, full: () => Error): Promise<T> {
    if (this.#free > 0) this.#free--;
    else if (this.#waiting.size >= this.#options.waitingMax) throw full();
    else await new Promise<void>((resolve, reject) => this.#waiting.add({ resolve, reject }));
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free++;
      else {
        this.#waiting.delete(next);
        next.resolve();
      }
    }
  }

  /** Refuses all that wait now. */
  turnAway(error: Error): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
