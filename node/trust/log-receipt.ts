/** What whoever had something logged is told of it: that it stands under a signed checkpoint, and who has vouched for that by now. Spec: SPEC.md 9. */
import { assess } from '../../protocol/verdict/ages.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { type WitnessCount } from '../../protocol/verdict/verdict.ts';
import { type LogTree } from '../log/log-tree.ts';
import { knowledgeOf } from './held-state.ts';
import { type TrustKeeper } from './trust-keeper.ts';

export interface LogReceipt {
  readonly sequenced: {
    readonly origin: string;
    /** Entries under the newest signed checkpoint, those that were asked about among them. */
    readonly size: number;
    /** When the last of these was logged, in seconds since 1970. */
    readonly atS: number;
  };
  /** Regions that are known to have cosigned a checkpoint with them; absent of attestation logs, of which each witness keeps what it cosigned. */
  readonly witnessed?: WitnessCount & {
    readonly isQuorum: boolean;
    /** Seconds since a quorum last did. */
    readonly ageS?: number;
  };
}

export interface LogReceiptModules {
  readonly tree: LogTree;
  /** The home's trust log, by which witnesses are counted. */
  readonly home: Pick<TrustKeeper, 'origin' | 'published' | 'pending'>;
  readonly trust: Trust;
  readonly nowS: number;
}

/** Of an own log up to `size` entries, by default all that are signed; undefined where no signed checkpoint has so many. */
export function receiptOf(
  size: number | undefined,
  { tree, home, trust, nowS }: LogReceiptModules,
): LogReceipt | undefined {
  const { signed, atS } = tree.head;
  if (signed === undefined || signed.size < (size ?? 1)) return undefined;
  const sequenced = { origin: tree.origin, size: signed.size, atS };
  if (tree.origin !== home.origin) return { sequenced };
  const held = [home.published, ...home.pending].filter((one) => one !== undefined);
  const all = held.map((one) => ({ one, ...assess(trust, knowledgeOf(one, 'good'), nowS) }));
  const { needed = 0, of = 0 } = all.at(-1)?.witnesses ?? {};
  const vouched = all
    .filter(({ one }) => one.checkpoint.size >= (size ?? signed.size))
    .reduce<(typeof all)[0] | undefined>(
      (best, one) => (best && best.witnesses.counted >= one.witnesses.counted ? best : one),
      undefined,
    );
  const counted = vouched?.witnesses.counted ?? 0;
  const isQuorum = needed > 0 && counted >= needed;
  const ageS = isQuorum ? Math.max(0, nowS - (vouched?.knowledgeAtS ?? nowS)) : undefined;
  return { sequenced, witnessed: { counted, needed, of, isQuorum, ...(ageS !== undefined && { ageS }) } };
}
