/** What an operator is told of who vouches for the attestation logs of the region. */
import { type Clock } from '../ports.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import { neededFor } from '../trust/log-receipt.ts';
import { type CosigningCounters, type CosignatureGatherer, type Unwilling } from './cosignature-gatherer.ts';
import { type CosignableLog, type CosignedLogs } from './cosigned-logs.ts';

export interface CosignedReport {
  readonly origin: string;
  /** Entries under the newest signed checkpoint. */
  readonly size: number;
  /** How many of how many witnesses have to vouch for a checkpoint. */
  readonly needed: number;
  readonly of: number;
  /** The newest checkpoint for which so many do. */
  readonly witnessed?: {
    readonly size: number;
    /** Regions. */
    readonly by: readonly string[];
    /** Seconds since a quorum last did. */
    readonly ageS: number;
  };
  /** The checkpoint that they were asked about last, if that is a newer one. */
  readonly shown?: { readonly size: number; readonly by: readonly string[] };
  /** By region, why it did not vouch when it was asked last, and of how many entries it says that it cosigned them. */
  readonly unwilling: Readonly<
    Record<string, { readonly why: Unwilling; readonly size?: number | undefined }>
  >;
}

export interface CosigningReport extends CosigningCounters {
  readonly logs: readonly CosignedReport[];
}

export interface CosigningReportModules {
  readonly cosigned: CosignedLogs;
  readonly gatherer: Pick<CosignatureGatherer, 'counters' | 'unwilling'>;
  readonly logs: () => readonly CosignableLog[];
  readonly clock: Clock;
  readonly trust: () => Trust;
}

export function cosigningReport(modules: CosigningReportModules): CosigningReport {
  const logs = modules
    .logs()
    .flatMap((log) => reportOf(log, modules) ?? [])
    .sort((a, b) => (a.origin < b.origin ? -1 : 1));
  return { ...modules.gatherer.counters, logs };
}

/** Undefined for a log that has no checkpoint yet. */
function reportOf(
  { origin, tree }: CosignableLog,
  { cosigned, gatherer, clock, trust }: CosigningReportModules,
): CosignedReport | undefined {
  const { signed } = tree.head;
  if (signed === undefined || signed.size === 0) return undefined;
  const nowS = Math.floor(clock.nowMs() / 1000);
  const witnesses = cosigned.witnessesOf(origin);
  const { needed, of } = neededFor({ origin, ...signed }, trust(), nowS);
  const held = cosigned.heldOf(origin).map((one) => {
    const { size } = one.checkpoint;
    const { knowledgeAtS } = cosigned.assess(one) ?? {};
    return { size, by: cosigned.by(one, witnesses), atS: needed > 0 ? knowledgeAtS : undefined };
  });
  const witnessed = held.find(({ atS }) => atS !== undefined);
  const [shown] = held;
  return {
    origin,
    size: signed.size,
    needed,
    of,
    ...(witnessed && {
      witnessed: {
        size: witnessed.size,
        by: witnessed.by,
        ageS: Math.max(0, nowS - (witnessed.atS ?? nowS)),
      },
    }),
    ...(shown !== undefined && shown !== witnessed && { shown: { size: shown.size, by: shown.by } }),
    unwilling: gatherer.unwilling(origin),
  };
}
