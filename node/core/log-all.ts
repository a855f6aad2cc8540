/** Logging entries that belong together, all or none of them. */
import { NodeError } from '../node-error.ts';
import { type RegionNode } from './region-node.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type Fence, soundOut } from './fencing.ts';
import { givesUpCheckpoints } from './naming.ts';
import { type Signing } from './signing.ts';

export interface LogAllModules {
  readonly home: TrustKeeper;
  readonly signing: Pick<Signing, 'state' | 'side' | 'heal'>;
  readonly fence: Fence | undefined;
  readonly node: Pick<RegionNode, 'submit' | 'tend'>;
}

/** As `RegionNode.logEntries`. */
export async function logAll(
  entries: readonly Uint8Array[],
  { home, signing, fence, node }: LogAllModules,
): Promise<number> {
  const isFencedOff = fence !== undefined && signing.side === undefined;
  if (signing.state === 'contradicted' || (isFencedOff && givesUpCheckpoints(home, entries)))
    return signing.heal(entries);
  await requireEffect(home, entries);
  if (signing.side !== undefined) {
    await soundOut(home, fence?.writership, entries);
    // By the key that is given up nobody but a thief has anything permitted from here on.
    if (givesUpCheckpoints(home, entries)) await fence?.giving.show(entries);
  }
  // All are offered in the same turn, so that they share a batch; the first that is refused is the answer.
  const logging = await Promise.allSettled(entries.map((entry) => node.submit({ entry })));
  const indexes = logging.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.index;
  });
  // A key that signs checkpoints may be another one now.
  await node.tend();
  return Math.min(...indexes);
}

/** Entry by entry they are looked at when they are about to be logged: then those before one that is refused are logged already, and what stands behind a compromise is not always looked at. */
async function requireEffect({ fold }: TrustKeeper, entries: readonly Uint8Array[]): Promise<void> {
  const finding = await fold.firstFindingOf(entries);
  if (finding !== undefined)
    throw new NodeError('REFUSED', `entry ${finding.index} would have no effect: ${finding.reason}`);
}
