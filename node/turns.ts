/** Work on the same thing one at a time, in the order of the calls; work on different things side by side. */
export class Turns {
  /** The last work on each thing; gone once nobody waits for it. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when all earlier work under this name is over, whatever came of that. */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#last.set(name, turn);
    const forget = (): void => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    };
    turn.then(forget, forget);
    return turn;
  }

  /** Names under which work is going on. */
  get size(): number {
    return this.#last.size;
  }
}
