/** Which codes of others a region has revoked, by their hashes. Spec: SPEC.md 17.9. */
import { hexOf } from '../bytes.ts';
import { type TrustState } from './trust-state.ts';

/** A state never changes, and is asked about every code. */
const revokedOfStates = new WeakMap<TrustState, ReadonlySet<string>>();

/** The hashes, in hexadecimal, by which a region has revoked codes of others. */
export function foreignRevoked(state: TrustState): ReadonlySet<string> {
  let revoked = revokedOfStates.get(state);
  if (revoked === undefined) {
    revoked = new Set([...state.foreignRevocations()].flatMap(({ hashes }) => hashes.map(hexOf)));
    revokedOfStates.set(state, revoked);
  }
  return revoked;
}

/** Whether a region has revoked the code that has these hashes, in hexadecimal. */
export function isForeignRevoked(state: TrustState, hashes: readonly string[]): boolean {
  const revoked = foreignRevoked(state);
  return revoked.size > 0 && hashes.some((hash) => revoked.has(hash));
}
