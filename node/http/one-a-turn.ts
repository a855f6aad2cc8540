/**
 * Work that is begun one piece in each turn of the event loop. The loop accepts one connection a turn, however many wait: were all
 * requests that have arrived answered in one turn, a crowd of connections would be accepted over many seconds, and the first
 * request on each would wait as long.
 */
export class OneATurn<T> {
  readonly #begin: (piece: T) => void;
  #waiting: T[] = [];
  /** Of `#waiting`, those that are begun. */
  #begun = 0;
  #isTurning = false;

  constructor(begin: (piece: T) => void) {
    this.#begin = begin;
  }

  /** Begins it at once if nothing was begun in this turn, else in its order. Whoever calls bounds how many wait. */
  add(piece: T): void {
    if (this.#isTurning) {
      this.#waiting.push(piece);
      return;
    }
    this.#isTurning = true;
    setImmediate(this.#turn);
    this.#begin(piece);
  }

  /** Pieces that wait. */
  get waiting(): number {
    return this.#waiting.length - this.#begun;
  }

  readonly #turn = (): void => {
    const piece = this.#waiting[this.#begun];
    if (piece === undefined) {
      this.#waiting = [];
      this.#begun = 0;
      this.#isTurning = false;
      return;
    }
    if (++this.#begun >= 1_024) {
      this.#waiting = this.#waiting.slice(this.#begun);
      this.#begun = 0;
    }
    setImmediate(this.#turn);
    this.#begin(piece);
  };
}
