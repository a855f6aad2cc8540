/** Making evidence of a fork out of what a copy holds and what a peer sent. */
import { nodeHash, type ProofPath } from '../../protocol/log/merkle.ts';
import { consistencyProof, type HashSource, rootOf } from '../../protocol/log/merkle-proof.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type HighWater } from '../ports.ts';
import { type ForkEvidence, type ForkSide } from '../../protocol/evidence/fork.ts';
import { type LogTree } from './log-tree.ts';

/** The tree of a note, as far as a peer sent it: the copy's own up to `from`, then leaves. */
export interface TheirTree {
  readonly note: Uint8Array;
  /** Of the note. */
  readonly size: number;
  readonly from: number;
  readonly leafHashes: readonly Uint8Array[];
  /** From the end of the leaves to the note; empty if they reach it. */
  readonly path: ProofPath;
}

export class ForkProver {
  readonly #tree: LogTree;
  readonly #sha256: Sha256;

  constructor({ tree, sha256 }: { readonly tree: LogTree; readonly sha256: Sha256 }) {
    this.#tree = tree;
    this.#sha256 = sha256;
  }

  /** Their side is complete: the trees differ at `size`, which the copy has. */
  async against(theirs: ForkSide, size: number): Promise<ForkEvidence | undefined> {
    const ours = await this.#ourSide(size);
    return ours && { size, sides: [ours, theirs] };
  }

  /** The trees differ at `size`, which both have. */
  async againstTree(theirs: TheirTree, size: number): Promise<ForkEvidence | undefined> {
    const side = await this.#theirSide(theirs, size);
    return side && this.against(side, size);
  }

  /** Their tree is not the one that this node had when its copy was longer. */
  async againstMark(theirs: TheirTree, mark: HighWater): Promise<ForkEvidence | undefined> {
    const { size, root, note } = mark;
    const side = await this.#theirSide(theirs, size);
    return side && { size, sides: [{ note, root, path: [] }, side] };
  }

  async #ourSide(size: number): Promise<ForkSide | undefined> {
    const { head, reader } = this.#tree;
    const root = await reader.rootAt(size);
    if (head.signed !== undefined && head.signed.size >= size) {
      const { note, size: newSize } = head.signed;
      const sizes = { oldSize: size, newSize };
      const path = await reader.withHashes(newSize, (source) =>
        consistencyProof(this.#sha256, sizes, source),
      );
      return { note, root, path };
    }
    return head.ahead !== undefined && head.size === size ? { ...head.ahead, root } : undefined;
  }

  /** Undefined if the leaves end between `size` and the note, so that the path cannot be made. */
  async #theirSide(theirs: TheirTree, size: number): Promise<ForkSide | undefined> {
    const { from, leafHashes, note, path } = theirs;
    const end = from + leafHashes.length;
    return this.#tree.reader.withHashes(from, (held) => {
      const source = overlay(this.#sha256, held, theirs);
      const root = rootOf(this.#sha256, size, source);
      if (size === end) return { note, root, path };
      if (end !== theirs.size) return undefined;
      const sizes = { oldSize: size, newSize: end };
      return { note, root, path: consistencyProof(this.#sha256, sizes, source) };
    });
  }
}

/** The hashes of a tree that is `held` up to `from` and goes on with other leaves. */
function overlay(sha256: Sha256, held: HashSource, { from, leafHashes }: TheirTree): HashSource {
  const source: HashSource = (level, index) => {
    const start = index * 2 ** level;
    if (start + 2 ** level <= from) return held(level, index);
    if (level === 0) return leafHashes[start - from] as Uint8Array;
    return nodeHash(sha256, source(level - 1, 2 * index), source(level - 1, 2 * index + 1));
  };
  return source;
}
