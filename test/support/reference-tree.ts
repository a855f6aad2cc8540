/**
 * A Merkle tree straight from the recursive definitions of RFC 6962 2.1, with node:crypto: slow, and sharing
 * nothing with the code under test.
 */
import { createHash } from 'node:crypto';

const hash = (...parts: Uint8Array[]): Uint8Array => {
  const hasher = createHash('sha256');
  for (const part of parts) hasher.update(part);
  return new Uint8Array(hasher.digest());
};

function split(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1));
}

export class ReferenceTree {
  readonly entries: readonly Uint8Array[];
  readonly #roots = new Map<string, Uint8Array>();

  constructor(entries: readonly Uint8Array[]) {
    this.entries = entries;
  }

  /** A tree of `size` short distinct entries. */
  static ofSize(size: number): ReferenceTree {
    return new ReferenceTree(Array.from({ length: size }, (_, i) => new TextEncoder().encode(`entry ${i}`)));
  }

  leaf(index: number): Uint8Array {
    return this.#mth(index, index + 1);
  }

  root(size = this.entries.length): Uint8Array {
    return this.#mth(0, size);
  }

  subtree(level: number, index: number): Uint8Array {
    return this.#mth(index * 2 ** level, (index + 1) * 2 ** level);
  }

  path(m: number, size = this.entries.length): Uint8Array[] {
    return this.#path(m, 0, size);
  }

  proof(m: number, size = this.entries.length): Uint8Array[] {
    return this.#subproof(m, 0, size, true);
  }

  #mth(start: number, end: number): Uint8Array {
    const key = `${start}-${end}`;
    let root = this.#roots.get(key);
    if (root !== undefined) return root;
    const n = end - start;
    if (n === 0) root = hash();
    else if (n === 1) root = hash(Uint8Array.of(0), this.entries[start] as Uint8Array);
    else {
      const k = split(n);
      root = hash(Uint8Array.of(1), this.#mth(start, start + k), this.#mth(start + k, end));
    }
    this.#roots.set(key, root);
    return root;
  }

  #path(m: number, start: number, end: number): Uint8Array[] {
    const n = end - start;
    if (n === 1) return [];
    const k = split(n);
    return m < k
      ? [...this.#path(m, start, start + k), this.#mth(start + k, end)]
      : [...this.#path(m - k, start + k, end), this.#mth(start, start + k)];
  }

  #subproof(m: number, start: number, end: number, whole: boolean): Uint8Array[] {
    const n = end - start;
    if (m === n) return whole ? [] : [this.#mth(start, end)];
    const k = split(n);
    return m <= k
      ? [...this.#subproof(m, start, start + k, whole), this.#mth(start + k, end)]
      : [...this.#subproof(m - k, start + k, end, false), this.#mth(start, start + k)];
  }
}
