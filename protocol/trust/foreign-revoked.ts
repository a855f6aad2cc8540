/** Which codes of others a region has revoked, by their hashes. Spec: SPEC.md 17.9. */
import { hexOf } from '../bytes.ts';
import { type TrustState } from './trust-state.ts';

/** A state never changes, and is asked about every code. */
const revokedOfStates = new WeakMap<TrustState, ReadonlySet<string>>();

/** What is known of a region that may have revoked codes of others. */
export interface ForeignRevoker {
  readonly state: TrustState;
  /** Hashes, in hexadecimal, that count beside the state. */
  readonly foreignRevokedBeside?: ReadonlySet<string> | undefined;
}

/** Whether a region has revoked the code that has these hashes, in hexadecimal; they are asked for only if it has revoked any. */
export function isForeignRevoked(
  { state, foreignRevokedBeside }: ForeignRevoker,
  hashes: () => readonly string[],
): boolean {
  const revoked = foreignRevoked(state);
  const beside = foreignRevokedBeside?.size ?? 0;
  if (revoked.size + beside === 0) return false;
  return hashes().some((hash) => revoked.has(hash) || foreignRevokedBeside?.has(hash) === true);
}

/** The hashes, in hexadecimal, by which a state revokes codes of others. */
export function foreignRevoked(state: TrustState): ReadonlySet<string> {
  let revoked = revokedOfStates.get(state);
  if (revoked === undefined) {
    revoked = new Set([...state.foreignRevocations()].flatMap(({ hashes }) => hashes.map(hexOf)));
    revokedOfStates.set(state, revoked);
  }
  return revoked;
}
