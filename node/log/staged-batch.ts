/**
 * A batch on its way into a log, as the store holds it from before its first signature until its checkpoint is durable.
 * What an index is going to hold is decided here and nowhere else, so that no index is ever signed twice with different
 * content, whatever happens in between.
 */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type Change } from '../ports.ts';
import { type StoreReader } from '../store/reader.ts';
import { parseRun, runIndexes, splitIntoRuns } from './entry-run.ts';
import { logError } from './log-error.ts';
import { type LogKeys } from './log-keys.ts';

export interface StagedBatch {
  /** Of its first entry. */
  readonly index: number;
  /** When the batch was made. */
  readonly atS: number;
  /** One for each entry: all that the entry depends on but the signature. */
  readonly drafts: readonly Uint8Array[];
}

const FORM = 1;
const HEADER_BYTES_MAX = 64;
const count = z.int().nonnegative();
const schema = z.tuple([z.literal(FORM), count, count, count]);

export function stagingChanges(keys: LogKeys, { index, atS, drafts }: StagedBatch): Change[] {
  return [
    ...splitIntoRuns(index, drafts).map((run) => ({ put: keys.draftRun(run.index), value: run.bytes })),
    { put: keys.staged, value: encodeCbor([FORM, index, atS, drafts.length]) },
  ];
}

export function clearingChanges(keys: LogKeys, { index, drafts }: StagedBatch): Change[] {
  return [{ del: keys.staged }, ...runIndexes(index, drafts).map((first) => ({ del: keys.draftRun(first) }))];
}

/** Rejects with what the store rejects with, and LOG_CORRUPT if a batch is there but not whole. */
export async function readStagedBatch(keys: LogKeys, reader: StoreReader): Promise<StagedBatch | undefined> {
  const header = await reader.get(keys.staged);
  if (header === undefined) return undefined;
  try {
    const [, index, atS, length] = schema.parse(decodeCbor(header, { bytesMax: HEADER_BYTES_MAX }));
    const drafts: Uint8Array[] = [];
    for await (const [, run] of reader.entries(keys.draftRun(index), keys.draftRun(index + length))) {
      drafts.push(...parseRun(run));
    }
    if (drafts.length !== length) throw new RangeError(`expected ${length} drafts, got ${drafts.length}`);
    return { index, atS, drafts };
  } catch (cause) {
    throw logError('LOG_CORRUPT', `${keys.staged} does not hold a whole batch`, { cause });
  }
}
