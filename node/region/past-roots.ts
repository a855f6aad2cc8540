/** The roots that a log has had, out of its entries. */
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { rootOf } from '../../protocol/log/merkle-proof.ts';
import { type Sha256 } from '../../protocol/primitives.ts';

/** Hashes every entry once, when it is first asked; from then on a root takes as many steps as the tree has levels. */
export class PastRoots {
  readonly #entries: readonly Uint8Array[];
  readonly #sha256: Sha256;
  /** By level, the hashes of all perfect subtrees. */
  #levels: Uint8Array[][] | undefined;

  /** `entries`: all of the log from its first one on, which do not change any more. */
  constructor(entries: readonly Uint8Array[], sha256: Sha256) {
    this.#entries = entries;
    this.#sha256 = sha256;
  }

  /** The root of the first `size` entries, 32 bytes. @throws {RangeError} if there are fewer. */
  at(size: number): Uint8Array {
    if (size > this.#entries.length)
      throw new RangeError(`expected a size of at most ${this.#entries.length}`);
    const levels = (this.#levels ??= this.#hashed());
    return rootOf(this.#sha256, size, (level, index) => {
      const hash = levels[level]?.[index];
      if (hash === undefined) throw new TypeError('a subtree within the log has a hash');
      return hash;
    });
  }

  #hashed(): Uint8Array[][] {
    const levels: Uint8Array[][] = [];
    const tree = Frontier.empty(this.#sha256);
    for (const entry of this.#entries)
      tree.append(
        leafHash(this.#sha256, entry),
        (level, index, hash) => ((levels[level] ??= [])[index] = hash),
      );
    return levels;
  }
}
