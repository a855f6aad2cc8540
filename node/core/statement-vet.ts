/** Whether a statement would have an effect where it is about to be logged: asked before anything of it is durable. */
import { type TrustFold } from '../../protocol/trust/fold.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { logError } from '../log/log-error.ts';
import { NodeError } from '../node-error.ts';
import { type RegionFold } from '../trust/region-fold.ts';

interface Trial {
  readonly fold: TrustFold;
  readonly from: number;
  readonly entries: Uint8Array[];
}

export class StatementVet {
  readonly #fold: RegionFold;
  /** The entries of the batch that is being prepared, and the fold with them. */
  #trial: Trial | undefined;
  /** Where the next entry stands behind one that only the fold can check: it goes unchecked too, or of what belongs together half would be logged. */
  #blindAt: number | undefined;

  constructor({ fold }: { readonly fold: RegionFold }) {
    this.#fold = fold;
  }

  /**
   * Takes the entry that is to stand at `index`. Called in order within a batch.
   * @throws {NodeError} REFUSED if it would have no effect; LOG_BUSY while the entries before it are not folded yet.
   */
  take(entry: Uint8Array, index: number): void {
    if (this.#fold.size === index) this.#blindAt = undefined;
    else if (this.#blindAt === index) {
      this.#blindAt = index + 1;
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
      this.#blindAt = index + 1;
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
