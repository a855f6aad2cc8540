/** What whoever had something logged is told of it: that it stands under a signed checkpoint, and who has vouched for that by now. Spec: SPEC.md 9. */
import { type Assessment, assess } from '../../protocol/verdict/ages.ts';
import { type RegionKnowledge, type Trust } from '../../protocol/verdict/knowledge.ts';
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
    /** Whether so many have that verdicts go by it: false while there is a doubt, whatever was counted. */
    readonly isQuorum: boolean;
    /** Seconds since a quorum last did. */
    readonly ageS?: number;
    /** The reason (SPEC.md 11) for which verdicts do not go by it, whoever vouches. */
    readonly doubt?: Doubt;
  };
}

export type Doubt = 'FORKED' | 'QUARANTINED' | 'CHECKPOINT_KEY_UNFIT';

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
  // A fit key goes before a larger count: where the key is fit, a quorum vouches.
  const [vouched] = all
    .filter(({ one }) => one.checkpoint.size >= (size ?? signed.size))
    .sort(
      (a, b) =>
        Number(b.isCheckpointKeyFit) - Number(a.isCheckpointKeyFit) ||
        b.witnesses.counted - a.witnesses.counted,
    );
  const counted = vouched?.witnesses.counted ?? 0;
  const isCounted = needed > 0 && counted >= needed;
  const doubt = doubtOf(trust.regions.get(trust.home)?.standing, isCounted ? vouched : undefined);
  const isQuorum = isCounted && doubt === undefined;
  const ageS = isQuorum ? Math.max(0, nowS - (vouched?.knowledgeAtS ?? nowS)) : undefined;
  const witnessed = { counted, needed, of, isQuorum };
  return {
    sequenced,
    witnessed: { ...witnessed, ...(ageS !== undefined && { ageS }), ...(doubt !== undefined && { doubt }) },
  };
}

function doubtOf(
  standing: RegionKnowledge['standing'] | undefined,
  vouched: Pick<Assessment, 'isCheckpointKeyFit'> | undefined,
): Doubt | undefined {
  if (standing === 'forked') return 'FORKED';
  if (standing === 'quarantined') return 'QUARANTINED';
  return vouched?.isCheckpointKeyFit === false ? 'CHECKPOINT_KEY_UNFIT' : undefined;
}
