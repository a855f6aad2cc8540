/** What a run of issuing notes beside its file of codes, so that the same command goes on where it broke off (issuing-run.ts). */
import { z } from 'zod';
import { orderedSchema } from '../../node/issuing/forgotten-marks.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';

export const JOURNAL_BYTES_MAX = 65_536;
const count = z.int().min(0);
/** Rows that a journal names of each kind. */
export const ROWS_KEPT = 1_000;
const journalSchema = z.strictObject({
  form: z.literal(1),
  region: z.string(),
  network: z.string(),
  input: z.string(),
  rows: count,
  /** People in each batch. */
  batch: count.min(1),
  /** Rows whose codes are in the first `bytes` of the part. */
  done: count,
  bytes: count,
  /** By log: the least and the greatest index of those codes. */
  leaves: z.record(z.string(), z.tuple([count, count])),
  /** When it ordered something first: whoever was forgotten since gets nothing, in whichever batch they are. */
  since: orderedSchema.optional(),
  /** The batch in hand: the entries that each attestation log had before it, when it was ordered first, and its order. */
  inHand: z
    .strictObject({
      sizes: z.record(z.string(), count),
      sinceS: count,
      order: z.strictObject({ key: z.string().regex(/^[0-9a-f]{32}$/), atS: count }),
    })
    .optional(),
  /** Rows, from 1, of those who were forgotten while the run was under way, and got no code. */
  forgotten: z.strictObject({ count, rows: z.array(count).max(ROWS_KEPT) }).optional(),
  /** People who were left out, since they were refused. */
  refused: count.optional(),
});
export type Journal = z.infer<typeof journalSchema>;

export function parsedJournal(bytes: Uint8Array, path: string): Journal {
  try {
    return journalSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    throw new CliError(
      EXIT.failure,
      'RUN_INVALID',
      `${printable(path)} was not written by a run that broke off`,
      {
        hint: 'Move it away, or name another --out; `entente codes` prints what was issued.',
      },
    );
  }
}
