/** What tells that a region has signed two logs, and what is held of it then. Spec: SPEC.md 9 and 10. */
import { ProtocolError } from '../fault.ts';
import { TRUST_KEPT_S } from '../limits.ts';
import { RevocationSet } from '../revocation/revocation-set.ts';
import { type Sha256 } from '../primitives.ts';
import { type TrustKey, type TrustState } from '../trust/trust-state.ts';
import { type RegionKnowledge, Trust } from '../verdict/knowledge.ts';
import { type Holdings } from './apply.ts';
import { besideWith } from './beside.ts';

/** What is proven of a region: that it has signed two logs, of which neither is part of the other. */
export interface ForkedRegion {
  readonly region: string;
  /** The folds of those that are known and are not the one that is held. */
  readonly others: readonly TrustState[];
}

/**
 * The holdings once the caller has proven that a region has signed two logs that contradict each other: marked so, and what any that is
 * known revokes counts. Without an effect where nothing is held of the region.
 */
export function contradicted(
  { trust, ...rest }: Holdings,
  { region, others }: ForkedRegion,
  modules: { readonly sha256: Sha256 },
): Holdings {
  const regions = [...trust.regions.values()].map((knowledge): RegionKnowledge => {
    if (knowledge.state.region !== region) return knowledge;
    const standing = knowledge.standing === 'quarantined' ? 'quarantined' : 'forked';
    const marked: RegionKnowledge = { ...knowledge, standing };
    return others.reduce((before, other) => ({ ...before, ...besideWith(before, other) }), marked);
  });
  const { home, network, policy } = trust;
  return { trust: new Trust({ home, network, policy, regions }, modules), ...rest };
}

/** The fault of a part that begins behind a gap and has lost a revocation that is held, though no key was given up with it. */
export function lossOver(before: TrustState, after: TrustState): ProtocolError | undefined {
  if (hasGivenUpMore(before, after)) return undefined;
  for (const [log, revoked] of before.revocations()) {
    const still = after.revoked(log) ?? RevocationSet.empty;
    if (after.log(log) === undefined || still.union(revoked).equals(still)) continue;
    return new ProtocolError('FORK', `what is held revokes more of log ${log}, and no key was given up`);
  }
  return undefined;
}

/** Whether a state names a trust-log key as compromised that an earlier one does not, or may have forgotten that it did. */
function hasGivenUpMore(before: TrustState, after: TrustState): boolean {
  const isGivenUp = ({ keyId, compromise }: TrustKey) =>
    compromise !== undefined && before.key(keyId)?.compromise === undefined;
  const isForgotten = ({ untilS, retirement }: TrustKey) =>
    (retirement?.announcedUntilS ?? untilS) + TRUST_KEPT_S < after.lastAtS;
  return (
    after.keysWithRole('trust-log').some(isGivenUp) || before.keysWithRole('trust-log').some(isForgotten)
  );
}
