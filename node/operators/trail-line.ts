/** A line of the trail of operators, and how each hangs on the one before. */
import { hash } from 'node:crypto';
import { z } from 'zod';

const LABEL = 'entente/trail/v1\n';
/** What the first line names in place of the line before. */
export const FIRST_PREVIOUS = '0'.repeat(64);
export const TRAIL_LINE_BYTES_MAX = 4_096;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const FIGURES_MAX = 16;
const figures = z
  .record(z.string().regex(/^[a-z][A-Za-z]{0,31}$/), z.int().min(0))
  .refine((all) => Object.keys(all).length <= FIGURES_MAX, `expected at most ${FIGURES_MAX} figures`);
const trailEntrySchema = z.strictObject({
  /** From 0. */
  n: z.int().min(0),
  /** Hash of the line before. */
  prev: sha256Hex,
  /** Seconds since 1970 by the clock of this machine. */
  at: z.int(),
  who: z.string().min(1).max(32),
  /** Of the operator's key. */
  key: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  /** As the path of the admin address has it, without `/v1/`. */
  action: z
    .string()
    .regex(/^[a-z][a-z/-]*$/)
    .max(64),
  /** How many codes, people, entries it is about, where that is known before. */
  count: z.int().min(0).optional(),
  /** Of an earlier line: what it speaks of was not done, and by which code. */
  failed: z.strictObject({ n: z.int().min(0), code: z.string().max(64) }).optional(),
  /** Of an earlier line: it has ended, and of its parts so many were done and so many not. */
  ended: z
    .strictObject({
      n: z.int().min(0),
      done: z.int().min(0),
      failed: z.int().min(0),
      /** What became of them, by a word for each; what was none is left out. */
      figures: figures.optional(),
      /** Of the file or list that came. */
      digest: sha256Hex.optional(),
    })
    .optional(),
  /** What it is about, where that is no person: an operator with key id and scopes, an override, a region. */
  about: z.string().max(128).optional(),
});
export type TrailEntry = Readonly<z.infer<typeof trailEntrySchema>>;

/** What is to be noted; number, time and chain are the trail's. */
export const trailNoteSchema = trailEntrySchema.omit({ n: true, prev: true, at: true });
export type TrailNote = Readonly<z.infer<typeof trailNoteSchema>>;

export interface TrailHead {
  /** Lines. */
  readonly size: number;
  /** Of the last line, 64 hexadecimal digits; zeros where there is none. */
  readonly hash: string;
}

/** SHA-256 of the label and the line, which has no newline, in hexadecimal. */
export function trailHash(line: string): string {
  return hash('sha256', LABEL + line);
}

/** Undefined for what is no line of a trail. */
export function parseTrailLine(line: string): TrailEntry | undefined {
  if (line.length > TRAIL_LINE_BYTES_MAX) return undefined;
  try {
    return trailEntrySchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
