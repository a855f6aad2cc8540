/**
 * The single writer of a copy of another's log (or of an own one that is made good from peers). Takes entries from anybody:
 * what it stores is proven to be in a tree that the log signed and to continue the tree that it holds.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import {
  type OpenedCheckpoint,
  openCheckpoint,
  openRead,
  type ReadNote,
  readNote,
} from '../../protocol/log/checkpoint.ts';
import { leafHash, type ProofPath, verifyConsistency } from '../../protocol/log/merkle.ts';
import { encodeNote, parseNote } from '../../protocol/log/note.ts';
import { encodeSignatureLine, type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type Growth } from './growth.ts';
import { type LogHead } from './log-head.ts';
import { type LogTree } from './log-tree.ts';
import { ForkProver, type TheirTree } from './fork-prover.ts';

/** What a peer sent: entries, and the log's note on a tree that holds them. */
export interface Piece {
  /** The index of the first entry. */
  readonly from: number;
  readonly entries: readonly Uint8Array[];
  readonly note: Uint8Array;
  /** The note, where the caller has read it already. */
  readonly read?: ReadNote;
  /** The consistency path from the end of the entries to the size of the note, where they are not the same. */
  readonly path?: ProofPath;
  /** The peer that sent it, where that is known. */
  readonly by?: string;
}

/** What a peer says of the size that this copy has: its root, and the path from there to the log's note. */
export interface Claim {
  readonly size: number;
  readonly root: Uint8Array;
  readonly path: ProofPath;
  readonly note: Uint8Array;
}

/**
 * `grown`, `known`: the copy holds what was sent, now or before. `gap`: entries from `size` on are missing in between.
 * `forked`: the log has signed another history; nothing was stored. The evidence is missing in the rare case that the
 * copy was cut short between two checkpoints.
 */
export type Applied =
  | { readonly outcome: 'grown' | 'known' | 'gap'; readonly size: number }
  | { readonly outcome: 'forked'; readonly evidence: ForkEvidence | undefined };

export interface ReplicaModules extends Primitives {
  /** Written to by nobody else but `pruneLog`. */
  readonly tree: LogTree;
  /** Rejects entries that are in a tree that the log has signed, and not to be taken all the same: then nothing of their piece is stored. */
  readonly vet?:
    ((entries: readonly Uint8Array[], from: number, by: Piece['by']) => Promise<void>) | undefined;
}

export class Replica {
  readonly #modules: ReplicaModules;
  readonly #prover: ForkProver;

  constructor(modules: ReplicaModules) {
    this.#modules = modules;
    this.#prover = new ForkProver(modules);
  }

  /**
   * Stores what is new in a piece: entries, or a note where none that these keys open is held on that tree. `keys` are those of the log, of the role checkpoint;
   * `opened` is what they make of the note, where the caller knows that already.
   * @throws {ProtocolError} what `openCheckpoint` throws; ORIGIN_INVALID for a note of another log; SIZE_INVALID for more
   * entries than the note counts; PROOF_INVALID if the entries do not lead to the note's root: the sender is wrong, or the
   * log has forked before `from`, which `confront` finds out; what `vet` throws.
   * @throws {NodeError} as `Store.write` and `SecondPlace.raise`: repeat the call.
   */
  apply(piece: Piece, keys: readonly VerifierKey[], opened?: OpenedCheckpoint): Promise<Applied> {
    const { tree } = this.#modules;
    return tree.inTurn(async () => {
      await tree.settled();
      const checkpoint = this.#ofThisLog(opened ?? this.#open(piece, keys));
      const { head } = tree;
      if (checkpoint.size <= head.size) return this.#applyNote(checkpoint, piece.note, head, keys);
      if (piece.from > head.size) return { outcome: 'gap', size: head.size };
      if (piece.from + piece.entries.length > checkpoint.size) {
        throw new ProtocolError('SIZE_INVALID', 'there are more entries than the note counts', {
          size: checkpoint.size,
        });
      }
      return this.#applyEntries(checkpoint, piece, head);
    });
  }

  /**
   * Holds a claim about the size of this copy against what it has. `known` means that both are the same tree.
   * @throws {ProtocolError} as `apply`, and PROOF_INVALID if the path proves nothing.
   */
  confront(claim: Claim, keys: readonly VerifierKey[]): Promise<Applied> {
    const { tree, sha256 } = this.#modules;
    return tree.inTurn(async () => {
      await tree.settled();
      const { note, root, path, size } = claim;
      const checkpoint = this.#ofThisLog(this.#open(claim, keys));
      if (size > tree.size) return { outcome: 'gap', size: tree.size };
      const ends = { oldSize: size, newSize: checkpoint.size, oldRoot: root, newRoot: checkpoint.root };
      verifyConsistency(sha256, { ...ends, path });
      if (equalBytes(await tree.reader.rootAt(size), root)) return { outcome: 'known', size: tree.size };
      return { outcome: 'forked', evidence: await this.#prover.against({ note, root, path }, size) };
    });
  }

  #open({ note, read }: Pick<Piece, 'note' | 'read'>, keys: readonly VerifierKey[]): OpenedCheckpoint {
    return openRead(read ?? readNote(note), keys, this.#modules.verifySignature);
  }

  #ofThisLog(checkpoint: OpenedCheckpoint): OpenedCheckpoint {
    const { origin } = this.#modules.tree;
    if (checkpoint.origin === origin) return checkpoint;
    throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${origin}`);
  }

  /** A note on no more than is held. It takes the place of one on the same tree that these keys do not open: by a key given up. */
  async #applyNote(
    checkpoint: OpenedCheckpoint,
    note: Uint8Array,
    head: LogHead,
    keys: readonly VerifierKey[],
  ): Promise<Applied> {
    const { tree } = this.#modules;
    const { size, root } = checkpoint;
    const held = size === head.size ? head.root : await tree.reader.rootAt(size);
    if (!equalBytes(held, root)) {
      if (size === 0) throw new ProtocolError('PROOF_INVALID', 'the empty tree has one root only');
      return { outcome: 'forked', evidence: await this.#prover.against({ note, root, path: [] }, size) };
    }
    const isHeld = head.signed?.size === size && this.#isOpenedBy(head.signed.note, keys);
    if (size === head.size && !isHeld) await this.#store(tree.grow(), checkpoint, { note });
    return { outcome: 'known', size: head.size };
  }

  #isOpenedBy(note: Uint8Array, keys: readonly VerifierKey[]): boolean {
    try {
      openCheckpoint(note, keys, this.#modules.verifySignature);
      return true;
    } catch (error) {
      if (isProtocolError(error)) return false;
      throw error;
    }
  }

  async #applyEntries(checkpoint: OpenedCheckpoint, piece: Piece, head: LogHead): Promise<Applied> {
    const { tree } = this.#modules;
    const { from, entries } = piece;
    const overlap = head.size - from;
    if (!(await this.#isHeld(from, entries.slice(0, overlap))))
      return this.#refuteOverlap(checkpoint, piece, head);
    const end = from + entries.length;
    if (end <= head.size) {
      const root = await tree.reader.rootAt(end);
      this.#requireProof({ size: end, root: () => root }, checkpoint, piece.path);
      return { outcome: 'known', size: head.size };
    }
    const growth = tree.grow();
    const { shortfall } = tree;
    let isShort = false;
    for (const entry of entries.slice(overlap)) {
      growth.append(entry);
      isShort ||= growth.size === shortfall?.size && !equalBytes(growth.root(), shortfall.root);
    }
    this.#requireProof(growth, checkpoint, piece.path);
    if (shortfall !== undefined && isShort) {
      const theirs = this.#theirTree(checkpoint, piece);
      return { outcome: 'forked', evidence: await this.#prover.againstMark(theirs, shortfall) };
    }
    await this.#modules.vet?.(entries.slice(overlap), head.size, piece.by);
    await this.#store(growth, checkpoint, piece);
    return { outcome: 'grown', size: growth.size };
  }

  /** The overlap is not what is held: either the log signed that, or it is the sender's invention. */
  async #refuteOverlap(checkpoint: OpenedCheckpoint, piece: Piece, head: LogHead): Promise<Applied> {
    const theirs = this.#theirTree(checkpoint, piece);
    const frontier = await this.#modules.tree.reader.frontierAt(piece.from);
    for (const hash of theirs.leafHashes) frontier.append(hash);
    this.#requireProof({ size: frontier.size, root: () => frontier.root() }, checkpoint, piece.path);
    const size = Math.min(head.size, frontier.size);
    return { outcome: 'forked', evidence: await this.#prover.againstTree(theirs, size) };
  }

  #requireProof(
    tree: Pick<Growth, 'size' | 'root'>,
    { size, root }: OpenedCheckpoint,
    path: ProofPath = [],
  ): void {
    const ends = { oldSize: tree.size, newSize: size, oldRoot: tree.root(), newRoot: root };
    verifyConsistency(this.#modules.sha256, { ...ends, path });
  }

  async #isHeld(from: number, entries: readonly Uint8Array[]): Promise<boolean> {
    const { tree, sha256 } = this.#modules;
    const hashes = await tree.reader.leafHashes(from, from + entries.length);
    return hashes.every((hash, i) => equalBytes(hash, leafHash(sha256, entries[i] as Uint8Array)));
  }

  #theirTree({ size }: OpenedCheckpoint, { from, entries, note, path = [] }: Piece): TheirTree {
    const leafHashes = entries.map((entry) => leafHash(this.#modules.sha256, entry));
    return { note, size, from, leafHashes, path };
  }

  async #store(
    growth: Growth,
    checkpoint: OpenedCheckpoint,
    { note, path = [] }: Pick<Piece, 'note' | 'path'>,
  ): Promise<void> {
    const { tree } = this.#modules;
    const { size, root } = checkpoint;
    const isWhole = growth.size === size;
    const kept = withoutRepeats(note, checkpoint);
    try {
      await tree.write(
        growth,
        isWhole ? { signed: { size, root, note: kept }, ahead: undefined } : { ahead: { note: kept, path } },
      );
    } catch (error) {
      await tree.reload();
      throw error;
    }
    if (isWhole && (tree.shortfall?.size ?? 0) <= size) await tree.raise();
  }
}

/** A note with one line of each key that is known to have signed it, and each other line once: whoever passes it on can repeat lines, and each takes the room of another. */
function withoutRepeats(note: Uint8Array, { signers, lines }: OpenedCheckpoint): Uint8Array {
  const { text, signatures } = parseNote(note);
  const bySigners = new Set(lines.map(encodeSignatureLine));
  const kept = new Map<string, NoteSignature>();
  for (const line of signatures) {
    const encoded = encodeSignatureLine(line);
    const isBySigner = signers.some(({ name, keyId }) => line.name === name && line.keyId === keyId);
    if (!isBySigner || bySigners.has(encoded)) kept.set(encoded, line);
  }
  return kept.size === signatures.length ? note : encodeNote({ text, signatures: [...kept.values()] });
}
