/**
 * A map that can be forked at no cost: fork and original share their entries until one of them is written to,
 * and whoever writes first takes a copy. So a fold can hand out its state after every entry.
 */
export class SharedMap<K, V> implements Iterable<[K, V]> {
  #entries: Map<K, V>;
  #isShared: boolean;

  constructor() {
    this.#entries = new Map<K, V>();
    this.#isShared = false;
  }

  /** Constant time. Later writes to either map do not show in the other. */
  fork(): SharedMap<K, V> {
    this.#isShared = true;
    const fork = new SharedMap<K, V>();
    fork.#entries = this.#entries;
    fork.#isShared = true;
    return fork;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  values(): Iterable<V> {
    return this.#entries.values();
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.#entries[Symbol.iterator]();
  }

  set(key: K, value: V): void {
    this.#own().set(key, value);
  }

  delete(key: K): void {
    if (this.#entries.has(key)) this.#own().delete(key);
  }

  #own(): Map<K, V> {
    if (this.#isShared) {
      this.#entries = new Map(this.#entries);
      this.#isShared = false;
    }
    return this.#entries;
  }
}
