/**
 * One log, leaf by leaf: every entry against the tiles, every tile against those below it, the root against the signed
 * checkpoint. Memory is bounded by the bundles under way; what checks them runs on all cores.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type Checkpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { TILE_HASHES, tileWidth } from '../../protocol/log/tile.ts';
import { type AuditFault, type FaultList } from './audit-fault.ts';
import { type LogSource } from './audit-source.ts';
import { type BundleContext, type BundleJob, type BundleReport } from './bundle-check.ts';
import { bundleReports, type BundleReportsModules } from './bundle-reports.ts';
import { RepeatedCommitments } from './commitment-lint.ts';
import { TreeCheck } from './tree-check.ts';

export interface LogAuditModules extends BundleReportsModules {
  readonly faults: FaultList;
  readonly remarks: FaultList;
  /** Told of the entries that are checked, as they are, in order. */
  readonly onEntries?: (entries: readonly Uint8Array[], index: number) => void;
  readonly onProgress?: (checked: number, size: number) => void;
}

/** What was checked. That the checkpoint is signed is not among it. */
export interface LogAudited {
  readonly checkpoint: Checkpoint;
  readonly note: Uint8Array;
  /** The first entry that was checked. */
  readonly from: number;
  readonly signatures: number;
  /** Attestations by keys that are not known, where not all keys are. */
  readonly unjudged: number;
}

/**
 * Goes through a log from `minimum` on, or from its beginning if that is there. Undefined if it has no checkpoint, or is
 * broken off since no more faults are wanted.
 */
export async function auditLog(
  { minimum, context }: { readonly minimum: number; readonly context: BundleContext },
  modules: LogAuditModules,
): Promise<LogAudited | undefined> {
  const { source, faults } = modules;
  const note = await source.checkpoint();
  if (note === undefined) {
    faults.add({ code: 'CHECKPOINT_MISSING', log: source.origin, message: 'the log has no checkpoint' });
    return undefined;
  }
  const checkpoint = readCheckpoint(note, modules);
  if (checkpoint === undefined) return undefined;
  const { size } = checkpoint;
  const from = await firstIndex(source, minimum, size);
  const fault = (one: AuditFault) => faults.add(one);
  const tree = await TreeCheck.from(from, { source, sha256: modules.sha256, fault });
  if (tree === undefined) return undefined;
  const counts = { signatures: 0, unjudged: 0, hour: 0 };
  const repeated = new RepeatedCommitments();
  let last: Uint8Array | undefined = new Uint8Array(0);
  for await (const [job, report] of bundleReports({ from, size, context }, modules)) {
    for (const one of report.faults) faults.add(one);
    for (const one of report.remarks) modules.remarks.add(one);
    compareHours(report, job, counts.hour, modules);
    const { commitments = new Uint8Array(0) } = report;
    for (const one of repeated.take(commitments, source.origin, job.index * TILE_HASHES)) faults.add(one);
    counts.hour = report.hours?.[1] ?? counts.hour;
    counts.signatures += report.signatures;
    counts.unjudged += report.unjudged;
    if (faults.isFull) return undefined;
    modules.onEntries?.(entriesOf(job), job.index * TILE_HASHES);
    // What could not be read leaves the tree open; the entries behind it are checked all the same.
    if (report.hashes === undefined) last = undefined;
    else if (last !== undefined && job.width < TILE_HASHES) last = report.hashes;
    else if (last !== undefined) await tree.addBundle(report.hashes);
    modules.onProgress?.(Math.min(size, (job.index + 1) * TILE_HASHES), size);
  }
  if (last !== undefined && !equalBytes(await tree.end(size, last), checkpoint.root)) {
    const message = `the tiles lead to another root than the checkpoint of size ${size}`;
    fault({ code: 'ROOT_MISMATCH', log: source.origin, message });
  }
  const { signatures, unjudged } = counts;
  return { checkpoint, note, from, signatures, unjudged };
}

function readCheckpoint(note: Uint8Array, { source, faults }: LogAuditModules): Checkpoint | undefined {
  const { origin } = source;
  try {
    const checkpoint = parseCheckpoint(parseNote(note).text);
    if (checkpoint.origin === origin) return checkpoint;
    const message = `the checkpoint is one of ${checkpoint.origin}`;
    faults.add({ code: 'CHECKPOINT_INVALID', log: origin, message });
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    faults.add({ code: 'CHECKPOINT_INVALID', log: origin, message: error.message });
  }
  return undefined;
}

/** 0 if the beginning is there, else the bundle of the minimum: from there on all has to be. */
async function firstIndex(source: LogSource, minimum: number, size: number): Promise<number> {
  const least = Math.min(size, Math.max(minimum, await source.minimum()));
  const first = least - (least % TILE_HASHES);
  if (first === 0) return 0;
  const [beginning] = await source.bundles([{ index: 0, width: tileWidth(size, 0, 0) }]);
  return beginning === undefined ? first : 0;
}

function compareHours(
  { hours }: BundleReport,
  { index }: BundleJob,
  before: number,
  modules: LogAuditModules,
): void {
  if (hours === undefined || hours[0] >= before) return;
  const message = `issued in hour ${hours[0]}, after one of hour ${before}`;
  modules.faults.add({
    code: 'HOUR_MISMATCH',
    log: modules.source.origin,
    index: index * TILE_HASHES,
    message,
  });
}

function entriesOf({ bundle, width }: BundleJob): Uint8Array[] {
  if (bundle === undefined) return [];
  try {
    return parseEntryBundle(bundle.bytes, bundle.width).slice(0, width);
  } catch (error) {
    if (isProtocolError(error)) return [];
    throw error;
  }
}
