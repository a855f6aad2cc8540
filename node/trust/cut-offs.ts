/**
 * What the root of a region says of one of its attestation logs: the trees up to which keys that it gave up signed what is the region's own. Only a key
 * that signs checkpoints says so of the whole log. Spec: SPEC.md 8.5.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Checkpoint } from '../../protocol/log/checkpoint.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type CutOff, type TrustState } from '../../protocol/trust/trust-state.ts';

/** Of checkpoint keys, for the attestation log of this name; none for any other log. */
export function cutOffsOf(state: TrustState, origin: string): CutOff[] {
  const parsed = parseOrigin(origin);
  if (parsed.kind !== 'attest') return [];
  return state
    .keysWithRole('checkpoint')
    .flatMap(({ compromise }) => compromise?.cutOffs.get(parsed.log) ?? []);
}

/** How many entries of the attestation log of this name the root has signed so; 0 where there is no cut-off. */
export function namedSize(state: TrustState, origin: string): number {
  return Math.max(0, ...cutOffsOf(state, origin).map(({ size }) => size));
}

/** Whether a checkpoint is on the very tree of a cut-off: then the root has signed that tree, whoever signed the checkpoint. */
export function isCutOff(state: TrustState, { origin, size, root }: Checkpoint): boolean {
  return cutOffsOf(state, origin).some((one) => one.size === size && equalBytes(one.root, root));
}
