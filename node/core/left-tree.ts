/**
 * A tree of an own attestation log that this node does not have, signed by a key that the region's root has given up, and beyond its cut-offs or beside the
 * log: what a witness cosigned before, and has left since. Whoever has stolen the key has used it. Of each log the first that is shown is kept, so that a thief
 * cannot have more written. Row, in the form of `node/witness/left-mark.ts`:
 *
 *   own-left/<origin>     [1, size, root, note]
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { openRead, readNote, type ReadNote } from '../../protocol/log/checkpoint.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type LogTree } from '../log/log-tree.ts';
import { isNodeError } from '../node-error.ts';
import { type HighWater } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { isCutOff, namedSize } from '../trust/cut-offs.ts';
import { allVerifierKeys, logVerifierKeys } from '../trust/log-keys.ts';
import { encodeLeft, readLeft } from '../witness/left-mark.ts';

export interface LeftTreeModules extends Primitives {
  readonly store: Store;
  readonly tree: LogTree;
  /** What the region's own trust log says, once it is open. */
  readonly state: () => TrustState | undefined;
}

/** `isLarger`: than the log is here; else it is another of no more entries. */
export interface LeftReport {
  readonly origin: string;
  readonly size: number;
  /** That signed it, ascending. */
  readonly keyIds: readonly string[];
  readonly isLarger: boolean;
}

interface Kept extends HighWater {
  /** Whether the log is as long by now, and another tree. */
  readonly isBeside: boolean;
}

export class LeftTree {
  readonly #modules: LeftTreeModules;
  #kept: Kept | undefined;
  /** The text of the last checkpoint that was found to be one of the log as it is here. */
  #ours: string | undefined;

  private constructor(modules: LeftTreeModules, kept: HighWater | undefined) {
    this.#modules = modules;
    this.#kept = kept && { ...kept, isBeside: false };
  }

  /** What is damaged is forgotten: a witness that still has it says it again. Rejects as `get`. */
  static async open(modules: LeftTreeModules): Promise<LeftTree> {
    const { tree, store } = modules;
    const left = new LeftTree(modules, await readLeft(tree.origin, store, keptKey(tree.origin)));
    await left.#settle().catch((error: unknown) => {
      // What is wrong with the log tells of itself.
      if (!isNodeError(error)) throw error;
    });
    return left;
  }

  /** Undefined also while the log here has become as long, until it is known whether it is another tree. */
  get report(): LeftReport | undefined {
    const kept = this.#kept;
    const { origin, size } = this.#modules.tree;
    if (kept === undefined || (kept.size <= size && !kept.isBeside)) return undefined;
    const keyIds = this.#signersOf(kept.note);
    return { origin, size: kept.size, keyIds, isLarger: kept.size > size };
  }

  /** How many entries of the log the root has signed, by a cut-off. */
  get named(): number {
    const now = this.#modules.state();
    return now === undefined ? 0 : namedSize(now, this.#modules.tree.origin);
  }

  /**
   * Whether keys alone that were given up have signed a note, and the root has not signed the very tree besides, by a cut-off, that is still missing here. Then
   * the note is kept if it is on a tree that is not here; one on a tree that may lead to a cut-off is not, since nobody can tell yet. Rejects as reading the
   * log, and as `write`.
   */
  async heed(note: Uint8Array, read: ReadNote): Promise<boolean> {
    await this.#settle();
    const now = this.#modules.state();
    if (now === undefined || !this.#isByGivenUp(read, now)) return false;
    const { size, root } = read.checkpoint;
    const { text } = read.note;
    const { tree, store } = this.#modules;
    if (size > tree.size && this.named >= size) return !isCutOff(now, read.checkpoint);
    if (this.#kept !== undefined || size <= tree.head.minimum || text === this.#ours) return true;
    const isLarger = size > tree.size;
    if (!isLarger && (await this.#isHere({ size, root }))) this.#ours = text;
    else {
      // Said once, whatever becomes of the write: the witness says it again after a start.
      this.#kept = { size, root, note: note.slice(), isBeside: !isLarger };
      await store.write([{ put: this.#key, value: encodeLeft({ size, root, note }) }]);
    }
    return true;
  }

  /** Where the log has become as long as what is kept: forgets that if it is the same tree after all. Of what is pruned nobody can tell. */
  async #settle(): Promise<void> {
    const kept = this.#kept;
    const { tree } = this.#modules;
    if (kept === undefined || kept.isBeside) return;
    if (kept.size > tree.size || kept.size <= tree.head.minimum) return;
    if (!(await this.#isHere(kept))) {
      this.#kept = { ...kept, isBeside: true };
      return;
    }
    this.#kept = undefined;
    await this.#modules.store.write([{ del: this.#key }]);
  }

  async #isHere({ size, root }: Pick<HighWater, 'size' | 'root'>): Promise<boolean> {
    return equalBytes(await this.#modules.tree.reader.rootAt(size), root);
  }

  #isByGivenUp(read: ReadNote, now: TrustState): boolean {
    const { sha256, verifySignature, tree } = this.#modules;
    const { origin } = tree;
    if (read.checkpoint.origin !== origin) return false;
    const inForce = logVerifierKeys(sha256, now, origin);
    if (inForce.length === now.keysWithRole('checkpoint').length) return false;
    const isInForce = inForce.some(({ keyId }) =>
      read.note.signatures.some((line) => line.name === origin && line.keyId === keyId),
    );
    // Whoever holds both keys is the region.
    if (isInForce) return false;
    return signersOf(read, allVerifierKeys(sha256, now, origin), verifySignature).length > 0;
  }

  #signersOf(note: Uint8Array): string[] {
    const { sha256, verifySignature, tree, state } = this.#modules;
    const now = state();
    if (now === undefined) return [];
    const signers = signersOf(readNote(note), allVerifierKeys(sha256, now, tree.origin), verifySignature);
    return signers.map(({ publicKey }) => keyIdOf(sha256, publicKey)).sort();
  }

  get #key(): string {
    return keptKey(this.#modules.tree.origin);
  }
}

function keptKey(origin: string): string {
  return `own-left/${origin}`;
}

/** None of a note that is not good. */
function signersOf(
  read: ReadNote,
  keys: readonly VerifierKey[],
  verifySignature: Primitives['verifySignature'],
): readonly VerifierKey[] {
  try {
    return openRead(read, keys, verifySignature).signers;
  } catch (error) {
    if (isProtocolError(error)) return [];
    throw error;
  }
}
