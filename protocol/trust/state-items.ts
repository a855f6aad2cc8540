/** A trust state as a list of items that a Merkle root commits to. Spec: SPEC.md 8.4. */
import { asciiBytes, compareBytes, concatBytes } from '../bytes.ts';
import { encodeCbor } from '../encoding/cbor.ts';
import { Frontier } from '../log/frontier.ts';
import { leafHash } from '../log/merkle.ts';
import { type Sha256 } from '../primitives.ts';
import { type StateDraft } from './state-draft.ts';

export const ITEM_STATEMENT = 0;
export const ITEM_COUNTERS = 1;
export const ITEM_BLOCK = 2;
/** How many elements an item has, by its type. */
export const ITEM_LENGTHS = [3, 5, 4] as const;

const ITEM_LABEL = asciiBytes('entente/state/v1\n');

export interface StateCommitment {
  /** Strictly ascending bytewise. */
  readonly items: readonly Uint8Array[];
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** The items of a state and the root over them. To be what a `state` statement names, the state must have been pruned. */
export function commitmentTo(sha256: Sha256, draft: StateDraft): StateCommitment {
  const items = stateItems(draft);
  const tree = Frontier.empty(sha256);
  for (const item of items) tree.append(leafHash(sha256, concatBytes(ITEM_LABEL, item)));
  return { items, root: tree.root() };
}

function stateItems(draft: StateDraft): Uint8Array[] {
  const { hourCount, lastAtS, reach } = draft;
  const items = [encodeCbor([ITEM_COUNTERS, hourCount.hour, hourCount.count, lastAtS, reach])];
  for (const [, { index, entry }] of draft.slots()) {
    items.push(encodeCbor([ITEM_STATEMENT, index, entry.bytes]));
  }
  for (const [log, revoked] of draft.revocations()) {
    for (const { number, bytes } of revoked.blocks())
      items.push(encodeCbor([ITEM_BLOCK, log, number, bytes]));
  }
  return items.sort(compareBytes);
}
