/** Logging entries that belong together, all or none of them. */
import { type RegionNode } from './region-node.ts';
import { type Signing } from './signing.ts';

/** As `RegionNode.logEntries`. */
export async function logAll(
  entries: readonly Uint8Array[],
  signing: Pick<Signing, 'state' | 'heal'>,
  node: Pick<RegionNode, 'submit' | 'tend'>,
): Promise<number> {
  if (signing.state === 'contradicted') return signing.heal(entries);
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
