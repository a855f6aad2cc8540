/** Work that nobody waits for until the end. */

export interface BackgroundModules {
  /** Told of whatever work rejects with. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

export class Background {
  readonly #signal: AbortSignal;
  readonly #modules: BackgroundModules;
  readonly #tasks = new Set<Promise<void>>();

  /** Begins nothing more once `signal` is aborted. */
  constructor(signal: AbortSignal, modules: BackgroundModules) {
    this.#signal = signal;
    this.#modules = modules;
  }

  run(work: () => Promise<void>): void {
    if (this.#signal.aborted) return;
    const task = work()
      .catch((error: unknown) => this.#modules.onTrouble(error))
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** Resolves once nothing is being done any more. */
  async ended(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
