/**
 * Who holds which attestation, and what opens it: private to the region. A batch is one file of JSON lines, a header and a line per
 * attestation. The same file is first `staged`, as the decision what stands at which index, and becomes part of the registry
 * once the log holds it.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { hexBytes, hexOf } from '../../protocol/bytes.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { isErrno, linesIn, namesIn, writeFileAtomically } from './files.ts';
import { damaged } from './log-files.ts';

const LINES_PER_WRITE = 256;
/** Digits of a file's name, so that names sort as indexes do: 10^12 is below 2^40. */
const INDEX_DIGITS = 13;

const headerSchema = z.strictObject({
  format: z.literal(1),
  log: z.string().refine(isAttestationLogId),
  /** Of the first attestation of the batch; the others follow. */
  index: z.int().nonnegative(),
  count: z.int().positive(),
  hour: z.int().nonnegative(),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
});

const lineSchema = z.strictObject({
  subject: z.string(),
  /** `encodeOpenings`, hexadecimal. */
  openings: z.string().regex(/^([0-9a-f]{2})+$/),
});

export type BatchHeader = z.infer<typeof headerSchema>;

/** One attestation of a batch: whose it is and what opens it. */
export interface BatchRow {
  readonly subject: string;
  /** As `encodeOpenings` gives it. */
  readonly openings: Uint8Array;
}

/** An attestation with its place in a log. */
export interface RegistryRecord extends BatchRow {
  readonly log: string;
  readonly index: number;
}

/** Writes a batch, synced and readable by its owner alone. */
export async function writeBatch(
  path: string,
  header: BatchHeader,
  rows: readonly BatchRow[],
): Promise<void> {
  await writeFileAtomically(path, batchText(header, rows), { mode: 0o600 });
}

function* batchText(header: BatchHeader, rows: readonly BatchRow[]): Iterable<string> {
  yield `${JSON.stringify(header)}\n`;
  for (let at = 0; at < rows.length; at += LINES_PER_WRITE) {
    const lines = rows.slice(at, at + LINES_PER_WRITE);
    yield lines
      .map(({ subject, openings }) => `${JSON.stringify({ subject, openings: hexOf(openings) })}\n`)
      .join('');
  }
}

/** The header of a batch, or undefined where there is no file. @throws {NodeError} DATA_INCONSISTENT if it cannot be read. */
export async function readBatchHeader(path: string): Promise<BatchHeader | undefined> {
  try {
    for await (const line of linesIn(path)) return parseLine(path, line, headerSchema);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  throw damaged(path, 'is empty');
}

/** The rows of a batch, one at a time. @throws {NodeError} DATA_INCONSISTENT if a line cannot be read or rows are missing. */
export async function* readBatch(path: string, { count }: BatchHeader): AsyncGenerator<BatchRow> {
  let rows = -1;
  for await (const line of linesIn(path)) {
    if (++rows === 0) continue;
    const { subject, openings } = parseLine(path, line, lineSchema);
    yield { subject, openings: hexBytes(openings) };
  }
  if (rows !== count) throw damaged(path, `has ${rows} rows, not ${count}`);
}

/** Where the batch of a log that begins at `index` is kept. */
export function batchPath(registry: string, { log, index }: Pick<BatchHeader, 'log' | 'index'>): string {
  return join(registry, log, `${String(index).padStart(INDEX_DIGITS, '0')}.jsonl`);
}

/** All records of a registry, log by log in the order of their indexes. Reads every file: for single questions only. */
export async function* readRegistry(registry: string): AsyncGenerator<RegistryRecord> {
  for (const log of await namesIn(registry)) {
    for (const name of await namesIn(join(registry, log))) {
      const path = join(registry, log, name);
      const header = await readBatchHeader(path);
      if (header === undefined) continue;
      let { index } = header;
      for await (const row of readBatch(path, header)) yield { ...row, log, index: index++ };
    }
  }
}

function parseLine<T>(path: string, line: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's message would quote the line, which speaks of a person.
    throw damaged(path, 'holds a line that is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damaged(path, 'holds a line that is none of a batch');
  return parsed.data;
}
