/** When to give up a copy of a trust log: nobody but its region, whose signature stands only at its end, can write a long one. */
import { hexOf } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type Finding } from '../../protocol/trust/trust-state.ts';

/** So few cost nobody much. */
const IDLE_ENTRIES_FREE = 256;

/**
 * Counts, while a copy is folded, the entries that say nothing: those without effect, and statements that were there before. Who
 * keeps a copy holds no key of the region, and can fill it only with such entries beside the genuine ones; without a bound they
 * would cost every reader a signature check each, up to the most that a log may have.
 *
 * What a region has signed is never given up: its node logs no statement that would have no effect (`StatementVet`), and two of the
 * same words would have to be of the same second. What a compromise voids had its effect when it was folded, and counts with that.
 * Somebody who had the region's keys would have to fill more than half of it; even then its own directory and what the reader has
 * seen itself count on, since those are read without a guard.
 */
export class CopyGuard {
  readonly #sha256: Sha256;
  readonly #said = new Set<string>();
  #entries = 0;
  #idle = 0;

  constructor({ sha256 }: { readonly sha256: Sha256 }) {
    this.#sha256 = sha256;
  }

  /** Takes the next entry with what its folding found. @throws {ProtocolError} TOO_LARGE where most entries so far say nothing. */
  take(entry: Uint8Array, finding: Finding | undefined): void {
    this.#entries++;
    if (finding !== undefined || !this.#isNew(entry)) this.#idle++;
    if (this.#idle <= IDLE_ENTRIES_FREE || this.#idle * 2 <= this.#entries) return;
    throw new ProtocolError('TOO_LARGE', `${this.#idle} of its first ${this.#entries} entries say nothing`, {
      idle: this.#idle,
      entries: this.#entries,
    });
  }

  /** By its statement alone: of more signatures than are needed, anybody can leave some out. */
  #isNew(entry: Uint8Array): boolean {
    const { size } = this.#said;
    return this.#said.add(hexOf(this.#sha256(parseEntry(entry).body))).size > size;
  }
}
