/** What a keeper of a region's trust log is made from. */
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type Clock, type SecondPlace } from '../ports.ts';
import { type LeaveBranch } from './branch-change.ts';
import { type ForkBookModules } from './fork-book.ts';
import { type HeldState } from './held-state.ts';
import { type RegionFoldModules } from './region-fold.ts';
import { type TrustKeeper } from './trust-keeper.ts';
import { type WitnessKeys } from './witness-keys.ts';

export interface TrustKeeperOptions {
  readonly region: string;
  readonly network: string;
  /** Of the region's first root statement, 32 bytes. Without it the first log that is found is taken: for the home alone. */
  readonly fingerprint?: Uint8Array | undefined;
}

export interface TrustKeeperModules extends RegionFoldModules {
  readonly clock: Clock;
  readonly secondPlace: SecondPlace;
  /** The witness keys of all regions, as they are known now. */
  readonly witnessKeys: () => WitnessKeys;
  /**
   * The line of the region's own witness for a checkpoint that nobody has seen yet: for the home alone, which shows no checkpoint
   * without saying when it made it. Undefined where there can be none. Must not wait for this keeper.
   */
  readonly ownLine?: (
    keeper: TrustKeeper,
    held: Pick<HeldState, 'checkpoint' | 'pool'>,
  ) => Promise<NoteSignature | undefined>;
  /** Told whenever `latest` or what vouches for it has changed; `isNewer`: it is another checkpoint. Must not throw. */
  readonly onChange?: (isNewer: boolean) => void;
  /** Asked to publish what has its quorum, before a state that waits for one is forgotten. Must not throw. */
  readonly onFull?: () => void;
  readonly onFork?: NonNullable<ForkBookModules['onFork']>;
  readonly leave?: LeaveBranch;
}
