/** What a writer asks its witnesses, and what they answer: canonical CBOR maps, told apart by `kind`. Spec: SPEC.md 14.5.5. */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { bytesForm, countForm } from '../../protocol/evidence/proof-form.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import {
  NAMING_STATEMENTS_MAX,
  WRITER_KEYS_MAX,
  WRITER_STATEMENTS_BYTES_MAX,
  WRITER_WORD_BYTES_MAX,
} from '../../protocol/limits.ts';
import { ORIGIN_CHARS_MAX } from '../sync/messages.ts';
import { PERMITTED_LOGS_MAX } from './writer-record.ts';

export const WRITER_PROTOCOL = '/entente/writer/1.0.0';
export const WRITER_REQUEST_BYTES_MAX = WRITER_STATEMENTS_BYTES_MAX + 4_096;
/** Of one record: each key may have had trees of other logs permitted. */
const RECORD_PERMITS_MAX = WRITER_KEYS_MAX * PERMITTED_LOGS_MAX;
export const WRITER_ANSWER_BYTES_MAX = (RECORD_PERMITS_MAX + 1) * (WRITER_WORD_BYTES_MAX + 8) + 64;

const wordForm = bytesForm.refine(({ length }) => length <= WRITER_WORD_BYTES_MAX);

const request = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('writer'), origin: z.string().max(ORIGIN_CHARS_MAX) }),
  z.strictObject({ kind: z.literal('claim'), claim: wordForm }),
  z.strictObject({ kind: z.literal('permit'), claim: wordForm, permit: wordForm }),
  z.strictObject({
    kind: z.literal('given-up'),
    origin: z.string().max(ORIGIN_CHARS_MAX),
    statements: z
      .array(z.strictObject({ index: countForm, entry: bytesForm }))
      .max(NAMING_STATEMENTS_MAX)
      .refine(isBounded),
  }),
]);

/**
 * `writer`: who writes, by the name of a trust log. `claim`: let me write. `permit`: let me sign this tree, under that claim. `given-up`: what the
 * root says of the keys that sign such words, where the log does not say it yet.
 */
export type WriterRequest = z.infer<typeof request>;

const answer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('record'),
    claim: wordForm.exactOptional(),
    permits: z.array(wordForm).max(RECORD_PERMITS_MAX),
  }),
  z.strictObject({ kind: z.literal('permitted') }),
  z.strictObject({ kind: z.literal('fenced'), claim: wordForm }),
  z.strictObject({ kind: z.literal('taken'), permit: wordForm }),
  z.strictObject({
    kind: z.literal('refused'),
    reason: z.enum(['malformed', 'unknown-region', 'unsigned', 'standby']),
  }),
]);

/** `record` answers `writer`, `given-up`, and a claim that was granted; the words in it are as their writers signed them. */
export type WriterAnswer = z.infer<typeof answer>;

export function encodeWriterRequest(message: WriterRequest): Uint8Array {
  return encodeCbor(message);
}

/** @throws {ProtocolError} TOO_LARGE, CBOR_MALFORMED, CBOR_NOT_CANONICAL, SCHEMA_INVALID. */
export function parseWriterRequest(message: Uint8Array): WriterRequest {
  return parse(request, message, WRITER_REQUEST_BYTES_MAX);
}

export function encodeWriterAnswer(message: WriterAnswer): Uint8Array {
  return encodeCbor(message);
}

/** @throws {ProtocolError} as `parseWriterRequest`. */
export function parseWriterAnswer(message: Uint8Array): WriterAnswer {
  return parse(answer, message, WRITER_ANSWER_BYTES_MAX);
}

function isBounded(statements: readonly { readonly entry: Uint8Array }[]): boolean {
  return statements.reduce((sum, { entry }) => sum + entry.length, 0) <= WRITER_STATEMENTS_BYTES_MAX;
}

function parse<S extends z.ZodType>(schema: S, message: Uint8Array, bytesMax: number): z.infer<S> {
  const parsed = schema.safeParse(decodeCbor(message, { bytesMax }));
  if (parsed.success) return parsed.data;
  throw new ProtocolError('SCHEMA_INVALID', 'not a message of this protocol');
}
