/** What a node says of itself to its operator. */
import { type BulkReport } from '../abuse/bulk-watch.ts';
import { type Accusation } from '../evidence/accusation.ts';
import { type Lookup } from '../lookup/lookup.ts';
import { type NodeErrorCode } from '../node-error.ts';
import { type ClockReport } from '../clock/clock-votes.ts';
import { type KnowledgeReport } from '../../protocol/verdict/verdict.ts';
import { type ScrubCounters } from '../store/scrub.ts';
import { type SyncCounters } from '../sync/anti-entropy.ts';
import { type BootFinding } from '../sync/boot-check.ts';
import { type PullCounters } from '../sync/puller.ts';
import { type CosigningReport } from '../witness/cosigning-report.ts';
import { type OutsideReport } from '../witness/outside-witness.ts';
import { type LeftReport } from './left-tree.ts';
import { type WriterReport } from '../writer/writer-ports.ts';
import { type VerdictCounters } from '../verdicts/verdict-service.ts';

/** `astray`: by most other regions its clock is wrong, and it signs nothing until that is mended; `checking` before the first answer of peers; `standby`: another machine writes, and this one follows; `writing`: all is well; `stopped`; else why it only reads. */
export type WritingState =
  'checking' | 'writing' | 'standby' | 'stopped' | 'failed' | 'astray' | BootFinding['finding'];

/** Those of a node that signs nothing since somebody else may write with the keys of its region: what the root says of that is logged all the same. */
export const HELD_UP: readonly WritingState[] = ['behind', 'standby'];

/** Of a node that could not begin to sign, by the code of its error. */
export function stateWithout(code: NodeErrorCode): WritingState {
  if (code === 'LOG_BEHIND') return 'behind';
  if (code === 'LOG_CONTRADICTED') return 'contradicted';
  return code === 'PEER_UNREACHABLE' ? 'alone' : 'failed';
}

export interface NodeStatus {
  readonly writing: WritingState;
  /** Why it does not sign, in words. */
  readonly reason?: string;
  /** Who writes, where witnesses fence that. */
  readonly writer?: WriterReport;
  /** Processes that prepare what it issues, where the registry lies in a database that they share. */
  readonly workers?: number;
  /** Codes that the other machine of the region is still to forget, where it has one. */
  readonly toForget?: number;
  readonly store: string;
  readonly clock: ClockReport;
  /** As `surelyPastS`: attest keys and seeds of days that end later are kept. */
  readonly surelyPastS?: number;
  /** By origin. */
  readonly sizes: Readonly<Record<string, number>>;
  /** By origin of an own log of which more entries were signed than it has, by what is known here, how many: nothing is added to such a log. */
  readonly behind: Readonly<Record<string, number>>;
  /** The index of a `state` statement in the own trust log by which no witness vouches for that (`TrustFold.falseStart`). */
  readonly falseStart?: number;
  /** By origin, why a log cannot be used now. */
  readonly closed: Readonly<Record<string, string>>;
  readonly knowledge: readonly KnowledgeReport[];
  /** Logs that were caught forking. */
  readonly forked: readonly string[];
  /** Logs of which all proofs of forks are by keys that their root has given up since: they stand against nobody. */
  readonly disowned: readonly string[];
  /** Trees of own attestation logs that others have seen and this node has not, signed by keys that the root has given up. */
  readonly left: readonly LeftReport[];
  /** Who vouches for the own attestation logs. */
  readonly cosigning: CosigningReport;
  /** Witnesses outside that are asked to vouch for the trust logs, in the order of the policy. */
  readonly outside: readonly OutsideReport[];
  /** What is proven against regions besides. */
  readonly accusations: readonly Accusation[];
  /** By region, how many of its codes were shown here that its log does not have, since the start. */
  readonly unlogged: Readonly<Record<string, number>>;
  /** Many colours that changed at once. */
  readonly bulk: BulkReport;
  readonly pulls: PullCounters;
  readonly sync: SyncCounters;
  readonly scrub: ScrubCounters;
  readonly verdicts: VerdictCounters;
  /** Numbers that are looked up. */
  readonly lookup: Lookup['report'];
}
