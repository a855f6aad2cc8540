/** Whether a witness may vouch for a trust log that provably only grew. Spec: SPEC.md 9. */
import { ProtocolError } from '../fault.ts';
import { type TrustState } from './trust-state.ts';

/** What folding the whole log up to a checkpoint gave: a `TrustFold` at that place is one. */
export interface FoldedTree {
  readonly state: TrustState;
  /** As `TrustFold.falseStart`. */
  readonly falseStart: number | undefined;
}

/**
 * Why a witness must not cosign the checkpoint that was folded to: STATE_MISMATCH, with the `index` of a `state` statement
 * without effect that would lead a reader astray who starts from it. Undefined if it may.
 */
export function objectionTo({ falseStart }: FoldedTree): ProtocolError | undefined {
  if (falseStart === undefined) return undefined;
  const message = `the state statement of index ${falseStart} has no effect, but a reader could start from it`;
  return new ProtocolError('STATE_MISMATCH', message, { index: falseStart });
}
