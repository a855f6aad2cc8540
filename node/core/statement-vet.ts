/** Whether a statement would have an effect where it is about to be logged: asked before anything of it is durable. */
import { type TrustFold } from '../../protocol/trust/fold.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type Root } from '../../protocol/trust/trust-state.ts';
import { logError } from '../log/log-error.ts';
import { NodeError } from '../node-error.ts';
import { type RegionFold } from '../trust/region-fold.ts';

interface Trial {
  readonly fold: TrustFold;
  readonly from: number;
  readonly entries: Uint8Array[];
}

export class StatementVet {
  readonly #fold: Pick<RegionFold, 'size' | 'fork'>;
  /** The entries of the batch that is being prepared, and the fold with them. */
  #trial: Trial | undefined;
  /**
   * Where the next entry stands behind one that only the fold can check, and the root before that. What the root alone signs goes unchecked
   * too, or of what belongs together half would be logged; what other keys sign may be void there.
   */
  #blind: { readonly at: number; readonly root: Root | undefined } | undefined;

  constructor({ fold }: { readonly fold: Pick<RegionFold, 'size' | 'fork'> }) {
    this.#fold = fold;
  }

  /**
   * Takes the entry that is to stand at `index`. Called in order within a batch.
   * @throws {NodeError} REFUSED if it would have no effect; LOG_BUSY while the entries before it are not folded yet.
   */
  take(entry: Uint8Array, index: number): void {
    if (this.#fold.size === index) this.#blind = undefined;
    else if (this.#blind?.at === index && isSignedBy(this.#blind.root, entry)) {
      this.#blind = { ...this.#blind, at: index + 1 };
      return;
    }
    const trial = this.#trialAt(index);
    let finding;
    try {
      finding = trial.fold.append(entry);
    } catch (error) {
      if (!isProtocolError(error, 'HISTORY_NEEDED')) throw error;
      // Such a compromise is checked when it is folded; the root has signed it, and nothing but the fold can tell.
      this.#trial = undefined;
      this.#blind = { at: index + 1, root: trial.fold.state.root };
      return;
    }
    if (finding === undefined) {
      trial.entries.push(entry);
      return;
    }
    this.#restore(trial);
    throw new NodeError('REFUSED', `the statement would have no effect: ${finding.reason}`);
  }

  #trialAt(index: number): Trial {
    if (this.#fold.size === index) this.#trial = { fold: this.#fold.fork(), from: index, entries: [] };
    else if (this.#trial?.fold.size !== index) {
      const message = `the trust log has ${index} entries, of which ${this.#fold.size} are folded yet`;
      throw logError('LOG_BUSY', message);
    }
    return this.#trial;
  }

  /** The trial without the entry that was refused; none if the fold has gone on meanwhile. */
  #restore({ from, entries }: Trial): void {
    this.#trial = undefined;
    if (this.#fold.size !== from) return;
    const fold = this.#fold.fork();
    for (const entry of entries) fold.append(entry);
    this.#trial = { fold, from, entries };
  }
}

/** Whether keys of the root, and no others, are named as signers. */
function isSignedBy(root: Root | undefined, entry: Uint8Array): boolean {
  const keyIds = root?.keys.map(({ keyId }) => keyId) ?? [];
  return parseEntry(entry).signatures.every(({ keyId }) => keyIds.includes(keyId));
}
