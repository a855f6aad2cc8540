/** What a node is told, and what it is given to work with. */
import { BULK_LIMITS, type BulkLimits } from '../abuse/bulk-watch.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { type WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import {
  type Clock,
  type CommitMark,
  type Disk,
  type HttpPost,
  type Network,
  type Random,
  type SecondPlace,
} from '../ports.ts';
import { type PreparingModules } from '../issuing/preparing.ts';
import { type ShareOf } from '../peer-places.ts';
import { type DaySeeds } from '../lookup/day-seeds.ts';
import { type EvaluateInputs } from '../lookup/number-evaluator.ts';
import { type LookupQuotas } from '../lookup/quota.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type SharedTables } from '../registry/private-tables.ts';
import { type CheckSignatures } from '../verdicts/signature-thread.ts';
import { type NodeKeys, type WritingSideModules } from './writing-side.ts';

export interface RegionNodeOptions {
  readonly region: string;
  readonly network: string;
  /** The fingerprint of the own root, once it is known: then an empty store is one that has lost its log, and not a new region. */
  readonly fingerprint?: Uint8Array;
  /** See `Registry.open`. */
  readonly registryKey: Uint8Array;
  /** See `RetentionRule`. */
  readonly keepAttestationDays?: number | undefined;
  /** Regions whose attestation logs this node copies. */
  readonly mirrors?: readonly string[];
  /** Regions whose logs are followed and witnessed without being recognised: another value once there are others. */
  readonly invited?: () => readonly InvitedRegion[];
  /** The same for once, by the fingerprint that each shows of itself: refused where the region is known under another one. */
  readonly named?: readonly { readonly region: string; readonly fingerprint: Uint8Array }[];
  /** Whom verdicts go by, in the place of the table. */
  readonly policy?: WitnessPolicy | undefined;
  /**
   * How many of the regions that it recognises directly must have answered before it signs; by default `neededCosignatures` of
   * their number.
   */
  readonly bootQuorum?: (recognised: readonly string[]) => number;
  /** Witnesses fence whoever writes for the region. Without it this node is the only one that ever does. */
  readonly fenced?: FencedWriter | undefined;
  /** The operator lets it sign beside what witnesses know of a writer: nobody else writes any more. */
  readonly isFenceIgnored?: boolean;
  /** How many colours may change in an hour before that is told. */
  readonly alarms?: BulkLimits;
  /** Of people who declared: see `LifeOptions`. */
  readonly rulesForPeople?: string | undefined;
  readonly listsOldHours?: number;
  readonly objectTo?: string;
  readonly objectionDays?: number;
  /** How many numbers may be looked up; `LOOKUP_QUOTAS` by default. */
  readonly lookupQuotas?: LookupQuotas;
  /** Begins no rounds, beats or scrubs by itself: for a process that does one thing and ends. */
  readonly onDemand?: boolean;
  /** Milliseconds; 10 s, 30 s, 2 s and 10 min by default. */
  readonly beatMs?: number;
  readonly intervalMs?: number;
  readonly bootRetryMs?: number;
  readonly tendMs?: number;
  /** See `CosignatureGathererOptions`. */
  readonly cosignMs?: number;
  /** Milliseconds between two readings of all that the store holds; 1 h by default. */
  readonly scrubMs?: number;
  /** See `WorkOrdersOptions`. */
  readonly workerPatienceMs?: number;
  /** See `SequencerOptions`. */
  readonly gatherMs?: number;
  readonly batchMax?: number;
  readonly queueMax?: number;
}

export interface InvitedRegion {
  readonly region: string;
  readonly fingerprint: Uint8Array;
}

export interface FencedWriter {
  /** The public key by which this machine is known: 32 bytes. */
  readonly identity: Uint8Array;
  /** It does not claim to write before it is promoted; else it does where nobody else has. */
  readonly isStandby?: boolean;
}

export interface RegionNodeModules
  extends TrustModules, Pick<WritingSideModules, 'onSigned'>, Pick<PreparingModules, 'onHashed'> {
  readonly disk: Disk;
  readonly mark: CommitMark;
  readonly secondPlace: SecondPlace;
  /** Where all that is private is kept, if that is not the store. The node ends it. Not where witnesses fence the writer. */
  readonly tables?: SharedTables | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly keys: NodeKeys;
  /** The region of a peer's node identity; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
  /**
   * Called before peers are asked about the own logs: resolves once those who can come are there. Only where they do not come by
   * themselves. What it rejects with keeps the node from signing.
   */
  readonly meet?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Which share a peer has of what this node does for others; `shareByName` by default. */
  readonly shareOf?: ShareOf | undefined;
  /** The keys by which numbers of the region are looked up; without it this node answers for none. */
  readonly seeds?: DaySeeds | undefined;
  /** Another way to check the signatures of verdicts than one after the other, here. */
  readonly checkSignatures?: CheckSignatures | undefined;
  /** Evaluates numbers of the region's list; here, a few at a time, by default. */
  readonly evaluateInputs?: EvaluateInputs | undefined;
  /** By which witnesses outside are asked that `policy` gives an address; without it none is. */
  readonly httpPost?: HttpPost | undefined;
  /** Called before a code is forgotten here because the other machine of the region says so. Where it rejects nothing is, and it is told again. */
  readonly noteForgetting?: ((place: Place) => Promise<void>) | undefined;
  /** Told of what goes wrong in the background, for alarms. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
}

/** See `RegionNodeOptions`. */
export const NODE_DEFAULTS = {
  beatMs: 10_000,
  intervalMs: 30_000,
  bootRetryMs: 2_000,
  tendMs: 600_000,
  cosignMs: 60_000,
  scrubMs: 3_600_000,
  gatherMs: 20,
  listsOldHours: 48,
  objectTo: 'the office that issued this code',
  objectionDays: 7,
  alarms: BULK_LIMITS,
  bootQuorum: (recognised: readonly string[]) => neededCosignatures(recognised.length),
};
