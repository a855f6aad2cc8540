/**
 * A batch on its way into a log, as the store holds it from before its first signature until its checkpoint is durable.
 * What an index is going to hold is decided here and nowhere else, so that no index is ever signed twice with different
 * content, whatever happens in between.
 */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { isNodeError } from '../node-error.ts';
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
    { put: keys.staged(index), value: encodeCbor([FORM, index, atS, drafts.length]) },
  ];
}

export function clearingChanges(keys: LogKeys, { index, drafts }: StagedBatch): Change[] {
  return [
    { del: keys.staged(index) },
    { del: keys.given(index) },
    ...runIndexes(index, drafts).map((first) => ({ del: keys.draftRun(first) })),
  ];
}

/**
 * The batches that are staged, in their order. Rejects with what the store rejects with, and LOG_CORRUPT if one is not
 * whole.
 */
export async function readStagedBatches(keys: LogKeys, reader: StoreReader): Promise<StagedBatch[]> {
  const batches: StagedBatch[] = [];
  for await (const [key, header] of reader.entries(keys.staged(0), keys.staged(Number.MAX_SAFE_INTEGER))) {
    batches.push(await readBatch(key, header, keys, reader));
  }
  return batches;
}

async function readBatch(
  key: string,
  header: Uint8Array,
  keys: LogKeys,
  reader: StoreReader,
): Promise<StagedBatch> {
  try {
    const [, index, atS, length] = schema.parse(decodeCbor(header, { bytesMax: HEADER_BYTES_MAX }));
    const drafts: Uint8Array[] = [];
    for await (const [, run] of reader.entries(keys.draftRun(index), keys.draftRun(index + length))) {
      drafts.push(...parseRun(run));
    }
    if (drafts.length !== length) throw new RangeError(`expected ${length} drafts, got ${drafts.length}`);
    return { index, atS, drafts };
  } catch (cause) {
    if (isNodeError(cause)) throw cause;
    throw logError('LOG_CORRUPT', `${key} does not hold a whole batch`, { cause });
  }
}
