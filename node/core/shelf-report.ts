/** What a node says of the logs that it holds. */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Followed, standingForksOf } from '../sync/followed.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type NodeStatus } from './node-status.ts';
import { OwnLog } from './own-log.ts';

export type ShelfReport = Pick<NodeStatus, 'sizes' | 'behind' | 'closed' | 'forked' | 'disowned' | 'left'>;

export interface ShelfReportModules {
  readonly home: TrustKeeper;
  readonly keepers: Iterable<TrustKeeper>;
  /** By origin. */
  readonly logs: ReadonlyMap<string, Followed>;
  /** By origin, why others' logs are not followed that cannot be opened. */
  readonly unopened: ReadonlyMap<string, string>;
}

/** How many entries each log has, which own ones once had more, or have another tree that was left, why those cannot be used that cannot, and of which there are proofs of forks. */
export function shelfReport({ home, keepers, logs, unopened }: ShelfReportModules): ShelfReport {
  const sizes: Record<string, number> = {};
  const behind: Record<string, number> = {};
  const closed: Record<string, string> = Object.fromEntries(unopened);
  const forked: string[] = [];
  const disowned: string[] = [];
  const left: NodeStatus['left'][number][] = [];
  for (const [origin, log] of logs) {
    const { tree, forks } = log;
    if (standingForksOf(log).length > 0) forked.push(origin);
    else if (forks.length > 0) disowned.push(origin);
    if (tree.trouble === undefined) {
      sizes[origin] = tree.size;
      if (log instanceof OwnLog && log.waiting !== undefined) behind[origin] = log.waiting;
    } else closed[origin] = tree.trouble.message;
    if (log instanceof OwnLog && log.left !== undefined) left.push(log.left);
  }
  for (const { region, origin, damage, state } of keepers) {
    if (damage !== undefined) closed[origin] ??= damage.message;
    const recognised = home.state.recognition(region);
    if (recognised === undefined || recognised.standing === 'withdrawn' || !state.fingerprint) continue;
    if (!equalBytes(recognised.fingerprint, state.fingerprint))
      closed[origin] ??= 'recognised under another root by now: start the node again, and it follows that';
  }
  return { sizes, behind, closed, forked, disowned, left };
}
