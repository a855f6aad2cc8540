/** A region that has signed two logs, of which the holder of one has the other at hand. Spec: SPEC.md 9 and 10. */
import { RevocationSet } from '../revocation/revocation-set.ts';
import { type Sha256 } from '../primitives.ts';
import { type TrustState } from '../trust/trust-state.ts';
import { type RegionKnowledge, Trust } from '../verdict/knowledge.ts';
import { type Holdings } from './apply.ts';

/**
 * The holdings once it is proven that a region has signed a log that contradicts the one that is held of it, and whose fold is
 * `other`: marked so, and what either revokes counts. The caller has checked both signatures, and that neither log is part of the
 * other. Without an effect where nothing is held of the region.
 */
export function contradicted(
  { trust, logs }: Holdings,
  other: TrustState,
  modules: { readonly sha256: Sha256 },
): Holdings {
  const regions = [...trust.regions.values()].map((knowledge): RegionKnowledge => {
    if (knowledge.state.region !== other.region) return knowledge;
    const standing = knowledge.standing === 'quarantined' ? 'quarantined' : 'forked';
    return { ...knowledge, standing, revokedBeside: revokedBesideBy(knowledge, other) };
  });
  return { trust: new Trust({ home: trust.home, network: trust.network, regions }, modules), logs };
}

/** What counts as revoked beside a region's log, with what another state of it revokes. */
export function revokedBesideBy(
  { revokedBeside }: Pick<RegionKnowledge, 'revokedBeside'>,
  state: TrustState,
): ReadonlyMap<string, RevocationSet> {
  const all = new Map(revokedBeside);
  for (const [log, revoked] of state.revocations()) {
    all.set(log, (all.get(log) ?? RevocationSet.empty).union(revoked));
  }
  return all;
}
