/** Logging entries that belong together, all or none of them. */
import { type Receipt } from '../log/log-work.ts';
import { type TrustLogItem } from '../log/trust-log-work.ts';
import { NodeError } from '../node-error.ts';
import { type RegionNode } from './region-node.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Fence, soundOut } from './fencing.ts';
import { type LogShelf } from './log-shelf.ts';
import { lackingBy, leaveLacking } from './named-trees.ts';
import { checkpointsGivenUp } from './naming.ts';
import { HELD_UP } from './node-status.ts';
import { type Signing } from './signing.ts';

export interface LogAllModules {
  readonly shelf: Pick<LogShelf, 'home' | 'ownLogs'>;
  readonly signing: Pick<Signing, 'state' | 'side' | 'heal' | 'completed'>;
  readonly fence: Fence | undefined;
  readonly node: Pick<RegionNode, 'submit' | 'tend'>;
}

/** As `RegionNode.logEntries`. */
export async function logAll(
  entries: readonly Uint8Array[],
  { shelf, signing, fence, node }: LogAllModules,
): Promise<number> {
  const { home } = shelf;
  const isGivingUp = checkpointsGivenUp(home, entries).length > 0;
  const isHeldUp = HELD_UP.includes(signing.state) || (fence !== undefined && signing.side === undefined);
  if (signing.state === 'contradicted' || (isHeldUp && isGivingUp)) return signing.heal(entries);
  const all = isGivingUp ? await signing.completed(entries) : entries;
  await requireEffect(home, all);
  await lackingBy(shelf, entries);
  if (signing.side !== undefined) await soundOut(home, fence?.writership, entries);
  if (signing.side !== undefined) await leaveLacking(shelf, entries, signing.side);
  const log = () => logTogether(all, (item) => node.submit(item));
  // By the key that is given up nobody but a thief has anything permitted from here on.
  const isShown = signing.side !== undefined && isGivingUp;
  const index = await (fence !== undefined && isShown ? fence.giving.order(all, log) : log());
  // A key that signs checkpoints may be another one now.
  await node.tend();
  return index + all.indexOf(entries[0] as Uint8Array);
}

/** All are offered in the same turn, so that they share a batch; the first that is refused is the answer. Gives the least index. Rejects as `submit`. */
export async function logTogether(
  entries: readonly Uint8Array[],
  submit: (item: TrustLogItem) => Promise<Receipt>,
): Promise<number> {
  const logging = await Promise.allSettled(entries.map((entry) => submit({ entry })));
  const indexes = logging.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.index;
  });
  return Math.min(...indexes);
}

/** Entry by entry they are looked at when they are about to be logged: then those before one that is refused are logged already, and what stands behind a compromise is not always looked at. */
async function requireEffect({ fold }: TrustKeeper, entries: readonly Uint8Array[]): Promise<void> {
  const finding = await fold.firstFindingOf(entries);
  if (finding !== undefined)
    throw new NodeError('REFUSED', `entry ${finding.index} would have no effect: ${finding.reason}`);
}
