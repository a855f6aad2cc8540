/** A log of another that a node follows: it takes what is proven, from whomever. `TrustKeeper` and `Mirror` are two. */
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { type ReadNote } from '../../protocol/log/checkpoint.ts';
import { type LoggedStatement } from '../../protocol/trust/naming.ts';
import { type LogTree } from '../log/log-tree.ts';
import { type Applied, type Claim, type Piece } from '../log/replica.ts';
import { type CutOff } from '../../protocol/trust/trust-state.ts';
import { type Branch } from '../trust/branch-weighing.ts';

/** What a peer shows of another branch before anything of it is fetched. */
export interface Naming {
  readonly statements: readonly LoggedStatement[];
  readonly note: Uint8Array;
}

/** The beginning of another tree of an attestation log, from where it parts from the one that is held, and what it has at a cut-off, under one note. */
export interface TreeOffer {
  readonly piece: Piece;
  readonly cutOff: Claim;
}

/** `more`: nothing is settled yet, offer the piece again with the entries that follow it. */
export type Kept = Applied | { readonly outcome: 'more'; readonly size: number };

/** `behind`: the note is on a larger tree than is held, and nothing of it was checked. `strange`: no key that is known signed it. */
export type Heeded = 'known' | 'behind' | 'forked' | 'strange';

export interface Followed {
  readonly origin: string;
  readonly tree: LogTree;
  readonly note: Uint8Array | undefined;
  readonly forks: readonly ForkEvidence[];
  /** Those of them that count, where a root may have disowned some. */
  readonly standingForks?: readonly ForkEvidence[];
  /** Of an own log, why entries that somebody has signed are not taken, in words. */
  readonly refusal?: string | undefined;
  /** All reject with `ProtocolError` for what is not good by what is known here, whoever is to blame for that; with `NodeError` for our own disk. */
  apply(piece: Piece): Promise<Kept>;
  confront(claim: Claim): Promise<Applied>;
  /** `read` is the note, where the caller has read it already: most notes are read for many logs and repeat what is known. */
  heed(note: Uint8Array, read?: ReadNote): Promise<Heeded>;
  accuse(evidence: ForkEvidence): Promise<void>;
  /** See `ServedLog`. */
  readonly naming?: readonly LoggedStatement[];
  /**
   * Whether the root, by these statements of another branch and its note, gives up what is held or remembered here from `common` entries on: only then is the branch worth
   * fetching. Absent where no root names branches.
   */
  isNamedBy?(naming: Naming, common: number): Promise<boolean>;
  /** Takes another branch in the place of what is held, if the root has named it; true then. Absent where no root names branches. */
  settle?(branch: Branch): Promise<boolean>;
  /** Of another's attestation log: the cut-offs by which the root may name another tree of it, and taking the beginning of that in the place of what is held. */
  cutOffs?(): readonly CutOff[];
  turn?(offer: TreeOffer): Promise<boolean>;
}

/** The proofs that count against a log. */
export function standingForksOf({
  standingForks,
  forks,
}: Pick<Followed, 'standingForks' | 'forks'>): readonly ForkEvidence[] {
  return standingForks ?? forks;
}
