/** Whether a statement would have an effect where it is about to be logged: asked before anything of it is durable. */
import { type TrustFold } from '../../protocol/trust/fold.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type Finding } from '../../protocol/trust/trust-state.ts';
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
   * Behind an entry that only the fold can check: the fold with what followed it, and with nothing in its place. What the root signs is taken there
   * whatever it may contradict, or of what belongs together half would be logged; what other keys sign may be void.
   */
  #blind: TrustFold | undefined;

  constructor({ fold }: { readonly fold: Pick<RegionFold, 'size' | 'fork'> }) {
    this.#fold = fold;
  }

  /**
   * Takes the entry that is to stand at `index`. Called in order within a batch.
   * @throws {NodeError} REFUSED if it would have no effect; LOG_BUSY while the entries before it are not folded yet.
   */
  take(entry: Uint8Array, index: number): void {
    if (this.#fold.size === index) this.#blind = undefined;
    else if (this.#blind?.size === index && isOfRoot(this.#blind, entry))
      return this.#passOver(this.#blind, entry);
    const trial = this.#trialAt(index);
    let finding;
    try {
      finding = trial.fold.append(entry);
    } catch (error) {
      if (!isProtocolError(error, 'HISTORY_NEEDED')) throw error;
      // Such a compromise is checked when it is folded; the root has signed it, and nothing but the fold can tell.
      this.#trial = undefined;
      return this.#passOver(trial.fold, entry);
    }
    if (finding === undefined) {
      trial.entries.push(entry);
      return;
    }
    this.#restore(trial);
    throw refused(finding);
  }

  /** Takes an entry of the root for what it says of roots and keys. @throws {NodeError} REFUSED if it is none, whatever stands before it. */
  #passOver(fold: TrustFold, entry: Uint8Array): void {
    const next = fold.fork();
    const finding = appended(next, entry);
    if (finding !== undefined && finding.code !== 'STATEMENT_CONFLICT') throw refused(finding);
    this.#blind = next;
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

/** Whether keys of the root in force, and no others, are named as signers. A further root names its own too. */
function isOfRoot({ state }: TrustFold, entry: Uint8Array): boolean {
  const { statement, signatures } = parseEntry(entry);
  const keyIds = state.root?.keys.map(({ keyId }) => keyId) ?? [];
  return statement.kind === 'root' || signatures.every(({ keyId }) => keyIds.includes(keyId));
}

/** Appends an entry, or one without effect in the place of a compromise that cannot be checked. Gives what is wrong with it. */
function appended(fold: TrustFold, entry: Uint8Array): Finding | undefined {
  try {
    return fold.append(entry);
  } catch (error) {
    if (!isProtocolError(error, 'HISTORY_NEEDED')) throw error;
    fold.append(new Uint8Array());
    return undefined;
  }
}

function refused({ reason }: Finding): NodeError {
  return new NodeError('REFUSED', `the statement would have no effect: ${reason}`);
}
