/** What is told of things that were logged in the own logs: where they stand, and who vouches for that by now. */
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type Clock } from '../ports.ts';
import { entryReceiptOf, type LogReceipt, type LogReceiptModules, receiptOf } from '../trust/log-receipt.ts';
import { type TrustBoard } from '../trust/trust-board.ts';
import { type CosignedLogs } from '../witness/cosigned-logs.ts';
import { type LogShelf } from './log-shelf.ts';

export interface ReceiptsModules extends Pick<Trust, 'sha256'> {
  readonly shelf: Pick<LogShelf, 'home' | 'ownLogs'>;
  readonly board: Pick<TrustBoard, 'trust'>;
  readonly cosigned: Pick<CosignedLogs, 'heldOf'>;
  readonly clock: Clock;
}

export class Receipts {
  readonly #modules: ReceiptsModules;

  constructor(modules: ReceiptsModules) {
    this.#modules = modules;
  }

  /** As `receiptOf` an own log; undefined for one that it has not. */
  of(origin: string, size?: number): LogReceipt | undefined {
    const known = this.#known(origin);
    return known && receiptOf(size, known);
  }

  /** As `entryReceiptOf` an own log; undefined for one that it has not. */
  async ofEntry(origin: string, index: number): Promise<LogReceipt | undefined> {
    const known = this.#known(origin);
    return known && entryReceiptOf(index, { ...known, sha256: this.#modules.sha256 });
  }

  #known(origin: string): LogReceiptModules | undefined {
    const { shelf, board, cosigned, clock } = this.#modules;
    const log = shelf.ownLogs.find((one) => one.origin === origin);
    if (log === undefined) return undefined;
    const { trust } = board;
    const home = trust.regions.get(trust.home);
    const isForked = (log.standingForks ?? []).length > 0;
    const { published, pending } = shelf.home;
    const held =
      origin === shelf.home.origin
        ? [published, ...pending].filter((one) => one !== undefined)
        : [...cosigned.heldOf(origin)]
            .reverse()
            .flatMap((one) => (home ? { ...one, state: home.state } : []));
    const standing = home?.standing ?? 'good';
    return {
      tree: log.tree,
      held,
      standing: standing === 'good' && isForked ? 'forked' : standing,
      trust,
      nowS: Math.floor(clock.nowMs() / 1000),
    };
  }
}
