/** Revocations of parts that are not taken: they count at once, beside whatever is held of the region. Spec: SPEC.md 10. */
import { RevocationSet } from '../revocation/revocation-set.ts';
import { type TrustState } from '../trust/trust-state.ts';
import { type RegionKnowledge } from '../verdict/knowledge.ts';

/** By log, what is revoked beside a state, and how long the longest log was that it was seen in. */
export interface Beside {
  readonly revokedBeside: ReadonlyMap<string, RevocationSet>;
  readonly besideSize: number;
}

/** The same of a region of which no part was ever taken. */
export interface UnheldRegion extends Beside {
  /** Of the root under which the parts were read. */
  readonly fingerprint: Uint8Array;
}

/** With what another state of the region revokes. */
export function besideWith(
  before: Pick<RegionKnowledge, 'revokedBeside' | 'besideSize'>,
  state: TrustState,
): Beside {
  const revokedBeside = new Map(before.revokedBeside);
  for (const [log, revoked] of state.revocations()) {
    revokedBeside.set(log, (revokedBeside.get(log) ?? RevocationSet.empty).union(revoked));
  }
  return { revokedBeside, besideSize: Math.max(before.besideSize ?? 0, state.size) };
}

/** A region that is taken, with what was revoked beside it before, unless it is as long as what that was seen in. */
export function besideTaken(
  taken: RegionKnowledge,
  before: Pick<RegionKnowledge, 'revokedBeside' | 'besideSize'>,
): RegionKnowledge {
  const { revokedBeside, besideSize = 0 } = before;
  return taken.state.size >= besideSize ? taken : { ...taken, revokedBeside, besideSize };
}
