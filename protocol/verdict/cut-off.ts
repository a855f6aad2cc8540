/** Codes under a compromised key: only what was in the log when the thief came lives on. Spec: SPEC.md 11. */
import { equalBytes } from '../bytes.ts';
import { isProtocolError } from '../fault.ts';
import { verifyInclusion } from '../log/merkle.ts';
import { type Sha256 } from '../primitives.ts';
import { type Compromise } from '../trust/trust-state.ts';

/** What a mirror says stands at an index of an attestation log. Worth nothing until its path leads to a root that is trusted. */
export interface LeafProof {
  readonly log: string;
  readonly index: number;
  /** Of the tree that the path belongs to: the size of the cut-off. */
  readonly size: number;
  readonly leafHash: Uint8Array;
  /** Inclusion path, leaf side first. */
  readonly path: readonly Uint8Array[];
}

/** A leaf of an attestation log as a code has it. */
export interface ClaimedLeaf {
  readonly log: string;
  readonly index: number;
  readonly leafHash: Uint8Array;
}

/**
 * Judges an attestation that is signed by a compromised key. A proof counts only if it leads to the root that the region
 * named in the cut-off, so neither the thief nor the mirror can make one. Total on proofs.
 */
export function judgeCompromised(
  sha256: Sha256,
  claimed: ClaimedLeaf,
  compromise: Compromise,
  proofs: readonly LeafProof[],
): 'BEYOND_CUT_OFF' | 'PROOF_NEEDED' | 'LEAF_MISMATCH' | 'PROVEN_IN_LOG' {
  const cutOff = compromise.cutOffs.get(claimed.log);
  if (cutOff === undefined || claimed.index >= cutOff.size) return 'BEYOND_CUT_OFF';
  for (const proof of proofs) {
    if (proof.log !== claimed.log || proof.index !== claimed.index || proof.size !== cutOff.size) continue;
    if (!leadsTo(sha256, proof, cutOff.root)) continue;
    return equalBytes(proof.leafHash, claimed.leafHash) ? 'PROVEN_IN_LOG' : 'LEAF_MISMATCH';
  }
  return 'PROOF_NEEDED';
}

/** Whether a proof leads to this root of a tree of its size: then its leaf stands there, whoever says so. */
export function leadsTo(sha256: Sha256, proof: Omit<LeafProof, 'log'>, root: Uint8Array): boolean {
  try {
    verifyInclusion(sha256, { ...proof, root });
    return true;
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}
