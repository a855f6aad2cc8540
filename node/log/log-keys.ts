/** Where in the store the parts of a log lie. */

/** Digits of an index in a key: those of 2^53-1, so that keys sort as indexes do. */
const INDEX_DIGITS = 16;

export class LogKeys {
  readonly head: string;
  readonly #prefix: string;

  /** `origin` is the log's name by SPEC.md 4.1, at most 56 characters. */
  constructor(origin: string) {
    this.#prefix = `log/${origin}/`;
    this.head = `${this.#prefix}head`;
  }

  /** A batch on its way, by its first index: there from before its first signature until its checkpoint is durable. */
  staged(index: number): string {
    return `${this.#prefix}staged/${digits(index)}`;
  }

  /** The run of entries that begins with the one at `index`. */
  run(index: number): string {
    return `${this.#prefix}entries/${digits(index)}`;
  }

  /** The index that the key of a run ends in. */
  static indexOf(key: string): number {
    return Number(key.slice(-INDEX_DIGITS));
  }

  /** The run of drafts of the staged batch that begins with the one at `index`. */
  draftRun(index: number): string {
    return `${this.#prefix}drafts/${digits(index)}`;
  }

  /** A mark of the batch that is staged at `index`: it came from the machine that writes, while this one had something staged below it. */
  given(index: number): string {
    return `${this.#prefix}given/${digits(index)}`;
  }

  /** The tile with its hashes so far: a partial one is replaced as it grows. */
  tile(level: number, index: number): string {
    return `${this.#prefix}tile/${level}/${digits(index)}`;
  }
}

function digits(index: number): string {
  return String(index).padStart(INDEX_DIGITS, '0');
}
