/** Whether a witness may vouch for a trust log that provably only grew. Spec: SPEC.md 9. */
import { ProtocolError } from '../fault.ts';
import { CLOCK_AHEAD_S_MAX } from '../limits.ts';
import { type TrustState } from './trust-state.ts';

/** What folding the whole log up to a checkpoint gave: a `TrustFold` at that place is one. */
export interface FoldedTree {
  readonly state: TrustState;
  /** As `TrustFold.falseStart`. */
  readonly falseStart: number | undefined;
}

/**
 * Whether a state holds a statement signed by trust-log at a time that has not come yet, by more than clocks differ. Folding has
 * no clock, and counts revocations an hour by what the signer says of his: whoever receives a state holds it against its own.
 */
export function isAhead({ lastAtS }: TrustState, nowS: number): boolean {
  return lastAtS > nowS + CLOCK_AHEAD_S_MAX;
}

/** The fault of a state that is ahead, with its newest `at`; undefined for one that is not. */
export function aheadFault(state: TrustState, nowS: number): ProtocolError | undefined {
  if (!isAhead(state, nowS)) return undefined;
  const { lastAtS } = state;
  return new ProtocolError('STATE_AHEAD', `a statement is signed ${lastAtS - nowS} s ahead of the clock`, {
    at: lastAtS,
    now: nowS,
  });
}

/**
 * Why a witness must not cosign the checkpoint that was folded to: STATE_AHEAD, or STATE_MISMATCH with the `index` of a `state`
 * statement without effect that would lead a reader astray who starts from it. Undefined if it may.
 */
export function objectionTo({ state, falseStart }: FoldedTree, nowS: number): ProtocolError | undefined {
  const ahead = aheadFault(state, nowS);
  if (ahead !== undefined) return ahead;
  if (falseStart === undefined) return undefined;
  const message = `the state statement of index ${falseStart} has no effect, but a reader could start from it`;
  return new ProtocolError('STATE_MISMATCH', message, { index: falseStart });
}
