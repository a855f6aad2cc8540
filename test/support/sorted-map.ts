/** A map with its keys in order. Fast where most keys come in order; fit for some 100,000 of them. */
export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#indexOf(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#indexOf(key), 1);
  }

  /** The key at a position in order. */
  keyAt(index: number): string | undefined {
    return this.#keys[index];
  }

  /** The keys with `from <= key < to`, at most `limit`, from the start or from the end. */
  keysBetween(from: string, to: string, { limit, reverse }: { limit: number; reverse: boolean }): string[] {
    const start = this.#indexOf(from);
    const end = Math.max(start, this.#indexOf(to));
    return reverse
      ? this.#keys.slice(Math.max(start, end - limit), end).reverse()
      : this.#keys.slice(start, Math.min(end, start + limit));
  }

  /** The number of keys before `key`. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
