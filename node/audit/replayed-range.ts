/**
 * A stretch of an attestation log, and the trust log that it is judged by, as an audit went through them: so that what is held against them
 * is held against what was proven, and not against what lies there a moment later.
 */
import { type RegionAuditModules } from './region-audit.ts';
import { type TrustReplay } from './trust-replay.ts';

export class ReplayedRange {
  /** The leaves that were replayed, from the first of the range on. */
  readonly leaves: Uint8Array[] = [];
  readonly hearing: Required<Pick<RegionAuditModules, 'onTrust' | 'onLeaves'>>;
  #trust: TrustReplay | undefined;

  /** For an audit of this log alone. */
  constructor({ from, until }: { readonly from: number; readonly until: number }) {
    this.hearing = {
      onTrust: (trust) => (this.#trust = trust),
      onLeaves: (_origin, entries, index) => {
        for (const entry of entries.slice(Math.max(0, from - index), Math.max(0, until - index)))
          this.leaves.push(entry.slice());
      },
    };
  }

  /** To be asked for once the audit ended without a fault. */
  get trust(): TrustReplay {
    if (this.#trust === undefined) throw new TypeError('the trust log was not replayed');
    return this.#trust;
  }
}
