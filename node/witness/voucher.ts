/** Cosigning the newest checkpoint of a trust log that is held here, the own one among them. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type ProtocolError } from '../../protocol/fault.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { LogView } from '../log/log-view.ts';
import { type HighWater } from '../ports.ts';
import { type Store } from '../store/store.ts';
import { isNodeError } from '../node-error.ts';
import { type HeldState } from '../trust/held-state.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Witness } from './witness.ts';

export interface VoucherModules extends Primitives {
  readonly witness: Witness;
  readonly store: Store;
  /** Told of errors of our own disk, clock and keys, and once in a row of each checkpoint that is unfit. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** What is vouched for: `held` is under the keeper's tree, and its `vetting` knows it. */
export type Vouchable = Pick<TrustKeeper, 'origin' | 'tree' | 'standingForks' | 'hasGivenUp'>;

export class Voucher {
  readonly #modules: VoucherModules;
  /** By origin, the text that was found unfit last. */
  readonly #unfit = new Map<string, string>();

  constructor(modules: VoucherModules) {
    this.#modules = modules;
  }

  /**
   * The line of this region's witness for a checkpoint, durable before it is given. Undefined where it does not vouch: the log has
   * forked, the checkpoint is unfit or older than what it saw, or a key, the clock or the disk is not as it should be.
   */
  async line(
    keeper: Vouchable,
    { checkpoint: { size }, pool }: Pick<HeldState, 'checkpoint' | 'pool'>,
  ): Promise<NoteSignature | undefined> {
    const { origin, tree, standingForks } = keeper;
    if (standingForks.length > 0) return undefined;
    const { witness } = this.#modules;
    try {
      const again = await witness.again({ origin, text: pool.text });
      if (again !== undefined) return again;
      const oldSize = (await this.#lastSeen(keeper))?.size ?? 0;
      if (oldSize > size) return undefined;
      const isGrown = oldSize > 0 && oldSize < size;
      const view = new LogView(tree, this.#modules);
      const path = isGrown ? await view.consistencyProof({ oldSize, newSize: size }) : [];
      const answer = await witness.add({ oldSize, path, note: pool.ownNote });
      if (answer.cosigns) return answer.line;
      if (answer.refusal === 'unfit' || answer.refusal === 'malformed')
        this.#report(origin, pool.text, answer.fault);
    } catch (error) {
      if (!isNodeError(error)) throw error;
      this.#modules.onTrouble?.(error);
    }
    return undefined;
  }

  /** Vouches for the newest checkpoint of a log, as far as that is possible. */
  async vouch(keeper: TrustKeeper): Promise<void> {
    const { latest } = keeper;
    if (latest === undefined) return;
    const line = await this.line(keeper, latest);
    if (line !== undefined) keeper.vouch(latest.pool.text, line);
  }

  /** What the witness saw last, and the root has not given up since. */
  async #lastSeen(keeper: Vouchable): Promise<HighWater | undefined> {
    const { witness, store } = this.#modules;
    const { origin } = keeper;
    const seen = await witness.lastSeen(origin);
    if (seen === undefined || !(await keeper.hasGivenUp(seen))) return seen;
    const isIt = ({ size, root }: HighWater) =>
      Promise.resolve(size === seen.size && equalBytes(root, seen.root));
    await witness.leave(origin, isIt, (changes) => store.write(changes));
    return witness.lastSeen(origin);
  }

  /** Once for each checkpoint: somebody has to ask the region what happened. */
  #report(origin: string, text: string, fault: ProtocolError | undefined): void {
    if (this.#unfit.get(origin) === text) return;
    this.#unfit.set(origin, text);
    this.#modules.onTrouble?.(fault);
  }
}
