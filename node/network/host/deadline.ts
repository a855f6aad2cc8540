/** A time by which something must have happened, set anew for each step. */
export class Deadline {
  readonly #onMissed: (what: string) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onMissed` is told what did not happen; it must not throw. */
  constructor(onMissed: (what: string) => void) {
    this.#onMissed = onMissed;
  }

  set(ms: number, what: string): void {
    this.clear();
    this.#timer = setTimeout(() => this.#onMissed(what), ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
