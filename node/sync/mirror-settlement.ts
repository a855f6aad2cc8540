/**
 * Going over from a tree of an attestation log that a thief signed to the one that the root has named: by a cut-off for that log of a checkpoint
 * key that it gave up. Nothing but the region's trust log says so. Spec: SPEC.md 8.5.
 */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { encodeCbor } from '../../protocol/encoding/cbor.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { type OpenedCheckpoint, openCheckpoint, readNote } from '../../protocol/log/checkpoint.ts';
import { leafHash, verifyConsistency } from '../../protocol/log/merkle.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type CutOff, type TrustState } from '../../protocol/trust/trust-state.ts';
import { ForkProver } from '../log/fork-prover.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Claim, type Piece } from '../log/replica.ts';
import { type Change } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { notesBeyond, signersOf } from '../trust/branch-weighing.ts';
import { BRANCH_PREFIX } from '../trust/left-branches.ts';
import { logVerifierKeys } from '../trust/log-keys.ts';
import { type TreeOffer } from './followed.ts';

export interface MirrorSettlementModules extends Primitives {
  readonly tree: LogTree;
  readonly store: Store;
  /** What the trust log of the region says. */
  readonly state: () => TrustState;
  /** Keeps a proof that the log forked. */
  readonly keepProof: (evidence: ForkEvidence | undefined) => Promise<void>;
}

/** Of the entries that are left so many bytes are kept, the first ones. */
const LEFT_BYTES_MAX = 1 << 24;
/** Bytes of entries in one write. */
const STEP_BYTES = 1 << 20;

export class MirrorSettlement {
  readonly #modules: MirrorSettlementModules;

  constructor(modules: MirrorSettlementModules) {
    this.#modules = modules;
  }

  /** The cut-offs that may name another tree than the one that is held: one is enough. Nothing of them is known to be anywhere. */
  cutOffs(): CutOff[] {
    const { tree } = this.#modules;
    return this.#cutOffsOf(notesBeyond(tree, 0, tree.shortfall).flatMap((note) => this.#signersOf(note)));
  }

  /**
   * Puts the beginning of another tree in the place of what is held, if the root has named it; the rest is fetched as of any copy. What is left is kept.
   * @throws {ProtocolError} PROOF_INVALID for a proof or entries that do not lead to the note; ORIGIN_INVALID; what `openCheckpoint` throws, by the keys
   * that the region has not given up. @throws {NodeError} as `LogTree.replace`: repeat the call.
   */
  settle({ piece, cutOff }: TreeOffer): Promise<boolean> {
    const { tree } = this.#modules;
    return tree.inTurn(async () => {
      await tree.settled();
      const checkpoint = await this.#open(piece, cutOff);
      if (!(await this.#partsAt(piece)) || !(await this.#isNamed(piece.from, cutOff))) return false;
      const { note, from, entries, path = [] } = piece;
      await this.#modules.keepProof(await this.#evidence(checkpoint, piece, cutOff));
      await this.#keepLeft(from);
      const { size, root } = checkpoint;
      const isWhole = from + entries.length === size;
      const end = isWhole ? { signed: { size, root, note } } : { ahead: { note, path } };
      try {
        await tree.replace({ from, entries }, end, []);
      } catch (error) {
        await tree.reload();
        if (tree.size !== from + entries.length || (await this.#partsAt(piece))) throw error;
      }
      if (isWhole) await tree.raise();
      return true;
    });
  }

  /** Checks that the note is on a tree that goes on with the entries and has what the cut-off says. */
  async #open({ note, from, entries, path = [] }: Piece, cutOff: Claim): Promise<OpenedCheckpoint> {
    const { tree, state, sha256, verifySignature } = this.#modules;
    const checkpoint = openCheckpoint(note, logVerifierKeys(sha256, state(), tree.origin), verifySignature);
    const { origin, size: newSize, root: newRoot, text } = checkpoint;
    if (origin !== tree.origin)
      throw new ProtocolError('ORIGIN_INVALID', `expected a note of ${tree.origin}`);
    if (readNote(cutOff.note).note.text !== text)
      throw new ProtocolError('PROOF_INVALID', 'expected entries and cut-off under one note');
    const end = from + entries.length;
    if (entries.length === 0 || end > newSize || from >= tree.size || from < tree.head.minimum)
      throw new ProtocolError('SIZE_INVALID', 'expected entries from where the trees part', { from, end });
    const frontier = await tree.reader.frontierAt(from);
    for (const entry of entries) frontier.append(leafHash(sha256, entry));
    const parts = [
      { oldSize: cutOff.size, oldRoot: cutOff.root, path: cutOff.path },
      { oldSize: end, oldRoot: frontier.root(), path },
    ];
    for (const part of parts) verifyConsistency(sha256, { ...part, newSize, newRoot });
    return checkpoint;
  }

  async #partsAt({ from, entries }: Piece): Promise<boolean> {
    const { tree, sha256 } = this.#modules;
    const [first] = entries;
    const [held] = await tree.reader.leafHashes(from, from + 1);
    return first !== undefined && held !== undefined && !equalBytes(held, leafHash(sha256, first));
  }

  /** Every key behind what is held from there on is given up, one of them with this cut-off, and none with one that names what is held. */
  async #isNamed(from: number, { size, root }: Claim): Promise<boolean> {
    const { tree, state } = this.#modules;
    const notes = notesBeyond(tree, from, tree.shortfall);
    const words = notes.map((note) => this.#signersOf(note));
    const isGivenUp = (keyId: string) => state().key(keyId)?.compromise !== undefined;
    if (words.length === 0 || !words.every((word) => word.length > 0 && word.every(isGivenUp))) return false;
    if (
      size <= from ||
      !this.#cutOffsOf(words.flat()).some((one) => one.size === size && equalBytes(one.root, root))
    )
      return false;
    const keyIds = state()
      .keysWithRole('checkpoint')
      .map(({ keyId }) => keyId);
    for (const one of this.#cutOffsOf(keyIds)) {
      if (one.size <= from || one.size > tree.size) continue;
      if (equalBytes(await tree.reader.rootAt(one.size), one.root)) return false;
    }
    return true;
  }

  #signersOf(note: Uint8Array): string[] {
    return signersOf(note, [this.#modules.state()], this.#modules);
  }

  /** Those for this log, of the keys that are given up. */
  #cutOffsOf(keyIds: readonly string[]): CutOff[] {
    const { kind, ...origin } = parseOrigin(this.#modules.tree.origin);
    if (kind !== 'attest' || !('log' in origin)) return [];
    return keyIds.flatMap(
      (keyId) => this.#modules.state().key(keyId)?.compromise?.cutOffs.get(origin.log) ?? [],
    );
  }

  async #evidence(
    checkpoint: OpenedCheckpoint,
    { note, from, entries, path = [] }: Piece,
    { size, root, path: cutOffPath }: Claim,
  ): Promise<ForkEvidence | undefined> {
    const { tree, sha256 } = this.#modules;
    const prover = new ForkProver(this.#modules);
    if (size <= tree.size) return prover.against({ note, root, path: cutOffPath }, size);
    const leafHashes = entries.map((entry) => leafHash(sha256, entry));
    const end = from + entries.length;
    if (end > tree.size && end < checkpoint.size) return undefined;
    return prover.againstTree(
      { note, size: checkpoint.size, from, leafHashes, path },
      Math.min(tree.size, end),
    );
  }

  /** Repeated after an interruption. Rejects as `Store.write` and as reading the log. */
  async #keepLeft(from: number): Promise<void> {
    const { tree, store } = this.#modules;
    const prefix = `${BRANCH_PREFIX}/${tree.origin}/${hexOf(tree.head.root).slice(0, 32)}`;
    let step: Change[] = [
      { put: prefix, value: encodeCbor([1, from, tree.size, tree.head.signed?.note ?? new Uint8Array()]) },
    ];
    let index = from;
    let [bytes, bytesOfStep] = [0, 0];
    for await (const entry of tree.reader.entries(from, tree.size)) {
      bytes += entry.length;
      if (bytes > LEFT_BYTES_MAX) break;
      step.push({ put: `${prefix}/${String(index++).padStart(16, '0')}`, value: encodeCbor([entry, '']) });
      bytesOfStep += entry.length;
      if (bytesOfStep < STEP_BYTES) continue;
      await store.write(step);
      [step, bytesOfStep] = [[], 0];
    }
    if (step.length > 0) await store.write(step);
  }
}
