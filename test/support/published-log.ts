/** Somebody's log, complete and in memory: what a copy of it is fed with. */
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Piece } from '../../node/log/replica.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { ORIGIN } from './log-fixture.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';

export class PublishedLog {
  readonly tree: ReferenceTree;
  readonly keys: readonly VerifierKey[];
  readonly #origin: string;
  readonly #key: VerifierKey;
  readonly #sign: (message: Uint8Array) => Uint8Array;

  constructor(entries: readonly string[], { origin = ORIGIN, key = 'log' } = {}) {
    this.tree = new ReferenceTree(entries.map((entry) => new TextEncoder().encode(entry)));
    const signer = opensslBackEnd.signerOf(sha256(new TextEncoder().encode(key)));
    this.#origin = origin;
    this.#sign = (message) => signer.sign(message);
    this.#key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey: signer.publicKey });
    this.keys = [this.#key];
  }

  get size(): number {
    return this.tree.entries.length;
  }

  /** The log's note on its first `size` entries. */
  note(size = this.size): Uint8Array {
    const checkpoint = { origin: this.#origin, size, root: this.tree.root(size) };
    return encodeNote(signCheckpoint(checkpoint, this.#key, this.#sign));
  }

  /** Its entries from `from` to before `to`, under the note of a size. */
  piece(from: number, to = this.size, size = to): Piece {
    const entries = this.tree.entries.slice(from, to);
    const note = this.note(size);
    return to < size ? { from, entries, note, path: this.tree.proof(to, size) } : { from, entries, note };
  }

  /** What it says of its tree at `size`, under the note of another. */
  claim(size: number, noteSize = this.size) {
    const [root, path] = [this.tree.root(size), this.tree.proof(size, noteSize)];
    return { size, root, path, note: this.note(noteSize) };
  }
}

export function words(count: number, prefix = 'w'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
